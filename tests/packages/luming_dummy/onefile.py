"""What the dummy adds to the pages of the file; see luming_dummy.apps."""

from datetime import UTC, datetime

from luming.core.manifest import Check, Finding, Moment, Panel, Reason, Timeline, Trait
from luming.registry.models import Facility, Region
from luming_dummy.models import Sample, Well

ON = frozenset({"facility", "region"})


def wells_of(user, subject):
    """Return the wells of a facility or region in the user's scope."""
    rows = Well.objects.visible_to(user)
    if isinstance(subject, Facility):
        return rows.filter(facility=subject)
    assert isinstance(subject, Region)
    return rows.filter(region=subject)


def panel(user, subject):
    """Show the wells; where there are none there is nothing to show at all."""
    rows = list(wells_of(user, subject))
    return {"wells": rows} if rows else None


def moments(user, subject, before, limit):
    """Tell the samples of the wells."""
    rows = Sample.objects.filter(well__in=wells_of(user, subject), taken_at__lt=before).select_related("well")
    for row in rows.order_by("-taken_at")[:limit]:
        yield Moment(row.taken_at, "Sample taken", row.well.name, tone="good", icon="droplet")


def assess(user, subject):
    """Weigh open wells."""
    open_wells = wells_of(user, subject).filter(is_sealed=False).count()
    if open_wells:
        yield Reason(f"Open wells: {open_wells}", 5.0 * open_wells, "#wells")


def check(subject):
    """Ask whether a well is drilled into the future."""
    for well in Well.objects.filter(facility=subject, drilled_on__gt=datetime.now(UTC).date()):
        yield Finding("A well was drilled in the future", "bad", well.name)


PANELS = [Panel("wells", "Wells", ON, "luming_dummy/wells.html", panel, order=60)]
TIMELINES = [Timeline("samples", "Samples", ON, moments)]
TRAITS = [Trait("open-wells", "Open wells", "risk", frozenset({"facility"}), assess)]
CHECKS = [Check("wells", frozenset({"facility"}), check)]
