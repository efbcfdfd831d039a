"""The invented reviews: through the verbs, once, on the history that the demonstration has."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from luming.core.models import AuditEntry
from luming.demo import history, reviews
from luming.telemetry.review import seeding, seen
from luming.telemetry.review.models import Question, Review, ReviewDay


@pytest.fixture
def signed(committed_fleet, db):
    seeding.seed()
    history.fill(days=4, until=datetime.now(UTC))
    return reviews.load(timezone.localdate())


def test_a_day_is_reviewed_once_and_another_waits(signed):
    day = timezone.localdate() - reviews.REVIEWED
    assert signed == Review.objects.count() > 0
    assert ReviewDay.objects.filter(day=day, finished_at__isnull=False).count() == signed
    assert ReviewDay.objects.filter(day__gt=day, state="open").exists()
    assert all(seen.check(review).holds for review in Review.objects.all()[:3])
    assert (Question.objects.count(), Question.objects.filter(answered_at=None).count()) == (2, 1)
    assert AuditEntry.objects.filter(verb="review.submit", actor__username="reviewer").count() == signed
    assert reviews.load(timezone.localdate()) == 0
