"""What the platform knows about its talk with devices, and what it concluded from their data.

Packets and observations are not here: they live in partitioned, insert-only tables that only
:mod:`luming.telemetry.store` reads and writes.
"""

from __future__ import annotations

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from luming.core.models import User
from luming.registry.models import Device, Interval, Place


class Connection(models.Model):
    """One TCP connection of a logger, from accept to close."""

    id = models.BigIntegerField(primary_key=True)  # made by the gateway like a packet's id
    device = models.ForeignKey(Device, models.PROTECT, null=True, related_name="connections", verbose_name=_("Device"))
    mn = models.CharField(_("MN"), max_length=40, blank=True)
    peer = models.CharField(_("Peer"), max_length=60)
    opened_at = models.DateTimeField(_("Opened at"), db_index=True)
    closed_at = models.DateTimeField(_("Closed at"), null=True, blank=True)
    close_reason = models.CharField(_("Close reason"), max_length=40, blank=True)
    packets = models.PositiveIntegerField(_("Packets"), default=0)
    bytes = models.BigIntegerField(_("Bytes"), default=0)
    gateway = models.CharField(_("Gateway"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("Connection")
        verbose_name_plural = _("Connections")
        indexes = [models.Index(fields=["device", "-opened_at"], name="connection_device")]

    def __str__(self) -> str:
        return f"{self.peer} {self.mn}"


class DeviceStatus(models.Model):
    """The latest state of a device, kept by the gateway."""

    device = models.OneToOneField(
        Device, models.CASCADE, primary_key=True, related_name="state", verbose_name=_("Device")
    )
    connected = models.BooleanField(_("Connected"), default=False)
    connection_id = models.BigIntegerField(null=True, blank=True)
    connected_at = models.DateTimeField(_("Connected at"), null=True, blank=True)
    last_packet_at = models.DateTimeField(_("Last packet at"), null=True, blank=True)
    last_packet_id = models.BigIntegerField(null=True, blank=True)
    last_data_time = models.DateTimeField(_("Last data time"), null=True, blank=True)
    # Device clock minus ours, seconds, from QN of live packets; positive = the logger is ahead.
    clock_offset = models.FloatField(_("Clock offset (s)"), null=True, blank=True)
    last_rejected_at = models.DateTimeField(_("Last rejected at"), null=True, blank=True)
    last_reason = models.CharField(_("Last reason"), max_length=40, blank=True)
    unmapped = models.JSONField(_("Unmapped codes"), default=list, blank=True)

    class Meta:
        verbose_name = _("Device status")
        verbose_name_plural = _("Device statuses")

    def __str__(self) -> str:
        return f"{self.device_id}"


class UnregisteredDevice(models.Model):
    """An MN that speaks to us and that no register knows (未登记设备)."""

    mn = models.CharField(_("MN"), max_length=40, primary_key=True)
    system = models.CharField(_("System code (ST)"), max_length=4, blank=True)
    peer = models.CharField(_("Peer"), max_length=60, blank=True)
    first_seen_at = models.DateTimeField(_("First seen at"))
    last_seen_at = models.DateTimeField(_("Last seen at"))
    packets = models.PositiveIntegerField(_("Packets"), default=0)
    last_packet_id = models.BigIntegerField(null=True, blank=True)
    adopted_device = models.ForeignKey(
        Device, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("Adopted as")
    )
    dismissed_reason = models.CharField(_("Dismissed because"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("Unregistered device")
        verbose_name_plural = _("Unregistered devices")
        ordering = ["-last_seen_at"]

    def __str__(self) -> str:
        return self.mn


class CommandQuerySet(models.QuerySet["Command"]):
    """The funnel to commands."""

    def visible_to(self, user: User) -> Self:
        """Return the commands to devices inside the user's data scope."""
        return self.filter(device__in=Device.objects.visible_to(user))


class Command(models.Model):
    """A request from the platform to a device, tracked from queue to 9012."""

    class State(models.TextChoices):
        """Where the dialogue stands."""

        QUEUED = "queued", _("Queued")
        SENT = "sent", _("Sent")
        ACCEPTED = "accepted", _("Accepted (9011)")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")
        FAILED = "failed", _("Failed")
        EXPIRED = "expired", _("Expired")
        CANCELLED = "cancelled", _("Cancelled")

    device = models.ForeignKey(Device, models.PROTECT, related_name="commands", verbose_name=_("Device"))
    cn = models.PositiveSmallIntegerField(_("Command code (CN)"))
    parameters = models.JSONField(_("Parameters"), default=dict, blank=True)  # CP names and values
    state = models.CharField(_("State"), max_length=10, choices=State.choices, default=State.QUEUED, db_index=True)
    qn = models.CharField(_("QN"), max_length=17, blank=True)
    requested_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Requested by")
    )
    reason = models.CharField(_("Reason"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("Created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("Expires at"))
    sent_at = models.DateTimeField(_("Sent at"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("Attempts"), default=0)
    accepted_at = models.DateTimeField(_("Accepted at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("Finished at"), null=True, blank=True)
    request_result = models.PositiveSmallIntegerField(_("QnRtn"), null=True, blank=True)
    execute_result = models.PositiveSmallIntegerField(_("ExeRtn"), null=True, blank=True)
    data_packets = models.PositiveIntegerField(_("Data packets"), default=0)
    answer = models.JSONField(_("Answer"), default=dict, blank=True)  # parameters the device sent back
    problem = models.CharField(_("Problem"), max_length=200, blank=True)
    gap = models.ForeignKey(
        "Gap", models.SET_NULL, null=True, blank=True, related_name="commands", verbose_name=_("Gap")
    )

    objects = CommandQuerySet.as_manager()

    class Meta:
        verbose_name = _("Command")
        verbose_name_plural = _("Commands")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["device", "state"], name="command_device_state"),
            models.Index(fields=["device", "-created_at"], name="command_device_time"),
        ]

    def __str__(self) -> str:
        return f"{self.cn} → {self.device}"


class GapQuerySet(models.QuerySet["Gap"]):
    """The funnel to gaps."""

    def visible_to(self, user: User) -> Self:
        """Return the gaps of devices inside the user's data scope."""
        return self.filter(device__in=Device.objects.visible_to(user))


class Gap(models.Model):
    """A run of missing periods of a device's series, its cause, and what was done about it."""

    class Cause(models.TextChoices):
        """Why nothing is held for the period."""

        DISCONNECTED = "disconnected", _("Disconnected")
        SILENT = "silent", _("Connected but silent")
        REJECTED = "rejected", _("Rejected")
        LATE = "late", _("Late")
        PARTIAL = "partial", _("Some factors missing")

    class State(models.TextChoices):
        """Whether it still is a gap."""

        OPEN = "open", _("Open")
        REQUESTED = "requested", _("Requested")
        FILLED = "filled", _("Filled")
        GIVEN_UP = "given-up", _("Given up")

    device = models.ForeignKey(Device, models.PROTECT, related_name="gaps", verbose_name=_("Device"))
    interval = models.CharField(_("Interval"), max_length=8, choices=Interval.choices)
    start = models.DateTimeField(_("From"))  # start of the first missing period
    end = models.DateTimeField(_("To"))  # end of the last missing period
    series = models.JSONField(_("Series"), default=list)  # ids of the series that miss it
    cause = models.CharField(_("Cause"), max_length=12, choices=Cause.choices)
    state = models.CharField(_("State"), max_length=10, choices=State.choices, default=State.OPEN, db_index=True)
    found_at = models.DateTimeField(_("Found at"))
    attempts = models.PositiveSmallIntegerField(_("Attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("Next attempt at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("Closed at"), null=True, blank=True)
    outcome = models.CharField(_("Outcome"), max_length=200, blank=True)

    objects = GapQuerySet.as_manager()

    class Meta:
        verbose_name = _("Gap")
        verbose_name_plural = _("Gaps")
        ordering = ["-start"]
        indexes = [
            models.Index(fields=["device", "interval", "start"], name="gap_device"),
            models.Index(fields=["device", "-start"], name="gap_device_time"),
        ]

    def __str__(self) -> str:
        return f"{self.device} {self.interval} {self.start:%F %T}"


class GapScan(models.Model):
    """How far the timeline of a device's series has been checked for gaps."""

    device = models.ForeignKey(Device, models.CASCADE, related_name="+", verbose_name=_("Device"))
    interval = models.CharField(_("Interval"), max_length=8, choices=Interval.choices)
    checked_to = models.DateTimeField(_("Checked to"))

    class Meta:
        verbose_name = _("Gap scan")
        verbose_name_plural = _("Gap scans")
        constraints = [models.UniqueConstraint(fields=["device", "interval"], name="gap_scan_natural_key")]

    def __str__(self) -> str:
        return f"{self.device_id} {self.interval} {self.checked_to:%F %T}"


class Judgement(models.Model):
    """What a standard says of one period at one place, with the edition and the inputs it used.

    Never changed: a later judgement of the same period is a new row with a higher revision.
    """

    place = models.ForeignKey(Place, models.PROTECT, related_name="judgements", verbose_name=_("Place"))
    kind = models.CharField(_("Kind"), max_length=20)  # aqi-hour, water-class, limit-hour …
    start = models.DateTimeField(_("From"))
    revision = models.PositiveSmallIntegerField(_("Revision"), default=0)
    state = models.CharField(_("State"), max_length=16)  # level-1 … level-6, class-1 … class-6, normal, exceeding …
    value = models.FloatField(_("Value"), null=True, blank=True)  # AQI, class, multiple of the worst factor
    detail = models.JSONField(_("Detail"), default=dict)  # primary pollutants, each factor's figures
    edition = models.CharField(_("Standard edition"), max_length=200)
    # [[series id, period start (ISO 8601, UTC), observation revision, value used, unit, mark], …]; where a verdict
    # holds, its sequence and what it makes of the value (N counts) follow
    inputs = models.JSONField(_("Inputs"), default=list)
    software = models.CharField(_("Software version"), max_length=20)
    judged_at = models.DateTimeField(_("Judged at"), auto_now_add=True)

    class Meta:
        verbose_name = _("Judgement")
        verbose_name_plural = _("Judgements")
        constraints = [
            models.UniqueConstraint(fields=["place", "kind", "start", "revision"], name="judgement_natural_key")
        ]
        # A few per cent of all rows: what exceeded, newest first, is read on every page of a place.
        indexes = [
            models.Index(fields=["place", "-start"], name="judgement_exceeding", condition=models.Q(state="exceeding"))
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.place_id} {self.start:%F %T}: {self.state}"


class PlaceState(models.Model):
    """The current state of a place, for maps and lists: one row per place."""

    place = models.OneToOneField(
        Place, models.CASCADE, primary_key=True, related_name="current", verbose_name=_("Place")
    )
    # as in Judgement.state, or 'no-data', 'stopped'
    state = models.CharField(_("State"), max_length=16, default="no-data", db_index=True)
    since = models.DateTimeField(_("Since"))
    value = models.FloatField(_("Value"), null=True, blank=True)
    detail = models.JSONField(_("Detail"), default=dict)
    period = models.DateTimeField(_("Period"), null=True, blank=True)  # start of the period judged
    updated_at = models.DateTimeField(_("Updated at"), auto_now=True)

    class Meta:
        verbose_name = _("Place state")
        verbose_name_plural = _("Place states")

    def __str__(self) -> str:
        return f"{self.place_id}: {self.state}"


class Event(models.Model):
    """Something worth a line on the home page: a state changed, a gap was found, a device appeared."""

    at = models.DateTimeField(_("At"), db_index=True)
    kind = models.CharField(_("Kind"), max_length=24)
    place = models.ForeignKey(
        Place, models.CASCADE, null=True, blank=True, related_name="events", verbose_name=_("Place")
    )
    device = models.ForeignKey(
        Device, models.CASCADE, null=True, blank=True, related_name="events", verbose_name=_("Device")
    )
    severity = models.PositiveSmallIntegerField(_("Severity"), default=0)  # 0 information, 1 attention, 2 alarm
    detail = models.JSONField(_("Detail"), default=dict)

    class Meta:
        verbose_name = _("Event")
        verbose_name_plural = _("Events")
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["place", "-at"], name="event_place_time"),
            models.Index(fields=["device", "-at"], name="event_device_time"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.kind}"
