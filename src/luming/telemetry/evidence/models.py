"""Evidence: hash trees of closed days, chained, and what verifying them found."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from luming.core.models import User


class DayHash(models.Model):
    """The digest of all that was recorded on one day of the city's calendar, chained to the day before. Append-only."""

    day = models.DateField(_("Day"), primary_key=True)
    algorithm = models.CharField(_("Hash function"), max_length=10)
    previous = models.CharField(_("Digest of the day before"), max_length=64, blank=True)
    digest = models.CharField(_("Digest"), max_length=64)
    # [{"name": …, "count": …, "root": …}, …] in the order of the digest
    sources = models.JSONField(_("Sources"), default=list)
    closed_at = models.DateTimeField(_("Closed at"))
    software = models.CharField(_("Software version"), max_length=20)

    class Meta:
        verbose_name = _("Closed day")
        verbose_name_plural = _("Closed days")
        ordering = ["-day"]

    def __str__(self) -> str:
        return f"{self.day:%F} {self.digest[:12]}"

    @property
    def records(self) -> int:
        """Return how many records the day holds."""
        return sum(item["count"] for item in self.sources)

    def of(self, name: str) -> dict[str, Any] | None:
        """Return the entry of a source."""
        return next((item for item in self.sources if item["name"] == name), None)


class DayBlock(models.Model):
    """Up to 256 records of a day that follow each other; tells which one differs. Append-only."""

    day = models.ForeignKey(DayHash, models.PROTECT, related_name="blocks", verbose_name=_("Day"))
    source = models.CharField(_("Source"), max_length=30)
    number = models.PositiveIntegerField(_("Number"))
    count = models.PositiveSmallIntegerField(_("Records"))
    first = models.CharField(_("First record"), max_length=200)
    last = models.CharField(_("Last record"), max_length=200)
    root = models.BinaryField(_("Digest"), max_length=32)
    leaves = models.BinaryField(_("Heads of the leaves"))

    class Meta:
        verbose_name = _("Block of a day")
        verbose_name_plural = _("Blocks of days")
        constraints = [models.UniqueConstraint(fields=["day", "source", "number"], name="day_block_natural_key")]

    def __str__(self) -> str:
        return f"{self.day_id:%F} {self.source} {self.number}"


class Verification(models.Model):
    """One run of the comparison of stored records with the hash trees of their days."""

    class State(models.TextChoices):
        """What it found."""

        RUNNING = "running", _("Running")
        INTACT = "intact", _("Intact")
        DIFFERENT = "different", _("Records differ")

    started_at = models.DateTimeField(_("Started at"), auto_now_add=True)
    finished_at = models.DateTimeField(_("Finished at"), null=True, blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("By"))
    first = models.DateField(_("From"))
    last = models.DateField(_("To"))
    state = models.CharField(_("State"), max_length=10, choices=State.choices, default=State.RUNNING)
    days = models.PositiveIntegerField(_("Days"), default=0)
    records = models.BigIntegerField(_("Records"), default=0)
    # [{"day", "source", "kind", "key", "text"}, …]
    differences = models.JSONField(_("Differences"), default=list)

    class Meta:
        verbose_name = _("Verification")
        verbose_name_plural = _("Verifications")
        ordering = ["-started_at", "-id"]

    def __str__(self) -> str:
        return f"{self.first:%F} – {self.last:%F}: {self.state}"
