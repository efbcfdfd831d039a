"""The invented sampling: every state of the work is there, through the verbs, once."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from luming.core.models import AuditEntry
from luming.demo import history, samples
from luming.telemetry.sampling import chain, reading
from luming.telemetry.sampling.models import Comparison, Sample, SampleResult, SamplingPlan


@pytest.fixture
def loaded(committed_fleet, db):
    history.fill(days=1, until=datetime.now(UTC))
    return samples.load()


def test_every_state_of_the_work_is_there_once(loaded):
    assert loaded == Sample.objects.count() == 8
    assert not SamplingPlan.objects.filter(is_demo=False).exists() and not Sample.objects.filter(is_demo=False).exists()
    assert {"planned", "handed", "analysed"} <= set(Sample.objects.values_list("state", flat=True))
    waiting = SampleResult.objects.waiting()
    assert waiting.exists() and not waiting.exclude(sample__due_on=timezone.localdate()).exists()
    places = list(Sample.objects.values_list("place", flat=True))
    rows = reading.accepted(places, None, datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    assert {row.factor for row in rows} >= {"w01018", "w01019", "a34013"}
    assert samples.load() == 0


def test_the_chains_are_whole_and_the_verbs_were_recorded(loaded):
    for sample in Sample.objects.all():
        assert chain.verify(sample, sample.custody.all()).is_whole
    assert AuditEntry.objects.filter(verb="sample.issue").count() == loaded
    assert Comparison.objects.exists()
