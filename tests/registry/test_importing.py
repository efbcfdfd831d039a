"""Import of places: formats, all errors at once, all or nothing, idempotence, scope, audit."""

import argparse
import io
import time
from datetime import date

import pytest
import xlsxwriter
from django.core.exceptions import PermissionDenied
from django.utils import translation
from python_calamine import CalamineWorkbook

from luming.core.models import AuditEntry, Organisation, User
from luming.registry import actions, import_commands
from luming.registry.importing import TABLES, import_places, template
from luming.registry.models import Device, Facility, FactorAlias, Limit, Outlet, Place, Series, Station

MN = "88888880000001ABCDEF0001"


def workbook(**sheets):
    """Return an .xlsx file: sheet name -> rows, the first of them the headings."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write_datetime(number, column, cell) if isinstance(cell, date) else sheet.write(
                    number, column, cell
                )
    book.close()
    return file.getvalue()


def everything():
    return {
        "排污单位": [
            ["编码*", "名称*", "统一社会信用代码", "所属区划*", "经度*", "纬度*", "状态"],
            ["QY1", "某热电厂", "91350100m000100y43", "昆都仑区", 109.75, 40.66, "在产"],
            ["QY2", "某水厂", "", 150204, 109.90, 40.68, ""],
        ],
        "排放口": [
            ["排污单位编码", "排放口编号", "名称", "基准氧含量（%）", "投运时间"],
            ["QY1", "DA001", "1 号烟囱", 6, date(2026, 1, 1)],
            ["QY2", "dw001", "总排口", "", "2026-01-01 08:00"],
        ],
        "监测点位": [
            ["编码", "名称", "要素", "所属区划", "经度", "纬度", "控制级别", "水体类型", "目标水质"],
            ["SW1", "某断面", "地表水", "150207 九原区", "109.9", "40.5", "市控", "河流", "Ⅲ类"],
        ],
        "设备": [["MN", "点位编码", "协议版本"], [MN, "QY1-DA001", "HJ 212-2017"]],
        "时序": [
            ["点位编码", "因子", "数据周期", "单位"],
            ["QY1-DA001", "a21026", "小时", "mg/m3"],
            ["QY1-DA001", "so2", "分钟", ""],
            ["QY2-DW001", "化学需氧量", "小时", ""],
        ],
        "限值": [
            ["排放口编码", "因子", "上限", "按折算值", "依据标准", "生效日期"],
            ["QY1-DA001", "二氧化硫", 35, "是", "许可证", date(2026, 1, 1)],
        ],
        "因子对照": [["点位编码", "上报编码", "因子"], ["QY1-DA001", "S02", "a21026"]],
    }  # fmt: skip


def test_a_whole_workbook_and_again(registrar):
    content = workbook(**everything())
    report = import_places(registrar, content, filename="点位.xlsx", reason="首次导入")
    assert report.problems == [] and report.warnings == [] and report.applied
    assert {name: counts.new for name, counts in report.tables.items()} == {
        "facilities": 2, "outlets": 2, "stations": 1, "devices": 1, "series": 3, "limits": 1, "aliases": 1,
    }  # fmt: skip
    plant = Facility.objects.get(code="QY1")
    assert (plant.uscc, plant.region_id, plant.status) == ("91350100M000100Y43", "150203", "running")
    outlet = Outlet.objects.get(code="QY2-DW001")
    assert (outlet.medium, outlet.region_id, outlet.longitude, outlet.kind) == ("sewage", "150204", 109.90, "outlet")
    assert outlet.commissioned_at.isoformat() == "2026-01-01T00:00:00+00:00"  # 08:00 in the city
    assert Outlet.objects.get(code="QY1-DA001").commissioned_at.isoformat() == "2025-12-31T16:00:00+00:00"
    station = Station.objects.get(code="SW1")
    assert (station.water_body, station.target_class, station.region_id) == ("river", 3, "150207")
    device = Device.objects.get(mn=MN)
    assert (device.system, device.edition, device.place.code) == ("31", 1, "QY1-DA001")
    series = {(s.factor, s.interval): (s.seconds, s.unit) for s in Series.objects.all()}
    assert series[("a21026", "hour")] == (3600, "mg/m³")
    assert series[("a21026", "minute")] == (600, "mg/m³")
    assert series[("w01018", "hour")] == (3600, "mg/L")
    limit = Limit.objects.get()
    assert (limit.factor, limit.basis, limit.converted, limit.unit) == ("a21026", "hour", True, "mg/m³")
    assert FactorAlias.objects.get().sent == "S02"

    entries = AuditEntry.objects.filter(actor=registrar)
    assert entries.filter(verb="outlet.create").count() == 2
    summary = entries.get(verb="place.import")
    assert summary.reason == "首次导入" and summary.detail["file"] == "点位.xlsx"
    assert summary.detail["counts"]["series"] == [3, 0, 0]

    before = AuditEntry.objects.count()
    again = import_places(registrar, content, filename="点位.xlsx")
    assert again.applied and not again.is_change
    assert sum(counts.unchanged for counts in again.tables.values()) == 11
    assert AuditEntry.objects.count() == before


def test_changes_are_counted_and_audited_from_to(registrar):
    sheets = everything()
    import_places(registrar, workbook(**sheets), filename="a.xlsx")
    sheets["排污单位"][1][1] = "某某热电厂"
    sheets["限值"][1][2] = 30
    sheets["排放口"][1][3] = ""  # an empty cell leaves what is there
    report = import_places(registrar, workbook(**sheets), filename="b.xlsx")
    assert {name: c.changed for name, c in report.tables.items() if c.changed} == {"facilities": 1, "limits": 1}
    assert Outlet.objects.get(code="QY1-DA001").reference_oxygen == 6
    entry = AuditEntry.objects.get(verb="facility.change")
    assert entry.detail == {"changes": {"name": ["某热电厂", "某某热电厂"]}, "file": "b.xlsx"}
    assert AuditEntry.objects.get(verb="limit.change").detail["changes"] == {"upper": [35.0, 30.0]}


def test_dry_run_changes_nothing(registrar):
    report = import_places(registrar, workbook(**everything()), dry_run=True, filename="a.xlsx")
    assert report.is_change and not report.applied and report.problems == []
    assert not Facility.objects.exists() and not AuditEntry.objects.filter(actor=registrar).exists()


def test_all_bad_rows_at_once_and_nothing_applied(registrar):
    sheets = everything()
    sheets["排污单位"] += [
        ["QY3", "", "91350100M000100Y44", "昆都伦区", "东经", 40.6, "忙"],
        ["QY1", "又一厂", "", "昆都仑区", 109.7, 40.6, ""],
        ["QY4", "某厂", "", "昆都仑区", 40.66, 109.75, ""],
        ["QY5", "某厂", "91350100M000100Y44", "昆都仑区", 109.7, 40.6, ""],
    ]
    sheets["排放口"] += [
        ["QY3", "DA001", "烟囱", 6, ""],
        ["QY9", "DA001", "烟囱", 6, ""],
        ["QY1", "DX01", "烟囱", 60, ""],
    ]
    sheets["设备"] += [[1e23, "QY1-DA001", ""], ["12345", "QY1-DA001", ""], [MN[:-1] + "2", "QY1-DA002", "HJ 212-2030"]]
    sheets["时序"] += [["QY1-DA001", "二氧化流", "小时", ""], ["QY1-DA001", "a34013", "小时", "斤"]]
    sheets["限值"] += [
        ["QY1-DA001", "a21026", 30, "", "许可证", "2026-06-01"],
        ["SW1", "a21026", 30, "", "许可证", "2026-13-01"],
        ["QY1-DA001", "a34013", "", "", "许可证", "2026年1月1日"],
    ]
    sheets["因子对照"] += [["QY1-DA001", "S02", "a21005"]]
    with translation.override("en"):
        report = import_places(registrar, workbook(**sheets), filename="a.xlsx")
    found = {(problem.sheet, problem.row, problem.column.rstrip("*")) for problem in report.problems}
    assert found == {
        ("排污单位", 4, "名称"), ("排污单位", 4, "所属区划"), ("排污单位", 4, "经度"), ("排污单位", 4, "状态"),
        ("排污单位", 4, "统一社会信用代码"), ("排污单位", 5, "编码"), ("排污单位", 6, "经度"), ("排污单位", 6, "纬度"),
        ("排污单位", 7, "统一社会信用代码"),
        ("排放口", 5, "排污单位编码"), ("排放口", 6, "排放口编号"), ("排放口", 6, "基准氧含量（%）"),
        ("设备", 3, "MN"), ("设备", 4, "MN"), ("设备", 5, "点位编码"), ("设备", 5, "协议版本"),
        ("时序", 5, "因子"), ("时序", 6, "单位"),
        ("限值", 2, "生效日期"), ("限值", 3, "生效日期"), ("限值", 4, "排放口编码"), ("限值", 4, "生效日期"),
        ("限值", 5, "上限"),
        ("因子对照", 3, "上报编码"),
    }  # fmt: skip
    by_place = {(problem.sheet, problem.row, problem.column): problem for problem in report.problems}
    assert "昆都仑区" in by_place["排污单位", 4, "所属区划*"].remedy
    assert "二氧化硫" in by_place["时序", 5, "因子"].remedy
    assert "row 2" in by_place["排污单位", 5, "编码*"].what
    assert not report.applied
    assert not Facility.objects.exists() and not Place.objects.exclude(note__contains="坐标").exists()


def test_a_point_outside_the_city_is_warned_about_only(registrar):
    rows = [["编码", "名称", "所属区划", "经度", "纬度"], ["QY1", "某厂", "150203", 116.4, 39.9]]
    report = import_places(registrar, workbook(排污单位=rows), filename="a.xlsx")
    assert report.applied and [(item.row, item.value) for item in report.warnings] == [(2, "116.4")]


CSV = "code,name,region,longitude,latitude\nQY1,某厂,昆都仑区,109.7,40.6\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_csv_in_each_encoding(registrar, encoding):
    report = import_places(registrar, CSV.encode(encoding), filename="upload.csv")
    assert report.applied and Facility.objects.get().name == "某厂"


@pytest.mark.parametrize(
    ("headings", "row", "table"),
    [
        ("Code,Name,Region,Longitude,Latitude", "Q,某厂,150203,109.7,40.6", "facilities"),
        ("Facility code;Outlet number;Name", "QY0001;DA002;烟囱", "outlets"),
        ("编码\t名称\t要素\t所属区划\t经度\t纬度", "S1\t某站\t空气\t150203\t109.7\t40.6", "stations"),
        ("mn,place", f"{MN},QY0001-DA001", "devices"),
        ("Place code,Factor,Interval", "QY0001-DA001,a21026,Hour", "series"),
        ("outlet,factor,upper,source,effective_from", "QY0001-DA001,a21026,35,许可证,2026/1/1", "limits"),
        ("点位编码,上报编码,因子", "QY0001-DA001,S02,a21026", "aliases"),
    ],
)
def test_a_csv_file_is_recognised_by_its_headings(registrar, stack, headings, row, table):
    report = import_places(registrar, f"{headings}\r\n{row}\r\n".encode(), filename="upload.csv")
    assert report.problems == [] and {name: counts.new for name, counts in report.tables.items()} == {table: 1}


@pytest.mark.parametrize(
    ("content", "filename"),
    [
        (b"", "a.xlsx"),
        (b"PK\x03\x04 not a workbook", "a.xlsx"),
        (b"\xd0\xcf\x11\xe0 not a workbook", "a.xls"),
        (b"\x00\x01\x02\xff", "a.csv"),
        (b"\xff\xfe\x00", "a.csv"),
        ("甲,乙\n1,2\n".encode(), "a.csv"),
        (b'code,name\n"broken', "facilities.csv"),
        (b"code,name\nQY1,x\n", "facilities.csv"),
        (b"code,code,name,region,longitude,latitude\n", "facilities.csv"),
    ],
)
def test_a_file_that_is_none_says_so(registrar, content, filename):
    report = import_places(registrar, content, filename=filename)
    assert report.problems and not report.applied
    assert all(problem.what for problem in report.problems)


@pytest.mark.parametrize(("row", "column"), [(1_048_575, 0), (5, 16_383), (100_000, 3)])
def test_a_value_in_a_far_corner_is_refused_before_it_fills_the_memory(registrar, row, column):
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet("排污单位")
    sheet.write_row(0, 0, ["编码", "名称", "所属区划", "经度", "纬度"])
    sheet.write_row(1, 0, ["QY1", "某厂", "昆都仑区", 109.7, 40.6])
    sheet.write_blank(1_048_575, 16_383, None, book.add_format({"bold": True}))  # a format alone does no harm
    book.close()
    assert import_places(registrar, file.getvalue(), filename="a.xlsx").applied
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    book.add_worksheet("排污单位").write(row, column, "x")
    book.close()
    report = import_places(registrar, file.getvalue(), filename="a.xlsx")
    assert len(report.problems) == 1 and not report.applied


def test_unknown_sheets_and_columns_are_remarked_on(registrar):
    sheets = everything()
    sheets["随手记"] = [["备忘"], ["周五开会"]]
    sheets["排污单位"][0].append("颜色")
    report = import_places(registrar, workbook(**sheets), filename="a.xlsx")
    assert report.applied
    assert {(problem.sheet, problem.column) for problem in report.warnings} == {("随手记", ""), ("排污单位", "颜色")}


def test_permission(baotou):
    duty = User.objects.create_user("duty", "x" * 12, name="值班", role="duty")
    with pytest.raises(PermissionDenied):
        import_places(duty, workbook(**everything()), filename="a.xlsx")


def test_scope(district_registrar, plant, baotou):
    actions.create_facility(None, code="QY9", name="东河某厂", region_id="150202", longitude=110, latitude=40.6)
    head = ["编码", "名称", "所属区划", "经度", "纬度"]
    rows = [head, ["QY9", "改名", "昆都仑区", 109.7, 40.6], ["QY10", "某厂", "东河区", 110.0, 40.6]]
    outlets = [["排污单位编码", "排放口编号", "名称"], ["QY9", "DA001", "烟囱"]]
    report = import_places(district_registrar, workbook(排污单位=rows, 排放口=outlets), filename="a.xlsx")
    assert {(problem.sheet, problem.row) for problem in report.problems} == {("排污单位", 2), ("排污单位", 3)}
    assert Facility.objects.get(code="QY9").name == "东河某厂"
    report = import_places(district_registrar, workbook(排放口=outlets), filename="a.xlsx")
    assert [problem.row for problem in report.problems] == [2]
    mine = [head, ["QY0001", "改名", "昆都仑区", 109.7, 40.6]]
    assert import_places(district_registrar, workbook(排污单位=mine), filename="a.xlsx").applied


def test_the_same_credit_code_and_name_under_two_codes(registrar):
    head = ["编码", "名称", "统一社会信用代码", "所属区划", "经度", "纬度"]
    row = ["某厂", "91350100M000100Y43", "昆都仑区", 109.7, 40.6]
    assert import_places(registrar, workbook(排污单位=[head, ["Q1", *row]]), filename="a.xlsx").applied
    report = import_places(registrar, workbook(排污单位=[head, ["Q2", *row]]), filename="a.xlsx")
    assert [problem.column for problem in report.problems] == ["统一社会信用代码"]
    report = import_places(registrar, workbook(排污单位=[head, ["Q3", "乙厂", *row[1:]], ["Q4", "乙厂", *row[1:]]]))
    assert [problem.row for problem in report.problems] == [3]


def test_organisations_are_found_by_name(registrar):
    Organisation.objects.create(name="某集团", kind="enterprise")
    head = ["编码", "名称", "所属区划", "经度", "纬度", "组织机构"]
    rows = [head, ["Q1", "某厂", "昆都仑区", 109.7, 40.6, "某集团"], ["Q2", "某厂", "昆都仑区", 109.7, 40.6, "没有"]]
    report = import_places(registrar, workbook(排污单位=rows), filename="a.xlsx")
    assert [(problem.row, problem.value) for problem in report.problems] == [(3, "没有")]
    assert import_places(registrar, workbook(排污单位=rows[:2]), filename="a.xlsx").applied
    assert Facility.objects.get().organisation.name == "某集团"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_template_imports_as_nothing_and_its_examples_as_themselves(registrar, language):
    with translation.override(language):
        content = template()
        report = import_places(registrar, content, filename="t.xlsx")
        assert report.problems == [] and report.warnings == [] and not report.is_change
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = {}
        for table in TABLES:
            head, example = book.get_sheet_by_name(table.label).to_python()[:2]
            sheets[table.label] = [head, [str(example[0]).removeprefix("#"), *example[1:]]]
        report = import_places(registrar, workbook(**sheets), filename="filled.xlsx")
    assert report.problems == [] and report.applied
    assert {name: counts.new for name, counts in report.tables.items()} == {table.name: 1 for table in TABLES}


def test_five_thousand_rows_in_ten_seconds(registrar, django_assert_max_num_queries):
    plants, stacks = range(400), ("DA001", "DA002")
    outlets = [(f"QY{i:04d}", number) for i in plants for number in stacks]
    sheets = {
        "排污单位": [["编码", "名称", "所属区划", "经度", "纬度"]]
        + [[f"QY{i:04d}", f"第 {i} 厂", "昆都仑区", 109.7, 40.6] for i in plants],
        "排放口": [["排污单位编码", "排放口编号", "名称"]] + [[code, number, "烟囱"] for code, number in outlets],
        "设备": [["MN", "点位编码"]] + [[f"{i:024d}", "-".join(place)] for i, place in enumerate(outlets)],
        "时序": [["点位编码", "因子", "数据周期"]]
        + [["-".join(place), factor, "小时"] for place in outlets for factor in ("so2", "氮氧化物", "a34013")],
        "限值": [["排放口编码", "因子", "上限", "依据标准", "生效日期"]]
        + [["-".join(place), "so2", 35, "许可证", "2026-01-01"] for place in outlets],
    }
    content = workbook(**sheets)
    started = time.process_time()  # of this process alone, so that a busy machine does not decide
    with django_assert_max_num_queries(2 * len(outlets) + 50):
        report = import_places(registrar, content, filename="a.xlsx")
    seconds = time.process_time() - started
    assert report.problems == []
    assert sum(counts.new for counts in report.tables.values()) == 5200
    assert seconds < 10


def run(*words):
    parser = argparse.ArgumentParser()
    import_commands.configure(parser)
    args = parser.parse_args([str(word) for word in words])
    return args.run(args)


def test_command(baotou, tmp_path, capsys):
    assert run("--template", tmp_path / "t.xlsx") == 0
    assert run(tmp_path / "t.xlsx") == 0
    path, errors = tmp_path / "facilities.csv", tmp_path / "errors.csv"
    path.write_text(CSV, encoding="gbk")
    assert run(path, "--dry-run") == 0
    assert not Facility.objects.exists()
    capsys.readouterr()
    assert run(path, "--reason", "首次") == 0
    assert capsys.readouterr().out == "排污单位: 新增 1，更新 0，未变 0\n已导入。\n"
    assert run(path, "--language", "en") == 0
    assert capsys.readouterr().out == "Facilities: 0 new, 0 changed, 1 unchanged\nImported.\n"
    assert AuditEntry.objects.get(verb="place.import").actor_name == "system"
    path.write_text(CSV.replace("昆都仑区", "亚特兰蒂斯"), encoding="utf-8")
    capsys.readouterr()
    assert run(path, "--errors", errors) == 1
    assert "亚特兰蒂斯" in capsys.readouterr().err
    assert errors.read_text(encoding="utf-8-sig").count("亚特兰蒂斯") == 1
    assert run(tmp_path / "missing.xlsx") == 2
    assert run() == 2
