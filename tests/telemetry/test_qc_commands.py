"""``luming qc run`` and ``luming qc catalogue`` on files."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from pathlib import Path

import polars as pl
import pytest

from luming.cli import main
from luming.science.qc import catalogue as qc
from luming.telemetry.qc_files import guess_medium, usual_step

HOURS = "2026-03-01 {:02d}:00"


def run(tmp_path: Path, text: str, *options: str) -> list[tuple[str, ...]]:
    """Run the checks on a CSV and return the rows written; the exit code must be 0."""
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(text, encoding="utf-8")
    assert main(["qc", "run", str(source), "-o", str(target), *options]) == 0
    with target.open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    assert header == ["time", "station", "factor", "check", "result"]
    return [tuple(row) for row in rows]


def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, *options: str) -> str:
    """Run a command that must fail with 1 and write nothing; returns what it says."""
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(text, encoding="utf-8")
    assert main(["qc", "run", str(source), "-o", str(target), *options]) == 1
    assert not target.exists()
    return capsys.readouterr().err


def series(values: list[object], factor: str = "pm25") -> str:
    return f"time,{factor}\n" + "".join(f"{HOURS.format(hour)},{value}\n" for hour, value in enumerate(values))


def test_only_what_is_not_pass_is_written_in_the_order_of_the_file(tmp_path, capsys):
    rows = run(tmp_path, series([30, 31, "", 32, -9999, 33]))
    assert rows == [
        ("2026-03-01 02:00", "", "pm25", "GEN-MISSING", "missing"),
        ("2026-03-01 04:00", "", "pm25", "GEN-PHYSICAL", "fail"),
        ("2026-03-01 04:00", "", "pm25", "GEN-FILL", "fail"),
        ("2026-03-01 04:00", "", "pm25", "GEN-NEGATIVE", "fail"),
    ]
    summary = capsys.readouterr().err
    assert "6 行 / rows" in summary
    assert qc.edition() in summary
    assert "valid 4 (66.67%), suspect 0 (0.00%), invalid 1 (16.67%), missing 1 (16.67%)" in summary


def test_unknown_is_written_on_request(tmp_path):
    assert ("2026-03-01 00:00", "", "pm25", "GEN-SPIKE", "unknown") in run(tmp_path, series([30, 31, 32]), "--all")


def test_stations_are_checked_apart_and_are_neighbours_of_each_other(tmp_path):
    lines = ["time,station,pm25"]
    lively = [20, 31, 25, 40, 22, 35, 28, 44, 21, 30, 26, 41, 23, 36]
    for hour, value in enumerate(lively):
        lines += [
            f"{HOURS.format(hour)},A,{value}",
            f"{HOURS.format(hour)},B,{value}",
            f"{HOURS.format(hour)},C,{hour}",
        ]
    rows = run(tmp_path, "\n".join(lines) + "\n", "--checks", "AIR-TWINS")
    assert {row[1] for row in rows} == {"A", "B"}
    assert len(rows) == 28
    assert rows[:2] == [("2026-03-01 00:00", name, "pm25", "AIR-TWINS", "fail") for name in "AB"]


def test_other_figures_of_a_factor_are_columns_with_a_suffix(tmp_path):
    text = (
        "time,so2,so2_min,so2_max,so2_flag,so2_converted,so2_amount,o2,flow,stopped\n"
        "2026-03-01 00:00,50,40,60,N,62.5,18,9,100,0\n"
        "2026-03-01 01:00,50,55,60,M,90,40,9,100,1\n"
    )
    (tmp_path / "c.toml").write_text('medium = "gas"\nreference_oxygen = 6\n')
    rows = run(tmp_path, text, "--config", str(tmp_path / "c.toml"))
    assert {(row[0][11:13], row[3], row[4]) for row in rows if row[2] == "so2"} == {
        ("01", "GEN-MINMAX", "fail"),
        ("01", "GAS-CONVERTED", "fail"),
        ("01", "GAS-AMOUNT", "fail"),
        ("01", "GAS-STOPPED", "suspect"),
        ("01", "DEV-FLAG", "fail"),
    }


def test_a_configuration_sets_parameters_for_all_and_for_one_factor(tmp_path):
    config = tmp_path / "c.toml"
    config.write_text(
        'checks = ["GEN-RATE", "GEN-RANGE", "DEV-MAINTENANCE"]\n'
        "range.no2 = [0, 35]\n"
        "[[spans]]\nkind = 'maintenance'\nfactor = 'pm25'\nstart = 2026-03-01T00:00:00\nend = 2026-03-01T04:00:00\n"
        "[DEV-MAINTENANCE]\nhours = 2\n[GEN-RATE]\nsuspect = 5\n[GEN-RATE.no2]\nsuspect = 50\n"
    )
    text = "time,pm25,no2\n" + "".join(
        f"{HOURS.format(hour)},{30 + 8 * (hour == 1)},{30 + 8 * (hour == 1)}\n" for hour in range(4)
    )
    assert run(tmp_path, text, "--config", str(config)) == [
        ("2026-03-01 01:00", "", "pm25", "GEN-RATE", "suspect"),
        ("2026-03-01 01:00", "", "no2", "GEN-RANGE", "fail"),
        ("2026-03-01 02:00", "", "pm25", "DEV-MAINTENANCE", "suspect"),
        ("2026-03-01 03:00", "", "pm25", "DEV-MAINTENANCE", "suspect"),
    ]


def test_every_bad_cell_is_told_not_only_the_first(tmp_path, capsys):
    told = refused(tmp_path, capsys, "time,so2,no2\n2026-03-01 00:00,5a,6\nyesterday,5,6b\n2026-03-01 02:00,5,inf\n")
    assert all(f"line {line}" in told for line in (2, 3, 4))
    assert told.count("列 ") >= 4
    assert "--skip-bad" in told
    rows = run(tmp_path, "time,so2\n2026-03-01 00:00,5a\n2026-03-01 01:00,5\nyesterday,6\n", "--skip-bad")
    assert rows == [("2026-03-01 00:00", "", "so2", "GEN-MISSING", "missing")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("when,so2\n2026-03-01 00:00,5\n", "missing column time"),
        ("time,note\n2026-03-01 00:00,fine\n", "no column of a factor"),
        ("time,pm25,PM2.5\n2026-03-01 00:00,5,6\n", "two columns mean pm25"),
        ("time,so2\n2026-03-01 00:00,5,6\n", "2"),
        ("", "empty"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(tmp_path, capsys, text, said):
    assert said in refused(tmp_path, capsys, text)


def test_every_fault_of_a_configuration_is_told(tmp_path, capsys):
    config = tmp_path / "c.toml"
    config.write_text(
        'medium = "soup"\ninterval = -1\nchecks = ["GEN-NONE"]\nrange.so2 = [5]\n'
        "[GEN-RATE]\nspeed = 1\nsuspect = -4\n[GEN-NOTHING]\nx = 1\n[[spans]]\nkind = 'fault'\n"
    )
    told = refused(tmp_path, capsys, series([1, 2]), "--config", str(config))
    for word in ("soup", "interval", "GEN-NONE", "range.so2", "speed", "-4", "GEN-NOTHING", "spans"):
        assert word in told, word


def test_parquet_in_and_out_and_standard_streams(tmp_path, monkeypatch, capsysbinary):
    frame = pl.read_csv(io.StringIO(series([30, 31, -50, 32])), try_parse_dates=True)
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    frame.write_parquet(source)
    assert main(["qc", "run", str(source), "-o", str(target)]) == 0
    written = pl.read_parquet(target)
    assert written["time"].dtype == pl.Datetime
    assert written.rows()[-1][2:] == ("pm25", "GEN-NEGATIVE", "fail")
    stream = io.TextIOWrapper(io.BytesIO(series([30, -50]).encode()))
    monkeypatch.setattr(sys, "stdin", stream)
    assert main(["qc", "run", "-", "--checks", "GEN-NEGATIVE"]) == 0
    assert capsysbinary.readouterr().out.decode().splitlines()[1:] == ["2026-03-01 01:00,,pm25,GEN-NEGATIVE,fail"]


def test_suspicions_are_written_as_json(tmp_path):
    target = tmp_path / "s.json"
    run(tmp_path, series([30, 31, 32]), "--suspicions", str(target))
    assert isinstance(json.loads(target.read_text(encoding="utf-8")), list)


def test_the_catalogue_is_listed_with_clause_and_mark(capsys):
    assert main(["qc", "catalogue"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["code"] for row in rows] == list(qc.catalogue())
    assert all(row["source"] and row["mark"] and row["title_zh"] for row in rows)
    assert main(["qc", "catalogue", "--format", "md"]) == 0
    assert re.findall(r"\n### ([A-Z]+-[A-Z0-9-]+)\n", capsys.readouterr().out) == list(qc.catalogue())


def test_medium_and_step_are_told_by_the_data():
    assert guess_medium(["pm25", "o3", "temp"]) == "air"
    assert guess_medium(["temp", "ec", "ph", "do"]) == "water"
    assert guess_medium(["so2", "nox", "o2", "dust"]) == "gas"
    assert guess_medium(["cod", "nh3n", "flow"]) == "sewage"
    times = pl.Series(["2026-03-01T00:00", "2026-03-01T00:15", "2026-03-01T00:30", "2026-03-01T04:00"])
    assert usual_step(times.str.to_datetime().to_numpy()) == 900.0


def test_the_guide_says_what_the_command_does(tmp_path):
    guide = (Path(__file__).parents[2] / "docs/how-to/check-a-file.md").read_text(encoding="utf-8")
    given, written = (block.split("```")[0] for block in guide.split("```text\n")[1:3])
    rows = run(tmp_path, given)
    assert [",".join(row) for row in rows] == written.splitlines()[1:]
    config = tmp_path / "guide.toml"
    config.write_text(guide.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    text = "time,station,SO2 (mg/m3)\n2026-03-01 07:00,东河,50\n2026-03-01 08:00,东河,180\n"
    assert [row[3] for row in run(tmp_path, text, "--config", str(config))] == ["DEV-SPAN-DRIFT", "GEN-RATE"]
