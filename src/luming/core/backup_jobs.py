"""Jobs of backups: one every night, a trial restore every week; a failure is a failed job on the health page."""

from __future__ import annotations

import logging

from procrastinate.contrib.django import app

from luming.core import backup

logger = logging.getLogger(__name__)


@app.periodic(cron="30 18 * * *")  # 02:30 in the city
@app.task(queueing_lock="backup", lock="backup")
def nightly(timestamp: int) -> str:
    """Make the night's backup, when a folder was chosen, and remove the oldest ones."""
    return make()


@app.task(queueing_lock="backup-now", lock="backup")
def now() -> str:
    """Make a backup that somebody asked for."""
    return make()


def make() -> str:
    """Make a backup in the chosen folder; return its name, empty where none is chosen."""
    where = backup.folder()
    if where is None:
        return ""
    made = backup.make(where)
    removed = backup.prune(where, backup.keep())
    logger.info("backup %s made, removed %s", made.name, removed or "none")
    return made.name


@app.periodic(cron="30 19 * * 6")  # Sunday 03:30 in the city
@app.task(queueing_lock="backup-check", lock="backup")
def weekly_check(timestamp: int) -> str:
    """Restore the newest backup on trial."""
    where = backup.folder()
    newest = next(iter(backup.listing(where)), None) if where else None
    if newest is None:
        return ""
    backup.check(newest)
    return newest.name
