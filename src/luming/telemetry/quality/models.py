"""Checks at work: parameters that people have set, hit rates by day, runs, and suspicions of fabricated data.

What the checks say of single values is not here: verdicts live in the store (``luming.telemetry.store.verdicts``).
"""

from __future__ import annotations

from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from luming.core.history import tracked
from luming.core.models import User
from luming.registry.models import Interval, Medium, Place, Series
from luming.science.qc.catalogue import catalogue
from luming.science.qc.model import Severity
from luming.telemetry.quality.words import SEVERITIES


def validate_code(code: str) -> None:
    """Refuse a code that the catalogue does not have."""
    if code not in catalogue():
        raise ValidationError(_("There is no check “%(code)s” in the catalogue."), params={"code": code})


class OfSeriesQuerySet(models.QuerySet[Any]):
    """The funnel to rows that belong to a series, or to all series of a medium."""

    def visible_to(self, user: User) -> Self:
        """Return the rows of series inside the user's data scope; those of a whole medium are everybody's."""
        if not user.may("data.view"):
            return self.none()
        return self.filter(Q(series__isnull=True) | Q(series__in=Series.objects.visible_to(user)))


@tracked()
class CheckSetting(models.Model):
    """What a check does otherwise than by default, for one series or for a factor of a medium, from a day on.

    Set parameters replace the defaults, the others stay. A setting of a series comes before one of its factor, and that
    before one of the whole medium (``factor`` empty).
    """

    code = models.CharField(_("Quality check"), max_length=40, validators=[validate_code])
    series = models.ForeignKey(
        Series, models.PROTECT, null=True, blank=True, related_name="check_settings", verbose_name=_("Series")
    )
    medium = models.CharField(_("Medium"), max_length=8, choices=Medium.choices)
    factor = models.CharField(_("Factor"), max_length=12, blank=True)
    parameters = models.JSONField(_("Parameters"), default=dict, blank=True)
    enabled = models.BooleanField(_("In use"), default=True)
    severity = models.CharField(_("Severity"), max_length=8, blank=True, choices=list(SEVERITIES.items()))
    effective_from = models.DateField(_("Effective from"))
    effective_to = models.DateField(_("Effective to"), null=True, blank=True)  # inclusive
    reason = models.CharField(_("Reason"), max_length=400)
    made_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("Made by"), editable=False
    )
    made_at = models.DateTimeField(_("Made at"), auto_now_add=True)

    objects = OfSeriesQuerySet.as_manager()

    class Meta:
        verbose_name = _("Setting of a check")
        verbose_name_plural = _("Settings of checks")
        ordering = ["code", "medium", "factor", "-effective_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "series", "medium", "factor", "effective_from"],
                name="check_setting_natural_key",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(effective_to__isnull=True) | Q(effective_to__gte=models.F("effective_from")),
                name="check_setting_in_order",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="check_setting_has_a_reason"),
        ]
        indexes = [models.Index(fields=["series", "code"], name="check_setting_series")]

    def __str__(self) -> str:
        return f"{self.code} {self.series_id or self.medium}/{self.factor} {self.effective_from:%F}"

    @property
    def gravity(self) -> Severity | None:
        """Return the severity that replaces the catalogue's, None for none."""
        return Severity(self.severity) if self.severity else None


class CheckTally(models.Model):
    """What a check said of a series on a day of the city, where it said anything: values checked, suspect, failed."""

    day = models.DateField(_("Day"))
    series = models.ForeignKey(Series, models.CASCADE, related_name="+", verbose_name=_("Series"))
    code = models.CharField(_("Quality check"), max_length=40)
    checked = models.PositiveIntegerField(_("Values checked"))
    suspect = models.PositiveIntegerField(_("Suspect"))
    fail = models.PositiveIntegerField(_("Failed"))

    objects = OfSeriesQuerySet.as_manager()

    class Meta:
        verbose_name = _("Hits of a check")
        verbose_name_plural = _("Hits of checks")
        constraints = [models.UniqueConstraint(fields=["day", "series", "code"], name="check_tally_natural_key")]
        indexes = [models.Index(fields=["code", "day"], name="check_tally_code")]

    def __str__(self) -> str:
        return f"{self.day:%F} {self.series_id} {self.code}"


class CheckShare(models.Model):
    """How many values a check looked at on a day of the city, over all places; what hit rates are shares of."""

    day = models.DateField(_("Day"))
    medium = models.CharField(_("Medium"), max_length=8, choices=Medium.choices)
    factor = models.CharField(_("Factor"), max_length=12)
    code = models.CharField(_("Quality check"), max_length=40)
    checked = models.PositiveIntegerField(_("Values checked"))
    suspect = models.PositiveIntegerField(_("Suspect"))
    fail = models.PositiveIntegerField(_("Failed"))

    class Meta:
        verbose_name = _("Hit rate of a check")
        verbose_name_plural = _("Hit rates of checks")
        constraints = [
            models.UniqueConstraint(fields=["day", "medium", "factor", "code"], name="check_share_natural_key")
        ]

    def __str__(self) -> str:
        return f"{self.day:%F} {self.medium}/{self.factor} {self.code}"


class PlaceDayQuerySet(models.QuerySet["PlaceDay"]):
    """The funnel to days of places."""

    def visible_to(self, user: User) -> Self:
        """Return the days of the places inside the user's data scope."""
        return self.filter(place__in=Place.objects.visible_to(user))


class PlaceDay(models.Model):
    """How many hourly values of a place were held on a day of the city, and of what quality."""

    place = models.ForeignKey(Place, models.CASCADE, related_name="+", verbose_name=_("Place"))
    day = models.DateField(_("Day"))
    valid = models.PositiveIntegerField(_("Valid"))
    suspect = models.PositiveIntegerField(_("Suspect"))
    invalid = models.PositiveIntegerField(_("Invalid"))
    missing = models.PositiveIntegerField(_("Missing"))

    objects = PlaceDayQuerySet.as_manager()

    class Meta:
        verbose_name = _("Quality of a day")
        verbose_name_plural = _("Quality of days")
        ordering = ["day", "place_id"]
        constraints = [models.UniqueConstraint(fields=["place", "day"], name="quality_place_day")]
        indexes = [models.Index(fields=["day"], name="quality_day")]

    def __str__(self) -> str:
        return f"{self.place_id} {self.day:%F}"

    @property
    def held(self) -> int:
        """Return how many values there were."""
        return self.valid + self.suspect + self.invalid + self.missing


class CheckRun(models.Model):
    """What was checked as a whole, by which edition of the catalogue; jobs read here where to go on."""

    class Kind(models.TextChoices):
        """What was run."""

        CLOSING = "closing", _("Closing of a day")
        SUSPICION = "suspicion", _("Search for fabricated data")
        APPLY = "apply", _("Repeated check")
        LOAD = "load", _("Check of a bulk load")

    kind = models.CharField(_("Kind"), max_length=10, choices=Kind.choices)
    place = models.ForeignKey(
        Place, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("Place")
    )  # none: all
    interval = models.CharField(_("Interval"), max_length=8, choices=Interval.choices, blank=True)
    start = models.DateTimeField(_("From"))
    end = models.DateTimeField(_("To"))
    edition = models.CharField(_("Edition of the catalogue"), max_length=40)
    values = models.BigIntegerField(_("Values checked"), default=0)
    found = models.PositiveIntegerField(_("Findings"), default=0)
    stale = models.BooleanField(_("Data changed since"), default=False)
    at = models.DateTimeField(_("At"), auto_now=True)

    class Meta:
        verbose_name = _("Run of checks")
        verbose_name_plural = _("Runs of checks")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "place", "interval", "start", "end"], name="check_run_natural_key", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.start:%F}"


class SuspicionQuerySet(models.QuerySet["SuspicionRecord"]):
    """The funnel to suspicions: for the bureau's own people alone."""

    def visible_to(self, user: User) -> Self:
        """Return the suspicions about places inside the data scope of somebody who works for the bureau."""
        if not user.is_internal or not user.may("data.view"):
            return self.none()
        return self.filter(place__in=Place.objects.visible_to(user))


@tracked(exclude=["picture"])
class SuspicionRecord(models.Model):
    """A suspicion of fabricated data about a period of a series: for a person, never a verdict by itself.

    The same finding is one record: while it is open a later run that finds it again brings its figures up to date.
    """

    class State(models.TextChoices):
        """What a person has made of it."""

        OPEN = "open", _("To be looked into")
        ACKNOWLEDGED = "acknowledged", _("Taken up")
        DISMISSED = "dismissed", _("Dismissed")

    code = models.CharField(_("Quality check"), max_length=40)
    place = models.ForeignKey(Place, models.PROTECT, related_name="suspicions", verbose_name=_("Place"))
    series = models.ForeignKey(Series, models.PROTECT, related_name="suspicions", verbose_name=_("Series"))
    start = models.DateTimeField(_("From"))
    end = models.DateTimeField(_("To"))
    strength = models.FloatField(_("Strength"))
    numbers = models.JSONField(_("Numbers of the test"), default=dict)
    picture = models.JSONField(_("Picture"), default=dict)
    sentence_zh = models.TextField(_("In Chinese"))
    sentence_en = models.TextField(_("In English"))
    edition = models.CharField(_("Edition of the catalogue"), max_length=40)
    key = models.CharField(_("Key"), max_length=80, unique=True)  # check, series and first day: a finding once
    found_at = models.DateTimeField(_("First found"))
    last_found_at = models.DateTimeField(_("Last found"))
    state = models.CharField(_("State"), max_length=12, choices=State.choices, default=State.OPEN)
    reason = models.CharField(_("Reason"), max_length=400, blank=True)
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Decided by")
    )
    decided_at = models.DateTimeField(_("Decided at"), null=True, blank=True)

    objects = SuspicionQuerySet.as_manager()

    class Meta:
        verbose_name = _("Suspicion")
        verbose_name_plural = _("Suspicions")
        ordering = ["-last_found_at", "-id"]
        indexes = [
            models.Index(fields=["state", "-last_found_at"], name="suspicion_list"),
            models.Index(fields=["place", "state"], name="suspicion_place"),
            models.Index(fields=["series", "code", "start"], name="suspicion_series"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.place} {self.start:%F}"
