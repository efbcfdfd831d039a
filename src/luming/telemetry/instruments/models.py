"""Instruments of devices and what keeps them trustworthy: calibrations, maintenance, supplies, certificates, health."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from luming import hj212
from luming.core.history import tracked
from luming.core.models import Organisation, User
from luming.registry.models import Device
from luming.telemetry.models import Command


def factor_name(code: str) -> str:
    """Return a factor's name in the reader's language; an unknown code stays a code."""
    found = hj212.FACTORS.get(code)
    if found is None:
        return code
    return (found.name_zh if (get_language() or "").startswith("zh") else found.name_en) or code


factor_label = lazy(factor_name, str)


def validate_factors(value: str) -> None:
    """Refuse what is not a list of factor codes of HJ 212 Annex B, HJ 524 or HJ 525, separated by spaces."""
    for code in value.split():
        if code not in hj212.FACTORS:
            raise ValidationError(_("“%(code)s” is not a factor code, such as a21026."), params={"code": code})


class OfDeviceQuerySet(models.QuerySet[Any]):
    """The funnel to what hangs on devices: a maintainer's are those of its own devices."""

    def visible_to(self, user: User) -> Self:
        """Return what belongs to devices inside the user's data scope."""
        return self.filter(device__in=Device.objects.visible_to(user).order_by().values("pk"))


@tracked()
class Instrument(models.Model):
    """An analyser or sensor at a place, read by one of its loggers.

    One that measures with several ranges is entered once per range, with the factors of that range.
    """

    device = models.ForeignKey(Device, models.PROTECT, related_name="instruments", verbose_name=_("Device"))
    name = models.CharField(_("Name"), max_length=80)
    factors = models.CharField(
        _("Factors"), max_length=120, validators=[validate_factors], help_text=_("Codes, separated by spaces.")
    )
    manufacturer = models.CharField(_("Manufacturer"), max_length=80, blank=True)
    model = models.CharField(_("Model"), max_length=60, blank=True)
    serial = models.CharField(_("Serial number"), max_length=60)
    principle = models.CharField(_("Principle"), max_length=60, blank=True)
    lower = models.FloatField(_("Range from"), default=0)
    upper = models.FloatField(_("Range to"), null=True, blank=True)
    unit = models.CharField(_("Unit of the range"), max_length=20, blank=True)
    self_calibrating = models.BooleanField(
        _("Calibrates by itself"), default=False, help_text=_("Calibrations are due at other intervals then.")
    )
    installed_on = models.DateField(_("Installed on"), null=True, blank=True)
    retired_on = models.DateField(_("Retired on"), null=True, blank=True)
    note = models.CharField(_("Note"), max_length=200, blank=True)
    is_demo = models.BooleanField(_("Demonstration data"), default=False)

    objects = OfDeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("Instrument")
        verbose_name_plural = _("Instruments")
        ordering = ["device_id", "name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["device", "serial", "factors"], name="instrument_natural_key"),
            models.CheckConstraint(
                condition=Q(upper__isnull=True) | Q(upper__gt=F("lower")), name="instrument_range_in_order"
            ),
            models.CheckConstraint(
                condition=Q(retired_on__isnull=True)
                | Q(installed_on__isnull=True)
                | Q(retired_on__gte=F("installed_on")),
                name="instrument_dates_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.model} {self.serial}".replace("  ", " ")

    @property
    def codes(self) -> list[str]:
        """Return the factors that it measures."""
        return self.factors.split()

    @property
    def full_scale(self) -> float | None:
        """Return the span of the range (满量程), which drifts are stated in per cent of."""
        return None if self.upper is None else self.upper - self.lower

    def is_used(self, day: date | None = None) -> bool:
        """Tell whether it measures on a day."""
        day = day or timezone.localdate()
        return (self.installed_on is None or self.installed_on <= day) and (
            self.retired_on is None or day < self.retired_on
        )


class Work(models.TextChoices):
    """What is done to an instrument: calibrations and checks, then maintenance."""

    ZERO = "zero", _("Zero calibration")
    SPAN = "span", _("Span calibration")
    CHECK = "check", _("Standard check")
    MULTIPOINT = "multipoint", _("Multi-point calibration")
    SYSTEM = "system", _("Full-system calibration")
    LINEARITY = "linearity", _("Linearity check")
    FLOW = "flow", _("Flow check")
    FILM = "film", _("Standard-film check")
    ROUTINE = "routine", _("Routine inspection")
    CLEANING = "cleaning", _("Cleaning")
    EXCHANGE = "exchange", _("Exchange of parts or reagents")
    REPAIR = "repair", _("Repair")


MAINTENANCE_WORK = (Work.ROUTINE, Work.CLEANING, Work.EXCHANGE, Work.REPAIR)
CALIBRATION_WORK = tuple(work for work in Work if work not in MAINTENANCE_WORK)
CALIBRATIONS = [(work.value, work.label) for work in CALIBRATION_WORK]
MAINTENANCE = [(work.value, work.label) for work in MAINTENANCE_WORK]


@tracked()
class Supply(models.Model):
    """A consumable, reagent, standard gas or spare part of a device, with its expiry."""

    class Kind(models.TextChoices):
        """What it is."""

        GAS = "gas", _("Standard gas")
        REAGENT = "reagent", _("Reagent or standard solution")
        CONSUMABLE = "consumable", _("Consumable")
        SPARE = "spare", _("Spare part")

    device = models.ForeignKey(Device, models.PROTECT, related_name="supplies", verbose_name=_("Device"))
    instrument = models.ForeignKey(
        Instrument, models.PROTECT, null=True, blank=True, related_name="supplies", verbose_name=_("Instrument")
    )
    kind = models.CharField(_("Kind"), max_length=12, choices=Kind.choices, default=Kind.CONSUMABLE)
    name = models.CharField(_("Name"), max_length=80)
    batch = models.CharField(_("Batch or cylinder number"), max_length=60)
    factor = models.CharField(_("Factor"), max_length=12, blank=True, validators=[validate_factors])
    value = models.FloatField(_("Certified value"), null=True, blank=True)
    value_unit = models.CharField(_("Unit of the value"), max_length=20, blank=True)
    quantity = models.FloatField(_("Quantity left"), default=1, validators=[MinValueValidator(0)])
    minimum = models.FloatField(_("Order again below"), default=0, validators=[MinValueValidator(0)])
    unit = models.CharField(_("Unit"), max_length=20, blank=True)
    opened_on = models.DateField(_("In use since"), null=True, blank=True)
    expires_on = models.DateField(_("Expires on"), null=True, blank=True)
    is_finished = models.BooleanField(_("Used up or discarded"), default=False)
    is_demo = models.BooleanField(_("Demonstration data"), default=False)

    objects = OfDeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("Supply")
        verbose_name_plural = _("Supplies and standard gases")
        ordering = ["expires_on", "id"]
        constraints = [models.UniqueConstraint(fields=["device", "name", "batch"], name="supply_natural_key")]
        indexes = [models.Index(fields=["expires_on", "id"], name="supply_expiry")]

    def __str__(self) -> str:
        return f"{self.name} {self.batch}"


@tracked()
class Certificate(models.Model):
    """A certificate of an instrument or of a standard gas."""

    class Kind(models.TextChoices):
        """What it certifies."""

        APPROVAL = "approval", _("Type approval or suitability test")
        VERIFICATION = "verification", _("Metrological verification or calibration")
        ACCEPTANCE = "acceptance", _("Acceptance on site")
        GAS = "gas", _("Certificate of a standard gas")

    device = models.ForeignKey(Device, models.PROTECT, related_name="certificates", verbose_name=_("Device"))
    instrument = models.ForeignKey(
        Instrument, models.PROTECT, null=True, blank=True, related_name="certificates", verbose_name=_("Instrument")
    )
    supply = models.ForeignKey(
        Supply, models.PROTECT, null=True, blank=True, related_name="certificates", verbose_name=_("Standard gas")
    )
    kind = models.CharField(_("Kind"), max_length=12, choices=Kind.choices, default=Kind.VERIFICATION)
    number = models.CharField(_("Certificate number"), max_length=60)
    issued_by = models.CharField(_("Issued by"), max_length=80, blank=True)
    issued_on = models.DateField(_("Issued on"), null=True, blank=True)
    expires_on = models.DateField(_("Expires on"), null=True, blank=True)
    replaced = models.BooleanField(_("Replaced by a newer one"), default=False)
    is_demo = models.BooleanField(_("Demonstration data"), default=False)

    objects = OfDeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("Certificate")
        verbose_name_plural = _("Certificates of instruments")
        ordering = ["expires_on", "id"]
        constraints = [models.UniqueConstraint(fields=["device", "kind", "number"], name="certificate_natural_key")]
        indexes = [models.Index(fields=["expires_on", "id"], name="certificate_expiry")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}"


@tracked()
class MaintenancePlan(models.Model):
    """Work on a device that comes again every so many days; entering the work moves its next day on."""

    device = models.ForeignKey(Device, models.PROTECT, related_name="maintenance_plans", verbose_name=_("Device"))
    instrument = models.ForeignKey(
        Instrument,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="maintenance_plans",
        verbose_name=_("Instrument"),
    )
    work = models.CharField(_("Work"), max_length=12, choices=Work.choices, default=Work.ROUTINE)
    title = models.CharField(_("What is to be done"), max_length=120)
    interval_days = models.PositiveSmallIntegerField(
        _("Every (days)"), validators=[MinValueValidator(1), MaxValueValidator(3660)]
    )
    last_done_on = models.DateField(_("Last done on"), null=True, blank=True)
    next_due_on = models.DateField(_("Next due on"))
    is_active = models.BooleanField(_("Active"), default=True)
    is_demo = models.BooleanField(_("Demonstration data"), default=False)

    objects = OfDeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("Maintenance plan")
        verbose_name_plural = _("Maintenance plans")
        ordering = ["next_due_on", "id"]
        constraints = [models.UniqueConstraint(fields=["device", "title"], name="maintenance_plan_natural_key")]
        indexes = [models.Index(fields=["next_due_on", "id"], name="maintenance_plan_due")]

    def __str__(self) -> str:
        return self.title

    def done_on(self, day: date) -> None:
        """Note that the work was done; an older entry moves nothing."""
        if self.last_done_on is None or day > self.last_done_on:
            self.last_done_on = day
            self.next_due_on = day + timedelta(days=self.interval_days)


@tracked()
class Calibration(models.Model):
    """What an instrument showed of a known standard, and what that says of its drift.

    The drift and its judgement are computed when the row is written and kept with the limits they were made by, so
    that a later edition does not change what was said.
    """

    class Result(models.TextChoices):
        """How the drift stands against the limits of its day."""

        OK = "ok", _("Within limits")
        ADJUST = "adjust", _("Must be adjusted")
        OUT = "out", _("Out of control")
        UNJUDGED = "unjudged", _("Unjudged")

    class Source(models.TextChoices):
        """Where the row comes from."""

        HAND = "hand", _("Entered by hand")
        PACKET = "packet", _("Sent by the device")
        COMMAND = "command", _("Ordered by the platform")

    device = models.ForeignKey(Device, models.PROTECT, related_name="calibrations", verbose_name=_("Device"))
    instrument = models.ForeignKey(
        Instrument, models.PROTECT, null=True, blank=True, related_name="calibrations", verbose_name=_("Instrument")
    )
    factor = models.CharField(_("Factor"), max_length=12, validators=[validate_factors])
    kind = models.CharField(_("Kind"), max_length=12, choices=CALIBRATIONS)
    performed_at = models.DateTimeField(_("At"))
    until = models.DateTimeField(_("Until"), null=True, blank=True)
    standard = models.FloatField(_("Standard value"), null=True, blank=True)
    response = models.FloatField(
        _("Response"), null=True, blank=True, help_text=_("What the instrument showed before it was adjusted.")
    )
    adjusted = models.FloatField(_("Response after adjusting"), null=True, blank=True)
    unit = models.CharField(_("Unit"), max_length=20, blank=True)
    full_scale = models.FloatField(
        _("Full scale"), null=True, blank=True, validators=[MinValueValidator(1e-9)],
        help_text=_("Empty: the range of the instrument."),
    )  # fmt: skip
    supply = models.ForeignKey(
        Supply, models.PROTECT, null=True, blank=True, related_name="calibrations", verbose_name=_("Standard gas used")
    )
    performed_by = models.CharField(_("Performed by"), max_length=80, blank=True)
    note = models.CharField(_("Note"), max_length=200, blank=True)
    source = models.CharField(_("Source"), max_length=8, choices=Source.choices, default=Source.HAND, editable=False)
    packet_id = models.BigIntegerField(_("Packet"), null=True, editable=False)
    command = models.ForeignKey(
        Command, models.PROTECT, null=True, related_name="calibrations", verbose_name=_("Command"), editable=False
    )
    reported = models.CharField(_("Result as sent"), max_length=40, blank=True, editable=False)  # ResultType of 2062
    drift = models.FloatField(_("Drift"), null=True, editable=False)
    drift_unit = models.CharField(_("Unit of the drift"), max_length=12, blank=True, editable=False)
    result = models.CharField(
        _("Result"), max_length=10, choices=Result.choices, default=Result.UNJUDGED, editable=False
    )
    limit_adjust = models.FloatField(_("Limit for adjusting"), null=True, editable=False)
    limit_control = models.FloatField(_("Limit of control"), null=True, editable=False)
    edition = models.CharField(_("Limits of"), max_length=80, blank=True, editable=False)
    mark = models.CharField(_("How well the limits are known"), max_length=12, blank=True, editable=False)
    is_demo = models.BooleanField(_("Demonstration data"), default=False)

    objects = OfDeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("Calibration")
        verbose_name_plural = _("Calibrations and checks")
        ordering = ["-performed_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["packet_id", "factor", "kind"], condition=Q(packet_id__isnull=False), name="calibration_packet"
            ),
            models.UniqueConstraint(
                fields=["command", "factor", "kind"], condition=Q(command__isnull=False), name="calibration_command"
            ),
            models.UniqueConstraint(
                fields=["device", "factor", "kind", "performed_at"],
                condition=Q(source="hand"),
                name="calibration_natural_key",
            ),
        ]
        indexes = [
            models.Index(fields=["-performed_at", "-id"], name="calibration_list"),
            models.Index(fields=["device", "factor", "kind", "-performed_at"], name="calibration_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {factor_name(self.factor)} {timezone.localtime(self.performed_at):%F %R}"


@tracked()
class Maintenance(models.Model):
    """Work that was done on a device or one of its instruments."""

    device = models.ForeignKey(Device, models.PROTECT, related_name="maintenance", verbose_name=_("Device"))
    instrument = models.ForeignKey(
        Instrument, models.PROTECT, null=True, blank=True, related_name="maintenance", verbose_name=_("Instrument")
    )
    kind = models.CharField(_("Kind"), max_length=12, choices=MAINTENANCE, default=Work.ROUTINE)
    start = models.DateTimeField(_("From"))
    end = models.DateTimeField(_("To"), null=True, blank=True, help_text=_("Empty: still going on."))
    what = models.TextField(_("What was done"), max_length=1000)
    performed_by = models.CharField(_("Performed by"), max_length=80)
    plan = models.ForeignKey(
        MaintenancePlan, models.PROTECT, null=True, blank=True, related_name="done", verbose_name=_("Plan")
    )
    is_demo = models.BooleanField(_("Demonstration data"), default=False)

    objects = OfDeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("Maintenance")
        verbose_name_plural = _("Maintenance log")
        ordering = ["-start", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["device", "kind", "start"], name="maintenance_natural_key"),
            models.CheckConstraint(condition=Q(end__isnull=True) | Q(end__gte=F("start")), name="maintenance_in_order"),
        ]
        indexes = [
            models.Index(fields=["-start", "-id"], name="maintenance_list"),
            models.Index(fields=["device", "-start"], name="maintenance_device"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {timezone.localtime(self.start):%F %R}"


# ---- what the platform finds out -------------------------------------------------------------------------------------


class DeviceFact(models.Model):
    """What a logger told of itself or its instruments, kept when it changed; never altered.

    ``subject`` is what it is about: the factor of PolId, a part such as SB1, or nothing for the logger itself.
    ``code`` is an i-code of HJ 212-2017 B.8 to B.10, ``RS`` (state of 2021), ``SN`` (3019) or ``RestartTime`` (2081).
    """

    device = models.ForeignKey(Device, models.PROTECT, related_name="facts", verbose_name=_("Device"), editable=False)
    subject = models.CharField(_("About"), max_length=20, blank=True, editable=False)
    code = models.CharField(_("Code"), max_length=20, editable=False)
    value = models.CharField(_("Value"), max_length=200, editable=False)
    at = models.DateTimeField(_("At"), editable=False)
    packet_id = models.BigIntegerField(_("Packet"), editable=False)

    objects = OfDeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("Information sent by a device")
        verbose_name_plural = _("Information sent by devices")
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["packet_id", "subject", "code"], name="device_fact_natural_key")]
        indexes = [
            models.Index(fields=["-at", "-id"], name="device_fact_list"),
            models.Index(fields=["device", "subject", "code", "-at"], name="device_fact_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.code} = {self.value}".strip()


class HealthDay(models.Model):
    """How much of a factor a device delivered on a day of the city; computed, and computed again when data changes."""

    device = models.ForeignKey(
        Device, models.CASCADE, related_name="health_days", verbose_name=_("Device"), editable=False
    )
    maintainer = models.ForeignKey(  # of that day, whoever it is now
        Organisation, models.PROTECT, null=True, related_name="+", verbose_name=_("Maintainer"), editable=False
    )
    factor = models.CharField(_("Factor"), max_length=12, editable=False)
    day = models.DateField(_("Day"), editable=False)
    expected = models.PositiveSmallIntegerField(_("Periods expected"), editable=False)
    held = models.PositiveSmallIntegerField(_("Periods held"), editable=False)
    valid = models.PositiveSmallIntegerField(_("Periods valid"), editable=False)
    stopped = models.PositiveSmallIntegerField(_("Marked as stopped"), editable=False)
    marks = models.JSONField(_("Marks"), default=dict, editable=False)  # mark other than normal -> periods
    computed_at = models.DateTimeField(_("Computed at"), editable=False)

    objects = OfDeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("Day of a device's health")
        verbose_name_plural = _("Days of devices' health")
        ordering = ["-day", "device_id", "factor"]
        constraints = [models.UniqueConstraint(fields=["device", "factor", "day"], name="health_day_natural_key")]
        indexes = [
            models.Index(fields=["-day", "id"], name="health_day_list"),
            models.Index(fields=["maintainer", "day"], name="health_day_maintainer"),
        ]

    def __str__(self) -> str:
        return f"{self.device_id}/{self.factor} {self.day:%F}"


class HealthPending(models.Model):
    """A day of a place whose health must be computed again."""

    place = models.ForeignKey("registry.Place", models.CASCADE, related_name="+")
    day = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["place", "day"], name="health_pending_natural_key")]

    def __str__(self) -> str:
        return f"{self.place_id} {self.day:%F}"


class Progress(models.Model):
    """How far a job of this room has come; one row per job."""

    key = models.CharField(max_length=20, primary_key=True)
    packet_id = models.BigIntegerField(default=0)
    at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("Progress of a job")
        verbose_name_plural = _("Progress of jobs")

    def __str__(self) -> str:
        return self.key
