"""What packets mean: verdicts, reasons, observations."""

from datetime import UTC, datetime, timedelta

import pytest

from luming.hj212 import CHINA, decode, encode
from luming.telemetry.intake import HELD, DeviceContext, create_series, interpret, load_contexts, period_start

MN = "010000A8900016F000169DC0"
NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)  # 11:00 in China
HOUR = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)


def context(**fields):
    given = {
        "device_id": 1, "place_id": 2, "mn": MN, "password": "123456", "system": "31",
        "series": {
            ("a21026", "hour"): (11, 3600), ("a21026", "realtime"): (12, 60), ("a21026", "minute"): (13, 600),
            ("a21026", "day"): (14, 86400), ("Leq", "day"): (15, 86400),
            ("Ld", "day"): (16, 86400), ("Ln", "day"): (17, 86400),
            ("Leq", "hour"): (18, 3600), ("w01018", "hour"): (19, 3600),
        },
    }  # fmt: skip
    return DeviceContext(**(given | fields))


def read(cp, cn=2061, qn="20260601110000000", device=None, **fields):
    given = {"st": "31", "mn": MN, "pw": "123456", "flag": 5, **fields}
    decoded = decode(encode(cn=cn, qn=qn, cp=cp, **given))
    return interpret(decoded, device or context(), NOW, packet_id=99)


def test_an_hour():
    intake = read(
        "DataTime=20260601100000;a21026-Min=1.5,a21026-Avg=2.5,a21026-Max=3.5,a21026-ZsAvg=4.5,a21026-Cou=5.5,a21026-Flag=N"
    )
    [row] = intake.observations
    assert row == (11, 2, "hour", HOUR, 2.5, 1.5, 3.5, 4.5, 5.5, "N", 99)
    assert (intake.verdict, intake.reason, intake.codes, intake.data_time) == ("A", None, [], HOUR)
    assert intake.clock_offset == 0


@pytest.mark.parametrize(
    ("cn", "cp", "interval", "series", "value", "converted"),
    [
        (2011, "DataTime=20260601105930;a21026-Rtd=2.5,a21026-ZsRtd=3.5,a21026-Flag=N", "realtime", 12, 2.5, 3.5),
        (2051, "DataTime=20260601105000;a21026-Avg=2.5,a21026-ZsAvg=3.5,a21026-Flag=N", "minute", 13, 2.5, 3.5),
        (2031, "DataTime=20260531000000;a21026-Avg=2.5,a21026-ZsAvg=3.5,a21026-Flag=N", "day", 14, 2.5, 3.5),
    ],
)
def test_intervals(cn, cp, interval, series, value, converted):
    [row] = read(cp, cn).observations
    assert (row.interval, row.series_id, row.value, row.converted) == (interval, series, value, converted)


def test_noise():
    [row] = read("DataTime=20260601100000;Leq-Data=55.5,Leq-Flag=N").observations
    assert (row.series_id, row.value) == (18, 55.5)
    rows = read("DataTime=20260531000000;Leq-Data=55.5,Leq-DayData=57.5,Leq-NightData=47.5", 2031).observations
    assert [(row.series_id, row.value) for row in rows] == [(15, 55.5), (16, 57.5), (17, 47.5)]


def test_an_amount_without_a_mean_is_an_observation_and_a_state_is_none():
    [row] = read("DataTime=20260601100000;a21026-Cou=7.25;SB1-RS=1").observations
    assert (row.value, row.amount) == (None, 7.25)


def test_the_last_of_two_readings_of_one_factor_wins():
    [row] = read("DataTime=20260601100000;a21026-Avg=1;A21026-Avg=2").observations
    assert row.value == 2


def test_codes_are_mapped_by_the_place_then_by_the_standard_and_never_guessed():
    assert read("DataTime=20260601100000;02-Avg=1").unmapped == ["02"]
    device = context(aliases={"02": "a21026", "a21026": "w01018"})
    rows = read("DataTime=20260601100000;02-Avg=1;a21026-Avg=2", device=device).observations
    assert [(row.series_id, row.value) for row in rows] == [(11, 1), (19, 2)]


def test_a_known_factor_without_a_series_is_missing_not_unmapped():
    intake = read("DataTime=20260601100000;a21026-Avg=1;a21003-Avg=2")
    assert intake.missing == {("a21003", "hour")} and not intake.unmapped and len(intake.observations) == 1


@pytest.mark.parametrize(
    ("fields", "device", "cp", "reason"),
    [
        ({}, {"is_active": False}, "DataTime=20260601100000", "device-inactive"),
        ({"pw": "000000"}, {}, "DataTime=20260601100000", "password-wrong"),
        ({"st": "32"}, {}, "DataTime=20260601100000", "system-wrong"),
        ({}, {}, "DataTime=20260601120000;a21026-Avg=1", "time-future"),
        ({}, {"commissioned_at": NOW}, "DataTime=20260601100000;a21026-Avg=1", "time-before-commissioning"),
        ({}, {}, "a21026-Avg=1", "time-missing"),
    ],
)
def test_held(fields, device, cp, reason):
    intake = read(cp, device=context(**device), **fields)
    assert (intake.verdict, intake.reason, intake.observations) == ("H", reason, [])
    assert reason in HELD


def test_bounds_are_inclusive():
    assert read("DataTime=20260601110500;a21026-Rtd=1", 2011).verdict == "A"  # ahead by exactly the tolerance
    assert read("DataTime=20260601110501;a21026-Rtd=1", 2011).reason == "time-future"
    at = context(commissioned_at=HOUR)
    assert read("DataTime=20260601100000;a21026-Avg=1", device=at).verdict == "A"


@pytest.mark.parametrize("st", ["51", "44", "45"])
def test_what_an_outlet_sends_beside_its_data_is_taken(st):
    assert read("DataTime=20260601105900", 2011, st=st).verdict == "A"


@pytest.mark.parametrize(("seconds", "off"), [(-301, True), (-300, False), (300, False), (301, True)])
def test_the_clock(seconds, off):
    qn = f"{(NOW + timedelta(seconds=seconds)).astimezone(CHINA):%Y%m%d%H%M%S}000"
    intake = read("DataTime=20260601100000;a21026-Avg=1", qn=qn)
    assert intake.clock_offset == seconds and ("clock-off" in intake.codes) is off
    assert intake.verdict == "A"  # marked only


def test_back_filled_packets_and_answers_say_nothing_of_the_clock():
    assert read("DataTime=20260601100000", qn="20260101000000000", flag=9, rf=True).clock_offset is None
    assert read("ExeRtn=1", 9012, qn="20260101000000000", st="91").clock_offset is None


def test_unaligned_times_go_to_their_period():
    intake = read("DataTime=20260601103007;a21026-Avg=1")
    assert intake.observations[0].start == HOUR and "time-not-aligned" in intake.codes
    assert period_start(datetime(2026, 6, 1, 17, 5, tzinfo=UTC), "day") == datetime(2026, 6, 1, 16, tzinfo=UTC)
    assert period_start(datetime(2026, 6, 1, 15, 5, tzinfo=UTC), "day") == datetime(2026, 5, 31, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("networks", "address", "allowed"),
    [
        ([], "1.2.3.4", True),
        (["10.0.0.0/8", "fd00::/8"], "10.9.8.7", True),
        (["10.0.0.0/8", "fd00::/8"], "fd00::1", True),
        (["10.0.0.0/8"], "::ffff:10.1.2.3", True),
        (["10.0.0.0/8"], "11.0.0.1", False),
        (["10.0.0.0/8"], "not an address", False),
    ],
)
def test_networks(networks, address, allowed):
    import ipaddress

    device = context(networks=tuple(ipaddress.ip_network(item) for item in networks))
    assert device.allows(address) is allowed
    decoded = decode(encode(cn=2061, st="31", mn=MN, qn="20260601110000000", flag=5, cp="DataTime=20260601100000"))
    assert interpret(decoded, device, NOW, address=address).verdict == ("A" if allowed else "H")
    assert interpret(decoded, device, NOW).verdict == "A"  # a person releases it


def test_rejected_and_unknown():
    broken = (
        encode(cn=2061, st="31", mn=MN, qn="20260601110000000", flag=5, cp="DataTime=20260601100000")[:-6] + b"0000\r\n"
    )
    intake = interpret(decode(broken), context(), NOW)
    assert (intake.verdict, intake.reason) == ("R", "crc.mismatch") and "crc.mismatch" in intake.codes
    assert interpret(decode(b"garbage"), None, NOW).verdict == "R"
    good = encode(cn=2061, st="31", mn="AA", qn="20260601110000000", flag=5, cp="DataTime=20260601100000")
    assert interpret(decode(good), None, NOW).reason == "mn-unknown"


def test_contexts_come_from_the_register_and_series_are_made_once(make, db):
    device = make.device(make.station(), networks=["10.0.0.0/8"], minute_interval=5)
    make.series(device.place, "a34004")
    found = load_contexts()[MN]
    assert (found.device_id, found.place_id, found.system, found.edition) == (device.pk, device.place_id, "22", 1)
    assert list(found.series) == [("a34004", "hour")] and found.allows("10.1.1.1")
    for _ in range(2):
        create_series(found, {("a34004", "minute"), ("a21026", "hour"), ("a21005", "hour"), ("a01001", "hour")})
    again = load_contexts()[MN]
    assert again.series == found.series and again.series["a34004", "minute"][1] == 300
    units = dict(device.place.series.values_list("factor", "unit"))
    assert units["a34004"] == "µg/m³"  # as the place's other series of the factor, not the ng/m³ of Annex B
    assert (units["a21026"], units["a21005"], units["a01001"]) == ("µg/m³", "mg/m³", "℃")
