"""Jobs of review, run by ``luming worker`` (procrastinate finds them by the module's name)."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from procrastinate.contrib.django import app

from luming.telemetry.review import queue


@app.periodic(cron="7 * * * *")
@app.task(queueing_lock="review-fill", lock="review")
def fill_queue(timestamp: int) -> int:
    """Put yesterday's days into the queue; every hour, so that a night without a worker loses nothing."""
    return queue.fill(timezone.localdate() - timedelta(days=1))


@app.periodic(cron="22,52 * * * *")
@app.task(queueing_lock="review-refresh", lock="review")
def refresh_queue(timestamp: int) -> None:
    """Weigh what waits, and take up what changed after its review."""
    queue.refresh_all()


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="review-escalate", lock="review-escalate")
def escalate(timestamp: int) -> int:
    """Tell of days that nobody decided in time."""
    return queue.escalate()
