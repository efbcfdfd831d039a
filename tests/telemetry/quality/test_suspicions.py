"""Suspicions: found over months, kept once, bounded; and the command that checks stored days again."""

from datetime import timedelta

import numpy as np
import pytest
from django.db import transaction
from sent_series import HOUR, START, lively

from luming.cli import main
from luming.registry.models import Facility, Limit, Outlet, Region, Series
from luming.telemetry import store
from luming.telemetry.quality import actions, running, suspicions, tasks
from luming.telemetry.quality.models import CheckRun, SuspicionRecord
from luming.telemetry.store import Quality

pytestmark = pytest.mark.django_db
HOURS = 24 * 60
UNTIL = START + HOURS * HOUR


@pytest.fixture
def outlet(db):
    region, _made = Region.objects.get_or_create(code="150203", defaults={"name": "区", "level": "district"})
    facility = Facility.objects.create(name="厂", code="F9", region=region, longitude=109.8, latitude=40.6)
    outlet = Outlet.objects.create(
        code="F9-DA001", number="DA001", name="口", medium="gas", facility=facility, region=region, longitude=109.8,
        latitude=40.6,
    )  # fmt: skip
    Limit.objects.create(
        outlet=outlet, factor="a21026", upper=35, unit="mg/m³", source="x", effective_from="2020-01-01"
    )
    return outlet


@pytest.fixture
def bunched(outlet, send):
    """Two months of SO2 whose values above the limit have all been moved to just below it."""
    series = Series.objects.create(place=outlet, factor="a21026", interval="hour", seconds=3600, unit="mg/m³")
    rng = np.random.default_rng(3)
    slow = np.convolve(rng.normal(size=HOURS + 200), np.ones(12) / 12, "same")[:HOURS]
    values = 33 + 8 * slow / slow.std()
    over = values > 35
    values[over] = 34.9 - np.abs(rng.exponential(0.6, int(over.sum())))
    send(series, np.round(np.clip(values, 2, None), 2))
    return series


def test_a_finding_is_kept_once_and_brought_up_to_date_while_open(bunched):
    assert suspicions.search(bunched.place_id, UNTIL) >= 1
    row = SuspicionRecord.objects.get(code="FRAUD-BUNCHING")
    assert (row.series, row.place_id, row.state) == (bunched, bunched.place_id, "open")
    assert row.sentence_zh and row.sentence_en and row.picture["kind"] and row.numbers["p"] < 1e-4
    assert suspicions.search(bunched.place_id, UNTIL) == 0, "the same search is not repeated"
    before = SuspicionRecord.objects.count()
    assert suspicions.search(bunched.place_id, UNTIL - timedelta(days=1)) == 0
    assert SuspicionRecord.objects.count() == before
    actions.dismiss(None, row, "the scrubber is controlled by the limit")
    assert suspicions.search(bunched.place_id, UNTIL - timedelta(days=2)) == 0
    row.refresh_from_db()
    assert row.state == "dismissed"
    assert CheckRun.objects.filter(kind=CheckRun.Kind.SUSPICION).count() == 3


def test_a_suspicion_changes_no_value(bunched):
    suspicions.search(bunched.place_id, UNTIL)
    found = store.effective([bunched.pk], START, UNTIL)
    assert (found.quality == Quality.VALID).all() and (found.sequence == -1).all()


def test_a_switched_off_test_finds_nothing(bunched, monkeypatch):
    monkeypatch.setattr(tasks.recheck, "defer", lambda **job: None)
    actions.set_check(None, "FRAUD-BUNCHING", series=bunched, enabled=False, reason="r", effective_from=START.date())
    suspicions.search(bunched.place_id, UNTIL)
    assert not SuspicionRecord.objects.filter(code="FRAUD-BUNCHING").exists()


def test_an_honest_series_and_a_place_without_data_raise_nothing(outlet, make, send):
    series = Series.objects.create(place=outlet, factor="a34013", interval="hour", seconds=3600, unit="mg/m³")
    send(series, lively(24 * 30, level=20, noise=3))
    assert suspicions.search(outlet.pk, START + 30 * 24 * HOUR) == 0
    assert suspicions.search(make.station("S9").pk, UNTIL) == 0


def test_the_nightly_search_is_one_job_for_each_place(bunched, monkeypatch):
    queued = []

    class Job:
        def configure(self, **lock):
            return self

        def defer(self, **job):
            queued.append(job["place_id"])

    monkeypatch.setattr(tasks, "suspect_place", Job())
    assert tasks.suspect_everywhere.func(timestamp=0) == 1
    assert queued == [bunched.place_id]


def test_the_command_checks_stored_days_again(bunched, capsys):
    with transaction.atomic():
        running.check_period([bunched.place_id], "hour", START, UNTIL)
    days = ["--from", "2026-06-02", "--to", "2026-06-20"]
    assert main(["qc", "apply", *days, "--place", "F9-DA001"]) == 0
    said = capsys.readouterr().out
    assert "2026-06-02 … 2026-06-08" in said and "0 verdicts" in said
    assert main(["qc", "apply", *days, "--place", "F9-DA001"]) == 0
    assert "done before" in capsys.readouterr().out
    assert main(["qc", "apply", *days, "--place", "NOBODY"]) == 1
    assert main(["qc", "apply", "--from", "2026-06-20", "--to", "2026-06-02"]) == 1
    assert "no station" in capsys.readouterr().err
