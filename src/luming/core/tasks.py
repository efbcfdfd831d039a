"""Jobs of the room of people, run by ``luming worker`` (procrastinate finds them by the module's name)."""

from __future__ import annotations

from luming.core import work

# Jobs that live beside their verbs; naming them here lets the worker know them.
QUEUED = (work.work_job, work.sweep_tasks)
