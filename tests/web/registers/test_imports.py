"""Import from the declaration: template, dry run, every wrong cell, one transaction, the same file twice."""

import io

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from luming_dummy.models import Well
from python_calamine import CalamineWorkbook

from luming.core import work
from luming.core.models import AuditEntry, Task
from luming.web.registers import importing

URL = "/registers/wells/import/"
HEAD = "Well code,Well name,Region,Use,Depth (m),Longitude,Latitude,Drilled on,Sealed"
GOOD = [
    "W1,一号井,150203,Supply,12.5,109.9,40.6,2020-03-01,yes",
    "W2,二号井,昆都仑区,monitoring,30,110.0,40.6,,",
]


def upload(client, lines, name="wells.csv", head=HEAD):
    content = "\n".join([head, *lines]).encode()
    return client.post(URL, {"action": "check", "file": SimpleUploadedFile(name, content)})


def apply(client, response, **more):
    token = response.context["token"]
    return client.post(URL, {"action": "apply", "token": token, "reason": "survey", **more}, follow=True)


def problems(response):
    return [(item.row, item.column, item.what) for item in response.context["report"].problems]


def test_a_file_is_checked_then_imported_and_twice_changes_nothing(world):
    client = world.client("registrar")
    checked = upload(client, GOOD)
    report = checked.context["report"]
    assert (len(report.new), len(report.changed), report.unchanged, report.problems) == (2, 0, 0, [])
    assert not Well.objects.exists() and not AuditEntry.objects.filter(verb="well.create").exists()
    assert "Imported: 2 new records" in apply(client, checked).content.decode()
    first = Well.objects.get(code="W1")
    assert (first.use, first.depth_m, str(first.drilled_on), first.is_sealed) == ("supply", 12.5, "2020-03-01", True)
    assert first.region_id == Well.objects.get(code="W2").region_id == "150203"
    assert AuditEntry.objects.filter(verb="well.create", reason="survey").count() == 2
    again = upload(client, GOOD)
    assert again.context["report"].unchanged == 2 and not again.context["report"].is_change
    assert "there is nothing to import" in again.content.decode()


def test_what_differs_is_shown_from_what_to_what(world):
    client = world.client("registrar")
    apply(client, upload(client, GOOD))
    checked = upload(client, ["W1,一号井,150203,Supply,13,109.9,40.6,2020-03-01,yes", GOOD[1]])
    change = checked.context["report"].changed[0]
    assert change.differences == [("Depth (m)", "12.5", "13.0")] and checked.context["report"].unchanged == 1
    apply(client, checked)
    assert Well.objects.get(code="W1").depth_m == 13


def test_every_wrong_cell_is_said_at_once_and_nothing_is_imported(world):
    client = world.client("registrar")
    checked = upload(
        client,
        [
            GOOD[0],
            "W3,三号井,nowhere,Supply,deep,109.9,40.6,yesterday,perhaps",
            "W4,四号井,150203,fishing,9999,109.9,40.6,,",
            ",无编号,150203,,1,109.9,40.6,,",
            "W1,又一号,150203,,1,109.9,40.6,,",
            "W5,,150203,,,109.9,40.6,,",
        ],
    )
    found = [(row, column) for row, column, _what in problems(checked)]
    assert found == [
        (3, "Region"), (3, "Depth (m)"), (3, "Drilled on"), (3, "Sealed"), (4, "Use"), (5, "Well code"),
        (6, "Well code"), (7, "Well name"), (7, "Depth (m)"),
    ]  # fmt: skip
    refused = apply(client, checked)
    assert refused.status_code == 200 and not Well.objects.exists()
    errors = client.post(URL, {"action": "errors", "token": checked.context["token"]})
    assert len(errors.content.decode("utf-8-sig").splitlines()) == 10


def test_a_value_out_of_bounds_is_a_wrong_cell(world):
    checked = upload(world.client("registrar"), ["W4,四号井,150203,Supply,9999,109.9,40.6,,"])
    assert [(row, column) for row, column, _what in problems(checked)] == [(2, "Depth (m)")]


def test_what_lies_outside_the_scope_is_a_wrong_cell(world, wells):
    world.users["registrar"].region_codes = ["150203"]
    world.users["registrar"].save()
    client = world.client("registrar")
    assert [row for row, *_rest in problems(upload(client, ["W8,八号井,150207,Supply,1,109.9,40.6,,"]))] == [2]
    taken = upload(client, ["W000,改名,150203,Supply,1,109.9,40.6,,"])  # another district's: found out by the rehearsal
    assert [row for row, *_rest in problems(taken)] == [2]
    assert Well.objects.get(code="W000").name != "改名"


def test_headings_in_the_other_language_or_as_field_names_do(world):
    client = world.client("registrar")
    checked = upload(client, ["W1,一号井,150203,12,109.9,40.6"], head="code,name,region,depth_m,longitude,latitude")
    assert len(checked.context["report"].new) == 1
    unknown = upload(
        client, ["W1,一号井,150203,12,109.9,40.6,x"], head="code,name,region,depth_m,longitude,latitude,颜色"
    )
    assert [item.column for item in unknown.context["report"].warnings] == ["颜色"]
    missing = upload(client, ["一号井"], head="name")
    assert problems(missing)[0][1] == "Well code"


def test_a_heading_of_the_product_is_known_in_both_languages(world):
    from luming.core import manifest

    columns = importing.import_columns(manifest.register("facilities"))
    headings = {column.name: column.headings for column in columns}
    assert {"Name", "名称"} <= set(headings["name"]) and {"Region", "区划"} <= set(headings["region"])


def test_the_template_can_be_filled_in_and_imported(world):
    client = world.client("registrar")
    content = client.get(URL, {"template": ""}).content
    head = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()[0]
    assert head[0] == "Well code *" and len(head) == 15
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet("Wells")
    sheet.write_row(0, 0, head)
    values = {"Well code *": "W1", "Well name *": "一号井", "Region *": "150203", "Depth (m) *": 12, "Longitude *": 110,
              "Latitude *": 40.6, "Use": "Supply"}  # fmt: skip
    for index, heading in enumerate(head):
        if heading in values:
            sheet.write(1, index, values[heading])
    book.close()
    checked = client.post(URL, {"action": "check", "file": SimpleUploadedFile("w.xlsx", file.getvalue())})
    assert len(checked.context["report"].new) == 1, problems(checked)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("w.exe", b"x", "Only Excel workbooks"), ("w.csv", b"", "empty"), ("w.xlsx", b"PK\x03\x04nonsense", "damaged"),
        ("w.csv", b"\xff\xfe\x00", "neither Excel nor text"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_with_a_sentence(world, name, content, sentence):
    response = world.client("registrar").post(URL, {"action": "check", "file": SimpleUploadedFile(name, content)})
    assert sentence in response.content.decode()


def test_only_who_may_edit_and_only_what_can_be_recognised(world):
    assert world.client("duty").get(URL).status_code == 403
    assert world.client("registrar").get("/registers/samples/import/").status_code == 403
    gone = world.client("registrar").post(URL, {"action": "apply", "token": "unknown"}, follow=True)
    assert "no longer there" in gone.content.decode()


def test_a_large_file_is_long_work(world, monkeypatch):
    monkeypatch.setattr(importing, "REHEARSED", 1)
    client = world.client("registrar")
    checked = upload(client, GOOD)
    assert 'name="large"' in checked.content.decode()
    apply(client, checked, large="1")
    done = work.perform(Task.objects.get().pk)
    assert (done.state, done.message) == ("done", "Imported: 2 new records, 0 changed ones.")
    assert Well.objects.count() == 2


def test_a_large_file_with_a_wrong_row_keeps_the_list_of_what_is_wrong(world, wells, monkeypatch):
    monkeypatch.setattr(importing, "REHEARSED", 1)
    world.users["registrar"].region_codes = ["150203"]
    world.users["registrar"].save()
    client = world.client("registrar")
    checked = upload(client, [*GOOD, "W000,改名,150203,Supply,1,109.9,40.6,,"])
    apply(client, checked, large="1")
    done = work.perform(Task.objects.get().pk)
    assert done.file_name == "wells-errors.csv" and "Nothing was imported" in done.message
    assert Well.objects.count() == len(wells)


def test_existing_registers_import_through_their_own_verbs(world):
    content = "编码,名称,区划,经度,纬度\nF9,九厂,150203,109.9,40.6\n".encode()
    client = world.client("registrar")
    url = "/registers/facilities/import/"
    checked = client.post(url, {"action": "check", "file": SimpleUploadedFile("f.csv", content)})
    assert len(checked.context["report"].new) == 1, problems(checked)
    client.post(url, {"action": "apply", "token": checked.context["token"], "reason": "new"})
    assert AuditEntry.objects.filter(verb="facility.create", object_name="九厂").exists()
