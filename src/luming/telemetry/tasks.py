"""Jobs of telemetry, run by ``luming worker`` (procrastinate finds them by the module's name)."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from django.conf import settings
from procrastinate.contrib.django import app

from luming.telemetry import gaps, judging, store

logger = logging.getLogger(__name__)

PARTITIONS_AHEAD = timedelta(days=3)


@app.periodic(cron="*/10 * * * * *")
@app.task(queueing_lock="judge", lock="judge", pass_context=False)
def judge(timestamp: int) -> int:
    """Judge what the gateway has marked, until nothing is left or half a minute has passed."""
    deadline = datetime.now(UTC) + timedelta(seconds=30)
    total = 0
    while datetime.now(UTC) < deadline:
        taken = judging.judge_pending()
        total += taken
        if not taken:
            break
    return total


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="silent", lock="silent")
def watch_silence(timestamp: int) -> None:
    """Set overdue places to no-data, find gaps and ask for what is missing."""
    now = datetime.now(UTC)
    judging.mark_silent(now)
    gaps.find_gaps(now)


@app.periodic(cron="17 * * * *")
@app.task(queueing_lock="partitions", lock="partitions")
def keep_partitions(timestamp: int) -> None:
    """Make the partitions of the coming days; drop packets older than the retention, if there is one."""
    now = datetime.now(UTC)
    store.ensure_partitions(now, now + PARTITIONS_AHEAD)
    if settings.PACKET_RETENTION_DAYS:
        dropped = store.drop_packets_before((now - timedelta(days=settings.PACKET_RETENTION_DAYS)).date())
        if dropped:
            logger.info("dropped packet partitions by retention: %s", dropped)
