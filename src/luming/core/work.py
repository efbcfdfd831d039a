"""Long work: a person starts it, sees its progress, may leave, and finds the result later.

A kind of work is a ``Work`` of a manifest; its ``run(task, progress)`` does it in the worker, in transactions of its
own. ``progress(done, total)`` says how far it is and ends the work when the person has cancelled it;
``progress.keep(name, content)`` stores the result. The owner's language is active while it runs.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile, File
from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

from luming.core import audit, manifest
from luming.core.models import Task, User

logger = logging.getLogger(__name__)

KEPT = timedelta(days=7)  # results
MOST = 5  # unfinished tasks of one person
STEP = 0.5  # seconds between two notes of progress


class CancelledError(Exception):
    """The person does not want the result any more."""


def start(user: User, kind: str, title: str, **parameters: Any) -> Task:
    """Queue work of a kind; it begins when the transaction commits.

    Raises
    ------
    ValidationError
        The person has too many unfinished tasks.
    """
    if kind not in manifest.works():
        raise LookupError(f"no manifest names work of kind {kind}")
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if Task.objects.filter(owner=user, state__in=(Task.State.QUEUED, Task.State.RUNNING)).count() >= MOST:
            raise ValidationError(_("Wait until one of your tasks is finished, or cancel one."))
        task = Task.objects.create(owner=user, kind=kind, title=title[:200], parameters=parameters)
        audit.record(user, "task.start", task, kind=kind)
        transaction.on_commit(lambda: work_job.defer(task_id=task.pk))
    return task


def cancel(user: User, task: Task) -> Task:
    """Cancel one's own work; what it has written by then is up to its kind."""
    with transaction.atomic():
        task = Task.objects.select_for_update().get(pk=task.pk)
        if task.owner_id != user.pk:
            raise PermissionDenied(_("This task is not yours."))
        if task.state not in (Task.State.QUEUED, Task.State.RUNNING):
            raise ValidationError(_("This task is finished already."))
        task.state, task.finished_at = Task.State.CANCELLED, timezone.now()
        task.save(update_fields=["state", "finished_at"])
        audit.record(user, "task.cancel", task)
    return task


class Progress:
    """What the work tells about itself."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self._noted = 0.0

    def __call__(self, done: int, total: int | None = None, message: str = "") -> None:
        """Note how far the work is; a note within half a second of the last one is left out.

        Raises
        ------
        CancelledError
            The owner has cancelled the task.
        """
        if time.monotonic() - self._noted < STEP and done != total:
            return
        self._noted = time.monotonic()
        values: dict[str, Any] = {"done": done, "message": message}
        if total is not None:
            values["total"] = total
        if not Task.objects.filter(pk=self.task.pk, state=Task.State.RUNNING).update(**values):
            raise CancelledError

    def keep(self, name: str, content: bytes | File) -> None:
        """Store the result under the name that the person sees."""
        self.task.file_name = name[:200]
        self.task.file.save(name, ContentFile(content) if isinstance(content, bytes) else content, save=False)


def perform(task_id: int) -> Task | None:
    """Do one queued task; a failure is kept with a sentence for its owner."""
    with transaction.atomic():
        task = Task.objects.select_for_update().filter(pk=task_id, state=Task.State.QUEUED).first()
        if task is None:
            return None
        task.state, task.started_at = Task.State.RUNNING, timezone.now()
        task.save(update_fields=["state", "started_at"])
    with translation.override(task.owner.language):
        try:
            manifest.works()[task.kind].run(task, Progress(task))
        except CancelledError:
            return Task.objects.get(pk=task_id)
        except (ValidationError, PermissionDenied) as error:
            return _finish(task, Task.State.FAILED, " ".join(getattr(error, "messages", [str(error)])))
        except Exception:
            logger.exception("task %s (%s) failed", task.pk, task.kind)
            sentence = _("A fault of the program ended this task; it is in the log under task %(number)s.")
            return _finish(task, Task.State.FAILED, sentence % {"number": task.pk})
        return _finish(task, Task.State.DONE, task.message)


def _finish(task: Task, state: str, message: str) -> Task:
    """Write the end of a task unless it was cancelled in the meantime."""
    values = {"state": state, "message": message, "finished_at": timezone.now()}
    values |= {"file": task.file.name, "file_name": task.file_name}
    Task.objects.filter(pk=task.pk, state=Task.State.RUNNING).update(**values)
    return Task.objects.get(pk=task.pk)


@app.task(name="luming.core.work")
def work_job(task_id: int) -> None:
    """Do one task in the worker."""
    perform(task_id)


@app.periodic(cron="23 * * * *")
@app.task(name="luming.core.sweep_tasks", queueing_lock="sweep-tasks")
def sweep_tasks(timestamp: int) -> None:
    """Drop old results; say of work that a stopped worker left behind that it did not finish."""
    now = timezone.now()
    for task in Task.objects.filter(created_at__lt=now - KEPT).exclude(file=""):
        task.file.delete(save=False)
        Task.objects.filter(pk=task.pk).update(file="", message=_("The result was kept for seven days."))
    stuck = Q(state=Task.State.RUNNING, started_at__lt=now - timedelta(hours=6))
    sentence = _("The worker stopped before this task was finished; start it again.")
    Task.objects.filter(stuck).update(state=Task.State.FAILED, message=sentence, finished_at=now)
