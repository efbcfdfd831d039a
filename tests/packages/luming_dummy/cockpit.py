"""What the dummy adds to home, cockpit and search: wells to check, open matters, a plan indicator, people to call."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from luming.core.manifest import Concern, Figure, Item, Search, Tile
from luming_dummy.models import Sample, Well

TARGET = 20  # mg/L nitrate


def _url(well):
    return reverse("record", args=["wells", well.pk])


def unchecked(user, since):
    """Return wells that nobody has checked."""
    rows = Well.objects.visible_to(user).filter(checked_at=None)
    return [Item(well.name, _url(well), "never checked", icon="map-pin") for well in rows]


def polluted(user, since):
    """Return wells with too much nitrate in a sample."""
    rows = Sample.objects.visible_to(user).filter(nitrate__gt=TARGET).select_related("well")
    return [Item(row.well.name, _url(row.well), at=row.taken_at, tone="danger", value=row.nitrate) for row in rows]


def sampled(user, since):
    """Return wells sampled since yesterday."""
    rows = Sample.objects.visible_to(user).filter(taken_at__gte=since).select_related("well")
    return [Item(row.well.name, _url(row.well), at=row.taken_at) for row in rows]


CONCERNS = [
    Concern(
        "wells-unchecked",
        "Wells to check",
        "todo",
        unchecked,
        "data.view",
        5,
        lambda: reverse("register", args=["wells"]),
    ),
    Concern("wells-polluted", "Wells with nitrate", "wrong", polluted, "data.view", 5),
    Concern("wells-sampled", "Wells sampled", "changed", sampled, "data.view", 5),
]


def open_matters(user):
    """Return how many wells wait, as the hub's matters will."""
    number = Well.objects.visible_to(user).filter(checked_at=None).count()
    return Figure(number, reverse("register", args=["wells"]), target=0, good=number == 0) if number else None


def nitrate(user):
    """Return the mean of nitrate with its trend, as a plan indicator."""
    values = list(Sample.objects.visible_to(user).order_by("taken_at").values_list("taken_at", "nitrate"))
    if not values:
        return None
    mean = sum(value for _at, value in values) / len(values)
    trend = [*values, (timezone.now() + timedelta(hours=1), None)]
    return Figure(mean, reverse("register", args=["samples"]), "mg/L", 1, trend, TARGET, mean <= TARGET, coverage=0.5)


def depths(user):
    """Return the deepest wells."""
    rows = Well.objects.visible_to(user).order_by("-depth_m")[:3]
    parts = [(well.name, well.depth_m, "#1c7ed6", _url(well)) for well in rows]
    return Figure(len(parts), reverse("register", args=["wells"]), parts=parts) if parts else None


TILES = [
    Tile("wells-matters", "Wells waiting", "matters", open_matters),
    Tile("wells-nitrate", "Nitrate", "plan", nitrate),
    Tile("wells-depths", "Deepest wells", "Groundwater", depths, "list"),
]


def contacts(user, text, limit):
    """Return people who answer for wells."""
    rows = Well.objects.visible_to(user).filter(contact__icontains=text)[:limit]
    return [Item(well.contact, _url(well), well.name, icon="user") for well in rows]


SEARCHES = [Search("well-contacts", "Well contacts", "user", contacts)]
