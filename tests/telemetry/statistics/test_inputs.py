"""The inputs of stored statistics: every figure comes out again as of its moment, and names what it was made of."""

from datetime import timedelta

import pytest

from luming.telemetry.statistics import digests, inputs
from luming.telemetry.statistics.models import Statistic
from luming.telemetry.store import connecting

from .conftest import midnight

HOUR = timedelta(hours=1)
DAY = "2026-07-01"


def all_equal():
    engine = inputs.Engine()
    rows = list(Statistic.objects.order_by("id"))
    wrong = [str(row) for row in rows if not engine.of(row).is_equal(row)]
    return len(rows), wrong


def test_every_figure_of_a_station_comes_out_again(station):
    bench = station({"a34004": "µg/m³", "a05024": "µg/m³", "a21005": "mg/m³"}, minutes=True)
    for day in (DAY, "2026-07-02"):
        for factor in ("a34004", "a05024", "a21005"):
            bench.send(factor, midnight(day), [float(i) for i in range(20)])
            bench.send(factor, midnight(day) + 20 * HOUR, [5.0] * 24, interval="minute")
    bench.run()
    bench.rule("a34004", midnight(DAY) + 3 * HOUR)
    bench.run()
    count, wrong = all_equal()
    assert count > 60 and wrong == []
    first, second = Statistic.objects.filter(factor="a34004", measure="mean", kind="day", start=midnight(DAY)).order_by(
        "revision"
    )
    engine = inputs.Engine()
    assert len(engine.of(first).rows) == 24 and len(engine.of(second).rows) == 23
    month = Statistic.objects.filter(factor="a34004", measure="mean", kind="month").latest("revision")
    used = inputs.days_used(month, engine.of(month).rows)
    assert [row.revision for row in used] == [1, 0]


@pytest.mark.parametrize("medium", ["gas", "sewage"])
def test_every_figure_of_an_outlet_comes_out_again(outlet, medium):
    factors = {"a21026": "mg/m³", "a00000": "m³/s"} if medium == "gas" else {"w01018": "mg/L", "w00000": "L/s"}
    bench = outlet(factors, medium=medium)
    for factor in factors:
        values = [float(10 + i) for i in range(24)]
        converted = values if medium == "gas" else None
        bench.send(factor, midnight(DAY), values[:20], amounts=values[:20], converted=converted)
        bench.send(factor, midnight("2026-07-02"), values, flag=["F"] * 4 + ["N"] * 20, amounts=values)
    bench.run()
    count, wrong = all_equal()
    assert wrong == []
    assert {"amount", "substituted", "capture", "transmission"} <= set(
        Statistic.objects.values_list("measure", flat=True)
    )
    assert count > 40


def test_levels_of_noise_come_out_again(station):
    bench = station({"Leq": "dB"}, medium="noise")
    bench.send("Leq", midnight(DAY), [50.0 + i % 5 for i in range(48)])
    bench.run()
    _count, wrong = all_equal()
    assert wrong == [] and "ldn" in set(Statistic.objects.values_list("measure", flat=True))


def test_a_value_that_was_changed_behind_its_back_is_told(station):
    bench = station()
    bench.send("a34004", midnight(DAY), [float(i) for i in range(24)])
    bench.run()
    row = bench.figure("a34004", DAY)
    with connecting.connect(**connecting.parameters(as_owner=True)) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute("UPDATE telemetry_observation SET value = 7.5 WHERE value = 7")
    found = inputs.Engine().of(row)
    assert not found.is_equal(row) and found.digest != row.digest and 7.5 in found.rows["value"].tolist()
    assert bench.run().total == 0


def test_witnesses_are_kept_only_inside():
    with digests.witnessed() as seen:
        digests.of_groups(*_one())
    assert len(seen) == 1
    digests.of_groups(*_one())
    assert len(seen) == 1


def _one():
    import numpy as np

    return np.array([0]), np.zeros(1, digests.INPUT), 1
