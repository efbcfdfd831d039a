"""Places of a city: regions, facilities, outlets, stations, devices, series and limits."""

from __future__ import annotations

import ipaddress
from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from luming.core.history import tracked
from luming.core.models import Organisation, User
from luming.registry import uscc


def validate_uscc(value: str) -> None:
    """Refuse a code whose length, alphabet or check character is wrong (GB 32100-2015)."""
    if not uscc.is_valid(value):
        raise ValidationError(_("The check character of this unified social credit code is wrong (GB 32100)."))


def validate_networks(value: list[str]) -> None:
    """Refuse what is not a list of IP addresses or networks."""
    for item in value:
        try:
            ipaddress.ip_network(item)
        except ValueError as error:
            raise ValidationError(_("“%(item)s” is not an IP address or network."), params={"item": item}) from error


@tracked(exclude=["boundary"])
class Region(models.Model):
    """A division of GB/T 2260 (or a development zone with a statistical code), with its boundary."""

    class Level(models.TextChoices):
        """Depth in the tree of divisions."""

        PROVINCE = "province", _("Province")
        CITY = "city", _("City")
        DISTRICT = "district", _("District")
        ZONE = "zone", _("Development zone")
        TOWNSHIP = "township", _("Township")

    code = models.CharField(_("Code"), max_length=12, primary_key=True)
    name = models.CharField(_("Name"), max_length=60)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    level = models.CharField(_("Level"), max_length=10, choices=Level.choices)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("Parent")
    )
    area_km2 = models.FloatField(_("Area (km²)"), null=True, blank=True)
    # GeoJSON geometry, WGS-84/CGCS2000 longitude and latitude, simplified for maps.
    boundary = models.JSONField(_("Boundary"), null=True, blank=True)
    boundary_source = models.CharField(_("Boundary source"), max_length=200, blank=True)
    boundary_official = models.BooleanField(_("Official boundary"), default=False)

    class Meta:
        verbose_name = _("Region")
        verbose_name_plural = _("Regions")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class FacilityQuerySet(models.QuerySet["Facility"]):
    """The funnel to facilities."""

    def visible_to(self, user: User) -> Self:
        """Return the facilities inside the user's data scope."""
        return self.filter(facility_scope(user))


@tracked()
class Facility(models.Model):
    """An enterprise's site that the law regulates (排污单位)."""

    class Status(models.TextChoices):
        """Whether it works."""

        RUNNING = "running", _("In operation")
        STOPPED = "stopped", _("Stopped")
        CLOSED = "closed", _("Closed")

    name = models.CharField(_("Name"), max_length=120)
    code = models.CharField(_("Code"), max_length=40, unique=True)  # the bureau's own; natural key of imports
    uscc = models.CharField(_("Unified social credit code"), max_length=18, blank=True, validators=[validate_uscc])
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="facilities", verbose_name=_("Organisation")
    )
    region = models.ForeignKey(Region, models.PROTECT, related_name="facilities", verbose_name=_("Region"))
    industry = models.CharField(_("Industry"), max_length=60, blank=True)
    address = models.CharField(_("Address"), max_length=200, blank=True)
    longitude = models.FloatField(_("Longitude"), validators=[MinValueValidator(-180), MaxValueValidator(180)])
    latitude = models.FloatField(_("Latitude"), validators=[MinValueValidator(-90), MaxValueValidator(90)])
    status = models.CharField(_("Status"), max_length=10, choices=Status.choices, default=Status.RUNNING)
    is_demo = models.BooleanField(_("Demonstration data"), default=False)

    objects = FacilityQuerySet.as_manager()

    class Meta:
        verbose_name = _("Facility")
        verbose_name_plural = _("Facilities")
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["uscc", "name"], condition=~Q(uscc=""), name="facility_uscc_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Medium(models.TextChoices):
    """What is measured or discharged."""

    AIR = "air", _("Ambient air")
    WATER = "water", _("Surface water")
    NOISE = "noise", _("Noise")
    GAS = "gas", _("Waste gas")
    SEWAGE = "sewage", _("Waste water")


class PlaceQuerySet(models.QuerySet["Place"]):
    """The funnel to places."""

    def visible_to(self, user: User) -> Self:
        """Return the places inside the user's data scope."""
        if self.model is not Place and user.role in ("enterprise", "maintainer"):  # their paths begin at the place
            return self.filter(pk__in=Place.objects.filter(place_scope(user)).values("pk"))
        return self.filter(place_scope(user))


@tracked()
class Place(models.Model):
    """Where something is measured: a station of the environment or an outlet of a facility."""

    class Kind(models.TextChoices):
        """Station or outlet."""

        STATION = "station", _("Station")
        OUTLET = "outlet", _("Outlet")

    kind = models.CharField(_("Kind"), max_length=8, choices=Kind.choices, editable=False)
    code = models.CharField(_("Code"), max_length=60, unique=True)  # station code, or FACILITY-DA001
    name = models.CharField(_("Name"), max_length=120)
    medium = models.CharField(_("Medium"), max_length=8, choices=Medium.choices)
    region = models.ForeignKey(Region, models.PROTECT, related_name="places", verbose_name=_("Region"))
    longitude = models.FloatField(_("Longitude"), validators=[MinValueValidator(-180), MaxValueValidator(180)])
    latitude = models.FloatField(_("Latitude"), validators=[MinValueValidator(-90), MaxValueValidator(90)])
    commissioned_at = models.DateTimeField(_("Commissioned at"), null=True, blank=True)
    is_active = models.BooleanField(_("Active"), default=True)
    is_demo = models.BooleanField(_("Demonstration data"), default=False)
    note = models.CharField(_("Note"), max_length=200, blank=True)  # such as where its coordinates come from

    objects = PlaceQuerySet.as_manager()

    class Meta:
        verbose_name = _("Place")
        verbose_name_plural = _("Places")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


@tracked()
class Station(Place):
    """Where the environment is measured (监测点位/站); a river section is a station of medium water."""

    class Control(models.TextChoices):
        """Who controls the station."""

        NATIONAL = "national", _("National control")
        PROVINCIAL = "provincial", _("Provincial control")
        CITY = "city", _("City control")
        OTHER = "other", _("Other")

    control = models.CharField(_("Control level"), max_length=10, choices=Control.choices, default=Control.CITY)
    zone_class = models.CharField(_("Functional zone"), max_length=4, blank=True)  # GB 3095 I/II, GB 3096 0–4b
    water_body = models.CharField(
        _("Water body"), max_length=5, blank=True, choices=[("river", _("River")), ("lake", _("Lake or reservoir"))]
    )
    target_class = models.PositiveSmallIntegerField(
        _("Target class"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )

    class Meta:
        verbose_name = _("Station")
        verbose_name_plural = _("Stations")

    def save(self, *args: object, **kwargs: object) -> None:
        """Save with the kind set."""
        self.kind = Place.Kind.STATION
        super().save(*args, **kwargs)


@tracked()
class Outlet(Place):
    """A discharge outlet (排放口) of a facility: DA… waste gas, DW… waste water (HJ 608 codes)."""

    facility = models.ForeignKey(Facility, models.PROTECT, related_name="outlets", verbose_name=_("Facility"))
    number = models.CharField(
        _("Outlet number"), max_length=8, validators=[RegexValidator(r"^D[AW]\d{3,5}$", _("Such as DA001 or DW001."))]
    )
    process = models.CharField(_("Process"), max_length=60, blank=True)
    height_m = models.FloatField(_("Height (m)"), null=True, blank=True)
    reference_oxygen = models.FloatField(
        _("Reference oxygen (%)"), null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(20.9)]
    )

    class Meta:
        verbose_name = _("Outlet")
        verbose_name_plural = _("Outlets")
        constraints = [models.UniqueConstraint(fields=["facility", "number"], name="outlet_number")]

    def save(self, *args: object, **kwargs: object) -> None:
        """Save with the kind set."""
        self.kind = Place.Kind.OUTLET
        super().save(*args, **kwargs)


class DeviceQuerySet(models.QuerySet["Device"]):
    """The funnel to devices."""

    def visible_to(self, user: User) -> Self:
        """Return the devices inside the user's data scope."""
        if user.role == "maintainer":
            return self.filter(maintainer=user.organisation) if user.organisation_id else self.none()
        return self.filter(place__in=Place.objects.visible_to(user))


@tracked(exclude=["password", "sm4_key"])
class Device(models.Model):
    """A data logger (数采仪), known by its MN (HJ 212 table 3)."""

    mn = models.CharField(_("MN"), max_length=40, unique=True)
    name = models.CharField(_("Name"), max_length=120, blank=True)
    place = models.ForeignKey(Place, models.PROTECT, related_name="devices", verbose_name=_("Place"))
    system = models.CharField(_("System code (ST)"), max_length=4)  # HJ 212 table 5
    password = models.CharField(_("Access password (PW)"), max_length=24, default="123456")
    # 0 = HJ/T 212-2005, 1 = HJ 212-2017, 2 = HJ 212-2025: what the device is asked in.
    edition = models.PositiveSmallIntegerField(
        _("Protocol edition"), default=2, choices=[(0, "HJ/T 212-2005"), (1, "HJ 212-2017"), (2, "HJ 212-2025")]
    )
    networks = models.JSONField(_("Allowed networks"), default=list, blank=True, validators=[validate_networks])
    sm4_key = models.CharField(_("SM4 key (encrypted)"), max_length=200, blank=True, editable=False)
    realtime_seconds = models.PositiveIntegerField(_("Real-time interval (s)"), default=60)
    minute_interval = models.PositiveSmallIntegerField(_("Minute-data interval (min)"), default=10)
    overtime_seconds = models.PositiveSmallIntegerField(_("Time-out (s)"), default=10)  # HJ 212-2017 table 1: wireless
    resend_count = models.PositiveSmallIntegerField(_("Repeats"), default=3)
    maintainer = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="maintained_devices",
        verbose_name=_("Maintainer"),
    )
    is_active = models.BooleanField(_("Active"), default=True)
    is_demo = models.BooleanField(_("Demonstration data"), default=False)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("Device")
        verbose_name_plural = _("Devices")
        ordering = ["mn"]

    def __str__(self) -> str:
        return self.name or self.mn


class Interval(models.TextChoices):
    """How long one observation of a series lasts (HJ 212: 2011, 2051, 2061, 2031)."""

    REALTIME = "realtime", _("Real time")
    MINUTE = "minute", _("Minutes")
    HOUR = "hour", _("Hour")
    DAY = "day", _("Day")


class SeriesQuerySet(models.QuerySet["Series"]):
    """The funnel to series."""

    def visible_to(self, user: User) -> Self:
        """Return the series of the places inside the user's data scope."""
        return self.filter(place__in=Place.objects.visible_to(user))


@tracked()
class Series(models.Model):
    """One factor at one place at one interval."""

    place = models.ForeignKey(Place, models.PROTECT, related_name="series", verbose_name=_("Place"))
    factor = models.CharField(_("Factor"), max_length=12)  # code of HJ 212 Annex B / HJ 524 / HJ 525, such as a34004
    interval = models.CharField(_("Interval"), max_length=8, choices=Interval.choices)
    seconds = models.PositiveIntegerField(_("Expected interval (s)"))
    unit = models.CharField(_("Unit as sent"), max_length=20, blank=True)  # empty: dimensionless, as pH
    expected = models.BooleanField(_("Expected"), default=True)  # a missing period of it is a gap
    lower = models.FloatField(_("Instrument range from"), null=True, blank=True)
    upper = models.FloatField(_("Instrument range to"), null=True, blank=True)
    created_at = models.DateTimeField(_("Created at"), auto_now_add=True)

    objects = SeriesQuerySet.as_manager()

    class Meta:
        verbose_name = _("Series")
        verbose_name_plural = _("Series")
        ordering = ["place_id", "factor", "interval"]
        constraints = [models.UniqueConstraint(fields=["place", "factor", "interval"], name="series_natural_key")]

    def __str__(self) -> str:
        return f"{self.place_id}/{self.factor}/{self.interval}"


@tracked()
class FactorAlias(models.Model):
    """What a logger at one place calls a factor; the same old code means different things at different places."""

    place = models.ForeignKey(Place, models.CASCADE, related_name="aliases", verbose_name=_("Place"))
    sent = models.CharField(_("Code as sent"), max_length=20)
    factor = models.CharField(_("Factor"), max_length=12)

    class Meta:
        verbose_name = _("Factor alias")
        verbose_name_plural = _("Factor aliases")
        constraints = [models.UniqueConstraint(fields=["place", "sent"], name="alias_natural_key")]

    def __str__(self) -> str:
        return f"{self.sent}={self.factor}"


class LimitQuerySet(models.QuerySet["Limit"]):
    """The funnel to limits."""

    def visible_to(self, user: User) -> Self:
        """Return the limits of the outlets inside the user's data scope."""
        return self.filter(outlet__in=Place.objects.visible_to(user).values("pk"))


@tracked()
class Limit(models.Model):
    """What an outlet may discharge of one factor, with the text it comes from and its dates."""

    class Basis(models.TextChoices):
        """Which statistic the limit judges."""

        HOUR = "hour", _("Hourly mean")
        DAY = "day", _("Daily mean")

    outlet = models.ForeignKey(Outlet, models.PROTECT, related_name="limits", verbose_name=_("Outlet"))
    factor = models.CharField(_("Factor"), max_length=12)
    basis = models.CharField(_("Basis"), max_length=4, choices=Basis.choices, default=Basis.HOUR)
    converted = models.BooleanField(_("Judges the converted value"), default=False)
    upper = models.FloatField(_("Upper limit"), null=True, blank=True)
    lower = models.FloatField(_("Lower limit"), null=True, blank=True)  # pH 6–9
    unit = models.CharField(_("Unit"), max_length=20, blank=True)  # empty: dimensionless, as pH
    source = models.CharField(_("Source standard"), max_length=120)
    verified = models.BooleanField(_("Verified"), default=False)
    effective_from = models.DateField(_("Effective from"))
    effective_to = models.DateField(_("Effective to"), null=True, blank=True)  # inclusive

    objects = LimitQuerySet.as_manager()

    class Meta:
        verbose_name = _("Limit")
        verbose_name_plural = _("Limits")
        ordering = ["outlet_id", "factor", "effective_from"]
        constraints = [
            models.UniqueConstraint(fields=["outlet", "factor", "basis", "effective_from"], name="limit_natural_key"),
            models.CheckConstraint(condition=Q(upper__isnull=False) | Q(lower__isnull=False), name="limit_has_a_bound"),
        ]

    def __str__(self) -> str:
        return f"{self.factor} ≤ {self.upper} {self.unit}"


def region_prefix(code: str) -> str:
    """Return what the codes of all divisions inside one begin with.

    Codes of GB/T 2260 nest by prefix: 150200 holds 150202, and 150202 holds 150202001.
    """
    prefix = code.rstrip("0") if len(code) == 6 else code
    return prefix + "0" * (len(prefix) % 2)  # 150200 -> 1502, 150220 -> 150220


def region_filter(user: User, path: str) -> Q:
    """Return the filter of a user's regions on a field path; no regions means the whole city."""
    condition = Q()
    for code in user.region_codes:
        condition |= Q(**{f"{path}__startswith": region_prefix(code)})
    return condition


def facility_scope(user: User) -> Q:
    """Return the filter of the facilities a user may see."""
    nothing = Q(pk__in=[])
    if not user.may("data.view"):
        return nothing
    if user.role == "enterprise":
        return Q(organisation=user.organisation_id) if user.organisation_id else nothing
    if user.role == "maintainer":
        maintained = Outlet.objects.filter(devices__maintainer=user.organisation_id)
        return Q(pk__in=maintained.values("facility")) if user.organisation_id else nothing
    return region_filter(user, "region__code")


def place_scope(user: User) -> Q:
    """Return the filter of the places a user may see."""
    nothing = Q(pk__in=[])
    if not user.may("data.view"):
        return nothing
    if user.role == "enterprise":
        return Q(outlet__facility__organisation=user.organisation_id) if user.organisation_id else nothing
    if user.role == "maintainer":
        maintained = Device.objects.filter(maintainer=user.organisation_id)
        return Q(pk__in=maintained.values("place")) if user.organisation_id else nothing
    return region_filter(user, "region__code")
