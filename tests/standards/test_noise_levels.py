"""Levels of day and night; hand-worked with the definition of the equivalent level."""

import numpy as np
import pytest

from luming.standards.averages import aggregate, cascade
from luming.standards.noise_levels import day_levels, day_night, energy_mean
from luming.standards.results import Reason


def hours(first, count):
    return np.datetime64(first, "us") - np.timedelta64(8, "h") + np.arange(count) * np.timedelta64(1, "h")


def test_equivalent_levels_by_hand():
    assert energy_mean([70.0, 60.0]) == pytest.approx(10 * np.log10(0.5e7 + 0.5e6))
    assert energy_mean([60.0, 60.0 + 10 * np.log10(3)]) == pytest.approx(60 + 10 * np.log10(2))
    assert np.isnan(energy_mean([np.nan]))
    assert float(day_night(60.0, 60.0)) == pytest.approx(10 * np.log10((16 * 1e6 + 8 * 1e7) / 24))


def test_a_night_belongs_to_the_day_on_whose_evening_it_begins():
    level = np.full(48, 50.0)
    level[22:30] = 70.0  # 22:00 on the first to 06:00 on the second
    found = day_levels(hours("2026-07-01T00:00", 48), level)
    first = found["ln"].start.tolist().index(hours("2026-07-01T06:00", 1)[0].item())
    assert found["ln"].value[first] == pytest.approx(70.0)
    assert found["ld"].value[first] == pytest.approx(50.0)
    assert found["ldn"].value[first] == pytest.approx(float(day_night(50.0, 70.0)))
    assert (found["ld"].expected[first], found["ln"].expected[first], found["ldn"].expected[first]) == (16, 8, 24)
    assert found["ldn"].valid[first]


def test_natural_days_split_the_night_at_midnight():
    level = np.full(48, 50.0)
    level[22:30] = 70.0
    found = day_levels(hours("2026-07-01T00:00", 48), level, day_begins=0)
    assert found["ln"].count.tolist() == [8, 8]
    assert found["ln"].value[0] == pytest.approx(energy_mean([70.0] * 2 + [50.0] * 6))
    assert found["ln"].value[1] == pytest.approx(energy_mean([70.0] * 6 + [50.0] * 2))
    with pytest.raises(ValueError, match="0 or at 6"):
        day_levels([], [], day_begins=5)


@pytest.mark.parametrize(
    ("missing", "ld", "ln"), [((6, 10), True, True), ((6, 11), False, True), ((22, 25), True, False)]
)
def test_validity_of_day_and_night(missing, ld, ln):
    level = np.full(24, 50.0)
    level[missing[0] - 6 : missing[1] - 6] = np.nan
    found = day_levels(hours("2026-07-01T06:00", 24), level)
    assert (found["ld"].valid.tolist(), found["ln"].valid.tolist()) == ([ld], [ln])
    assert found["ldn"].valid.tolist() == [ld and ln]
    assert found["ldn"].used.tolist() == np.isfinite(level).tolist()


def test_without_a_night_no_day_night_level():
    found = day_levels(hours("2026-07-01T06:00", 16), np.full(16, 50.0))
    assert found["ldn"].reason.tolist() == [Reason.NO_VALUES]
    assert np.isnan(found["ldn"].value).all()


def test_every_hour_is_of_the_day_or_of_the_night():
    rng = np.random.default_rng(3)
    start = hours("2026-02-27T11:00", 100)
    found = day_levels(start, rng.normal(55, 5, 100), series=rng.integers(0, 3, 100), counts=rng.random(100) < 0.9)
    assert not (found["ld"].used & found["ln"].used).any()
    assert found["ldn"].used.tolist() == (found["ld"].used | found["ln"].used).tolist()


def test_minutes_of_sound_become_hours_by_energy():
    minutes = np.datetime64("2026-07-01T00:00", "us") + np.arange(60) * np.timedelta64(1, "m")
    level = np.r_[[80.0] * 6, [60.0] * 54]
    hour = aggregate(minutes, level, interval="hour", medium="noise", factor="leq")
    assert hour.value.tolist() == [pytest.approx(10 * np.log10(0.1 * 1e8 + 0.9 * 1e6))]
    assert aggregate(minutes, level, interval="hour", medium="noise", factor="lmax").value.tolist() == [80.0]


def test_surface_water_ph_is_that_of_the_mean_hydrogen_ion():
    start = hours("2026-07-01T00:00", 24)[::4]
    levels = cascade(start, [6.0, 8.0] * 3, medium="water", factor="ph", to="day", step=np.timedelta64(4, "h"))
    day = levels["day"]
    assert day.method == "hydrogen"
    assert day.value.tolist() == [pytest.approx(-np.log10((1e-6 + 1e-8) / 2))]  # 6.297, not 7
    assert (day.rounded.tolist(), day.expected.tolist(), day.required.tolist()) == ([6.0], [6], [5])
    mean = aggregate(start, [6.0, 8.0] * 3, interval="day", medium="water", factor="ph", method="mean")
    assert mean.value.tolist() == [7.0]
