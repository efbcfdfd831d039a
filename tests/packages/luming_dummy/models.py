"""A ledger of fifteen fields and a smaller one that hangs on it."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from luming.core.history import tracked
from luming.core.models import User
from luming.registry.models import Facility, Region, region_filter


class WellQuerySet(models.QuerySet):
    """The funnel to wells."""

    def visible_to(self, user: User):
        """Return the wells inside the user's regions."""
        if not user.may("data.view") or not user.is_internal:
            return self.none()
        return self.filter(region_filter(user, "region__code"))


@tracked()
class Well(models.Model):
    """A groundwater well: a ledger as a domain writes it."""

    class Use(models.TextChoices):
        """What it is for."""

        MONITORING = "monitoring", "Monitoring"
        SUPPLY = "supply", "Supply"

    code = models.CharField("Well code", max_length=20, unique=True)
    name = models.CharField("Well name", max_length=80)
    region = models.ForeignKey(Region, models.PROTECT, related_name="+", verbose_name="Region")
    facility = models.ForeignKey(
        Facility, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="Owner"
    )
    use = models.CharField("Use", max_length=12, choices=Use.choices, default=Use.MONITORING)
    depth_m = models.FloatField("Depth (m)", validators=[MinValueValidator(0), MaxValueValidator(5000)])
    diameter_mm = models.PositiveIntegerField("Diameter (mm)", null=True, blank=True)
    drilled_on = models.DateField("Drilled on", null=True, blank=True)
    checked_at = models.DateTimeField("Checked at", null=True, blank=True)
    longitude = models.FloatField("Longitude")
    latitude = models.FloatField("Latitude")
    level_m = models.DecimalField("Water level (m)", max_digits=8, decimal_places=2, null=True, blank=True)
    is_sealed = models.BooleanField("Sealed", default=False)
    contact = models.CharField("Contact", max_length=40, blank=True)
    remarks = models.TextField("Remarks", blank=True)

    objects = WellQuerySet.as_manager()

    class Meta:
        verbose_name = "Well"
        verbose_name_plural = "Wells"
        ordering = ["code"]
        indexes = [models.Index(fields=["name", "id"]), models.Index(fields=["depth_m", "id"])]

    def __str__(self) -> str:
        return self.name


class SampleQuerySet(models.QuerySet):
    """The funnel to samples."""

    def visible_to(self, user: User):
        """Return the samples of visible wells."""
        return self.filter(well__in=Well.objects.visible_to(user))


@tracked()
class Sample(models.Model):
    """A sample of a well."""

    well = models.ForeignKey(Well, models.CASCADE, related_name="samples", verbose_name="Well")
    taken_at = models.DateTimeField("Taken at")
    nitrate = models.FloatField("Nitrate (mg/L)", null=True, blank=True)

    objects = SampleQuerySet.as_manager()

    class Meta:
        verbose_name = "Sample"
        verbose_name_plural = "Samples"
        ordering = ["-taken_at"]

    def __str__(self) -> str:
        return f"{self.well} {self.taken_at:%F}"
