"""Jobs of the room of people, run by ``luming worker`` (procrastinate finds them by the module's name)."""

from __future__ import annotations

from procrastinate.contrib.django import app

from luming.core import backup_jobs, search_upkeep, work

# Jobs that live beside their verbs; naming them here lets the worker know them.
QUEUED = (work.work_job, work.sweep_tasks, backup_jobs.nightly, backup_jobs.weekly_check, backup_jobs.now)


@app.periodic(cron="* * * * * */10")  # the seconds stand last
@app.task(queueing_lock="search", lock="search")
def index_changes(timestamp: int) -> int:
    """Index what a search has left: the changes of a large import."""
    total = 0
    while taken := search_upkeep.refresh():
        total += taken
    return total
