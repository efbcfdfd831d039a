"""Sliding 8-hour means and the daily maximum of ozone; hand-worked, no published example is at hand."""

import numpy as np
import pytest

from luming.standards.averages import aggregate, cascade
from luming.standards.ozone import daily_maximum, sliding_mean
from luming.standards.results import Reason


def hours(first, count):
    """Starts (UTC) of hours from a city-local time."""
    return np.datetime64(first, "us") - np.timedelta64(8, "h") + np.arange(count) * np.timedelta64(1, "h")


def day_of(values, **options):
    return daily_maximum(hours("2026-07-01T00:00", len(values)), np.array(values, dtype=float), **options)


def test_the_maximum_is_of_means_within_the_natural_day():
    value = [200.0] * 8 + [0.0] * 16  # the mean labelled 08:00 is of 00:00 to 08:00 and belongs to the day
    assert day_of(value).value.tolist() == [200.0]
    evening_before = daily_maximum(hours("2026-06-30T20:00", 28), np.r_[[500.0] * 4, [100.0] * 24])
    assert evening_before.value.tolist()[1] == 100.0  # no mean reaches back over midnight
    assert evening_before.reason.tolist() == [Reason.NO_VALUES, Reason.VALID]


def test_an_8_hour_mean_needs_6_hours():
    value = np.full(24, np.nan)
    value[:5] = 100
    assert day_of(value).reason.tolist() == [Reason.NO_VALUES]
    value[5] = 160
    day = day_of(value)
    assert day.value.tolist() == [110.0]  # 00:00 to 06:00 only; the one window that holds all six
    assert (day.count.tolist(), day.reason.tolist()) == ([1], [Reason.TOO_FEW])


@pytest.mark.parametrize(("missing", "count", "valid"), [(3, 16, True), (5, 14, True), (6, 13, False)])
def test_a_day_needs_14_means(missing, count, valid):
    value = np.full(24, 50.0)
    value[:missing] = np.nan
    day = day_of(value)
    assert (day.count.tolist(), day.valid.tolist()) == ([count], [valid])
    assert (day.expected.tolist(), day.required.tolist()) == ([17], [14])


def test_a_maximum_above_the_limit_makes_the_day_valid():
    value = np.full(24, np.nan)
    value[10:18] = 160.0
    assert day_of(value).valid.tolist() == [False]  # not above
    value[10:18] = 160.4
    assert day_of(value).valid.tolist() == [False]  # rounds to 160
    value[10:18] = 160.6
    assert day_of(value).valid.tolist() == [True]
    value[10:18] = 101.0
    assert day_of(value, limit=100.0).valid.tolist() == [True]  # class I


def test_the_rules_name_their_edition():
    day = daily_maximum(hours("2026-02-28T00:00", 48), np.full(48, 80.0))
    assert [day.rule_of(row).edition for row in range(2)] == ["HJ 663-2013", "HJ 663-2026"]
    assert not day.rule_of(1).verified
    fixed = daily_maximum(hours("2026-02-28T00:00", 48), np.full(48, 80.0), edition="HJ 663-2013")
    assert {fixed.rule_of(row).edition for row in range(2)} == {"HJ 663-2013"}


def naive_mda8(values):
    """Python twin of one day: (maximum, number of valid means)."""
    means = []
    for first in range(17):
        found = [value for value in values[first : first + 8] if value == value]
        if len(found) >= 6:
            means.append(sum(found) / len(found))
    return (max(means) if means else None), len(means)


def test_against_a_naive_twin_with_gaps_and_several_series():
    rng = np.random.default_rng(8)
    value = np.where(rng.random((6, 240)) < 0.2, np.nan, rng.gamma(3.0, 30.0, (6, 240)))
    value[3, 24:48] = np.nan
    starts, series = np.tile(hours("2026-07-01T00:00", 240), 6), np.repeat(np.arange(6), 240)
    kept = rng.permutation(np.nonzero(rng.random(1440) < 0.95)[0])
    result = daily_maximum(starts[kept], value.ravel()[kept], series=series[kept])
    dropped = np.ones(1440, dtype=bool)
    dropped[kept] = False
    value.ravel()[dropped] = np.nan
    for row in range(len(result)):
        day = int((result.start[row] - starts[0]) / np.timedelta64(1, "D"))
        maximum, count = naive_mda8(value[result.series[row], day * 24 : day * 24 + 24].tolist())
        assert result.count[row] == count
        assert (
            np.isnan(result.value[row]) if maximum is None else result.value[row] == pytest.approx(maximum, rel=1e-12)
        )


def test_sliding_means_run_over_midnight_and_not_over_series():
    value = np.arange(48.0)
    slid = sliding_mean(hours("2026-07-01T00:00", 48), value)
    assert np.isnan(slid[:5]).all()
    assert slid[5:8].tolist() == [2.5, 3.0, 3.5]  # 6, 7 and 8 hours
    assert slid[24] == np.arange(17, 25).mean()
    both = sliding_mean(np.tile(hours("2026-07-01T00:00", 10), 2), np.ones(20), series=np.repeat([2, 1], 10))
    assert np.isnan(both[10:15]).all() and both[15] == 1
    gap = sliding_mean(np.r_[hours("2026-07-01T00:00", 8), hours("2026-07-01T12:00", 8)], np.arange(16.0))
    assert np.isnan(gap[8:12]).all()  # 12:00 sees 05, 06, 07 and itself
    assert sliding_mean([], []).tolist() == []


def test_24_hour_sliding_means():
    slid = sliding_mean(hours("2026-07-01T00:00", 30), np.arange(30.0), hours=24, required=20)
    assert np.isnan(slid[18]) and slid[19] == 9.5 and slid[29] == np.arange(6, 30).mean()


def test_ozone_in_the_cascade_is_its_daily_maximum_and_then_a_percentile():
    levels = cascade(
        hours("2026-04-01T00:00", 720), np.tile(np.arange(24.0), 30), medium="air", factor="o3", to="month"
    )
    assert levels["day"].method == "mda8"
    assert set(levels["day"].value.tolist()) == {19.5}
    assert (levels["month"].method, levels["month"].value.tolist()) == ("percentile-90", [19.5])
    mean = aggregate(
        hours("2026-04-01T00:00", 24), np.arange(24.0), interval="day", medium="air", factor="o3", method="mean"
    )
    assert (mean.value.tolist(), mean.rule_of(0).required) == ([11.5], 20)
