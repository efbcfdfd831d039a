"""Discharge permits, what they allow, and what was emitted on each day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from luming.core.history import tracked
from luming.core.models import User
from luming.domains.permitting import factors
from luming.registry.models import Facility, Outlet, Place

# Regulation on the administration of discharge permits (State Council order 736), article 14: who wants to go on
# discharging applies for renewal 60 days before the permit expires (known from memory, not verified).
RENEWAL = timedelta(days=60)


class PermitQuerySet(models.QuerySet["Permit"]):
    """The funnel to permits."""

    def visible_to(self, user: User) -> Self:
        """Return the permits of facilities inside the user's data scope, with the facility that names them."""
        return self.filter(facility__in=Facility.objects.visible_to(user)).select_related("facility")

    def in_force(self, day: date) -> Self:
        """Return the permits that allow to discharge on a day."""
        return self.filter(status=Permit.Status.VALID, valid_from__lte=day, valid_to__gte=day)


@tracked()
class Permit(models.Model):
    """A discharge permit (排污许可证) of a facility, or the receipt of its registration."""

    class Category(models.TextChoices):
        """How the facility is managed (固定污染源排污许可分类管理名录)."""

        KEY = "key", _("Key management")
        SIMPLIFIED = "simplified", _("Simplified management")
        REGISTRATION = "registration", _("Registration management")

    class Status(models.TextChoices):
        """What became of the permit; that it expired follows from its dates."""

        VALID = "valid", _("Valid")
        CANCELLED = "cancelled", _("Deregistered")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        REVOKED = "revoked", _("Revoked")

    number = models.CharField(_("Permit number"), max_length=22)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="permits", verbose_name=_("Facility"))
    category = models.CharField(_("Management category"), max_length=12, choices=Category.choices, default=Category.KEY)
    issued_by = models.CharField(_("Issued by"), max_length=80)
    issued_on = models.DateField(_("Issued on"))
    valid_from = models.DateField(_("Valid from"))
    valid_to = models.DateField(_("Valid to"))  # inclusive
    status = models.CharField(_("Status"), max_length=10, choices=Status.choices, default=Status.VALID)
    note = models.CharField(_("Note"), max_length=200, blank=True)
    is_demo = models.BooleanField(_("Demonstration data"), default=False)

    objects = PermitQuerySet.as_manager()

    class Meta:
        verbose_name = _("Permit")
        verbose_name_plural = _("Permits")
        ordering = ["number", "valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["number", "valid_from"], name="permit_natural_key"),
            models.CheckConstraint(condition=Q(valid_to__gte=F("valid_from")), name="permit_dates_in_order"),
        ]
        indexes = [models.Index(fields=["valid_to", "id"], name="permit_valid_to")]

    def __str__(self) -> str:
        # Nobody knows permits by their numbers; the facility is read along where permits are listed or chosen.
        return f"{self.number} {self.facility}" if "facility" in self._state.fields_cache else self.number

    def standing(self, day: date | None = None) -> str:
        """Return ``ahead``, ``valid``, ``expiring`` (renewal is due), ``expired`` or the status that ended it."""
        day = day or timezone.localdate()
        if self.status != self.Status.VALID:
            return self.status
        if day > self.valid_to:
            return "expired"
        if day < self.valid_from:
            return "ahead"
        return "expiring" if self.valid_to - day < RENEWAL else "valid"


class AllowanceQuerySet(models.QuerySet["Allowance"]):
    """The funnel to allowances."""

    def visible_to(self, user: User) -> Self:
        """Return the allowances of permits inside the user's data scope; a maintainer's are those of its outlets."""
        if user.role == "maintainer":
            return self.filter(outlet__in=Place.objects.visible_to(user).values("pk"))
        return self.filter(permit__in=Permit.objects.visible_to(user))


@tracked()
class Allowance(models.Model):
    """How much of a factor a permit allows in a year (许可排放量), for the facility or one of its outlets.

    Where the platform has data of a part of the year only, what the enterprise reported for the months before
    (执行报告) completes the year: automatic data counts from the month after ``reported_until``.
    """

    permit = models.ForeignKey(Permit, models.PROTECT, related_name="allowances", verbose_name=_("Permit"))
    outlet = models.ForeignKey(
        Outlet,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="allowances",
        verbose_name=_("Outlet"),
        help_text=_("Empty: for the whole facility."),
    )
    factor = models.CharField(_("Factor"), max_length=12, choices=factors.choices)  # code of HJ 212 Annex B
    year = models.PositiveSmallIntegerField(_("Year"), validators=[MinValueValidator(2016), MaxValueValidator(2199)])
    tonnes = models.FloatField(_("Allowed amount (t)"), validators=[MinValueValidator(1e-9), MaxValueValidator(1e9)])
    source = models.CharField(_("Source"), max_length=200)
    verified = models.BooleanField(_("Verified"), default=False)
    reported_tonnes = models.FloatField(
        _("Reported amount (t)"), null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(1e9)]
    )
    reported_until = models.DateField(
        _("Reported until"),
        null=True,
        blank=True,
        help_text=_("Last day of a month: from 1 January until then the reported amount counts."),
    )

    objects = AllowanceQuerySet.as_manager()

    class Meta:
        verbose_name = _("Allowance")
        verbose_name_plural = _("Allowances")
        ordering = ["permit_id", "-year", "outlet_id", "factor"]
        constraints = [
            models.UniqueConstraint(
                fields=["permit", "outlet", "factor", "year"], name="allowance_natural_key", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(reported_tonnes__isnull=True, reported_until__isnull=True)
                | Q(reported_tonnes__isnull=False, reported_until__isnull=False),
                name="allowance_reported_whole",
            ),
        ]
        indexes = [models.Index(fields=["year", "factor"], name="allowance_year")]

    def __str__(self) -> str:
        return f"{self.factor} {self.year} ≤ {self.tonnes:g} t"


class EmissionDayQuerySet(models.QuerySet["EmissionDay"]):
    """The funnel to daily emissions."""

    def visible_to(self, user: User) -> Self:
        """Return the days of outlets inside the user's data scope."""
        places = Place.objects.visible_to(user).filter(kind=Place.Kind.OUTLET)
        return self.filter(outlet__in=places.values("pk"))


class EmissionDay(models.Model):
    """What an outlet emitted of a factor on a day of the city, summed from hourly amounts; the platform computes it.

    No history is kept of it: it follows from observations, and these keep all their revisions.
    """

    outlet = models.ForeignKey(
        Outlet, models.CASCADE, related_name="emission_days", verbose_name=_("Outlet"), editable=False
    )
    factor = models.CharField(_("Factor"), max_length=12, choices=factors.choices, editable=False)
    day = models.DateField(_("Day"), editable=False)
    amount_kg = models.FloatField(_("Amount (kg)"), editable=False)
    left_out_kg = models.FloatField(
        _("Left out (kg)"),
        default=0,
        editable=False,
        help_text=_("Sent for hours whose mark says that nothing was measured."),
    )
    hours_present = models.PositiveSmallIntegerField(_("Hours present"), editable=False)
    hours_expected = models.PositiveSmallIntegerField(
        _("Hours expected"), editable=False, help_text=_("24, less the hours marked as out of operation.")
    )
    computed_at = models.DateTimeField(_("Computed at"), editable=False)
    software = models.CharField(_("Software"), max_length=20, editable=False)

    objects = EmissionDayQuerySet.as_manager()

    class Meta:
        verbose_name = _("Daily emission")
        verbose_name_plural = _("Daily emissions")
        ordering = ["-day", "outlet_id", "factor"]
        constraints = [models.UniqueConstraint(fields=["outlet", "factor", "day"], name="emission_day_natural_key")]
        indexes = [models.Index(fields=["-day", "id"], name="emission_day_list")]

    def __str__(self) -> str:
        return f"{self.outlet_id}/{self.factor} {self.day:%F}"
