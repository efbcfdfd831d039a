"""Replaying a file: what is stored equals the file, value for value and gap for gap."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import csv
import gzip
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connections

from luming.demo import replay, tables
from luming.hj212 import CHINA, Edition, UploadError, decode, encode

PRSA = Path(os.environ.get("LUMING_TEST_DATA", Path(__file__).parents[3] / "shared" / "data")) / "air_beijing_prsa"
MN = "ABCDEF0123456789ABCDEF01"


def arguments(*given: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    replay.configure(parser)
    return parser.parse_args([str(one) for one in given])


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def test_reading_keeps_decimals_and_gaps(tmp_path):
    path = write(
        tmp_path / "a.csv",
        "time,station,so2,co,pm25,note\n2026-01-01 00:00,X,9,0.50,NA,a\n2026-01-01 01:00,X,,1.2,35.10,\n"
        "2026-01-01T10:00:00+00:00,X,,,,\n",
    )
    table = tables.read(path, "air")
    assert [column.code for column in table.columns] == ["a21026", "a21005", "a34004"]
    assert [column.unit for column in table.columns] == ["µg/m³", "mg/m³", "µg/m³"]
    assert table.ignored == ["note"]
    assert table.rows == [
        (at("2026-01-01 00:00"), {"a21026": Decimal(9), "a21005": Decimal("0.50")}),
        (at("2026-01-01 01:00"), {"a21005": Decimal("1.2"), "a34004": Decimal("35.10")}),
        (at("2026-01-01 18:00"), {}),
    ]
    text = replay.content(*table.rows[1], {"a21005": Decimal(1000)})
    assert text == "DataTime=20260101010000;a21005-Avg=1200.0,a21005-Flag=N;a34004-Avg=35.10,a34004-Flag=N"


def test_every_bad_row_is_reported(tmp_path):
    path = write(
        tmp_path / "bad.csv",
        "time,so2\n2026-01-01 00:00,1\n2026-01-01 00:30,1\nyesterday,1\n2026-01-01 02:00,x1\n2026-01-01 00:00,4\n"
        "2026-01-01 03:00,inf\n",
    )
    with pytest.raises(tables.TableError) as caught:
        tables.read(path, "air")
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "line 3", "line 4", "line 5, so2", "line 6", "line 7, so2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [("a,b\n1,2\n", "no column “time”"), ("time,foo\n2026-01-01,2\n", "no column is a factor"), ("", "no column")],
)
def test_a_file_without_what_is_needed_is_refused(tmp_path, text, words):
    with pytest.raises(tables.TableError, match=words):
        tables.read(write(tmp_path / "a.csv", text), "air")


def test_labels_maps_and_windows(tmp_path):
    path = write(tmp_path / "a.csv", "time,COD(mg/L),temp\n2026-01-01 01:00,30,12\n2026-01-01 02:00,31,12\n")
    table = tables.read(path, "sewage", label="end", names={"COD(mg/L)": "cod"}, first=at("2026-01-01 01:00"))
    assert table.rows == [(at("2026-01-01 01:00"), {"w01018": Decimal(31), "w01010": Decimal(12)})]
    assert tables.code_of("temp", "air") == "a01001"
    assert tables.code_of("a34013", "gas") == "a34013"
    assert tables.code_of("so2", "gas") == "a21026"


def test_prsa_layout(tmp_path):
    path = tmp_path / "prsa.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write(
            "No,year,month,day,hour,PM2.5,PM10,SO2,NO2,CO,O3,TEMP,PRES,DEWP,RAIN,wd,WSPM,station\n"
            "1,2013,3,1,0,9,NA,3,17,300,89,-0.5,1024.5,-21.4,0,NNW,5.7,Dongsi\n"
        )
    table = tables.read(path, "air")
    start, values = table.rows[0]
    assert start == at("2013-03-01 00:00")
    assert float(values["a21005"]) == 0.3  # µg/m³ -> mg/m³
    assert values["a01008"] == Decimal("337.5")
    assert "a34002" not in values
    assert set(table.ignored) <= {"DEWP", "RAIN"}


class Host:
    """Acknowledges; loses a connection when told to."""

    def __init__(self, drop_after: int | None = None) -> None:
        self.packets, self.drop_after = [], drop_after

    async def __aenter__(self) -> Host:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def _serve(self, reader, writer) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                packet = decode((await reader.readuntil(b"\r\n"))[:-2], strict=True).packet
                self.packets.append(packet)
                if len(self.packets) == self.drop_after:
                    break
                writer.write(encode(cn=9014, st="91", mn=packet.mn, pw=packet.pw, qn=packet.qn, edition=packet.edition))
        writer.close()


@pytest.fixture
def table(tmp_path):
    rows = "".join(f"2026-01-01 {hour:02d}:00,{hour + 1},{hour / 10}\n" for hour in range(10))
    return tables.read(write(tmp_path / "a.csv", "time,so2,co\n" + rows + "2026-01-01 10:00,,\n"), "air")


async def test_packets_are_clean_and_the_empty_period_is_not_sent(table):
    target = replay.Target(MN, "22", "123456", Edition.V2025, {})
    async with Host() as host:
        summary = replay.Summary()
        await replay.send(table, target, "127.0.0.1", host.port, "hour", summary)
    assert (summary.periods, summary.empty, summary.values) == (11, 1, 20)
    assert (summary.packets, summary.acknowledged) == (10, 10)
    assert [packet.data_time for packet in host.packets] == [start for start, values in table.rows if values]
    assert all(packet.backfilled and packet.cn == 2061 for packet in host.packets)
    assert "10 acknowledged" in str(summary)


async def test_a_lost_connection_is_taken_up_again(table):
    async with Host(drop_after=4) as host:
        summary = replay.Summary()
        target = replay.Target(MN, "22", "123456", Edition.V2017, {})
        await replay.send(table, target, "127.0.0.1", host.port, "hour", summary)
    assert (summary.packets, summary.acknowledged) == (11, 10)


async def test_packets_that_wait_together_are_all_acknowledged(table):
    async with Host(drop_after=4) as host:
        summary = replay.Summary()
        target = replay.Target(MN, "22", "123456", Edition.V2017, {})
        await replay.send(table, target, "127.0.0.1", host.port, "hour", summary, in_flight=4)
    assert summary.acknowledged == 10
    assert {packet.data_time for packet in host.packets} == {start for start, values in table.rows if values}


async def test_speed_paces(table):
    async with Host() as host:
        summary = replay.Summary()
        target = replay.Target(MN, "22", "123456", Edition.V2017, {})
        await replay.send(table, target, "127.0.0.1", host.port, "hour", summary, speed=36_000)
    assert 0.9 < summary.seconds < 3  # ten hours at ten hours a second


def test_without_a_gateway_it_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(replay, "ATTEMPTS", 1)
    path = write(tmp_path / "a.csv", "time,so2\n2026-01-01 00:00,1\n")
    args = arguments(path, "--mn", MN, "--port", 1)
    assert args.run(args) == 1
    assert "sent so far" in capsys.readouterr().err
    assert issubclass(UploadError, OSError)


@pytest.mark.parametrize(
    "given",
    [
        (),
        ("--mn", MN, "--station", "S1"),
        ("--mn", MN, "--check"),
        ("--mn", MN, "--map", "nonsense"),
        ("--mn", MN, "--speed", -1),
    ],
)
def test_contradicting_arguments_are_refused(tmp_path, capsys, given):
    path = write(tmp_path / "a.csv", "time,so2\n2026-01-01 00:00,1\n")
    args = arguments(path, *given)
    assert args.run(args) == 2
    assert capsys.readouterr().err


# ---- through a real gateway into the store -------------------------------------------------------------------------


@pytest.fixture
def station(transactional_db):
    from luming.registry.models import Device, Region, Station

    region = Region.objects.create(code="150203", name="昆都仑区", level="district")
    place = Station.objects.create(
        code="REPLAY", name="回放站", medium="air", region=region, longitude=109.8, latitude=40.6,
        commissioned_at=datetime(2013, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    Device.objects.create(mn=MN, place=place, system="22", edition=2, password="654321")
    return place


async def on_a_thread(work, *given):
    """Run database work outside the event loop, and close the thread's connection."""

    def run():
        try:
            return work(*given)
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)


async def replayed(*given: object) -> int:
    """Run the command against a gateway in this process."""
    from luming.telemetry.gateway.server import Gateway, Options

    gateway = Gateway(Options(host="127.0.0.1", port=0, metrics_port=-1, first_connection=(), flush_seconds=0.002))
    await gateway.start()
    args = arguments(*given, "--port", gateway.port)

    try:
        return await on_a_thread(args.run, args)
    finally:
        assert await gateway.stop()


def stored_of(place) -> dict[tuple[str, datetime], float]:
    from luming.registry.models import Series
    from luming.telemetry import store

    series = dict(Series.objects.filter(place=place, interval="hour").values_list("pk", "factor"))
    held = store.observations(list(series), datetime(2010, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
    assert (held.revision == 0).all()
    return {
        (series[number], start.replace(tzinfo=UTC)): value
        for number, start, value in zip(
            held.series_id.tolist(), held.start.astype("datetime64[us]").tolist(), held.value.tolist(), strict=True
        )
    }


async def test_what_is_stored_equals_the_file(station, tmp_path, capsys):
    path = write(
        tmp_path / "a.csv",
        "time,so2,co,o3\n2026-01-01 00:00,9,0.5,\n2026-01-01 01:00,,1.25,88.1\n2026-01-01 05:00,3.75,NA,12\n"
        "2026-01-01 06:00,,,\n",
    )
    assert await replayed(path, "--station", "REPLAY", "--check") == 0
    assert "0 missing, 0 different, 0 that the file does not have" in capsys.readouterr().out
    kept = await on_a_thread(stored_of, station)
    assert len(kept) == 6
    assert kept["a21005", at("2026-01-01 01:00").astimezone(UTC)] == 1.25
    changed = write(tmp_path / "b.csv", "time,so2,co,o3\n2026-01-01 00:00,8,0.5,\n2026-01-01 01:00,4,1.25,88.1\n")
    table = tables.read(changed, "air")
    target = replay.Target(MN, "22", "", Edition.V2025, {})
    assert await on_a_thread(replay._compare, "REPLAY", table, target, "hour") == 1
    assert "1 missing, 1 different" in capsys.readouterr().out


def test_what_the_register_does_not_allow_is_said_before_anything_is_sent(station, tmp_path, capsys):
    early = write(tmp_path / "a.csv", "time,so2\n2012-01-01 00:00,1\n")
    args = arguments(early, "--station", "REPLAY")
    assert args.run(args) == 2
    assert "was commissioned" in capsys.readouterr().err
    args = arguments(early, "--station", "NOWHERE")
    assert args.run(args) == 2
    assert "no active device" in capsys.readouterr().err


def test_values_go_in_the_unit_of_the_register(station, tmp_path):
    from luming.registry.models import Series

    Series.objects.create(place=station, factor="a21026", interval="hour", seconds=3600, unit="mg/m³")
    table = tables.read(write(tmp_path / "a.csv", "time,so2\n2026-01-01 00:00,9\n"), "air")
    target = replay._registered("REPLAY", table, "hour")
    assert replay.content(*table.rows[0], target.scales).endswith("a21026-Avg=0.009,a21026-Flag=N")


@pytest.mark.skipif(not PRSA.exists(), reason=f"the Beijing PRSA data set is not at {PRSA}")
async def test_a_slice_of_beijing_equals_what_is_stored(station, capsys):
    path = next(PRSA.glob("PRSA_Data_Dongsi_*.csv.gz"))
    code = await replayed(path, "--station", "REPLAY", "--from", "2013-03-01", "--to", "2013-03-14 23:00", "--check")
    assert code == 0
    expected = {}
    names = {"PM2.5": "a34004", "PM10": "a34002", "SO2": "a21026", "NO2": "a21004", "CO": "a21005", "O3": "a05024"}
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            start = datetime(*(int(row[name]) for name in ("year", "month", "day", "hour")), tzinfo=CHINA)
            if start < datetime(2013, 3, 15, tzinfo=CHINA):
                for header, factor in names.items():
                    if row[header] != "NA":
                        value = float(row[header])
                        expected[factor, start.astimezone(UTC)] = value / 1000 if header == "CO" else value
    kept = await on_a_thread(stored_of, station)
    kept = {key: value for key, value in kept.items() if key[0] in names.values()}
    assert len(expected) < 14 * 24 * len(names)  # there are gaps
    assert kept == expected
