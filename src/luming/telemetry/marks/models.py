"""Marks: what dischargers state of their own periods (自动监测设备标记), and the dated codes that they may state."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from luming.core.history import tracked
from luming.core.models import User
from luming.registry.models import Outlet, Place
from luming.standards import marks as table
from luming.standards.edition import city_day


class CodeQuerySet(models.QuerySet["MarkCode"]):
    """The funnel to codes: everyone who works with marks may read what they mean."""

    def visible_to(self, user: User) -> Self:
        """Return all codes to whoever may see data."""
        return self if user.may("data.view") else self.none()

    def in_force(self, day: date) -> Self:
        """Return the codes in force on a day of the city."""
        return self.filter(Q(effective_to=None) | Q(effective_to__gte=day), effective_from__lte=day)

    def offered(self, sector: str, medium: str, day: date) -> list[MarkCode]:
        """Return what a person may state on a day, of a sector's outlets of a medium."""
        return [code for code in self.in_force(day).filter(manual=True) if code.suits(sector, medium)]


@tracked()
class MarkCode(models.Model):
    """A state that a period may be marked with, and what the mark does: dated configuration of the installation.

    Seeded from the table of :mod:`luming.standards.marks`. What a code does is not changed once marks use it: it ends
    on a day and another row with the same code begins.
    """

    class Side(models.TextChoices):
        """Whose state it is."""

        OPERATING = "operating", _("State of the plant")
        DEVICE = "device", _("State of the monitoring device")

    class Amounts(models.TextChoices):
        """What marked hours are for emission amounts."""

        MEASURED = "measured", _("as measured")
        MISSING = "missing", _("missing, substituted by the rule")
        STOPPED = "stopped", _("out of operation, nothing is emitted")

    code = models.SlugField(_("Code"), max_length=24)
    side = models.CharField(_("Side"), max_length=10, choices=Side.choices)
    name_zh = models.CharField(_("Chinese name"), max_length=60)
    name_en = models.CharField(_("English name"), max_length=80)
    letter = models.CharField(_("Data flag"), max_length=2, blank=True, help_text=_("Of HJ 212, that says the same."))
    excluded = models.BooleanField(
        _("Excluded from exceedance decisions"), default=True, help_text=_("Its values take no part in the judgement.")
    )
    shutdown = models.BooleanField(_("Counts as out of operation"), default=False)
    amounts = models.CharField(_("Emission amounts"), max_length=8, choices=Amounts.choices, default=Amounts.MEASURED)
    needs_confirmation = models.BooleanField(
        _("Takes effect only when confirmed"), default=True, help_text=_("Otherwise from its submission on.")
    )
    hour_minutes = models.PositiveSmallIntegerField(
        _("Minutes that mark an hour"), default=16, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    day_hours = models.PositiveSmallIntegerField(
        _("Hours that mark a day"), default=5, validators=[MinValueValidator(1), MaxValueValidator(24)]
    )
    days_after = models.PositiveSmallIntegerField(
        _("Days for marking"), default=1, validators=[MaxValueValidator(60)], help_text=_("1: until the next day.")
    )
    due_at = models.TimeField(_("Until"), default=time(12))  # of the city
    longest_hours = models.PositiveIntegerField(_("Longest mark (h)"), null=True, blank=True)
    yearly_hours = models.PositiveIntegerField(_("Hours a year"), null=True, blank=True)
    yearly_group = models.CharField(
        _("Codes that share the hours of a year"), max_length=200, blank=True, help_text=_("Separated by spaces.")
    )
    manual = models.BooleanField(_("A person may state it"), default=True)
    sectors = models.CharField(_("Sectors"), max_length=200, default="*", help_text=_("Separated by spaces; * is all."))
    media = models.CharField(_("Media"), max_length=20, default="gas sewage")
    note_zh = models.CharField(_("Chinese note"), max_length=200, blank=True)
    note_en = models.CharField(_("English note"), max_length=200, blank=True)
    effective_from = models.DateField(_("Effective from"))
    effective_to = models.DateField(_("Effective to"), null=True, blank=True)  # inclusive
    source = models.CharField(_("Source"), max_length=240, blank=True)
    verified = models.BooleanField(_("Verified"), default=False)

    objects = CodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("Code of marks")
        verbose_name_plural = _("Codes of marks")
        ordering = ["-side", "id"]
        constraints = [
            models.UniqueConstraint(fields=["code", "effective_from"], name="mark_code_natural_key"),
            models.CheckConstraint(
                condition=Q(effective_to=None) | Q(effective_to__gte=F("effective_from")), name="mark_code_dates"
            ),
            models.CheckConstraint(
                condition=Q(shutdown=False) | Q(amounts="stopped"), name="mark_code_stopped_emits_nothing"
            ),
        ]

    def __str__(self) -> str:
        return self.name_zh if (get_language() or "zh").startswith("zh") else self.name_en

    @property
    def note(self) -> str:
        """Return the note in the reader's language."""
        return self.note_zh if (get_language() or "zh").startswith("zh") else self.note_en

    @property
    def edition(self) -> str:
        """Return what a mark keeps of the row it was made by."""
        return f"{self.code}@{self.effective_from:%Y-%m-%d}"

    def suits(self, sector: str, medium: str) -> bool:
        """Tell whether outlets of a sector and medium may be marked with it."""
        return medium in self.media.split() and ("*" in self.sectors.split() or sector in self.sectors.split())

    def deadline(self, end: datetime) -> datetime:
        """Return until when a period that ends at an instant may be marked in time.

        The city day on which the period ends (one until midnight belongs to the day that ends) and ``days_after``.
        """
        last = city_day(end - table.TICK)
        day = date.fromordinal(last.toordinal() + self.days_after)
        return datetime.combine(day, self.due_at, tzinfo=table.CITY_ZONE)


class MarkQuerySet(models.QuerySet["Mark"]):
    """The funnel to marks, and those that have an effect."""

    def visible_to(self, user: User) -> Self:
        """Return the marks of places inside the user's data scope."""
        return self.filter(outlet__in=Place.objects.visible_to(user).order_by().values("pk"))

    def in_force(self) -> Self:
        """Return the marks that have an effect: confirmed ones, and submitted ones whose code needs no confirmation."""
        return self.filter(
            Q(state=Mark.State.CONFIRMED) | Q(state=Mark.State.SUBMITTED, code__needs_confirmation=False)
        )

    def touching(self, start: datetime, end: datetime) -> Self:
        """Return the marks with a part in [start, end)."""
        return self.filter(start__lt=end, end__gt=start)


def validate_factors(value: str) -> None:
    """Refuse what is not a list of factor codes, separated by spaces."""
    from luming import hj212

    for code in value.split():
        if code not in hj212.FACTORS:
            raise ValidationError(_("“%(code)s” is not a factor code, such as a21026."), params={"code": code})


@tracked()
class Mark(models.Model):
    """What an enterprise states of a period [start, end) of an outlet, and what the bureau decided about it.

    Lateness and contradictions are stored as they were at the submission, with the row of the code that said so.
    """

    class State(models.TextChoices):
        """How far it has come."""

        SUBMITTED = "submitted", _("to be decided")
        CONFIRMED = "confirmed", _("confirmed")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    outlet = models.ForeignKey(Outlet, models.PROTECT, related_name="marks", verbose_name=_("Outlet"))
    code = models.ForeignKey(MarkCode, models.PROTECT, related_name="marks", verbose_name=_("State"))
    factors = models.CharField(
        _("Factors"), max_length=120, blank=True, validators=[validate_factors], help_text=_("Empty: all of them.")
    )
    start = models.DateTimeField(_("From"))
    end = models.DateTimeField(_("To"))
    explanation = models.CharField(_("Explanation"), max_length=1000)
    state = models.CharField(_("Decision of the bureau"), max_length=10, choices=State.choices, default=State.SUBMITTED)
    deadline = models.DateTimeField(_("Was to be made by"))
    late = models.BooleanField(_("Made late"), default=False)
    edition = models.CharField(_("Rule"), max_length=60)
    contradictions = models.JSONField(_("Contradictions"), default=list, blank=True)
    contradicted = models.BooleanField(_("Contradictory"), default=False)
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("Made by"))
    made_at = models.DateTimeField(_("Marked at"))
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Decided by")
    )
    decided_at = models.DateTimeField(_("Decided at"), null=True, blank=True)
    reason = models.CharField(_("Reason"), max_length=500, blank=True)
    is_demo = models.BooleanField(_("Demonstration data"), default=False)

    objects = MarkQuerySet.as_manager()

    class Meta:
        verbose_name = _("Mark")
        verbose_name_plural = _("Marks of periods")
        ordering = ["-start", "-id"]
        constraints = [models.CheckConstraint(condition=Q(end__gt=F("start")), name="mark_has_a_length")]
        indexes = [
            models.Index(fields=["outlet", "start", "end"], name="mark_of_outlet"),
            models.Index(fields=["state", "made_at"], name="mark_to_decide"),
        ]

    def __str__(self) -> str:
        return f"{self.outlet} {self.code} {self.start:%Y-%m-%d}"

    @property
    def codes(self) -> frozenset[str]:
        """Return the factors that it is about; none means all."""
        return frozenset(self.factors.split())

    @property
    def is_waiting(self) -> bool:
        """Tell whether the bureau has still to decide."""
        return self.state == self.State.SUBMITTED

    @property
    def has_effect(self) -> bool:
        """Tell whether it enters decisions now."""
        return self.state == self.State.CONFIRMED or (self.is_waiting and not self.code.needs_confirmation)

    @property
    def hours(self) -> float:
        """Return its length in hours."""
        return (self.end - self.start).total_seconds() / 3600

    def concerns(self, factor: str) -> bool:
        """Tell whether it is about a factor."""
        return not self.factors or factor in self.codes


def said(row: Any) -> str:
    """Return a period as people write it, in city time."""
    from django.utils import timezone

    start, end = timezone.localtime(row.start), timezone.localtime(row.end)
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M}–{until}"
