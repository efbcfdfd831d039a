"""Days of health: what was expected, held and valid, whoever is silent, late, marked or overruled; rates and owners."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction

from luming.core.models import Organisation
from luming.registry.models import Device, Series
from luming.telemetry import store
from luming.telemetry.instruments import actions, health, pending
from luming.telemetry.instruments.models import HealthDay, HealthPending
from luming.telemetry.judging import judge_pending

NOW = datetime(2026, 11, 20, 4, 30, tzinfo=UTC)  # 12:30 in the city
MIDNIGHT = datetime(2026, 11, 18, 16, tzinfo=UTC)  # of 19 November in the city
DAY = date(2026, 11, 19)


def day_of(hours, count=24, mark="N", skip=()):
    hours("a21026", [(MIDNIGHT + timedelta(hours=i), 5.0 + i, mark) for i in range(count) if i not in skip])


def computed(site, day=DAY, now=NOW):
    with transaction.atomic():
        health.compute({day: {site.place.pk}}, now)
    return {row.factor: row for row in HealthDay.objects.filter(day=day)}


def figures(row):
    return row.expected, row.held, row.valid, row.stopped


def test_a_day_counts_what_was_expected_held_and_valid(site, hours):
    day_of(hours, skip=(3, 4))
    hours("a21002", [(MIDNIGHT, 9.0, "N"), (MIDNIGHT + timedelta(hours=1), 9.0, "D"),
                     (MIDNIGHT + timedelta(hours=2), 0.0, "F")])  # fmt: skip
    rows = computed(site)
    assert figures(rows["a21026"]) == (24, 22, 22, 0)
    assert figures(rows["a21002"]) == (24, 3, 1, 1)
    assert rows["a21002"].marks == {"D": 1, "F": 1}
    assert {row.maintainer for row in rows.values()} == {site.keeper}


def test_the_present_day_expects_what_is_due_by_now(site, hours):
    today = DAY + timedelta(days=1)
    begin = MIDNIGHT + timedelta(days=1)
    hours("a21026", [(begin + timedelta(hours=i), 5.0 + i, "N") for i in range(12)])
    row = computed(site, today)["a21026"]
    assert row.expected == row.held == 12  # 12:30: twelve hours are over and due
    assert computed(site, today + timedelta(days=1)) == {}


def test_nothing_is_expected_before_the_place_was_commissioned(site):
    site.place.commissioned_at = MIDNIGHT + timedelta(hours=20)
    site.place.save()
    assert figures(computed(site)["a21026"]) == (4, 0, 0, 0)


def test_periods_of_four_hours(site, hours):
    Series.objects.filter(factor="a21002").update(seconds=14400)
    hours("a21002", [(MIDNIGHT + timedelta(hours=4 * i), 1.0 + i, "N") for i in range(6)])
    assert figures(computed(site)["a21002"]) == (6, 6, 6, 0)


def test_a_verdict_decides_over_the_mark(site, hours):
    day_of(hours)
    rows = [
        store.VerdictRow(site.series["a21026"].pk, MIDNIGHT + timedelta(hours=i), 0, 0, quality, "checks", "e")
        for i, quality in enumerate((int(store.Quality.INVALID), int(store.Quality.SUSPECT)))
    ]
    with transaction.atomic():
        store.write_verdicts(rows)
    assert figures(computed(site)["a21026"]) == (24, 24, 22, 0)


def test_late_data_computes_its_day_again(site, hours):
    day_of(hours, count=10)
    while judge_pending():
        pass
    assert HealthPending.objects.get().day == DAY
    assert health.run(NOW) == 1 and not HealthPending.objects.exists()
    assert HealthDay.objects.get(factor="a21026").held == 10
    hours("a21026", [(MIDNIGHT + timedelta(hours=10), 5.0, "N")])
    while judge_pending():
        pass
    health.run(NOW)
    assert HealthDay.objects.get(factor="a21026").held == 11


def test_silence_costs_availability(site):
    health.note_recent(NOW)
    health.run(NOW)
    assert set(HealthDay.objects.values_list("day", "expected", "held")) == {
        (DAY, 24, 0), (DAY + timedelta(days=1), 12, 0),
    }  # fmt: skip


def test_computing_in_pieces_and_at_once_is_the_same(site, hours):
    day_of(hours, skip=(1, 5))
    days = {DAY - timedelta(days=i): {site.place.pk} for i in range(40)}
    with transaction.atomic():
        health.compute(days, NOW)
    whole = set(HealthDay.objects.values_list("day", "factor", "expected", "held", "valid"))
    assert len(whole) == 80
    HealthDay.objects.all().delete()
    for day in days:
        computed(site, day)
    assert set(HealthDay.objects.values_list("day", "factor", "expected", "held", "valid")) == whole


def test_the_past_keeps_its_device_and_maintainer(site, hours):
    day_of(hours)
    computed(site)
    other = Organisation.objects.create(name="运维乙", kind="maintainer")
    Device.objects.filter(pk=site.device.pk).update(maintainer=other)
    hours("a21026", [(MIDNIGHT + timedelta(hours=3), 7.0, "N")])
    assert computed(site)["a21026"].maintainer == site.keeper
    assert computed(site, DAY + timedelta(days=1))["a21026"].maintainer == other
    assert {key: found.devices for key, found in _keepers(DAY).items()} == {site.keeper.pk: 1}


def _keepers(day):
    return health.by_maintainer(Device.objects.all(), day, day)


def test_of_two_devices_the_one_with_the_instrument_answers(site):
    second = Device.objects.create(mn="SECOND", place=site.place, system="31")
    actions.create_instrument(None, device=second, name="NOx", factors="a21002", serial="002")
    rows = computed(site)
    assert (rows["a21026"].device, rows["a21002"].device) == (site.device, second)


def test_rates(site, hours):
    day_of(hours, count=12)
    hours("a21026", [(MIDNIGHT + timedelta(hours=12 + i), 0.0, "F") for i in range(6)])
    Series.objects.filter(factor="a21002").update(expected=False)
    computed(site)
    found = health.rates_of_devices([site.device.pk], DAY, DAY)[site.device.pk]
    assert found.availability == pytest.approx(18 / 24) and found.valid_rate == pytest.approx(12 / 18)
    assert health.Rates().availability is None and health.Rates(24, 24, 0, 24).valid_rate is None
    one = health.of_device(site.device, DAY, DAY)[0]
    assert one.days == [(DAY, 18 / 24, 12 / 18)] and one.marks == {"F": 6}


def test_a_day_is_noted_once_and_taken_once(site):
    pending.note([(site.place.pk, DAY), (site.place.pk, DAY)])
    pending.note([(site.place.pk, DAY)])
    with transaction.atomic():
        assert pending.take(10) == {DAY: {site.place.pk}}
        assert pending.take(10) == {}
