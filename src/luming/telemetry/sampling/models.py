"""Samples taken by hand (手工采样): plans, samples, their chain of custody, results, reviews and comparisons.

Custody, results, reviews and comparisons are append-only (a trigger refuses update and delete): what was signed stays,
a correction is a new revision. What the bureau plans is unannounced: outsiders see a sample from its taking on and a
result once it is accepted.
"""

from __future__ import annotations

from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from luming.core.history import tracked
from luming.core.models import User
from luming.registry.models import Medium, Place

LONGITUDE = [MinValueValidator(-180), MaxValueValidator(180)]
LATITUDE = [MinValueValidator(-90), MaxValueValidator(90)]


class PlanQuerySet(models.QuerySet["SamplingPlan"]):
    """The funnel to plans."""

    def visible_to(self, user: User) -> Self:
        """Return the plans with a place inside the user's data scope; none for outsiders."""
        if not user.is_internal:
            return self.none()
        inside = PlanPlace.objects.filter(plan=OuterRef("pk"), place__in=Place.objects.visible_to(user))
        return self.filter(Exists(inside))


@tracked()
class SamplingPlan(models.Model):
    """What is sampled where, how often, for which factors and by whom."""

    class Purpose(models.TextChoices):
        """Why samples are taken."""

        ROUTINE = "routine", _("Routine monitoring")
        COMPARISON = "comparison", _("Comparison with automatic monitoring")
        ENFORCEMENT = "enforcement", _("Enforcement monitoring")
        COMPLAINT = "complaint", _("Complaint")
        EMERGENCY = "emergency", _("Emergency monitoring")

    class Frequency(models.TextChoices):
        """How often a round of samples is due."""

        ONCE = "once", _("Once")
        DAY = "day", _("Every day")
        WEEK = "week", _("Every week")
        MONTH = "month", _("Every month")
        QUARTER = "quarter", _("Every quarter")
        YEAR = "year", _("Every year")

    name = models.CharField(_("Name"), max_length=120)
    purpose = models.CharField(_("Purpose"), max_length=12, choices=Purpose.choices, default=Purpose.ROUTINE)
    medium = models.CharField(_("Medium"), max_length=8, choices=Medium.choices)
    factors = models.JSONField(_("Factors"), default=list)  # codes of HJ 212 Annex B
    standards = models.CharField(_("Sampling standards"), max_length=200, blank=True)
    frequency = models.CharField(_("Frequency"), max_length=8, choices=Frequency.choices, default=Frequency.ONCE)
    starts_on = models.DateField(_("First round"))
    ends_on = models.DateField(_("Last day"), null=True, blank=True)  # inclusive
    blanks = models.PositiveSmallIntegerField(
        _("Blank samples per round"), default=0, validators=[MaxValueValidator(20)]
    )
    parallels = models.PositiveSmallIntegerField(
        _("Parallel samples per round"), default=0, validators=[MaxValueValidator(20)]
    )
    responsible = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Responsible")
    )
    note = models.CharField(_("Note"), max_length=300, blank=True)
    is_active = models.BooleanField(_("Active"), default=True)
    is_demo = models.BooleanField(_("Demonstration data"), default=False)
    places = models.ManyToManyField(Place, through="PlanPlace", related_name="sampling_plans", verbose_name=_("Places"))

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("Sampling plan")
        verbose_name_plural = _("Sampling plans")
        ordering = ["-starts_on", "name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")), name="sampling_plan_in_order"
            )
        ]

    def __str__(self) -> str:
        return self.name


@tracked()
class PlanPlace(models.Model):
    """A place of a plan."""

    plan = models.ForeignKey(SamplingPlan, models.CASCADE, related_name="plan_places", verbose_name=_("Sampling plan"))
    place = models.ForeignKey(Place, models.PROTECT, related_name="+", verbose_name=_("Place"))

    class Meta:
        verbose_name = _("Place of a sampling plan")
        verbose_name_plural = _("Places of sampling plans")
        constraints = [models.UniqueConstraint(fields=["plan", "place"], name="sampling_plan_place")]

    def __str__(self) -> str:
        return f"{self.plan_id}/{self.place_id}"


class SampleSerial(models.Model):
    """The last number given at a place on a day; one statement counts it up, so that no number is given twice."""

    place = models.ForeignKey(Place, models.CASCADE, related_name="+")
    day = models.DateField()
    last = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["place", "day"], name="sample_serial_key")]

    def __str__(self) -> str:
        return f"{self.place_id} {self.day:%F} {self.last}"


class SampleQuerySet(models.QuerySet["Sample"]):
    """The funnel to samples."""

    def visible_to(self, user: User) -> Self:
        """Return the samples of places inside the user's data scope; outsiders see them once they are taken."""
        found = self.filter(place__in=Place.objects.visible_to(user))
        return found if user.is_internal else found.filter(taken_from__isnull=False)


@tracked()
class Sample(models.Model):
    """A sample. Blank, parallel and spiked ones have numbers like any other: the laboratory is blind."""

    class Kind(models.TextChoices):
        """How it is taken."""

        GRAB = "grab", _("Grab sample")
        COMPOSITE = "composite", _("Composite sample")

    class Control(models.TextChoices):
        """What it is to quality control."""

        NONE = "none", _("Ordinary sample")
        BLANK = "blank", _("Blank sample")
        PARALLEL = "parallel", _("Parallel sample")
        SPIKE = "spike", _("Spiked sample")

    class State(models.TextChoices):
        """Where it stands: what the last step of its custody left it at."""

        PLANNED = "planned", _("To be taken")
        TAKEN = "taken", _("Taken")
        HANDED = "handed", _("On its way")
        RECEIVED = "received", _("At the laboratory")
        STORED = "stored", _("In storage")
        ANALYSED = "analysed", _("Analysed")
        REJECTED = "rejected", _("Rejected")
        DISPOSED = "disposed", _("Disposed of")
        NOT_TAKEN = "not-taken", _("Not taken")

    number = models.CharField(_("Sample number"), max_length=80, unique=True, editable=False)
    plan = models.ForeignKey(
        SamplingPlan,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="samples",
        verbose_name=_("Sampling plan"),
        editable=False,
    )
    place = models.ForeignKey(Place, models.PROTECT, related_name="samples", verbose_name=_("Place"), editable=False)
    due_on = models.DateField(_("Due on"), editable=False)
    factors = models.JSONField(_("Factors"), default=list, editable=False)
    kind = models.CharField(_("Kind"), max_length=9, choices=Kind.choices, default=Kind.GRAB, editable=False)
    control = models.CharField(
        _("Quality control"), max_length=8, choices=Control.choices, default=Control.NONE, editable=False
    )
    control_of = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="controls",
        verbose_name=_("Belongs to"),
        editable=False,
    )
    state = models.CharField(_("State"), max_length=9, choices=State.choices, default=State.PLANNED, editable=False)
    taken_from = models.DateTimeField(_("Taken from"), null=True, blank=True, editable=False)
    taken_to = models.DateTimeField(_("Taken to"), null=True, blank=True, editable=False)
    taken_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Taken by"), editable=False
    )
    samplers = models.CharField(_("Samplers"), max_length=120, blank=True, editable=False)
    weather = models.CharField(_("Weather"), max_length=80, blank=True, editable=False)
    flow = models.CharField(_("Flow and working condition"), max_length=120, blank=True, editable=False)
    preservation = models.CharField(_("Preservation"), max_length=200, blank=True, editable=False)
    note = models.CharField(_("Note"), max_length=300, blank=True)
    longitude = models.FloatField(_("Longitude"), null=True, blank=True, validators=LONGITUDE, editable=False)
    latitude = models.FloatField(_("Latitude"), null=True, blank=True, validators=LATITUDE, editable=False)
    accuracy_m = models.FloatField(
        _("Accuracy (m)"), null=True, blank=True, validators=[MinValueValidator(0)], editable=False
    )
    created_at = models.DateTimeField(_("Created at"), auto_now_add=True, editable=False)
    is_demo = models.BooleanField(_("Demonstration data"), default=False, editable=False)

    objects = SampleQuerySet.as_manager()

    class Meta:
        verbose_name = _("Sample")
        verbose_name_plural = _("Samples")
        ordering = ["-due_on", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(taken_from__isnull=True, taken_to__isnull=True)
                | Q(taken_from__isnull=False, taken_to__gte=F("taken_from")),
                name="sample_period_in_order",
            )
        ]
        indexes = [
            models.Index(fields=["state", "due_on"], name="sample_state"),
            models.Index(fields=["place", "-due_on"], name="sample_place"),
        ]

    def __str__(self) -> str:
        return self.number


class OfSampleQuerySet(models.QuerySet):
    """The funnel to what hangs on samples."""

    def visible_to(self, user: User) -> Self:
        """Return what hangs on the samples that the user may see."""
        return self.filter(sample__in=Sample.objects.visible_to(user))


class CustodyEvent(models.Model):
    """One signed step of a sample's chain of custody (采—送—测).

    The signature is the signed-in person, the time of entry, and a hash over this step and the one before
    (:mod:`luming.telemetry.sampling.chain`).
    """

    class Kind(models.TextChoices):
        """What was done with the sample."""

        TAKEN = "taken", _("Taken")
        NOT_TAKEN = "not-taken", _("Not taken")
        HANDED = "handed", _("Handed over")
        RECEIVED = "received", _("Sample received")
        REJECTED = "rejected", _("Rejected")
        STORED = "stored", _("Put into storage")
        ANALYSED = "analysed", _("Analysed")
        DISPOSED = "disposed", _("Disposed of")

    sample = models.ForeignKey(Sample, models.PROTECT, related_name="custody", verbose_name=_("Sample"), editable=False)
    sequence = models.PositiveSmallIntegerField(_("Step"), editable=False)
    kind = models.CharField(_("What was done"), max_length=9, choices=Kind.choices, editable=False)
    at = models.DateTimeField(_("At"), editable=False)
    signed_at = models.DateTimeField(_("Signed at"), editable=False)
    signed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Signed by"), editable=False
    )
    signed_name = models.CharField(_("Name of who signed"), max_length=80, editable=False)  # as it was then
    from_whom = models.CharField(_("Handed by"), max_length=80, blank=True, editable=False)
    to_whom = models.CharField(_("Handed to"), max_length=80, blank=True, editable=False)
    temperature_c = models.FloatField(
        _("Temperature (°C)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(120)],
        editable=False,
    )
    preservation = models.CharField(_("Preservation"), max_length=200, blank=True, editable=False)
    reason = models.CharField(_("Reason"), max_length=300, blank=True, editable=False)
    facts = models.JSONField(_("What was signed besides"), default=dict, blank=True, editable=False)
    previous_hash = models.CharField(_("Hash of the step before"), max_length=64, blank=True, editable=False)
    hash = models.CharField(_("Hash"), max_length=64, editable=False)

    objects = OfSampleQuerySet.as_manager()

    class Meta:
        verbose_name = _("Step of custody")
        verbose_name_plural = _("Chain of custody")
        ordering = ["sample_id", "sequence"]
        constraints = [models.UniqueConstraint(fields=["sample", "sequence"], name="custody_sequence")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%F %T}"


class ResultQuerySet(models.QuerySet["SampleResult"]):
    """The funnel to results."""

    def visible_to(self, user: User) -> Self:
        """Return the results of the user's samples; outsiders see what was accepted."""
        found = self.filter(sample__in=Sample.objects.visible_to(user))
        if user.is_internal:
            return found
        return found.filter(review__decision=ResultReview.Decision.ACCEPTED)

    def latest(self) -> Self:  # type: ignore[override]
        """Return the last revision of each factor of each sample."""
        later = SampleResult.objects.filter(
            sample=OuterRef("sample"), factor=OuterRef("factor"), revision__gt=OuterRef("revision")
        )
        return self.filter(~Exists(later))

    def waiting(self) -> Self:
        """Return the last revisions that nobody has reviewed."""
        return self.latest().filter(review__isnull=True)


class SampleResult(models.Model):
    """What the analysis of a sample found of one factor. Never changed: a correction is the next revision."""

    sample = models.ForeignKey(Sample, models.PROTECT, related_name="results", verbose_name=_("Sample"), editable=False)
    factor = models.CharField(_("Factor"), max_length=12, editable=False)
    revision = models.PositiveSmallIntegerField(_("Revision"), default=0, editable=False)
    value = models.FloatField(_("Value"), null=True, blank=True, editable=False)
    unit = models.CharField(_("Unit"), max_length=20, blank=True, editable=False)  # empty: dimensionless, as pH
    below_detection = models.BooleanField(_("Below detection"), default=False, editable=False)
    detection_limit = models.FloatField(_("Detection limit"), null=True, blank=True, editable=False)
    withdrawn = models.BooleanField(
        _("Withdrawn"), default=False, editable=False
    )  # there is no result of this factor any more
    method = models.CharField(_("Method"), max_length=60, blank=True, editable=False)
    analyst = models.CharField(_("Analyst"), max_length=60, blank=True, editable=False)
    instrument = models.CharField(_("Instrument"), max_length=80, blank=True, editable=False)
    analysed_at = models.DateTimeField(_("Analysed at"), editable=False)
    holding_hours = models.FloatField(
        _("Waited (h)"), null=True, blank=True, editable=False
    )  # from the end of sampling
    holding_allowed = models.FloatField(
        _("May wait (h)"), null=True, blank=True, editable=False
    )  # None: no rule was known
    holding_rule = models.CharField(_("Holding rule"), max_length=120, blank=True, editable=False)
    reason = models.CharField(_("Reason"), max_length=300, blank=True, editable=False)  # of a correction
    entered_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Entered by"), editable=False
    )
    entered_at = models.DateTimeField(_("Entered at"), editable=False)

    objects = ResultQuerySet.as_manager()

    class Meta:
        verbose_name = _("Result of a sample")
        verbose_name_plural = _("Results of samples")
        ordering = ["-entered_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["sample", "factor", "revision"], name="sample_result_key"),
            models.CheckConstraint(
                condition=Q(withdrawn=True, value__isnull=True)
                | Q(withdrawn=False, below_detection=True, value__isnull=True, detection_limit__isnull=False)
                | Q(withdrawn=False, below_detection=False, value__isnull=False),
                name="sample_result_says_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sample} {self.factor}"

    @property
    def is_late(self) -> bool:
        """Tell whether the sample waited longer than it may."""
        return (
            self.holding_allowed is not None
            and self.holding_hours is not None
            and self.holding_hours > self.holding_allowed
        )


class ResultReview(models.Model):
    """A person's decision on one revision of a result; never of who entered it (four eyes)."""

    class Decision(models.TextChoices):
        """What was decided."""

        ACCEPTED = "accepted", _("Review passed")
        RETURNED = "returned", _("Returned")

    result = models.OneToOneField(
        SampleResult, models.PROTECT, related_name="review", verbose_name=_("Result"), editable=False
    )
    decision = models.CharField(_("Decision"), max_length=8, choices=Decision.choices, editable=False)
    reason = models.CharField(_("Reason"), max_length=300, blank=True, editable=False)
    reviewed_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", verbose_name=_("Reviewed by"), editable=False
    )
    reviewed_at = models.DateTimeField(_("Reviewed at"), editable=False)
    seen_hash = models.CharField(_("Hash of what was seen"), max_length=64, editable=False)

    class Meta:
        verbose_name = _("Review of a result")
        verbose_name_plural = _("Reviews of results")
        ordering = ["-reviewed_at", "-id"]
        indexes = [models.Index(fields=["reviewed_at"], name="result_review_at")]

    def __str__(self) -> str:
        return f"{self.get_decision_display()} {self.reviewed_at:%F %T}"


class Comparison(models.Model):
    """A manual result beside what the automatic series says of the same time, with the allowed error.

    The newest one of a result's factor and sample holds; earlier ones stay as what was known then.
    """

    class Outcome(models.TextChoices):
        """What came of it."""

        PASSED = "passed", _("Passed")
        FAILED = "failed", _("Not passed")
        UNKNOWN = "unknown", _("Not compared")

    result = models.ForeignKey(
        SampleResult, models.PROTECT, related_name="comparisons", verbose_name=_("Result"), editable=False
    )
    sample = models.ForeignKey(
        Sample, models.PROTECT, related_name="comparisons", verbose_name=_("Sample"), editable=False
    )
    place = models.ForeignKey(Place, models.PROTECT, related_name="+", verbose_name=_("Place"), editable=False)
    factor = models.CharField(_("Factor"), max_length=12, editable=False)
    number = models.PositiveSmallIntegerField(
        _("Serial number"), default=0, editable=False
    )  # counts the comparisons of a sample's factor
    start = models.DateTimeField(_("From"), editable=False)
    end = models.DateTimeField(_("To"), editable=False)
    unit = models.CharField(_("Unit"), max_length=20, blank=True, editable=False)
    manual = models.FloatField(_("Manual value"), null=True, blank=True, editable=False)
    automatic = models.FloatField(_("Automatic value"), null=True, blank=True, editable=False)
    series_id = models.IntegerField(_("Series"), null=True, blank=True, editable=False)
    interval = models.CharField(_("Interval"), max_length=8, blank=True, editable=False)
    count = models.PositiveIntegerField(_("Automatic values"), default=0, editable=False)
    expected = models.PositiveIntegerField(_("Values expected"), default=0, editable=False)
    pairs = models.PositiveSmallIntegerField(_("Pairs"), default=1, editable=False)  # of a mean or an accuracy
    error = models.FloatField(_("Difference"), null=True, blank=True, editable=False)  # automatic less manual
    relative = models.BooleanField(_("Relative error"), default=False, editable=False)  # error and allowed are in %
    allowed = models.FloatField(_("Allowed error"), null=True, blank=True, editable=False)
    outcome = models.CharField(_("Conclusion"), max_length=8, choices=Outcome.choices, editable=False)
    why = models.CharField(_("Why not compared"), max_length=40, blank=True, editable=False)
    edition = models.CharField(_("Standard edition"), max_length=40, blank=True, editable=False)
    clause = models.CharField(_("Clause"), max_length=80, blank=True, editable=False)
    verified = models.BooleanField(_("Verified"), default=False, editable=False)
    computed_at = models.DateTimeField(_("Computed at"), editable=False)
    software = models.CharField(_("Software"), max_length=20, editable=False)

    objects = OfSampleQuerySet.as_manager()

    class Meta:
        verbose_name = _("Comparison of manual and automatic")
        verbose_name_plural = _("Comparisons of manual and automatic")
        ordering = ["-start", "-id"]
        constraints = [models.UniqueConstraint(fields=["sample", "factor", "number"], name="comparison_number")]
        indexes = [models.Index(fields=["place", "-start"], name="comparison_place")]

    def __str__(self) -> str:
        return f"{self.sample} {self.factor}"


class PreservationRuleQuerySet(models.QuerySet["PreservationRule"]):
    """The funnel to rules of preservation."""

    def visible_to(self, user: User) -> Self:
        """Return all: the rules are the same for everyone."""
        return self.all()


@tracked()
class PreservationRule(models.Model):
    """The installation's own rule how a sample is kept; it goes before the packaged table (HJ 493-2009)."""

    medium = models.CharField(_("Medium"), max_length=8, choices=Medium.choices)
    factor = models.CharField(_("Factor"), max_length=12)
    container = models.CharField(_("Container"), max_length=60, blank=True)
    preservation = models.CharField(_("Preservation"), max_length=200)
    hours = models.FloatField(_("May wait (h)"), validators=[MinValueValidator(0.1), MaxValueValidator(20_000)])
    source = models.CharField(_("Source standard"), max_length=120)
    verified = models.BooleanField(_("Verified"), default=False)
    effective_from = models.DateField(_("Effective from"))
    effective_to = models.DateField(_("Effective to"), null=True, blank=True)  # inclusive

    objects = PreservationRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("Rule of preservation")
        verbose_name_plural = _("Rules of preservation")
        ordering = ["medium", "factor", "-effective_from"]
        constraints = [
            models.UniqueConstraint(fields=["medium", "factor", "effective_from"], name="preservation_rule_key"),
        ]

    def __str__(self) -> str:
        return f"{self.medium} {self.factor}"
