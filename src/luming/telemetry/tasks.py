"""Jobs of telemetry, run by ``luming worker`` (procrastinate finds them by the module's name)."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from django.conf import settings
from procrastinate.contrib.django import app

from luming.hj212 import CHINA
from luming.telemetry import gaps, judging, rereading, store

logger = logging.getLogger(__name__)

# Jobs that are queued by verbs live beside them; naming them here lets the worker know them.
QUEUED = (rereading.read_adopted_job, rereading.read_mapped_job)

PARTITIONS_AHEAD = timedelta(days=3)
PACKED_AFTER = timedelta(days=7)


@app.periodic(cron="* * * * * */10")  # the seconds stand last
@app.task(queueing_lock="judge", lock="judge", pass_context=False)
def judge(timestamp: int) -> int:
    """Judge what the gateway has marked, for most of the ten seconds at most: a stop waits for a job under way."""
    deadline = datetime.now(UTC) + timedelta(seconds=7)
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
    today = datetime.now(CHINA).date()
    store.ensure_partitions(today, today + PARTITIONS_AHEAD)
    if settings.PACKET_RETENTION_DAYS:
        dropped = store.drop_packets_before(today - timedelta(days=settings.PACKET_RETENTION_DAYS))
        if dropped:
            logger.info("dropped packet partitions by retention: %s", dropped)


@app.periodic(cron="41 19 * * *")  # 03:41 in the city
@app.task(queueing_lock="pack", lock="partitions")
def pack_indexes(timestamp: int) -> None:
    """Pack the indexes of months that are over: they shrink by a third."""
    store.pack_indexes(datetime.now(CHINA).date() - PACKED_AFTER)
