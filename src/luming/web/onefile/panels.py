"""The web's own panels of the file; domains add theirs in their manifests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from luming.core import manifest
from luming.core.manifest import Panel
from luming.core.models import User
from luming.core.roles import ROLES
from luming.registry.models import Facility, Outlet, Place, Region, Station, region_prefix
from luming.registry.queries import city_day
from luming.telemetry import store
from luming.telemetry.models import Event, Gap
from luming.web import words
from luming.web.onefile import checks, events, neighbours, outlets, portrait, subjects, timeline
from luming.web.onefile.newest import newest
from luming.web.registers import record_parts
from luming.web.states import current

ROWS = 8
PLACES_SHOWN = 60

Context = Mapping[str, Any] | None


def kind_of(subject: Any) -> str:
    """Return what a subject is, as manifests name it."""
    if isinstance(subject, Station):
        return "section" if subject.medium == "water" else "station"
    return "outlet" if isinstance(subject, Outlet) else subject._meta.model_name


def identity(user: User, subject: Any) -> Context:
    """Show what the register says, and what checking it found."""
    findings = None
    if subjects.sees_whole(user):
        findings = [finding for check in manifest.checks(kind_of(subject)) for finding in check.run(subject)]
        order = list(checks.STATES)[::-1]
        findings.sort(key=lambda finding: order.index(finding.state))
    register = manifest.register_of(type(subject))
    return {"findings": findings, "states": checks.STATES, "register": register, "kind": kind_of(subject)}


def live(user: User, subject: Any) -> Context:
    """Show the outlets of a facility as they are now."""
    return {"rows": outlets.of(user, subject)}


def portrait_of(user: User, subject: Any) -> Context:
    """Show risk and trust with their reasons."""
    if not user.is_internal:
        return None  # a way for the bureau to choose where to look first, not a mark given to the enterprise
    return {"figures": portrait.figures(user, kind_of(subject), subject), "edition": portrait.edition()}


def surroundings(user: User, subject: Any) -> Context:
    """Show the map with its choice of distances, and the facilities near by."""
    km = neighbours.USUAL
    near = [] if isinstance(subject, Region) else neighbours.facilities(user, subject, neighbours.DISTANCES[-1], ROWS)
    return {"distances": neighbours.DISTANCES, "km": km, "near": near}


def signals(user: User, subject: Any) -> Context:
    """Show what wants attention: events above information, and what exceeded lately."""
    now = timezone.now() + timedelta(seconds=1)
    places, devices = subjects.place_ids(user, subject), subjects.device_ids(user, subject)
    grave = {"extra": "AND severity > 0"}
    mine = newest(Event, "place_id", places, "at", now, ROWS, **grave)
    mine |= newest(Event, "device_id", devices, "at", now, ROWS, **grave)
    found = list(
        Event.objects.filter(mine, severity__gt=0).select_related("place", "device").order_by("-at", "-id")[:ROWS]
    )
    for row in found:
        row.about = row.place or row.device
        row.sentence = words.event_sentence(row.kind, row.detail)
        row.tone = words.SEVERITIES.get(row.severity, "info")
    return {"events": found, "days": list(events.exceedances(user, subject, now, ROWS))}


def people(user: User, subject: Any) -> Context:
    """Show who answers for it: people of the enterprise, of the maintainers, and of the bureau.

    People outside the bureau see their own colleagues only.
    """
    groups = [(label, list(found)) for label, found in _groups(subject)]
    if not user.is_internal:
        groups = [
            (label, [one for one in found if one.organisation_id == user.organisation_id]) for label, found in groups
        ]
        groups = [(label, found) for label, found in groups if found]
    for _label, found in groups:
        for one in found:
            one.role_label = ROLES[one.role].label
    return {"groups": groups}


def _groups(subject: Any) -> Iterator[tuple[Any, Any]]:
    active = User.objects.filter(is_active=True).select_related("organisation").order_by("name")
    facility = subject if isinstance(subject, Facility) else getattr(subject, "facility", None)
    if facility is not None:
        own = facility.organisation_id
        yield _("Enterprise"), active.filter(organisation=own, role="enterprise") if own else User.objects.none()
    if not isinstance(subject, Region):
        maintained = Q(organisation__maintained_devices__place=subject.pk)
        if isinstance(subject, Facility):
            maintained = Q(organisation__maintained_devices__place__outlet__facility=subject)
        yield _("Maintainer"), active.filter(maintained, role="maintainer").distinct()
    yield _("Bureau"), _officers(active, subject)


def _officers(active: Any, subject: Any) -> list[User]:
    """Return the people of the bureau in charge of the region; where there are none, those of the whole city."""
    code = subject.code if isinstance(subject, Region) else subject.region_id
    rows = list(active.filter(role__in=("district", "enforcement", "registrar")))
    near = [one for one in rows if any(code.startswith(region_prefix(item)) for item in one.region_codes)]
    return near or [one for one in rows if not one.region_codes and one.role != "district"]


def documents(user: User, subject: Any) -> Context:
    """Show the files and notes of the record, with their forms for who may annotate."""
    register = manifest.register_of(type(subject))
    if register is None or not user.may(register.view):
        return None
    parts = record_parts.base(user, register, subject)
    parts |= record_parts.documents(user, register, subject) | record_parts.notes(user, register, subject)
    return {"parts": parts}


def story(user: User, subject: Any) -> Context:
    """Show the newest part of the timeline."""
    kind = kind_of(subject)
    found = timeline.page(user, kind, subject, timeline.read_instant(None))
    return {"page": found, "sources": timeline.sources(user, kind), "only": ""}


# ---- places ---------------------------------------------------------------------------------------------------------


def limits(user: User, outlet: Outlet) -> Context:
    """Show all limits of an outlet, those no longer or not yet in force marked."""
    today = city_day(timezone.now())
    rows = list(outlet.limits.all())
    for limit in rows:
        limit.in_force = limit.effective_from <= today <= (limit.effective_to or today)
    return {"limits": sorted(rows, key=lambda limit: (not limit.in_force, limit.factor, limit.basis))}


def packets(user: User, place: Place) -> Context:
    """Show the last packets of the place's devices."""
    ids = subjects.device_ids(user, place)
    return {"packets": store.packets(device_ids=ids, limit=ROWS) if ids else []}


def equipment(user: User, place: Place) -> Context:
    """Show the devices and their newest gaps."""
    ids = subjects.device_ids(user, place)
    gaps = Gap.objects.filter(device__in=ids).order_by("-start")[:ROWS] if ids else []
    return {"devices": subjects.devices_of(user, place), "gaps": gaps}


# ---- regions --------------------------------------------------------------------------------------------------------


def divisions(user: User, region: Region) -> Context:
    """Show the regions inside, with what is in them, counted through the funnels."""
    rows = list(region.children.order_by("code"))
    if not rows:
        return None
    places = Place.objects.visible_to(user).order_by().values("region").annotate(n=Count("pk"))
    facilities = Facility.objects.visible_to(user).order_by().values("region").annotate(n=Count("pk"))
    bad = Place.objects.visible_to(user).filter(current__state="exceeding").order_by()
    counts = {
        "place_count": {row["region"]: row["n"] for row in places},
        "facility_count": {row["region"]: row["n"] for row in facilities},
        "exceeding_count": {row["region"]: row["n"] for row in bad.values("region").annotate(n=Count("pk"))},
    }
    for row in rows:
        prefix = region_prefix(row.code)
        for name, found in counts.items():
            setattr(row, name, sum(number for code, number in found.items() if code.startswith(prefix)))
    return {"rows": rows}


def inside(user: User, region: Region) -> Context:
    """Show the stations of a region and how its places stand."""
    rows = subjects.places_within(user, region).filter(is_active=True)
    states = rows.order_by().values_list("medium", "current__state").annotate(n=Count("pk"))
    tallies: dict[str, Counter[str]] = {}
    for medium, state, number in states:
        tallies.setdefault(medium, Counter())[state or "no-data"] += number
    stations = rows.filter(kind=Place.Kind.STATION).select_related("current", "region", "outlet__facility")
    labels = dict(Place._meta.get_field("medium").flatchoices)
    return {
        "tallies": [
            (
                medium,
                labels[medium],
                sum(found.values()),
                [(words.state(key), key, n) for key, n in found.most_common()],
            )
            for medium, found in sorted(tallies.items())
        ],
        "rows": current(stations.order_by("medium", "code")[:PLACES_SHOWN]),
        "more": rows.filter(kind=Place.Kind.STATION).count() > PLACES_SHOWN,
    }


def sites(user: User, region: Region) -> Context:
    """Show the facilities of a region, those that exceed first, then those with exceedances in the last 30 days."""
    found = Facility.objects.visible_to(user).filter(region__code__startswith=region_prefix(region.code))
    since = timezone.now() - timedelta(days=30)
    outlets = Outlet.objects.filter(facility__in=found.order_by()).values("pk")
    exceeded = events.exceeding(outlets).filter(start__gte=since)
    counts = dict(exceeded.values_list("place__outlet__facility").annotate(n=Count("pk")))
    rows = list(
        found.annotate(
            outlet_count=Count("outlets", distinct=True),
            now=Count("outlets", filter=Q(outlets__current__state="exceeding"), distinct=True),
            lately=Q(pk__in=list(counts)),
        ).order_by("-now", "-lately", "code")[:PLACES_SHOWN]
    )
    for row in rows:
        row.exceeded = counts.get(row.pk, 0)
    rows.sort(key=lambda row: (-row.now, -row.exceeded, row.code))
    return {"rows": rows, "total": found.count()}


_PLACES = frozenset({"outlet", "station", "section"})
_SITES = _PLACES | {"facility"}
_ALL = _SITES | {"region"}


def _panel(key: str, label: Any, on: frozenset[str] | set[str], context: Any, order: int, **more: Any) -> Panel:
    return Panel(key, label, frozenset(on), f"web/onefile/{key}.html", context, order, **more)


PANELS = [
    _panel("identity", _("Identity and checks"), _ALL, identity, 10),
    _panel("outlets", _("Outlets now"), {"facility"}, live, 20),
    _panel("inside", _("Stations and states"), {"region"}, inside, 20),
    _panel("sites", _("Facilities"), {"region"}, sites, 22),
    _panel("divisions", _("Regions inside"), {"region"}, divisions, 24),
    _panel("portrait", _("Portrait"), _SITES, portrait_of, 30, wide=False),
    _panel("limits", _("Discharge limits"), {"outlet"}, limits, 35),
    _panel("surroundings", _("Map and neighbours"), _ALL, surroundings, 40),
    _panel("signals", _("Signals"), _ALL, signals, 110),
    _panel("packets", _("Last packets"), _PLACES, packets, 120, permission="packet.view", printed=False),
    _panel("equipment", _("Devices and gaps"), _PLACES, equipment, 125, wide=False, permission="device.view"),
    _panel("documents", _("Documents and notes"), _SITES, documents, 130, wide=False),
    _panel("people", _("People"), _ALL, people, 140, wide=False),
    _panel("timeline", _("Timeline"), _ALL, story, 200),
]
