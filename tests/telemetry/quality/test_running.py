"""Checks over stored data: the same verdicts on the stream and in one go, late, revised, decided by a person."""

from datetime import timedelta

import numpy as np
import pytest
from django.db import transaction
from sent_series import HOUR, START, lively

from luming.registry.models import Series, Station
from luming.telemetry import judging, store
from luming.telemetry.quality import running
from luming.telemetry.store import Origin, Quality, VerdictRow

pytestmark = pytest.mark.django_db


def check(place, starts, interval="hour"):
    with transaction.atomic():
        return running.check({place.pk: list(starts)}, interval)


def check_all(place, hours=400, interval="hour", **more):
    with transaction.atomic():
        return running.check_period([place.pk], interval, START, START + hours * HOUR, **more)


def hours(*numbers):
    return [START + number * HOUR for number in numbers]


def said(series, end=400):
    """Return what the verdicts that hold say: hour -> (quality, checks)."""
    found = store.effective([series.pk], START, START + end * HOUR)
    revision = dict(zip(found.start.astype(object), found.revision.tolist(), strict=True))
    records = [
        record
        for record in store.verdicts([series.pk], START, START + end * HOUR)
        if record.revision == revision[record.start.replace(tzinfo=None)]
    ]
    return {
        round((record.start - START) / HOUR): (Quality(record.quality).name, record.checks)
        for record in records
        if record.checks or record.quality != Quality.VALID
    }


def counts(series, end=400):
    found = store.effective([series.pk], START, START + end * HOUR)
    return found.counts.tolist()


def test_a_spike_is_found_when_the_next_value_shows_it_and_the_judges_look_again(make, send):
    station = make.station()
    (series,) = make.series(station, "a34002")
    values = lively(48)
    values[40] = 900.0
    send(series, values[:41])
    check(station, hours(*range(41)))
    assert 40 not in said(series) or "GEN-SPIKE:3" not in said(series)[40][1]
    send(series, values[41:], start=START + 41 * HOUR)
    store.take_dirty(1000)
    check(station, hours(*range(41, 48)))
    quality, checks = said(series)[40]
    assert quality == "SUSPECT" and any(one.startswith("GEN-SPIKE") for one in checks)
    assert counts(series)[39:42] == [True, False, True]
    with transaction.atomic():
        marks = store.take_dirty(1000)
    assert marks == [] or all(START + 41 * HOUR not in starts for _place, _interval, starts in marks)


def test_what_counted_and_no_longer_does_is_marked_for_the_judges(make, send):
    station = make.station()
    (series,) = make.series(station, "a01001", interval="hour")
    Series.objects.filter(pk=series.pk).update(unit="℃")
    values = np.round(20 + 5 * np.sin(np.arange(48) / 4), 1)
    values[40] += 12.0
    send(series, values[:41])
    with transaction.atomic():
        store.take_dirty(1000)
    check(station, hours(40))
    before = said(series)
    send(series, values[41:], start=START + 41 * HOUR)
    with transaction.atomic():
        store.take_dirty(1000)
    check(station, hours(*range(41, 48)))
    changed = {hour for hour in said(series) if said(series)[hour][0] != before.get(hour, ("VALID",))[0]}
    with transaction.atomic():
        marked = {start for _place, _interval, starts in store.take_dirty(1000) for start in starts}
    assert 40 in changed
    assert START + 40 * HOUR in marked


@pytest.mark.parametrize("seed", range(4))
def test_a_stream_in_chunks_late_or_not_says_what_one_batch_says(make, send, seed):
    """Property: however values arrive, the verdicts that hold in the end are those of all at once."""
    rng = np.random.default_rng(seed)
    n = 200
    table = {"a34004": lively(n, seed), "a34002": lively(n, seed + 50, 90.0), "a21026": lively(n, seed + 90, 20.0, 2)}
    for values in table.values():
        values[rng.integers(0, n, 4)] *= 12
        first = int(rng.integers(0, n - 60))
        values[first : first + int(rng.integers(8, 50))] = 33.3
        values[rng.integers(0, n, 6)] = np.nan
        values[rng.integers(0, n, 2)] = -999.0
    flags = np.where(rng.random(n) < 0.03, "D", "N")
    stream, batch = make.station("S1"), make.station("S2", longitude=111.5)
    mine, theirs = make.series(stream, *table), make.series(batch, *table)
    for series, values in zip(theirs, table.values(), strict=True):
        send(series, values, flag=flags)
    check_all(batch)
    cuts = np.sort(rng.choice(np.arange(1, n), 9, replace=False))
    chunks = list(np.split(np.arange(n), cuts))
    if seed % 2:
        chunks = [chunks[i] for i in rng.permutation(len(chunks))]
    for chunk in chunks:
        for series, values in zip(mine, table.values(), strict=True):
            send(series, values[chunk], flag=flags[chunk], start=START + int(chunk[0]) * HOUR)
        check(stream, hours(*chunk.tolist()))
    for one, other in zip(mine, theirs, strict=True):
        assert said(one) == said(other)
    assert any(
        "GEN-STUCK" in text for series in theirs for _quality, checks in said(series).values() for text in checks
    )
    assert check_all(stream).written == 0, "checking again says nothing new"


def test_a_revised_value_is_judged_anew(make, send):
    station = make.station()
    (series,) = make.series(station, "a34002")
    values = lively(30)
    values[10] = -50.0
    send(series, values)
    check(station, hours(*range(30)))
    assert said(series)[10][0] == "INVALID"
    send(series, [41.0], start=START + 10 * HOUR)
    check(station, hours(10))
    assert 10 not in said(series)
    assert counts(series) == [True] * 30
    history = store.verdict_history(series.pk, START + 10 * HOUR)
    assert [record.revision for record in history] == [0], "the plain one is no news: the verdict was on the old value"


def test_a_run_that_a_late_value_breaks_is_no_longer_stuck(make, send):
    station = make.station()
    (series,) = make.series(station, "a21004")
    values = lively(120)
    values[60:90] = 41.0
    send(series, values)
    check_all(station)
    assert any(one.startswith("GEN-STUCK") for one in said(series)[75][1])
    send(series, [52.0], start=START + 75 * HOUR)  # revised: two runs of 15 remain, longer than 12 h
    send(series, [55.0], start=START + 66 * HOUR)
    send(series, [33.0], start=START + 83 * HOUR)
    check(station, hours(66, 75, 83))
    assert not any(text.startswith("GEN-STUCK") for _quality, checks in said(series).values() for text in checks)
    assert all(counts(series))


def test_what_a_person_has_decided_stays(make, send):
    station = make.station()
    (series,) = make.series(station, "a34002")
    values = lively(30)
    values[10] = -50.0
    send(series, values)
    check_all(station)
    decision = VerdictRow(
        series.pk, START + 10 * HOUR, 0, Origin.MEASURED, Quality.VALID, "review:1", "1", reason="zero gas"
    )
    with transaction.atomic():
        store.write_verdicts([decision], person_id=5)
    assert check_all(station).written == 0
    assert counts(series)[10]


def test_units_are_brought_to_those_of_the_checks_and_unknown_ones_are_left_alone(make, send):
    station = make.station()
    (small,) = make.series(station, "a34004")
    (odd,) = make.series(station, "a21026")
    Series.objects.filter(pk=small.pk).update(unit="mg/m³")
    Series.objects.filter(pk=odd.pk).update(unit="ppb")
    values = lively(30) / 1000
    values[5] = 20.0  # mg/m³: 20,000 µg/m³ is not possible, and 20 µg/m³ would be
    send(small, values)
    send(odd, np.full(30, -999.0))
    check_all(station)
    assert said(small)[5][0] == "INVALID"
    assert said(odd) == {}


def test_a_factor_that_the_catalogue_does_not_know_gets_the_general_checks(make, send):
    station = make.station()
    (series,) = make.series(station, "a20044")
    Series.objects.filter(pk=series.pk).update(unit="ng/m³")
    values = lively(30)
    values[3] = -9999.0
    send(series, values)
    check_all(station)
    assert said(series) == {3: ("INVALID", ("GEN-FILL:4",))}


def test_the_range_of_the_instrument_counts_in_the_unit_of_the_series(make, send):
    station = make.station()
    (series,) = make.series(station, "a34004")
    Series.objects.filter(pk=series.pk).update(unit="mg/m³", lower=0, upper=0.1)
    values = lively(30) / 1000
    values[5] = 0.104
    send(series, values)
    check_all(station)
    assert any(text.startswith("GEN-RANGE") for text in said(series)[5][1])


def test_no_data_and_nothing_known_say_nothing(make, send):
    station = make.station()
    assert check(station, hours(1)) == 0
    make.series(station, "a34004")
    assert check(station, hours(1)) == 0
    assert check_all(station).values == 0
    with transaction.atomic():
        assert running.check({}, "hour") == 0
        assert running.check({station.pk: hours(1)}, "realtime") == 0


def test_what_the_device_marks_counts_not_and_is_no_neighbour_to_compare_with(make, send):
    station = make.station()
    (series,) = make.series(station, "a21026")
    values = lively(48, level=20, noise=1)
    values[20:22] = 400.0
    flags = ["C" if 20 <= i < 22 else "N" for i in range(48)]
    send(series, values, flag=flags)
    check_all(station)
    assert [
        hour for hour, (quality, _checks) in said(series).items() if quality != "VALID" and hour not in (20, 21)
    ] == []
    assert counts(series)[19:23] == [True, False, False, True]


def test_stations_beside_each_other_are_compared_whoever_comes_last(make, send):
    near = [make.station(f"S{i}", longitude=109.8 + 0.01 * i) for i in range(5)]
    series = [make.series(one, "a34004")[0] for one in near]
    for number, one in enumerate(series):
        values = lively(48, seed=number)
        if number == 0:
            values[30:] += 150.0
        send(one, values)
        check(near[number], hours(*range(48)))
    found = said(series[0])
    assert any(text.startswith("AIR-NEIGHBOUR") for text in found[40][1])
    assert all("AIR-NEIGHBOUR" not in text for one in series[1:] for _q, c in said(one).values() for text in c)


def test_two_intervals_and_rhythms_of_one_place(make, send):
    station = Station.objects.create(
        code="W1", name="W1", medium="water", region=make.station("X").region, longitude=109, latitude=40
    )
    slow = Series.objects.create(place=station, factor="w21003", interval="hour", seconds=14400, unit="mg/L")
    quick = Series.objects.create(place=station, factor="w01001", interval="hour", seconds=3600, unit="")
    fast = Series.objects.create(place=station, factor="w01001", interval="minute", seconds=300, unit="")
    slow_values = np.round(0.5 + 0.05 * np.random.default_rng(1).normal(size=30), 2)
    slow_values[12] = 9.0
    send(slow, slow_values, every=4 * HOUR)
    send(quick, np.round(7.5 + 0.05 * np.random.default_rng(2).normal(size=120), 2))
    minutes = np.round(7.5 + 0.05 * np.random.default_rng(3).normal(size=100), 2)
    minutes[50] = 15.0
    send(fast, minutes, every=timedelta(minutes=5))
    check_all(station)
    check_all(station, interval="minute")
    assert [hour for hour, (quality, _c) in said(slow).items() if quality != "VALID"] == [48]
    assert said(quick) == {}
    (record,) = [one for one in store.verdicts([fast.pk], START, START + 30 * HOUR) if one.quality == Quality.INVALID]
    assert record.start == START + timedelta(minutes=250)


def test_the_worker_checks_before_it_judges(make, send):
    station = make.station()
    for factor in ("a21026", "a21004", "a21005", "a05024", "a34002", "a34004"):
        make.series(station, factor)
    for series in Series.objects.filter(place=station):
        values = lively(6, seed=series.pk)
        if series.factor == "a34004":
            values[5] = -60.0
        if series.factor == "a21005":
            Series.objects.filter(pk=series.pk).update(unit="mg/m³")
            values = np.round(values / 100, 2)
        if series.factor == "a34002":
            values += 60
        send(series, values)
    assert judging.judge_pending() == 6
    judgement = station.judgements.get(start=START + 5 * HOUR)
    assert "pm25" not in judgement.detail["concentration"]
    assert "pm25" in station.judgements.get(start=START + 4 * HOUR).detail["concentration"]
    assert any("I" in item for item in judgement.inputs)


def test_marks_of_the_plant_and_calibrations_are_heard(make, send, monkeypatch):
    station = make.station("G1", medium="gas")
    dust, sulphur = make.series(station, "a34013", "a21026")
    Series.objects.filter(place=station).update(unit="mg/m³")
    still = lively(72, level=20, noise=2)
    still[20:60] = 30.0
    send(dust, still)
    send(sulphur, lively(72, level=40, noise=2))
    stop = ("stopped", START + 18 * HOUR, START + 62 * HOUR, {})
    zero = {"factor": "a21026", "work": "zero", "drift": 9.0, "unit": "%FS", "standard": 0.0}
    drifted = ("calibration", START + 30 * HOUR, START + 31 * HOUR, zero)
    monkeypatch.setattr("luming.telemetry.marks.reading.spans", lambda *some: {station.pk: [stop]})
    monkeypatch.setattr("luming.telemetry.instruments.spans.spans", lambda *some: {station.pk: [drifted]})
    check_all(station)
    codes = {hour: {text.partition(":")[0] for text in checks} for hour, (_quality, checks) in said(dust).items()}
    assert not any("GEN-STUCK" in some for some in codes.values()), "a stopped stack is rightly constant"
    assert all("GAS-STOPPED" in codes[hour] for hour in range(18, 62)) and "GAS-STOPPED" not in codes.get(70, ())
    after = {hour for hour, (_q, checks) in said(sulphur).items() if "DEV-ZERO-DRIFT:4" in checks}
    assert after == set(range(31, 72))
    assert not any("DEV-ZERO-DRIFT" in some for some in codes.values())
