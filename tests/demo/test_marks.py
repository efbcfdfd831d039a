"""The invented marks: through the verbs, once, decided and waiting ones, late and contradictory ones."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from django.utils import timezone

from luming.demo import history, marks
from luming.telemetry.marks import seeding
from luming.telemetry.marks.models import Mark


def test_marks_are_made_once_and_tell_every_story(committed_fleet, db):
    seeding.seed()
    history.fill(days=5, until=datetime.now(UTC))
    begun = time.monotonic()
    number = marks.load(timezone.localdate())
    print(f"{number} marks in {time.monotonic() - begun:.2f} s")
    rows = Mark.objects.all()
    assert rows.count() == number > 5
    states = set(rows.values_list("state", flat=True))
    assert {"submitted", "confirmed"} <= states
    assert rows.filter(late=True).exists() and rows.filter(contradicted=True).exists()
    assert all(row.is_demo and row.explanation.startswith("演示") for row in rows)
    assert marks.load(timezone.localdate()) == 0
