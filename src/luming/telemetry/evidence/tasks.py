"""Jobs of evidence, run by ``luming worker``."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from procrastinate.contrib.django import app

from luming.telemetry.evidence import closing, verifying
from luming.telemetry.evidence.models import Verification

logger = logging.getLogger(__name__)

AT_ONCE = 40  # days closed by one job: a new installation with a long history goes on in the next
WEEK = timedelta(days=7)


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="close-days", lock="close-days")
def close_days(timestamp: int) -> int:
    """Close the days that are over."""
    return sum(1 for _day in closing.close_days(most=AT_ONCE))


@app.periodic(cron="13 20 * * 6")  # 04:13 on Sunday in the city
@app.task(queueing_lock="verify-days", lock="close-days")
def verify_lately(timestamp: int) -> None:
    """Compare the last weeks with their hash trees, so that damage is found while backups still hold the truth."""
    today = datetime.now(UTC).date()
    found = verifying.run(None, today - 5 * WEEK, today)
    if found.state == Verification.State.DIFFERENT:
        logger.error("stored records differ from their hash trees: %s", found.differences)
