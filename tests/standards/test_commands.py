"""``luming air aqi`` and ``luming water class`` on files with edge values."""

import csv
import io
import sys
from pathlib import Path

import polars as pl
import pytest

from luming.cli import main

HEADER = "time,station,so2,no2,co,o3,pm10,pm25"


def run(tmp_path: Path, text: str | bytes, *options: str, command: tuple[str, ...] = ("air", "aqi")) -> list[dict]:
    """Run a command on a CSV and return the rows written; the exit code must be 0."""
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(text.encode() if isinstance(text, str) else text)
    assert main([*command, str(source), "-o", str(target), *options]) == 0
    with target.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def refused(tmp_path: Path, text: str | bytes, *options: str, command: tuple[str, ...] = ("air", "aqi")) -> None:
    """Run a command that must fail with 1 and write nothing."""
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(text.encode() if isinstance(text, str) else text)
    assert main([*command, str(source), "-o", str(target), *options]) == 1
    assert not target.exists()


def judged(rows: list[dict]) -> list[tuple[str, str, str]]:
    return [(row["aqi"], row["level"], row["primary"]) for row in rows]


def hour(pm25: str, time: str = "2026-03-01 00:00", so2: str = "5") -> str:
    return f"{time},东河,{so2},5,0.5,5,10,{pm25}"


def test_rounding_edition_and_missing_rules_in_one_file(tmp_path: Path) -> None:
    rows = [
        hour("60"),
        hour("60.5"),
        hour("60.6"),
        hour("60", time="2026-02-28 23:00"),
        hour("75", time="2026-02-28 23:00"),
        hour("60", so2="NA"),
        hour("61", so2=""),
        hour("60", so2="", time="2026-02-28 23:00"),
        hour("35"),
        hour(" 36 "),
        hour("9999"),
    ]
    assert judged(run(tmp_path, "\n".join([HEADER, *rows]) + "\n")) == [
        ("100", "2", "pm25"),
        ("100", "2", "pm25"),
        ("101", "3", "pm25"),
        ("82", "2", "pm25"),
        ("100", "2", "pm25"),
        ("", "", ""),
        ("101", "3", "pm25"),
        ("82", "2", "pm25"),
        ("50", "1", ""),
        ("52", "2", "pm25"),
        ("500", "6", "pm25"),
    ]


@pytest.mark.parametrize("mark", ["", "NA", "n/a", "NaN", "null", "None", "-", "--", "—", "/", " "])
def test_missing_marks(tmp_path: Path, mark: str) -> None:
    assert judged(run(tmp_path, f"{HEADER}\n{hour('60', so2=mark)}\n")) == [("", "", "")]


@pytest.mark.parametrize(
    ("time", "aqi"),
    [
        ("2026-02-28 23:00", "82"),
        ("2026-03-01 00:00", "100"),
        ("2026-03-01 00:00:00", "100"),
        ("2026-03-01T00:00:00", "100"),
        ("2026-03-01", "100"),
        ("2026/3/1 0:00", "100"),
        ("2026-02-28 24:00", "100"),
        ("20260301000000", "100"),
        ("2026-02-28T16:00:00Z", "100"),
        ("2026-02-28T15:59:59Z", "82"),
        ("2026-03-01T00:00:00+08:00", "100"),
        ("2026年3月1日 0时", "100"),
    ],
)
def test_times_as_people_write_them(tmp_path: Path, time: str, aqi: str) -> None:
    # a row of another style before it, so that both the fast and the patient way of reading are taken
    rows = run(tmp_path, f"{HEADER}\n{hour('10', time='2025-01-01 00:00')}\n{hour('60', time=time)}\n")
    assert (rows[1]["aqi"], rows[1]["time"]) == (aqi, time)
    assert run(tmp_path, f"{HEADER}\n{hour('60', time=time)}\n")[0]["aqi"] == aqi


def test_label_end_names_the_end_of_the_period(tmp_path: Path) -> None:
    text = f"{HEADER}\n{hour('60', time='2026-03-01 00:00')}\n{hour('60', time='2026-03-01 01:00')}\n"
    assert [row["aqi"] for row in run(tmp_path, text, "--label", "end")] == ["82", "100"]


def test_period_day_and_pinned_edition(tmp_path: Path) -> None:
    text = f"{HEADER}\n2026-03-01,a,5,80,4,160,120,60\n2026-03-01,a,5,5,0.5,900,10,10\n"
    rows = run(tmp_path, text, "--period", "day")
    assert judged(rows) == [("100", "2", "no2+co+o3+pm10+pm25"), ("300", "5", "o3")]
    rows = run(tmp_path, text, "--period", "day", "--edition", "2012")
    assert judged(rows) == [("100", "2", "no2+co+o3"), ("15", "1", "")]  # O3 8 h > 800 has no index in 2012


def test_other_columns_and_the_order_stay_as_they_were(tmp_path: Path) -> None:
    text = (
        'note,PM2.5,time,so2,no2,co,o3,pm10,编号\n"a, ""b""",60.50,2026-03-01 05:00,1e1,5,0.50,5,10,007\n'
        ",1.0,2026-03-01 04:00,5,5,0.5,5,10,1.10\n"
    )
    rows = run(tmp_path, text)
    assert [row["编号"] for row in rows] == ["007", "1.10"]
    assert (rows[0]["note"], rows[0]["PM2.5"], rows[0]["so2"], rows[1]["note"]) == ('a, "b"', "60.50", "1e1", "")
    assert list(rows[0]) == [
        *["note", "PM2.5", "time", "so2", "no2", "co", "o3", "pm10", "编号"],
        "aqi",
        "level",
        "primary",
    ]
    assert rows[0]["aqi"] == "100"


def test_every_bad_cell_is_reported_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        f'{HEADER}\n2026-03-01 00:00,"two\nlines",5,5,0.5,5,10,abc\n\n'
        "2026-03-01 01:00,a,-1,5,inf,5,10,60\nyesterday,a,5,5,0.5,5,10,60\n,a,5,5,0.5,5,10,60\n"
    )
    refused(tmp_path, text)
    lines = capsys.readouterr().err.splitlines()
    places = [(line.split("line ")[1].split("，")[0], line.split("列 ")[1].split("：")[0]) for line in lines[:5]]
    assert places == [("2", "pm25"), ("5", "co"), ("5", "so2"), ("6", "time"), ("7", "time")]
    assert "'abc'" in lines[0] and "不是数字" in lines[0]
    assert "负值" in lines[2]
    assert "--skip-bad" in lines[-1]
    rows = run(tmp_path, text, "--skip-bad")
    assert judged(rows) == [("", "", "")] * 4
    assert rows[1]["so2"] == "-1"  # the cell stays as it was


def test_rows_of_the_wrong_length_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(tmp_path, f"{HEADER}\n2026-03-01 00:00,a,5,5,0.5,5,10\n{hour('60')}\n", "--skip-bad")
    assert "line 2: 7" in capsys.readouterr().err
    refused(tmp_path, f"{HEADER}\n{hour('60')}\n{hour('60')},9\n")
    assert "line 3: 9" in capsys.readouterr().err
    refused(tmp_path, f'{HEADER}\n2026-03-01 00:00,"a,b",5,5,0.5,5,10\n')
    assert "line 2: 7" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["gbk", "utf-8-sig", "utf-8"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    rows = run(tmp_path, f"{HEADER}\n{hour('60')}\n".encode(encoding))
    assert (rows[0]["station"], rows[0]["aqi"]) == ("东河", "100")


def test_crlf_and_missing_last_line_end(tmp_path: Path) -> None:
    rows = run(tmp_path, f"{HEADER}\r\n{hour('60')}\r\n{hour('61')}")
    assert [row["aqi"] for row in rows] == ["100", "101"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "空的"),
        ("time,station,so2\n", "缺少列 no2, co, o3, pm10, pm25"),
        ("time,station,so2,no2,co,o3,pm10,pm25,co\n", "列名重复：co"),
        (f"{HEADER},aqi\n{hour('60')},1\n", "--suffix"),
        (b"\xff\xfe\x00t,\x81\n", "GBK"),
    ],
)
def test_files_that_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | bytes, message: str
) -> None:
    refused(tmp_path, text)
    assert message in capsys.readouterr().err


def test_a_missing_input_and_a_missing_folder_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["air", "aqi", str(tmp_path / "no.csv")]) == 1
    assert "cannot read" in capsys.readouterr().err
    source = tmp_path / "in.csv"
    source.write_text(f"{HEADER}\n{hour('60')}\n", encoding="utf-8")
    assert main(["air", "aqi", str(source), "-o", str(tmp_path / "no" / "out.csv")]) == 1
    assert "cannot write" in capsys.readouterr().err


def test_a_file_without_rows_keeps_its_header(tmp_path: Path) -> None:
    assert run(tmp_path, f"{HEADER}\n") == []
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").strip() == f"{HEADER},aqi,level,primary"


def test_parquet_in_and_out(tmp_path: Path) -> None:
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    columns = {"so2": [5, None], "no2": [5, 5], "co": [0.5, 0.5], "o3": [5.0, 5.0], "pm10": [10, 10]}
    frame = pl.DataFrame(columns).with_columns(
        pl.Series("pm25", [60.5, 60.5], dtype=pl.Float32),
        pl.Series("time", ["2026-02-28T16:00:00Z"] * 2).str.to_datetime(time_zone="UTC"),
    )
    frame.write_parquet(source)
    assert main(["air", "aqi", str(source), "-o", str(target)]) == 0
    written = pl.read_parquet(target)
    assert written["aqi"].to_list() == [100, None]
    assert written.drop("aqi", "level", "primary").equals(frame)


def test_standard_input_and_output(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    text = f"{HEADER}\n{hour('60')}\n".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert main(["air", "aqi", "-"]) == 0
    assert capfdbinary.readouterr().out.decode().splitlines()[1].endswith(",60,100,2,pm25")


def test_further_options_of_air(tmp_path: Path) -> None:
    text = "time,so2,no2,o3,pm10,pm25\n2026-03-01 00:00,5,5,5,10,60\n"
    row = run(tmp_path, text, "--not-monitored", "co", "--iaqi", "--suffix", "_new")[0]
    assert (row["aqi_new"], row["iaqi_pm25_new"], row["iaqi_co_new"]) == ("100", "100", "")
    text = f"{HEADER},pm25_24h\n{hour('10', time='2020-01-01 00:00')},115\n"
    assert run(tmp_path, text)[0]["aqi"] == "15"
    assert run(tmp_path, text, "--all-indicators")[0]["aqi"] == "150"


def test_the_example_of_the_how_to_guide_is_true(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs/how-to/compute-aqi-from-a-file.md").read_text(encoding="utf-8")
    given, expected = (block.split("```")[0] for block in guide.split("```text\n")[1:3])
    run(tmp_path, given)
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == expected


WATER = ("water", "class")


def test_water_classes_of_a_file(tmp_path: Path) -> None:
    text = (
        "time,station,ph,do,codmn,nh3n,tp,tn,fecal,turb\n"
        "2026-01-01,甲,7.2,7.5,2,0.15,0.02,9,1e5,x\n"
        "2026-01-01,乙,7.2,5,6.04,1.004,0.2,,,\n"
        "2026-01-01,丙,9.2,4.9,6.6,1,0.27,,,\n"
        "2026-01-01,丁,,,,,NA,1,,\n"
        "2026-01-01,戊,,,,<0.3,0.01L,,,\n"
    )
    rows = run(tmp_path, text, command=WATER)
    assert [(row["class"], row["exceeding"]) for row in rows] == [
        ("1", ""),
        ("3", ""),
        ("6", "tp(0.35);codmn(0.10);ph;do"),
        ("", ""),
        ("1", ""),
    ]
    assert [row["class"] for row in run(tmp_path, text, "--count", "tn", command=WATER)] == ["6", "3", "6", "3", "1"]
    assert run(tmp_path, text, "--body", "lake", command=WATER)[1]["exceeding"] == "tp(3.00)"
    assert run(tmp_path, text, "--decimals", "codmn=2", command=WATER)[1]["class"] == "4"


def test_bad_water_cells_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "time,station,ph,tp\n2026-01-01,甲,15,0.1\n2026-01-01,甲,7,-0.1\n2026-01-01,甲,7,L\n"
    refused(tmp_path, text, command=WATER)
    error = capsys.readouterr().err
    assert "line 2，列 ph：大于 14" in error
    assert "line 3，列 tp：负值无效" in error
    assert "line 4，列 tp：不是数字" in error
    assert [row["class"] for row in run(tmp_path, text, "--skip-bad", command=WATER)] == ["2", "1", "1"]


def test_water_needs_an_item_and_places_that_show_the_limits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(tmp_path, "time,station,turb\n", command=WATER)
    assert "没有水质项目列" in capsys.readouterr().err
    refused(tmp_path, "time,nh3n\n2026-01-01,1\n", "--decimals", "nh3n=1", command=WATER)
    assert "cannot show" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["air", "aqi", "x.csv", "--not-monitored", "pm1"],
        ["water", "class", "x.csv", "--decimals", "tp"],
        ["water", "class", "x.csv", "--count", "turb"],
    ],
)
def test_unknown_names_in_options_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
