"""Statistics: days from hours, longer periods from days, revisions only where something changed."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.models import Max

from luming.telemetry import store
from luming.telemetry.statistics import queue, recomputing
from luming.telemetry.statistics.models import Statistic
from luming.telemetry.store import Origin, Quality

from .conftest import NOW, RECEIVED, midnight

HOUR = timedelta(hours=1)
DAY = "2026-07-01"
PM = "a34004"


def test_a_day_is_the_mean_of_the_hours_that_count(station):
    bench = station()
    bench.send(PM, midnight(DAY), [*range(20), 900, 900, 900], flag=["N"] * 20 + ["M", "D", "T"])
    bench.run()
    day = bench.figure(PM, DAY)
    assert (day.value, day.valid, day.count, day.expected, day.required) == (9.5, True, 20, 24, 20)
    assert (day.edition, day.rule) == ("GB 3095-2026 table 4", "GB 3095-2026/day")
    assert (day.source, day.unit, day.revision, day.verified) == ("hours", "µg/m³", 0, True)


def test_what_did_not_change_is_not_computed_again(station):
    bench = station()
    bench.send(PM, midnight(DAY), [float(i) for i in range(24)])
    figures = {"day": 4, "month": 4, "quarter": 4, "year": 5}  # mean and three rates; the year has a percentile too
    assert bench.run().figures == figures
    assert queue.waiting() == 0
    queue.mark_days({(bench.place.pk, midnight(DAY).date())})
    assert bench.run().total == 0
    bench.rule(PM, midnight(DAY) + 3 * HOUR)
    assert bench.run().figures == figures | {"day": 3, "month": 3, "quarter": 3, "year": 4}, (
        "all was transmitted before"
    )
    day = bench.figure(PM, DAY)
    assert (day.revision, day.count, day.value) == (1, 23, pytest.approx((276 - 3) / 23))


def test_days_are_computed_when_they_are_over_and_not_lost_in_between(station):
    bench = station()
    today = NOW.astimezone(midnight(DAY).tzinfo).date()
    bench.send(PM, midnight(today.isoformat()), [1.0])
    assert bench.run().place_days == 0
    assert queue.waiting() == 1
    assert bench.run(NOW + timedelta(days=1)).place_days == 1
    assert not bench.figure(PM, today.isoformat()).valid


def test_what_is_marked_again_while_a_job_holds_it_is_computed_again(station):
    bench = station()
    bench.send(PM, midnight(DAY), [1.0])
    with transaction.atomic():
        assert len(queue.take(10, NOW.date())) == 1
        with store.connecting.connect() as other, other.transaction():  # what another process does meanwhile
            other.execute(_MARK, (bench.place.pk, midnight(DAY).date()))
    assert queue.waiting() == 1
    queue.mark_days({(bench.place.pk, midnight(DAY).date())})
    assert queue.waiting() == 1, "waits once"


_MARK = """
    WITH wanted AS (SELECT %s::int AS place_id, %s::date AS day), held AS (
        SELECT d.place_id, d.day FROM statistics_dirty AS d JOIN wanted USING (place_id, day)
        FOR KEY SHARE OF d SKIP LOCKED)
    INSERT INTO statistics_dirty (place_id, day) SELECT place_id, day FROM wanted
    EXCEPT SELECT place_id, day FROM held
"""


def test_a_failed_job_leaves_queue_and_figures_as_they_were(station, monkeypatch):
    bench = station()
    bench.send(PM, midnight(DAY), [1.0] * 24)
    monkeypatch.setattr(recomputing, "judge", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bench.run()
    assert (queue.waiting(), Statistic.objects.count()) == (1, 0)


def test_days_that_end_are_queued_once_for_silent_places_too(station):
    bench = station()
    assert [queue.close_days(date(2026, 7, day)) for day in (2, 2, 5)] == [1, 0, 3]
    bench.run()
    assert [row.reason for row in bench.figures(PM).values()] == [1] * 4, "no value counts"
    assert bench.figure("*", "2026-07-04", "transmission").value == 0.0


def test_an_hour_of_minutes_stands_in_where_none_counts(station):
    bench = station(minutes=True)
    bench.send(PM, midnight(DAY), [60.0] * 22)
    bench.send(PM, midnight(DAY) + 22 * HOUR, [999.0], flag="D")
    bench.send(PM, midnight(DAY), [*[50.0] * 6, *[54.0] * 6] * 12, interval="minute")
    bench.send(PM, midnight(DAY) + 24 * HOUR, [50.0] * 4, interval="minute")  # 40 minutes: no hour
    bench.run()
    day, hours = bench.figure(PM, DAY), bench.figures(PM, kind="hour")
    assert (day.source, day.count, day.value) == ("mixed", 24, pytest.approx((22 * 60 + 50 + 54) / 24))
    assert hours[midnight(DAY)].deviation == pytest.approx(-10.0)
    assert hours[midnight(DAY) + 22 * HOUR].deviation is None, "none counts to compare with"
    assert (hours[midnight(DAY) + 24 * HOUR].valid, hours[midnight(DAY) + 24 * HOUR].required) == (False, 5)


def test_a_month_is_made_of_valid_days(station):
    bench = station()
    for number in range(30):
        hours = 24 if number < 27 else 12
        bench.send(PM, midnight("2026-06-01") + number * 24 * HOUR, [float(number)] * hours)
    bench.run()
    month = bench.figure(PM, "2026-06-01", kind="month")
    assert (month.value, month.count, month.required, month.valid) == (13.0, 27, 27, True)
    bench.rule(PM, midnight("2026-06-03"), Quality.INVALID)
    for hour in range(1, 5):
        bench.rule(PM, midnight("2026-06-03") + hour * HOUR)
    bench.run()
    month = bench.figure(PM, "2026-06-01", kind="month")
    assert (month.count, month.valid, month.revision) == (26, False, 1)


def test_a_replaced_value_counts_as_substituted(station):
    bench = station()
    bench.send(PM, midnight(DAY), [10.0] * 23)
    bench.rule(
        PM, midnight(DAY) + 23 * HOUR, Quality.VALID, revision=-1, origin=Origin.SUBSTITUTED, value=34.0, person_id=1
    )
    bench.run()
    day = bench.figure(PM, DAY)
    assert (day.value, day.count, day.substituted) == (11.0, 24, 1)


def test_ozone_has_its_largest_8_hours_and_a_percentile(station):
    bench = station({"a05024": "mg/m³"})
    bench.send("a05024", midnight(DAY), (np.arange(24) / 1000).tolist())
    bench.run()
    assert bench.figure("a05024", DAY, "max8").value == pytest.approx(19.5)
    assert bench.figure("a05024", DAY, "max1").value == pytest.approx(23.0)
    windows = bench.figures("a05024", kind="8h")
    assert (len(windows), windows[midnight(DAY)].value) == (17, pytest.approx(3.5))
    assert bench.figure("a05024", DAY, "percentile", "month").method == "percentile-90"


def test_a_night_belongs_to_the_evening_before(station):
    bench = station({"Leq": "dB"}, medium="noise")
    bench.send("Leq", midnight(DAY) + 6 * HOUR, [60.0] * 16 + [50.0] * 8)
    bench.run()
    levels = {name: bench.figure("Leq", DAY, name) for name in ("ld", "ln", "ldn")}
    assert [levels[name].value for name in ("ld", "ln", "ldn")] == pytest.approx([60.0, 50.0, 60.0])
    bench.send("Leq", midnight(DAY) + 25 * HOUR, [80.0], received=RECEIVED + HOUR)  # of the night after midnight
    bench.run()
    assert bench.figure("Leq", DAY, "ln").revision == 1
    assert bench.figure("Leq", DAY, "ld").revision == 0


def test_waste_water_is_weighed_by_its_volume(outlet):
    bench = outlet({"w01018": "mg/L", "w00000": "L/s"}, medium="sewage")
    bench.send("w00000", midnight(DAY), [10.0] * 24, amounts=[36.0] * 12 + [108.0] * 12)
    bench.send("w01018", midnight(DAY), [10.0] * 12 + [50.0] * 12, amounts=[0.36] * 12 + [5.4] * 12)
    bench.run()
    day, month = bench.figure("w01018", DAY), bench.figure("w01018", "2026-07-01", kind="month")
    assert (day.value, day.method, day.weight) == (40.0, "weighted", 36 * 12 + 108 * 12)
    assert month.value == 40.0
    assert bench.figure("w01018", DAY, "amount").value == pytest.approx(12 * 5.76)
    assert bench.figure("w00000", DAY, "amount").unit == "m³"


def test_missing_amounts_are_substituted_by_the_table(outlet):
    bench = outlet({"a21026": "mg/m³"})
    flags = ["N"] * 200 + ["D"] * 6 + ["F"] * 4 + ["N"] * 30
    amounts = [1.0] * 100 + [3.0] + [2.0] * 99 + [50.0] * 6 + [50.0] * 4 + [1.0] * 30
    bench.send("a21026", midnight(DAY), [5.0] * 240, flag=flags, amounts=amounts)
    bench.run(midnight("2026-07-11"))
    day = (
        "2026-07-09"  # hours 192 to 215: 8 as monitored, 6 substituted by the largest of 180, 4 stopped, 6 as monitored
    )
    monitored, full = (bench.figure("a21026", day, measure) for measure in ("amount", "substituted"))
    assert (monitored.value, monitored.count, monitored.substituted) == (22.0, 18, 0)
    assert (full.value, full.count, full.substituted) == (22.0 + 6 * 3.0, 24, 6)
    assert full.rule == "HJ 75-2017/missing/90/24"
    hours = bench.figures("a21026", "substituted", "hour")
    assert [row.value for row in hours.values()] == [3.0] * 6
    month = bench.figure("a21026", "2026-07-01", "substituted", "month")
    assert month.substituted == 6
    queue.mark_days({(bench.place.pk, midnight(DAY).date())})
    bench.run()  # nine silent days later: less than 75 % of the quarter are there
    after = bench.figure("a21026", day, "substituted")
    assert (after.value, after.substituted, after.revision, after.valid) == (22.0, 0, 1, False)
    assert all(row.value is None for row in bench.figures("a21026", "substituted", "hour").values())


def test_rates_tell_what_came_and_what_counts(outlet):
    bench = outlet({"a21026": "mg/m³", "a34013": "mg/m³"})
    bench.send("a21026", midnight(DAY), [1.0] * 20, flag=["N"] * 10 + ["D"] * 4 + ["F"] * 6)
    bench.send("a34013", midnight(DAY), [1.0] * 24)
    bench.run()
    capture = bench.figure("a21026", DAY, "capture")
    assert (capture.value, capture.count, capture.required) == (pytest.approx(1000 / 18), 10, 18)
    assert bench.figure("*", DAY, "transmission").value == pytest.approx(100 * 44 / 48)
    assert bench.figure("*", DAY, "effective").value == pytest.approx(100 * 40 / 48)
    assert bench.figure("*", DAY, "effective", "month").count == 40


def test_nobody_changes_a_statistic(station):
    bench = station()
    bench.send(PM, midnight(DAY), [1.0] * 24)
    bench.run()
    for statement in ("UPDATE statistics_statistic SET value = 0", "DELETE FROM statistics_statistic"):
        with pytest.raises(Exception, match="append"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("SET LOCAL ROLE luming_app")
            cursor.execute(statement)


def latest(bench):
    """Return what holds of a place: key to content without revision, moments and ids."""
    rows = Statistic.objects.filter(place=bench.place).order_by("revision")
    return {
        (row.factor, row.measure, row.kind, row.start): (
            row.value, row.valid, row.reason, row.count, row.required, row.substituted, row.weight, row.unit,
            row.source, row.edition, row.rule, row.digest, row.deviation, row.method,
        )
        for row in rows
    }  # fmt: skip


def standing(found):
    return {key: row for key, row in found.items() if row[-1] != "none"}


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_the_order_of_arrival_a_full_recomputation_says_the_same(outlet, seed):
    chance = np.random.default_rng(seed)
    bench = outlet({"w01018": "mg/L", "w00000": "L/s"}, medium="sewage", minutes=True)
    parts = [
        (factor, midnight("2026-06-27") + day * 24 * HOUR + part * 8 * HOUR)
        for factor in ("w01018", "w00000") for day in range(4) for part in range(3)
    ]  # fmt: skip
    revisions = dict.fromkeys(parts, 0)
    for number, index in enumerate(chance.permutation(len(parts) * 2).tolist()):
        factor, start = parts[index % len(parts)]
        flags = chance.choice(["N", "N", "N", "F", "D"], 8).tolist()
        values = chance.uniform(1, 90, 8).round(2).tolist()
        received = RECEIVED + number * timedelta(minutes=1)
        bench.send(factor, start, values, flag=flags, amounts=[value * 3 for value in values], received=received)
        if number % 3 == 0:
            bench.send(factor, start, chance.uniform(1, 90, 20).tolist(), interval="minute", received=received)
        if number % 4 == 0:
            hour = start + int(chance.integers(8)) * HOUR
            person = {"person_id": 1, "reason": "seen"} if number % 8 else {}
            quality = Quality.VALID if chance.random() < 0.5 else Quality.SUSPECT
            bench.rule(factor, hour, quality, revision=revisions[factor, start], checks=["X:3"], **person)
        revisions[factor, start] = 1
        if chance.random() < 0.3:
            bench.run()
    bench.run()
    incremental = standing(latest(bench))
    assert incremental
    for _until, outcome in recomputing.recompute_between(date(2026, 6, 1), date(2026, 7, 31), now=NOW):
        assert outcome.total == 0, "nothing new to say"
    with store.connecting.connect(**store.connecting.parameters(as_owner=True)) as owner:
        owner.execute("TRUNCATE statistics_statistic")
    list(recomputing.recompute_between(date(2026, 6, 1), date(2026, 7, 31), now=NOW))
    assert standing(latest(bench)) == incremental
    assert Statistic.objects.aggregate(revision=Max("revision"))["revision"] == 0


def test_a_past_moment_is_asked_for(station):
    from luming.telemetry.statistics import reading

    bench = station()
    bench.send(PM, midnight(DAY), [10.0] * 24)
    bench.run()
    before = datetime.now(UTC)
    bench.rule(PM, midnight(DAY))
    bench.send(PM, midnight(DAY) + HOUR, [33.0], received=datetime.now(UTC))
    bench.run()
    span = (midnight(DAY), midnight(DAY) + 24 * HOUR)

    def asked(kind, as_of=None):
        return [row.value for row in reading.read(bench.place, PM, "mean", kind, *span, as_of=as_of)]

    assert (asked("day", before), asked("day")) == ([10.0], [11.0])
    assert asked("hour", before) == [10.0] * 24
    assert asked("hour")[:3] == [None, 33.0, 10.0]
