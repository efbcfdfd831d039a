"""Long work that a person started and may leave: it goes on, shows its progress and keeps its result."""

from __future__ import annotations

import uuid
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from luming.core.models.people import User


def result_path(task: Task, filename: str) -> str:
    """Return where a task's result is kept: a random name."""
    return f"results/{uuid.uuid4().hex}"


class TaskQuerySet(models.QuerySet["Task"]):
    """The funnel to tasks."""

    def visible_to(self, user: User) -> Self:
        """Return the user's own tasks."""
        return self.filter(owner=user)


class Task(models.Model):
    """One piece of long work (a large export, an import, a dossier); see :mod:`luming.core.work`."""

    class State(models.TextChoices):
        """Where it stands."""

        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    owner = models.ForeignKey(User, models.CASCADE, related_name="tasks", verbose_name=_("Owner"))
    kind = models.CharField(_("Kind"), max_length=40)
    title = models.CharField(_("Title"), max_length=200)
    parameters = models.JSONField(_("Parameters"), default=dict, blank=True)
    state = models.CharField(_("State"), max_length=10, choices=State.choices, default=State.QUEUED)
    done = models.PositiveIntegerField(_("Done"), default=0)
    total = models.PositiveIntegerField(_("Total"), default=0)
    message = models.TextField(_("Message"), blank=True)
    file = models.FileField(_("Result"), upload_to=result_path, max_length=120, blank=True)
    file_name = models.CharField(_("File name"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("Created at"), auto_now_add=True)
    started_at = models.DateTimeField(_("Started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("Finished at"), null=True, blank=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("Task")
        verbose_name_plural = _("Tasks")
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["owner", "-created_at"], name="task_owner")]

    def __str__(self) -> str:
        return self.title

    @property
    def per_cent(self) -> int:
        """Return how much of it is done, 0 to 100."""
        if self.state == self.State.DONE:
            return 100
        return min(99, 100 * self.done // self.total) if self.total else 0
