"""Statistics: days from hours, longer periods from days, revisions only where something changed."""

from datetime import timedelta

import pytest

from luming.telemetry.statistics import queue

from .conftest import midnight

HOUR = timedelta(hours=1)
DAY = "2026-07-01"


def test_a_day_is_the_mean_of_the_hours_that_count(station):
    bench = station()
    bench.send("a34004", midnight(DAY), [*range(20), 900, 900, 900], flag=["N"] * 20 + ["M", "D", "T"])
    bench.run()
    day = bench.figure("a34004", DAY)
    assert (day.value, day.valid, day.count, day.expected, day.required) == (9.5, True, 20, 24, 20)
    assert (day.edition, day.rule) == ("GB 3095-2026 table 4", "GB 3095-2026/day")
    assert (day.source, day.unit, day.revision, day.verified) == ("hours", "µg/m³", 0, True)


def test_what_did_not_change_is_not_computed_again(station):
    bench = station()
    bench.send("a34004", midnight(DAY), [float(i) for i in range(24)])
    assert bench.run().total == 5, "day, month, quarter, year and its percentile"
    assert queue.waiting() == 0
    queue.mark_days({(bench.place.pk, midnight(DAY).date())})
    assert bench.run().total == 0
    bench.rule("a34004", midnight(DAY) + 3 * HOUR)
    assert bench.run().total == 5
    day = bench.figure("a34004", DAY)
    assert (day.revision, day.count, day.value) == (1, 23, pytest.approx((276 - 3) / 23))
