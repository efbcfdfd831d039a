"""Jobs of statistics, run by ``luming worker`` (procrastinate finds them by the module's name)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from procrastinate.contrib.django import app

from luming.standards.edition import city_day
from luming.telemetry.statistics import queue, recomputing

GRACE = timedelta(minutes=10)  # what is still under way at midnight comes before the day is closed


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="statistics", lock="statistics", pass_context=False)
def compute_statistics(timestamp: int) -> int:
    """Compute queued days, for most of a minute at most; returns how many place-days were taken."""
    now = datetime.now(UTC)
    queue.close_days(city_day(now - GRACE))
    total = 0
    while datetime.now(UTC) < now + timedelta(seconds=40):
        outcome = recomputing.recompute_pending()
        total += outcome.place_days
        if not outcome.place_days:
            break
    return total
