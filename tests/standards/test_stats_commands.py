"""``luming stats`` and ``luming cems`` on files."""

import csv
from pathlib import Path

import pytest

from luming.cli import main


def run(tmp_path: Path, lines: list[str], *command: str) -> list[dict]:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert main([*command[:2], str(source), "-o", str(target), *command[2:]]) == 0
    with target.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def refused(tmp_path: Path, capsys, lines: list[str], *command: str) -> str:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert main([*command[:2], str(source), "-o", str(target), *command[2:]]) == 1
    assert not target.exists()
    return capsys.readouterr().err


def day_of_hours(hours: int, value: str = "61.5", station: str = "东河") -> list[str]:
    return [f"2026-07-01 {hour:02d}:00,{station},{value},{hour}" for hour in range(hours)]


def test_days_from_hours_say_what_they_are_made_of(tmp_path):
    rows = run(tmp_path, ["time,station,PM2.5,o3", *day_of_hours(18)], "stats", "day", "--medium", "air")
    assert rows[0] == {
        "time": "2026-07-01", "station": "东河", "factor": "o3", "value": "14.5", "rounded": "", "valid": "false",
        "count": "13", "expected": "17", "required": "14", "reason": "有效数据个数不足 / too few values",
        "rule": "HJ 663-2026/day/o3", "verified": "false",
    }  # fmt: skip
    assert (rows[1]["factor"], rows[1]["value"], rows[1]["count"], rows[1]["valid"]) == ("pm25", "61.5", "18", "false")
    full = run(tmp_path, ["time,station,PM2.5,o3", *day_of_hours(24)], "stats", "day", "--medium", "air")
    assert (full[1]["rounded"], full[1]["valid"], full[1]["verified"]) == ("62.0", "true", "true")


def test_wide_days_are_what_the_index_reads(tmp_path):
    lines = ["time,station,so2,no2,co,o3,pm10,pm25"]
    lines += [f"2026-07-01 {hour:02d}:00,东河,10,20,0.5,50,60,{'61' if hour else 'NA'}" for hour in range(24)]
    rows = run(tmp_path, lines, "stats", "day", "--medium", "air", "--wide")
    assert [row["pm25"] for row in rows] == ["61.0"]
    (tmp_path / "in2.csv").write_bytes((tmp_path / "out.csv").read_bytes())
    command = ["air", "aqi", str(tmp_path / "in2.csv"), "-o", str(tmp_path / "aqi.csv"), "--period", "day"]
    assert main(command) == 0
    with (tmp_path / "aqi.csv").open(encoding="utf-8") as stream:
        assert next(csv.DictReader(stream))["aqi"] == "101"


def test_months_quarters_and_years_come_from_valid_days(tmp_path):
    lines = ["time,so2"]
    lines += [
        f"2026-04-{day:02d} {hour:02d}:00,{day}" for day in range(1, 31) for hour in range(24 if day < 28 else 19)
    ]
    month = run(tmp_path, lines, "stats", "month", "--medium", "air")
    assert (month[0]["time"], month[0]["value"], month[0]["count"], month[0]["valid"]) == (
        "2026-04",
        "14.0",
        "27",
        "true",
    )
    assert "station" not in month[0]
    quarter = run(tmp_path, lines, "stats", "quarter", "--medium", "air")
    assert (quarter[0]["time"], quarter[0]["valid"]) == ("2026Q2", "false")
    year = run(tmp_path, lines, "stats", "year", "--medium", "air")
    assert (year[0]["time"], year[0]["count"], year[0]["rule"]) == ("2026", "27", "GB 3095-2026/year")


def test_flags_keep_rows_out_and_labels_may_be_ends(tmp_path):
    lines = ["time,so2,so2_flag"]
    lines += [f"2026-07-01 {hour:02d}:00,{hour},{'D' if hour == 5 else 'N'}" for hour in range(1, 24)]
    lines += ["2026-07-01 24:00,24,"]
    rows = run(tmp_path, lines, "stats", "day", "--medium", "gas", "--label", "end")
    assert [(row["time"], row["count"]) for row in rows] == [("2026-07-01", "23")]
    assert float(rows[0]["value"]) == pytest.approx((300 - 5) / 23)


def test_waste_water_is_weighted_by_the_flow_column(tmp_path):
    lines = ["time,cod,ph,flow"] + [
        f"2026-07-01 {hour:02d}:00,{100 if hour < 12 else 40},7,{10 if hour < 12 else 30}" for hour in range(24)
    ]
    rows = {row["factor"]: row for row in run(tmp_path, lines, "stats", "day", "--medium", "sewage")}
    assert (rows["cod"]["value"], rows["ph"]["value"], rows["flow"]["value"]) == ("55.0", "7.0", "20.0")


def test_temperatures_may_be_negative_and_concentrations_not(tmp_path, capsys):
    lines = ["time,temp,so2", *[f"2026-01-01 {hour:02d}:00,-5,{hour}" for hour in range(24)]]
    rows = {row["factor"]: row for row in run(tmp_path, lines, "stats", "day", "--medium", "gas")}
    assert rows["temp"]["rounded"] == "-5.0"
    (tmp_path / "out.csv").unlink()
    lines[1] = "2026-01-01 00:00,-5,-1"
    assert "negative" in refused(tmp_path, capsys, lines, "stats", "day", "--medium", "gas")
    rows = {row["factor"]: row for row in run(tmp_path, lines, "stats", "day", "--medium", "gas", "--skip-bad")}
    assert rows["so2"]["count"] == "23"


def test_days_of_noise_have_their_levels(tmp_path):
    lines = ["time,leq"] + [f"2026-07-{1 + hour // 24:02d} {hour % 24:02d}:00,55" for hour in range(6, 30)]
    rows = {(row["factor"], row["time"]): row for row in run(tmp_path, lines, "stats", "day", "--medium", "noise")}
    assert (rows["ld", "2026-07-01"]["rounded"], rows["ln", "2026-07-01"]["rounded"]) == ("55.0", "55.0")
    assert rows["ldn", "2026-07-01"]["rounded"] == "61.0"  # 55 + 10 lg((16 + 80) / 24)


def test_minutes_to_hours(tmp_path):
    lines = ["time,so2", *[f"2026-07-01 08:{minute:02d},{minute}" for minute in range(0, 45, 5)]]
    rows = run(tmp_path, lines, "stats", "hour", "--medium", "air")
    assert (rows[0]["time"], rows[0]["valid"], rows[0]["required"], rows[0]["expected"]) == (
        "2026-07-01 08:00",
        "true",
        "9",
        "12",
    )


@pytest.mark.parametrize(
    ("lines", "command", "says"),
    [
        (["time,station,so2", *[f"2026-07-01 0{i % 2}:00,A,1" for i in range(3)]], ["day"], "as A 2026-07-01 00:00"),
        (["time,station,nothing", "2026-07-01,A,1", "2026-07-02,A,1"], ["day"], "--factors"),
        (["time,so2", "2026-07-01,1", "2026-07-02,1"], ["day"], "the rows are of days"),
        (["time,so2", "2026-07-01,1", "2026-07-02,1"], ["hour"], "the rows are of days"),
        (["time,so2", "2026-07-01,1"], ["day"], "interval of the rows"),
        (["time,so2", "2026-07-01 00:00,1x", "2026-07-01 01:00,1"], ["day"], "not a number"),
        (["time,so2", "2026-07-01 00:00,1", "2026-07-01 01:00,1"], ["day", "--edition", "HJ 75-2017"], "no rule of"),
        (["so2", "1"], ["day"], "missing column(s) time"),
    ],
)  # fmt: skip
def test_input_that_cannot_be_used_is_refused_with_a_reason(tmp_path, capsys, lines, command, says):
    assert says in refused(tmp_path, capsys, lines, "stats", *command, "--medium", "air")


def test_an_edition_can_be_chosen_whatever_the_dates(tmp_path):
    lines = ["time,so2", *[f"2010-07-01 {hour:02d}:00,1" for hour in range(24)]]
    none = run(tmp_path, lines, "stats", "day", "--medium", "air")
    assert (none[0]["valid"], none[0]["reason"]) == ("false", "无适用的有效性规定 / no validity rule in force")
    chosen = run(tmp_path, lines, "stats", "day", "--medium", "air", "--edition", "GB 3095-2012")
    assert (chosen[0]["valid"], chosen[0]["rule"]) == ("true", "GB 3095-2012/day")


def test_flue_gas_is_converted(tmp_path):
    lines = ["time,so2,pm,o2,temp,static_pressure,atmosphere,moisture,velocity"]
    lines += [
        "2026-07-01 00:00,100,20,11,136.5,-1325,101325,10,10",
        "2026-07-01 01:00,100,,20.9,136.5,-1325,101325,10,10",
    ]
    rows = run(tmp_path, lines, "cems", "convert", "--o2-ref", "6", "--ppm", "so2", "--area", "5")
    dry = 64 / 22.4 * 100
    flow = 180_000 / 1.5 / 1.01325 * 0.9
    assert float(rows[0]["so2_dry"]) == pytest.approx(dry)
    assert float(rows[0]["so2_converted"]) == pytest.approx(dry * 1.5)
    assert float(rows[0]["dry_flow"]) == pytest.approx(flow)
    assert float(rows[0]["so2_kg"]) == pytest.approx(dry * flow * 1e-6)
    assert [row["held"] for row in rows] == ["false", "true"]
    assert rows[1]["pm_dry"] == rows[1]["pm_converted"] == ""
    assert float(rows[1]["so2_converted"]) == pytest.approx(dry * 15)


def test_nox_is_no_and_no2_as_no2(tmp_path):
    rows = run(tmp_path, ["time,no,no2,o2", "2026-07-01 00:00,30,4,11"], "cems", "convert", "--o2-ref", "6")
    assert (rows[0]["nox_dry"], rows[0]["nox_converted"]) == ("50.0", "75.0")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--o2-ref", "6"], "missing column(s) o2"),
        (["--wet"], "missing column(s) moisture"),
        (["--actual"], "missing column(s) temp"),
        (["--ppm", "pm"], "molar mass"),
        (["--o2-cap", "21"], "between 0 and 21"),
    ],
)
def test_a_conversion_without_its_inputs_is_refused(tmp_path, capsys, options, says):
    assert says in refused(tmp_path, capsys, ["time,so2", "2026-07-01 00:00,100"], "cems", "convert", *options)
