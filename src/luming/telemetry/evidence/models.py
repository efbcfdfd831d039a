"""Evidence: hash trees of closed days, chained, and what verifying them found."""

from __future__ import annotations

from typing import Any, Self

import orjson
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from luming.core.models import User
from luming.registry.models import Place


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


class SheetQuerySet(models.QuerySet["EvidenceSheet"]):
    """The funnel to evidence sheets."""

    def visible_to(self, user: User) -> Self:
        """Return the sheets about places in the user's scope; packets of nobody are for those who see the city."""
        whole_city = user.is_internal and not user.region_codes and user.may("data.view")
        mine = Q(place__in=Place.objects.visible_to(user).order_by().values("pk"))
        rows = self.filter(mine | Q(place=None)) if whole_city else self.filter(mine)
        return rows if user.may("packet.view") else rows.exclude(kind=EvidenceSheet.Kind.PACKET)


class EvidenceSheet(models.Model):
    """A statement about one figure that was handed out: a document that can be made again and compared. Append-only.

    ``document`` is canonical JSON (UTF-8, keys sorted, no blanks); the hashes are over exactly these bytes. It says
    nothing that changes by itself: who issued the sheet and when, and the digests of days, stand beside it.
    """

    class Kind(models.TextChoices):
        """What it is about."""

        JUDGEMENT = "judgement", _("Judgement")
        STATISTIC = "statistic", _("Statistic")
        VALUE = "value", _("Value")
        PACKET = "packet", _("Packet")

    code = models.CharField(_("Code"), max_length=20, unique=True)  # Crockford base32, 100 bits
    kind = models.CharField(_("About"), max_length=10, choices=Kind.choices)
    key = models.CharField(_("Subject"), max_length=60)
    place = models.ForeignKey(
        Place, models.PROTECT, null=True, blank=True, related_name="evidence_sheets", verbose_name=_("Place")
    )
    document = models.BinaryField(_("Document"))
    sha256 = models.CharField("SHA-256", max_length=64)
    sm3 = models.CharField("SM3", max_length=64)
    # {"2026-06-01": digest of that closed day, or "" where it was not closed yet}
    days = models.JSONField(_("Digests of days"), default=dict)
    purpose = models.CharField(_("Purpose of the sheet"), max_length=200)
    issued_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("Issued by"))
    issued_at = models.DateTimeField(_("Issued at"))
    software = models.CharField(_("Software version"), max_length=20)
    is_demo = models.BooleanField(_("Demonstration data"), default=False)

    objects = SheetQuerySet.as_manager()

    class Meta:
        verbose_name = _("Evidence sheet")
        verbose_name_plural = _("Evidence sheets")
        ordering = ["-issued_at", "-id"]
        indexes = [models.Index(fields=["kind", "key"], name="evidence_sheet_subject")]

    def __str__(self) -> str:
        return self.grouped

    @property
    def grouped(self) -> str:
        """Return the code as people read it: groups of five."""
        return "-".join(self.code[i : i + 5] for i in range(0, len(self.code), 5))

    @property
    def content(self) -> dict[str, Any]:
        """Return the document as it was issued."""
        found: dict[str, Any] = orjson.loads(bytes(self.document))
        return found
