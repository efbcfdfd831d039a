"""Statistics: figures of hours, days, months and years, computed from what counts."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from luming.core.history import tracked
from luming.core.models import User
from luming.registry.models import Medium, Place
from luming.telemetry.statistics import words


class StatisticQuerySet(models.QuerySet["Statistic"]):
    """The funnel to statistics."""

    def visible_to(self, user: User) -> Self:
        """Return the statistics of places inside the user's data scope."""
        return self.filter(place__in=Place.objects.visible_to(user).order_by().values("pk"))


class Statistic(models.Model):
    """One figure of one place, factor and period, with all that it takes to compute it again.

    Never changed: a figure that comes out otherwise is a new row with a higher revision. ``digest`` is the SHA-256 over
    the inputs that were used (see :mod:`luming.telemetry.statistics.digests`), ``as_of`` the moment up to which they
    were known, so that the same ones can be listed again.
    """

    id = models.BigAutoField(primary_key=True)
    place = models.ForeignKey(Place, models.PROTECT, related_name="statistics", verbose_name=_("Place"), db_index=False)
    factor = models.CharField(_("Factor"), max_length=12)  # code of HJ 212; empty for rates of the whole place
    measure = models.CharField(_("Measure"), max_length=12, choices=words.MEASURES)
    kind = models.CharField(_("Period"), max_length=8, choices=words.KINDS)
    start = models.DateTimeField(_("From"))
    revision = models.PositiveSmallIntegerField(_("Revision"), default=0)
    value = models.FloatField(_("Value"), null=True)  # unrounded
    rounded = models.FloatField(_("Rounded"), null=True)  # GB/T 8170, to ``decimals``
    valid = models.BooleanField(_("Valid"))
    reason = models.PositiveSmallIntegerField(_("Reason"), default=0)  # luming.standards.results.Reason
    count = models.PositiveIntegerField(_("Count"))
    expected = models.PositiveIntegerField(_("Expected"))
    required = models.PositiveIntegerField(_("Required"))
    substituted = models.PositiveIntegerField(_("Substituted"), default=0)  # inputs that a rule put in place of others
    weight = models.FloatField(_("Weight"), null=True)  # volume that weighed the mean (m³)
    unit = models.CharField(_("Unit"), max_length=20, null=True)  # noqa: DJ001 - NULL: dimensionless; COPY says it so
    method = models.CharField(_("Method"), max_length=20)
    decimals = models.SmallIntegerField(_("Decimals"))
    source = models.CharField(_("Source"), max_length=12, choices=words.SOURCES)
    edition = models.CharField(_("Standard edition"), max_length=120)
    rule = models.CharField(_("Rule"), max_length=80, null=True)  # noqa: DJ001 - key in standards/tables/validity.csv
    verified = models.BooleanField(_("Verified"))
    digest = models.CharField(_("Digest of the inputs"), max_length=64)
    deviation = models.FloatField(_("Deviation"), null=True)  # own hour minus the received one
    as_of = models.DateTimeField(_("Known until"))
    computed_at = models.DateTimeField(_("Computed at"))
    software = models.CharField(_("Software version"), max_length=20)

    objects = StatisticQuerySet.as_manager()

    class Meta:
        verbose_name = _("Statistic")
        verbose_name_plural = _("Statistics")
        ordering = ["place_id", "factor", "measure", "kind", "start", "revision"]
        constraints = [
            models.UniqueConstraint(
                fields=["place", "measure", "kind", "factor", "start", "revision"], name="statistic_natural_key"
            )
        ]
        indexes = [
            models.Index(fields=["kind", "start"], name="statistic_invalid", condition=models.Q(valid=False)),
        ]

    def __str__(self) -> str:
        return f"{self.place_id}/{self.factor} {self.measure} {self.kind} {self.start:%F %T} r{self.revision}"


class ToleranceQuerySet(models.QuerySet["Tolerance"]):
    """The funnel to tolerances."""

    def visible_to(self, user: User) -> Self:
        """Return all of them to whoever sees data: they say nothing of a place."""
        return self if user.may("data.view") else self.none()


@tracked()
class Tolerance(models.Model):
    """By how much the platform's own hour may differ from the one the device sent before it is shown as a deviation.

    No standard that we know says how much: it is the bureau's configuration.
    """

    medium = models.CharField(_("Medium"), max_length=8, choices=Medium.choices)
    factor = models.CharField(_("Factor"), max_length=12, blank=True)  # empty: all factors of the medium
    relative = models.FloatField(_("Relative tolerance (%)"))
    absolute = models.FloatField(_("Absolute tolerance"), default=0)  # in the unit of the series
    effective_from = models.DateField(_("Effective from"))
    source = models.CharField(_("Source"), max_length=120, blank=True)

    objects = ToleranceQuerySet.as_manager()

    class Meta:
        verbose_name = _("Tolerance of own hours")
        verbose_name_plural = _("Tolerances of own hours")
        ordering = ["medium", "factor", "effective_from"]
        constraints = [
            models.UniqueConstraint(fields=["medium", "factor", "effective_from"], name="tolerance_natural_key")
        ]

    def __str__(self) -> str:
        return f"{self.medium}/{self.factor} {self.effective_from:%F}"
