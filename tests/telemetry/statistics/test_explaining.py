"""What a statistic was made of, and why it changed."""

from datetime import UTC, datetime, timedelta

from luming.telemetry.statistics import explaining, words
from luming.telemetry.statistics.models import Statistic

from .conftest import midnight

HOUR = timedelta(hours=1)
DAY = "2026-07-01"
PM = "a34004"


def test_the_inputs_are_listed_as_they_were_known_and_their_digest_comes_out_the_same(station):
    bench = station(minutes=True)
    bench.send(PM, midnight(DAY), [float(i) for i in range(23)], flag=["N"] * 22 + ["D"])
    bench.send(PM, midnight(DAY) + 22 * HOUR, [7.0] * 6, interval="minute")
    bench.run()
    first = bench.figure(PM, DAY)
    bench.send(PM, midnight(DAY) + HOUR, [500.0], received=datetime.now(UTC))
    bench.rule(PM, midnight(DAY) + 2 * HOUR)
    bench.send(PM, midnight(DAY) + 23 * HOUR, [9.0], received=datetime.now(UTC))
    bench.run()
    second = bench.figure(PM, DAY)
    for row in (first, second, *Statistic.objects.all()):
        assert explaining.inputs(row).same is True, row
    made = explaining.inputs(first)
    assert [(row.value, row.counts) for row in made.observed][1:3] == [(1.0, True), (2.0, True)]
    assert [row.start for row in made.statistics] == [midnight(DAY) + 22 * HOUR], "the own hour in its place"
    changes = [(one.what, one.after.value) for one in explaining.difference(first, second)]
    assert changes == [("revised", 500.0), ("judged", 2.0), ("received", 9.0)]
    assert {row.kind for row in explaining.longer_of(second)} == {"month", "quarter", "year"}


def test_a_month_says_which_days_changed(station):
    bench = station()
    for day in range(3):
        bench.send(PM, midnight(DAY) + day * 24 * HOUR, [10.0 + day] * 24)
    bench.run()
    before = bench.figure(PM, DAY, kind="month")
    bench.rule(PM, midnight(DAY) + 30 * HOUR)
    bench.run()
    after = bench.figure(PM, DAY, kind="month")
    assert after.revision == 1, "its inputs changed, though the mean did not"
    (change,) = explaining.difference(before, after)
    assert (change.what, change.before.count, change.after.count) == ("revised", 24, 23)
    assert [row.start for row in explaining.inputs(after).statistics] == [
        midnight(DAY) + i * 24 * HOUR for i in range(3)
    ]


def test_other_media_come_out_the_same_too(station, outlet):
    noise = station({"Leq": "dB"}, medium="noise")
    noise.send("Leq", midnight(DAY) + 6 * HOUR, [60.0 + i % 3 for i in range(24)])
    noise.run()
    water = outlet({"w01018": "mg/L", "w00000": "L/s"}, medium="sewage")
    water.send("w00000", midnight(DAY), [10.0 + i for i in range(24)], amounts=[36.0] * 24)
    water.send("w01018", midnight(DAY), [10.0 + i for i in range(24)], amounts=[0.36] * 24)
    water.run()
    rows = [row for row in Statistic.objects.all() if row.measure not in words.RATES]
    assert {row.measure for row in rows} == {"mean", "amount", "substituted", "ld", "ln", "ldn"}
    assert [str(row) for row in rows if explaining.inputs(row).same is not True] == []
