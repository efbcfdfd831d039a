"""Substituted amounts of waste gas and filled gaps of waste water; hand-worked: no published example is at hand."""

import statistics

import numpy as np
import pytest

from luming.standards import sewage, substitution
from luming.standards.substitution import HourState, Origin, capture_rate, substitute

V, S, M, C = HourState.VALID, HourState.SHUTDOWN, HourState.MISSING, HourState.OUT_OF_CONTROL
QUARTER = np.datetime64("2026-06-30T16", "us")  # the third quarter begins in the city
NAN = float("nan")


def hours(count, first=QUARTER):
    return first + np.arange(count) * np.timedelta64(1, "h")


def outlet(count, *gaps, first=QUARTER):
    """Hours with rising amounts 0, 1, 2 … and gaps (from, to, state)."""
    state = np.zeros(count, dtype=np.int64)
    for begin, end, kind in gaps:
        state[begin:end] = kind
    return hours(count, first), np.where(state == V, np.arange(count, dtype=float), NAN), state


def test_capture_rate_leaves_shutdown_hours_out():
    start, _, state = outlet(100, (0, 20, S), (50, 58, M))
    assert set(capture_rate(start, state).tolist()) == {72 / 80}
    assert np.isnan(capture_rate(start[:20], state[:20])).all()  # nothing was in operation


@pytest.mark.parametrize(("length", "reach"), [(1, 180), (24, 180), (25, 720)])
def test_up_to_24_hours_take_180_valid_hours_and_more_take_720(length, reach):
    start, amount, state = outlet(2000, (1500, 1500 + length, M))
    amount[1500 - 720] = 5000.0
    amount[1500 - 180] = 4000.0
    amount[1500 - 721] = 9000.0
    found = substitute(start, amount, state)
    gap = slice(1500, 1500 + length)
    assert set(found.value[gap].tolist()) == {4000.0 if reach == 180 else 5000.0}
    assert set(found.source[gap].tolist()) == {1500 - reach}
    assert found.hours_used(1500).tolist() == list(range(1500 - reach, 1500))
    assert set(found.run[gap].tolist()) == {length}
    assert found.row_of(1500).hours == reach
    assert (found.origin[gap] == Origin.SUBSTITUTED).all()
    assert found.value[:1500].tolist() == amount[:1500].tolist()


def test_the_history_skips_invalid_and_shutdown_hours():
    start, amount, state = outlet(400, (100, 130, S), (200, 210, M), (300, 301, M))
    found = substitute(start, amount, state)
    used = found.hours_used(300)
    assert len(used) == 180 and used[-1] == 299
    assert not set(used.tolist()) & (set(range(100, 130)) | set(range(200, 210)))
    assert found.value[100:130].tolist() == [0.0] * 30
    assert (found.origin[100:130] == Origin.SHUTDOWN).all()


def test_out_of_control_hours_look_before_the_last_passed_calibration():
    start, amount, state = outlet(1000, (600, 610, C))
    calibrations = [start[200], start[500], start[800]]
    found = substitute(start, amount, state, calibrations=calibrations)
    assert set(found.value[600:610].tolist()) == {499.0}
    assert found.hours_used(605).tolist() == list(range(320, 500))
    assert found.row_of(605).before == "last calibration"
    without = substitute(start, amount, state)
    assert without.value[600] == 599.0


def test_between_75_and_90_per_cent_2160_valid_hours():
    first = np.datetime64("2026-03-31T16", "us")
    start, amount, state = outlet(4000, (2184, 2184 + 400, M), first=first)  # the gap is in the third quarter
    amount[10] = 77_000.0
    amount[24] = 66_000.0
    found = substitute(start, amount, state)
    assert 0.75 <= found.capture[2200] < 0.90
    assert found.value[2200] == 66_000.0  # 2184 - 2160 = 24: the hour before is too far back
    assert found.row_of(2200).hours == 2160


def test_below_75_per_cent_nothing_is_substituted():
    start, amount, state = outlet(1000, (500, 760, M))
    found = substitute(start, amount, state)
    assert found.capture[0] == 0.74
    assert np.isnan(found.value[500:760]).all()
    assert (found.origin[500:760] == Origin.LOW_CAPTURE).all()
    assert found.row_of(500) is None and found.hours_used(500).tolist() == []


@pytest.mark.parametrize(("missing", "row"), [(100, "90"), (101, "75"), (250, "75"), (251, None)])
def test_the_capture_rate_at_its_bounds(missing, row):
    start, amount, state = outlet(1000, (1000 - missing, 1000, M))
    found = substitute(start, amount, state)
    assert (found.row_of(999).key if found.row_of(999) else None) == (row and f"HJ 75-2017/missing/{row}")


def test_a_run_over_the_end_of_a_quarter_is_substituted_by_each_quarters_rate():
    first = np.datetime64("2026-06-30T16", "us") - np.timedelta64(1000, "h")
    start, amount, state = outlet(1200, (995, 1150, M), first=first)
    found = substitute(start, amount, state)
    assert found.row_of(995).key == "HJ 75-2017/missing/90"
    assert found.origin[1000] == Origin.LOW_CAPTURE  # 50 of 200 hours of the new quarter
    assert set(found.run[995:1150].tolist()) == {155}


def test_without_history_nothing_can_be_taken_and_with_little_all_of_it():
    start, amount, state = outlet(100, (0, 2, M), (50, 52, M))
    found = substitute(start, amount, state)
    assert (found.origin[:2] == Origin.NO_HISTORY).all()
    assert found.value[50] == 49.0 and len(found.hours_used(50)) == 48


def test_before_the_edition_no_rule():
    start, amount, state = outlet(100, (50, 52, M), first=np.datetime64("2017-01-01T00", "us"))
    assert substitute(start, amount, state).origin[50] == Origin.NO_RULE


def test_input_that_cannot_be_judged_is_refused():
    start, amount, state = outlet(10)
    with pytest.raises(ValueError, match="without gaps"):
        substitute(np.delete(start, 4), amount[:9], state[:9])
    with pytest.raises(ValueError, match="needs an amount"):
        substitute(start, np.full(10, NAN), state)
    with pytest.raises(ValueError, match="shape"):
        substitute(start, amount[:9], state)
    assert len(substitute([], [], []).value) == 0


def naive(amount, state, rate):
    """Twin of ``substitute`` for missing hours of one quarter, hour by hour."""
    result = []
    for hour, now in enumerate(state):
        if now == V:
            result.append(amount[hour])
        elif now == S:
            result.append(0.0)
        else:
            begin = hour
            while begin > 0 and state[begin - 1] == now:
                begin -= 1
            end = hour
            while end < len(state) and state[end] == now:
                end += 1
            reach = (180 if end - begin <= 24 else 720) if rate >= 0.9 else 2160 if rate >= 0.75 else 0
            valid = [amount[i] for i in range(begin) if state[i] == V][-reach:] if reach else []
            result.append(max(valid) if valid else None)
    return result


@pytest.mark.parametrize("share", [0.02, 0.15, 0.4])
def test_against_a_naive_twin(share):
    rng = np.random.default_rng(int(share * 100))
    state = np.zeros(2000, dtype=np.int64)
    for begin in rng.integers(0, 1960, int(share * 100)):
        state[begin : begin + int(rng.integers(1, 40))] = rng.choice([M, M, S])
    amount = np.where(state == V, rng.gamma(2.0, 5.0, 2000), NAN)
    found = substitute(hours(2000), amount, state)
    twin = naive(amount.tolist(), state.tolist(), found.capture[0])
    assert [None if np.isnan(value) else value for value in found.value.tolist()] == twin


def test_the_table_is_what_the_facts_say():
    numbers = {(row.kind, row.capture_from, row.run_to): row.hours for row in substitution.rows()}
    assert numbers == {
        (kind, capture, run): hours
        for kind in ("missing", "out-of-control")
        for (capture, run), hours in {(0.9, 24): 180, (0.9, None): 720, (0.75, None): 2160}.items()
    }


def test_a_gap_of_waste_water_takes_as_many_values_before_as_after():
    value = np.array([1.0, 2, 3, 4, NAN, NAN, 10, 20, 30])
    state = np.where(np.isnan(value), M, V)
    found = sewage.fill_gaps(hours(9), value, state, factor="cod")
    assert found.value[4:6].tolist() == [(3 + 4 + 10 + 20) / 4] * 2
    assert found.hours_used(4).tolist() == [2, 3, 6, 7]
    ph = sewage.fill_gaps(hours(9), value, state, factor="ph")
    assert ph.value[4] == statistics.median([3, 4, 10, 20])
    assert ph.row_of(4).key == "HJ 356-2019/missing/ph"


def test_gaps_of_waste_water_at_the_ends_stay_open():
    value = np.array([NAN, 2, 3, NAN])
    found = sewage.fill_gaps(hours(4), value, np.where(np.isnan(value), M, V), factor="cod")
    assert found.origin.tolist() == [Origin.NO_HISTORY, Origin.MEASURED, Origin.MEASURED, Origin.NO_HISTORY]
    assert np.isnan(found.value[[0, 3]]).all()


def test_shutdown_hours_are_no_gap_of_waste_water():
    value = np.array([4.0, NAN, NAN, NAN, 8.0, 100.0])
    state = np.array([V, M, S, M, V, V])
    flow = sewage.fill_gaps(hours(6), value, state, factor="flow")
    assert flow.value.tolist() == [4.0, (4 + 8 + 100) / 3, 0.0, (4 + 8 + 100) / 3, 8.0, 100.0]
    assert flow.run.tolist() == [0, 2, 0, 2, 0, 0]
    assert np.isnan(sewage.fill_gaps(hours(6), value, state, factor="cod").value[2])


def test_a_longest_gap_can_be_set():
    value = np.array([4.0, NAN, NAN, 8.0, NAN, 8.0])
    found = sewage.fill_gaps(hours(6), value, np.where(np.isnan(value), M, V), factor="cod", longest=1)
    assert found.origin.tolist() == [Origin.MEASURED, Origin.NO_HISTORY, Origin.NO_HISTORY, 0, Origin.SUBSTITUTED, 0]


def test_waste_water_before_the_edition_has_no_rule():
    found = sewage.fill_gaps(hours(3, np.datetime64("2020-03-01")), [1, NAN, 2], [V, M, V], factor="cod")
    assert found.origin[1] == Origin.NO_RULE
    with pytest.raises(ValueError, match="order"):
        sewage.fill_gaps(hours(2)[::-1], [1, 2], [V, V], factor="cod")
