"""Review: days that wait for a person's decision, drafts, signed submissions, second signatures, questions.

Drafts are a workspace of one person and mean nothing outside it. What is signed (a review with its decisions, a
countersignature) is append-only; the state of a day says how far its work has come and can be told from them.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from luming.core.history import tracked
from luming.core.models import User
from luming.registry.models import Medium, Place, Series, Station
from luming.standards.edition import midnight


class OfPlaceQuerySet(models.QuerySet[Any]):
    """The funnel to what hangs on places."""

    path = "place"

    def visible_to(self, user: User) -> Self:
        """Return what belongs to places inside the user's data scope."""
        return self.filter(**{f"{self.path}__in": Place.objects.visible_to(user).order_by().values("pk")})


class OfDayQuerySet(OfPlaceQuerySet):
    """The funnel to what hangs on days of places."""

    path = "day__place"


class Action(models.TextChoices):
    """What a person decides about a period of a series."""

    ACCEPT = "accept", _("Accept")
    INVALID = "invalid", _("Invalid")
    REPLACE = "replace", _("Replace")
    ASK = "ask", _("Ask the enterprise")


class Method(models.TextChoices):
    """How a replaced value was found; means of neighbours are none of them."""

    VALUE = "value", _("A value that was typed in")
    OTHER = "other", _("The same factor of another device")


class Control(models.TextChoices):
    """Which places a rule is for; outlets have no control level of their own."""

    ANY = "", _("All")
    NATIONAL = Station.Control.NATIONAL.value, _("National control")
    PROVINCIAL = Station.Control.PROVINCIAL.value, _("Provincial control")
    CITY = Station.Control.CITY.value, _("City control")
    OTHER = Station.Control.OTHER.value, _("Other")
    OUTLET = "outlet", _("Outlet")


# ---- configuration ---------------------------------------------------------------------------------------------------


class BureauQuerySet(models.QuerySet[Any]):
    """The funnel to the bureau's configuration, which all of its people may read."""

    def visible_to(self, user: User) -> Self:
        """Return all rows to people of the bureau, none to others."""
        return self if user.is_internal and user.may("data.view") else self.none()

    def in_force(self, day: date) -> Self:
        """Return what is in force on a day."""
        return self.filter(Q(effective_to=None) | Q(effective_to__gte=day), effective_from__lte=day)


@tracked()
class ReasonCode(models.Model):
    """A reason that is given with a decision, by its number key; the bureau's own list, dated."""

    code = models.SlugField(_("Code"), max_length=24)
    action = models.CharField(_("Decision"), max_length=8, choices=Action.choices)
    key = models.PositiveSmallIntegerField(_("Number key"), validators=[MinValueValidator(1), MaxValueValidator(9)])
    name_zh = models.CharField(_("Chinese name"), max_length=60)
    name_en = models.CharField(_("English name"), max_length=80)
    source = models.CharField(_("Source"), max_length=200, blank=True)
    verified = models.BooleanField(_("Verified"), default=False)
    effective_from = models.DateField(_("Effective from"))
    effective_to = models.DateField(_("Effective to"), null=True, blank=True)  # inclusive

    objects = BureauQuerySet.as_manager()

    class Meta:
        verbose_name = _("Reason of a review")
        verbose_name_plural = _("Reasons of reviews")
        ordering = ["action", "key", "-effective_from"]
        constraints = [
            models.UniqueConstraint(fields=["code", "effective_from"], name="reason_code_natural_key"),
            models.CheckConstraint(
                condition=Q(effective_to=None) | Q(effective_to__gte=F("effective_from")), name="reason_code_dates"
            ),
        ]

    def __str__(self) -> str:
        return self.name_zh if (get_language() or "zh").startswith("zh") else self.name_en


@tracked()
class ReviewRule(models.Model):
    """By when days of some places must be reviewed, and whether a second person must sign; dated configuration."""

    medium = models.CharField(_("Medium"), max_length=8, choices=Medium.choices, blank=True)  # empty: all
    control = models.CharField(_("Control level"), max_length=10, choices=Control.choices, blank=True)
    days = models.PositiveSmallIntegerField(
        _("Days after the day"), default=1, validators=[MaxValueValidator(60)], help_text=_("1: the next day.")
    )
    by = models.TimeField(_("Due at"), default=time(12))  # of the city
    four_eyes = models.BooleanField(_("A second person must sign"), default=False)
    answer_days = models.PositiveSmallIntegerField(
        _("Days for an answer"), default=3, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    source = models.CharField(_("Source"), max_length=200, blank=True)
    verified = models.BooleanField(_("Verified"), default=False)
    effective_from = models.DateField(_("Effective from"))
    effective_to = models.DateField(_("Effective to"), null=True, blank=True)  # inclusive

    objects = BureauQuerySet.as_manager()

    class Meta:
        verbose_name = _("Rule of review")
        verbose_name_plural = _("Rules of review")
        ordering = ["medium", "control", "-effective_from"]
        constraints = [
            models.UniqueConstraint(fields=["medium", "control", "effective_from"], name="review_rule_natural_key"),
            models.CheckConstraint(
                condition=Q(effective_to=None) | Q(effective_to__gte=F("effective_from")), name="review_rule_dates"
            ),
        ]

    def __str__(self) -> str:
        parts = [self.get_medium_display() if self.medium else "", self.get_control_display() if self.control else ""]
        return " · ".join(str(part) for part in parts if part) or str(Control.ANY.label)

    def deadline(self, day: date) -> datetime:
        """Return the instant by which a day of the city must be reviewed."""
        return timezone.make_aware(datetime.combine(day + timedelta(days=self.days), self.by))


# ---- the queue -------------------------------------------------------------------------------------------------------


class ReviewDay(models.Model):
    """A place and a day of the city, and how far its review has come.

    ``grounds`` say why it matters: [[code, count, points], …]; ``importance`` is the sum of the points.
    """

    class State(models.TextChoices):
        """How far the review has come."""

        OPEN = "open", _("To be reviewed")
        WORKING = "working", _("In work")
        SUBMITTED = "submitted", _("Submitted")
        COUNTERSIGNED = "countersigned", _("Countersigned")
        REOPENED = "reopened", _("Reopened")

    place = models.ForeignKey(Place, models.PROTECT, related_name="review_days", verbose_name=_("Place"))
    day = models.DateField(_("Day"))
    state = models.CharField(_("State"), max_length=13, choices=State.choices, default=State.OPEN)
    awaits_second = models.BooleanField(_("Awaits a second signature"), default=False)
    importance = models.IntegerField(_("Importance"), default=0)
    grounds = models.JSONField(_("Grounds"), default=list, blank=True)
    suspect = models.PositiveIntegerField(_("Suspect values"), default=0)
    invalid = models.PositiveIntegerField(_("Invalid values"), default=0)
    missing = models.PositiveIntegerField(_("Missing values"), default=0)
    over = models.PositiveIntegerField(_("Periods above a limit"), default=0)
    is_quiet = models.BooleanField(_("Nothing spoke"), default=False)
    deadline = models.DateTimeField(_("Due by"))
    assigned_to = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("In hand of")
    )
    finished_at = models.DateTimeField(_("Submitted at"), null=True, blank=True)  # the first time
    escalated_at = models.DateTimeField(_("Escalated at"), null=True, blank=True)
    # SHA-256 of the values as the review left them: when it differs, they have changed since.
    standing = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(_("Made at"), auto_now_add=True)

    objects = OfPlaceQuerySet.as_manager()

    class Meta:
        verbose_name = _("Day of review")
        verbose_name_plural = _("Days of review")
        ordering = ["-day", "place_id"]
        constraints = [models.UniqueConstraint(fields=["place", "day"], name="review_day_natural_key")]
        indexes = [
            models.Index(
                fields=["deadline"], name="review_day_waiting", condition=Q(state__in=["open", "working", "reopened"])
            ),
            models.Index(fields=["-day", "id"], name="review_day_list"),
        ]

    WAITING = (State.OPEN, State.WORKING, State.REOPENED)

    def __str__(self) -> str:
        return f"{self.place} {self.day:%F}" if "place" in self._state.fields_cache else f"{self.place_id} {self.day}"

    @property
    def start(self) -> datetime:
        """Return when the day begins."""
        return midnight(self.day)

    @property
    def end(self) -> datetime:
        """Return when the day ends."""
        return midnight(self.day + timedelta(days=1))

    @property
    def is_waiting(self) -> bool:
        """Tell whether a reviewer must still submit it."""
        return self.state in self.WAITING


class Presence(models.Model):
    """Who has a day open at the moment: the page says so again every ten seconds."""

    day = models.ForeignKey(ReviewDay, models.CASCADE, related_name="presences")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("Presence")
        verbose_name_plural = _("Presences")
        constraints = [models.UniqueConstraint(fields=["day", "user"], name="presence_natural_key")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.day_id}"


class Scope(models.Model):
    """What a decision is about and says: a series in [start, end), the action, how and why."""

    series = models.ForeignKey(Series, models.PROTECT, related_name="+", verbose_name=_("Series"))
    start = models.DateTimeField(_("From"))
    end = models.DateTimeField(_("To"))
    action = models.CharField(_("Decision"), max_length=8, choices=Action.choices)
    code = models.ForeignKey(ReasonCode, models.PROTECT, related_name="+", verbose_name=_("Reason code"))
    reason = models.CharField(_("Reason"), max_length=500)
    method = models.CharField(_("Method"), max_length=8, choices=Method.choices, blank=True)
    value = models.FloatField(_("Value"), null=True, blank=True)
    other = models.ForeignKey(
        Series, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Other device")
    )

    class Meta:
        abstract = True

    def covers(self, series_id: int, start: datetime) -> bool:
        """Tell whether a period belongs to it."""
        return self.series_id == series_id and self.start <= start < self.end


class Draft(Scope):
    """A decision that a person has prepared; nothing official."""

    day = models.ForeignKey(ReviewDay, models.CASCADE, related_name="drafts", verbose_name=_("Day of review"))
    user = models.ForeignKey(User, models.CASCADE, related_name="+", verbose_name=_("User"))
    # What was chosen together is one step, which one "undo" takes back.
    step = models.PositiveIntegerField()
    made_at = models.DateTimeField(_("Made at"), auto_now_add=True)

    class Meta:
        verbose_name = _("Draft")
        verbose_name_plural = _("Drafts")
        ordering = ["step", "id"]
        indexes = [models.Index(fields=["day", "user", "step"], name="draft_step")]

    def __str__(self) -> str:
        return f"{self.series_id} {self.start:%F %T} {self.action}"


# ---- what is signed --------------------------------------------------------------------------------------------------


class Review(models.Model):
    """A signed submission: who, when, and the hash of a document that says what was seen and decided. Append-only."""

    day = models.ForeignKey(ReviewDay, models.PROTECT, related_name="reviews", verbose_name=_("Day of review"))
    number = models.PositiveSmallIntegerField(_("Number"))  # 1, 2 … of the day
    user = models.ForeignKey(User, models.PROTECT, related_name="+", null=True, verbose_name=_("Signed by"))
    at = models.DateTimeField(_("Signed at"))  # the stored data as of this instant was seen
    hash = models.CharField(_("SHA-256"), max_length=64)
    previous = models.CharField(_("Hash of the review before"), max_length=64, blank=True)
    document = models.BinaryField()  # UTF-8, deflated
    needs_second = models.BooleanField(_("Needs a second signature"), default=False)
    batch = models.UUIDField(_("Signed together"), null=True, blank=True)
    note = models.CharField(_("Remark"), max_length=500, blank=True)

    objects = OfDayQuerySet.as_manager()

    class Meta:
        verbose_name = _("Signed review")
        verbose_name_plural = _("Signed reviews")
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["day", "number"], name="review_natural_key")]
        indexes = [models.Index(fields=["-at", "-id"], name="review_list")]

    def __str__(self) -> str:
        return f"{self.day} #{self.number}" if "day" in self._state.fields_cache else f"{self.day_id} #{self.number}"


class Decision(Scope):
    """A decision of a signed review. Append-only."""

    review = models.ForeignKey(Review, models.PROTECT, related_name="decisions", verbose_name=_("Signed review"))
    periods = models.PositiveIntegerField(_("Periods"))  # that it was about, present or missing

    class Meta:
        verbose_name = _("Decision")
        verbose_name_plural = _("Decisions")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.series_id} {self.start:%F %T} {self.action}"


class Countersignature(models.Model):
    """The second signature under a review, or its refusal with a reason. Append-only."""

    review = models.OneToOneField(
        Review, models.PROTECT, related_name="countersignature", verbose_name=_("Signed review")
    )
    user = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("Signed by"))
    at = models.DateTimeField(_("Signed at"), auto_now_add=True)
    accepted = models.BooleanField(_("Accepted"))
    reason = models.CharField(_("Reason"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("Second signature")
        verbose_name_plural = _("Second signatures")

    def __str__(self) -> str:
        return f"{self.review_id} {self.user_id}"


@tracked()
class Question(models.Model):
    """A question to the enterprise or maintainer about a period of a series, and the answer to it."""

    place = models.ForeignKey(Place, models.PROTECT, related_name="questions", verbose_name=_("Place"))
    day = models.ForeignKey(
        ReviewDay, models.PROTECT, null=True, blank=True, related_name="questions", verbose_name=_("Day of review")
    )
    series = models.ForeignKey(Series, models.PROTECT, related_name="+", verbose_name=_("Series"))
    start = models.DateTimeField(_("From"))
    end = models.DateTimeField(_("To"))
    text = models.CharField(_("Question"), max_length=500)
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("Asked by"))
    asked_at = models.DateTimeField(_("Asked at"), default=timezone.now)
    deadline = models.DateTimeField(_("Answer due by"))
    answer = models.TextField(_("Answer"), max_length=2000, blank=True)
    answered_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Answered by")
    )
    answered_at = models.DateTimeField(_("Answered at"), null=True, blank=True)

    objects = OfPlaceQuerySet.as_manager()

    class Meta:
        verbose_name = _("Question on data")
        verbose_name_plural = _("Questions on data")
        ordering = ["-asked_at", "-id"]
        indexes = [
            models.Index(fields=["deadline"], name="question_open", condition=Q(answered_at=None)),
            models.Index(fields=["-asked_at", "-id"], name="question_list"),
        ]

    def __str__(self) -> str:
        return self.text[:80]

    @property
    def is_open(self) -> bool:
        """Tell whether the answer is still missing."""
        return self.answered_at is None
