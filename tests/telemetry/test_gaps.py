"""Gaps are found in time, named by their cause, asked for, filled or given up."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.test import override_settings

from luming.telemetry import gaps, pulling, store
from luming.telemetry.identity import PacketIds
from luming.telemetry.models import Command, Connection, DeviceStatus, Event, Gap

HOUR = timedelta(hours=1)
GRACE = timedelta(seconds=300)
BEGIN = datetime(2025, 5, 31, 16, tzinfo=UTC)
ids = PacketIds(9)

pytestmark = pytest.mark.usefixtures("empty_store")


@pytest.fixture
def device(make):
    device = make.device(make.station(commissioned_at=BEGIN))
    make.series(device.place, "a34004", "a21026")
    return device


@pytest.fixture
def series(device):
    return list(device.place.series.order_by("pk"))


def hold(series, *hours, interval="hour", seconds=3600):
    """Store an observation of each series for these periods after the beginning."""
    packet = store.PacketRow(
        ids.next(BEGIN), BEGIN, "I", None, None, "other", None, "22", 2061, None, b"x", "A"
    )  # fmt: skip
    rows = [
        store.ObservationRow(
            row.pk, row.place_id, interval, BEGIN + hour * timedelta(seconds=seconds), 1.0, None, None, None, None,
            "N", packet.id,
        )
        for hour in hours
        for row in series
    ]  # fmt: skip
    with store.Writer() as writer:
        writer.write([packet], rows)


def connect(device, opened, closed=None):
    Connection.objects.create(
        id=ids.next(opened), device=device, mn=device.mn, peer="p", opened_at=opened, closed_at=closed
    )
    DeviceStatus.objects.update_or_create(
        device=device, defaults={"connected": closed is None, "connected_at": opened, "last_packet_at": opened}
    )


def all_gaps():
    return [
        (int((gap.start - BEGIN) / HOUR), int((gap.end - BEGIN) / HOUR), gap.cause, gap.state)
        for gap in Gap.objects.order_by("start", "pk")
    ]


def test_nothing_is_missing_before_it_is_due(device, series):
    hold(series, 0, 1)
    assert gaps.find_gaps(BEGIN + 3 * HOUR + GRACE - timedelta(seconds=1)).found == 0
    assert gaps.find_gaps(BEGIN + 3 * HOUR + GRACE).found == 1
    assert all_gaps() == [(2, 3, "disconnected", "open")]


def test_missing_periods_in_a_row_are_one_gap_that_grows(device, series):
    hold(series, 0, 3)
    assert gaps.find_gaps(BEGIN + 5 * HOUR + GRACE).found == 2
    assert all_gaps() == [(1, 3, "disconnected", "open"), (4, 5, "disconnected", "open")]
    report = gaps.find_gaps(BEGIN + 7 * HOUR + GRACE)
    assert (report.found, report.grown) == (0, 1)
    assert all_gaps() == [(1, 3, "disconnected", "open"), (4, 7, "disconnected", "open")]
    assert gaps.find_gaps(BEGIN + 7 * HOUR + GRACE) == gaps.Report()
    assert Event.objects.filter(kind="gap-found", device=device).count() == 2


def test_a_connected_device_that_says_nothing_is_silent(device, series):
    connect(device, BEGIN)
    hold(series, 0)
    gaps.find_gaps(BEGIN + 3 * HOUR + GRACE)
    assert all_gaps() == [(1, 3, "silent", "requested")]


def test_a_device_that_was_away_when_its_data_was_due_is_disconnected(device, series):
    connect(device, BEGIN, BEGIN + 1.5 * HOUR)
    hold(series, 0)
    gaps.find_gaps(BEGIN + 4 * HOUR + GRACE)
    assert all_gaps() == [(1, 4, "disconnected", "open")]


@pytest.mark.parametrize(("cn", "cause"), [(2061, "rejected"), (None, "rejected"), (9015, "silent")])
def test_packets_that_were_refused_meanwhile_are_the_cause(device, series, cn, cause):
    connect(device, BEGIN)
    hold(series, 0)
    at = BEGIN + 2 * HOUR
    with store.Writer() as writer:
        row = store.PacketRow(
            ids.next(at), at, "I", None, device.pk, device.mn, None, "22", cn, None, b"##", "R", "crc.wrong"
        )  # fmt: skip
        writer.write([row], [])
    gaps.find_gaps(BEGIN + 2 * HOUR + GRACE)
    assert all_gaps() == [(1, 2, cause, "requested")]


def test_some_factors_missing_is_a_partial_gap_of_those_series(device, series):
    hold(series, 0)
    hold(series[:1], 1)
    gaps.find_gaps(BEGIN + 3 * HOUR + GRACE)
    assert all_gaps() == [(1, 2, "partial", "open"), (2, 3, "disconnected", "open")]
    assert Gap.objects.get(cause="partial").series == [series[1].pk]


def test_late_data_closes_a_gap(device, series):
    connect(device, BEGIN)
    hold(series, 0)
    gaps.find_gaps(BEGIN + 3 * HOUR + GRACE)
    hold(series, 1)
    now = BEGIN + 3 * HOUR + 2 * GRACE
    assert gaps.find_gaps(now).filled == 0
    assert "2/4" in Gap.objects.get().outcome
    hold(series, 2)
    assert gaps.find_gaps(now).filled == 1
    gap = Gap.objects.get()
    assert (gap.state, gap.cause, gap.closed_at, gap.next_attempt_at) == ("filled", "late", now, None)
    assert "sent late by the device" in gap.outcome
    assert Event.objects.filter(kind="gap-filled").count() == 1


def test_a_connected_device_is_asked_once_at_a_time_with_growing_pauses_and_then_given_up(device, series):
    connect(device, BEGIN)
    hold(series, 0)
    now = BEGIN + 4 * HOUR + GRACE
    assert gaps.find_gaps(now).pulled == 1
    command = Command.objects.get()
    assert (command.cn, command.state, command.requested_by) == (2061, "queued", None)
    assert command.parameters == {"BeginTime": "20250601010000", "EndTime": "20250601040000"}
    assert gaps.find_gaps(now + 2 * HOUR).pulled == 0  # the first request is still open
    pauses = []
    for _attempt in range(2, 20):
        Command.objects.update(state="done", data_packets=0, request_result=1, execute_result=4)
        gap = Gap.objects.order_by("start")[0]
        if gap.attempts == 5:
            break
        pauses.append(gap.next_attempt_at)
        hold(series, *range(4, 400))  # the device goes on well; only the old hours stay missing
        assert gaps.find_gaps(gap.next_attempt_at).pulled == 1
    steps = [int((later - earlier) / timedelta(minutes=1)) for earlier, later in pairwise(pauses)]
    assert steps == sorted(steps) and steps[0] == 30
    report = gaps.find_gaps(gap.next_attempt_at)
    assert (report.given_up, report.pulled) == (1, 0)
    gap.refresh_from_db()
    assert gap.state == "given-up" and "the device has no data" in gap.outcome
    assert Command.objects.count() == 5


def test_a_pull_that_brings_the_data_fills_the_gap(device, series):
    connect(device, BEGIN)
    hold(series, 0)
    gaps.find_gaps(BEGIN + 2 * HOUR + GRACE)
    Command.objects.update(data_packets=1)
    hold(series, 1)
    assert gaps.find_gaps(BEGIN + 2 * HOUR + 2 * GRACE).filled == 1
    gap = Gap.objects.get()
    assert gap.state == "filled" and "after 1 request" in gap.outcome


def test_a_given_up_gap_is_closed_by_data_that_comes_all_the_same(device, series):
    hold(series, 0)
    now = BEGIN + 2 * HOUR + GRACE
    gaps.find_gaps(now)
    Gap.objects.update(state="given-up", closed_at=now, next_attempt_at=None)
    hold(series, 1)
    assert gaps.find_gaps(now + timedelta(minutes=5)).filled == 1


def test_a_disconnected_device_is_asked_when_it_had_time_to_send_by_itself(device, series):
    hold(series, 0)
    back = BEGIN + 3 * HOUR + GRACE
    assert gaps.find_gaps(back).pulled == 0
    connect(device, back)
    assert gaps.find_gaps(back + GRACE - timedelta(seconds=1)).pulled == 0
    assert gaps.find_gaps(back + GRACE).pulled == 1


def test_one_device_is_asked_for_one_gap_at_a_time(device, series):
    connect(device, BEGIN)
    hold(series, 0, 2, 4)
    assert gaps.find_gaps(BEGIN + 5 * HOUR + GRACE).pulled == 1
    assert [gap.attempts for gap in Gap.objects.order_by("start")] == [1, 0]


def test_realtime_values_may_drift_and_are_never_pulled(make):
    device = make.device(make.station(commissioned_at=BEGIN))
    series = make.series(device.place, "a34004", interval="realtime", seconds=60)
    connect(device, BEGIN)
    hold(series, 0, 1.02, 1.99, 3.4, 6.0, 7.0, interval="realtime", seconds=60)
    gaps.find_gaps(BEGIN + timedelta(minutes=8) + GRACE)
    [gap] = Gap.objects.all()
    assert (gap.start, gap.end) == (BEGIN + timedelta(minutes=4), BEGIN + timedelta(minutes=5))
    assert gap.next_attempt_at is None
    assert not Command.objects.exists() and not Event.objects.exists()


def test_days_begin_at_local_midnight(make):
    device = make.device(make.station(commissioned_at=BEGIN))
    series = make.series(device.place, "a34004", interval="day", seconds=86400)
    hold(series, 0, 2, interval="day", seconds=86400)
    gaps.find_gaps(BEGIN + timedelta(days=3) + GRACE)
    [gap] = Gap.objects.all()
    assert (gap.start, gap.end) == (BEGIN + timedelta(days=1), BEGIN + timedelta(days=2))
    assert gaps.period_floor(BEGIN + 5 * HOUR, 4 * 3600) == BEGIN + 4 * HOUR  # water: every four hours from midnight


def test_a_long_outage_becomes_gaps_that_one_request_can_ask_for(device, series):
    hold(series, 0)
    gaps.find_gaps(BEGIN + 2 * HOUR)
    gaps.find_gaps(BEGIN + timedelta(days=100))
    lengths = [gap.end - gap.start for gap in Gap.objects.order_by("start")]
    assert len(lengths) == 2 and max(lengths) == pulling.LONGEST["hour"]


def test_what_is_not_expected_is_no_gap(device, series):
    device.place.series.update(expected=False)
    assert gaps.find_gaps(BEGIN + 9 * HOUR).found == 0
    device.place.series.update(expected=True)
    device.is_active = False
    device.save()
    assert gaps.find_gaps(BEGIN + 9 * HOUR).found == 0


@override_settings(GAP_GRACE_SECONDS=0)
def test_the_grace_time_is_a_setting(device, series):
    hold(series, 0)
    assert gaps.find_gaps(BEGIN + 2 * HOUR).found == 1
