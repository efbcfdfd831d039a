"""The registers of places: regions, facilities, outlets, stations, devices, series and limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from luming import hj212
from luming.core.models import Organisation, User
from luming.core.registers import Column, Filter, Group, Register, Related
from luming.registry import actions
from luming.registry.models import Device, Facility, Limit, Outlet, Series, Station

Choices = Sequence[tuple[str, Any]]


def _named(found: Any, code: str) -> str:
    """Return the name of a factor or system in the reader's language; an unknown code stays a code."""
    if found is None:
        return code
    return (found.name_zh if (get_language() or "").startswith("zh") else found.name_en) or code


def _factor(record: Any) -> SafeString:
    """Write a factor by its name, with the code that files and packets have."""
    name = _named(hj212.FACTORS.get(record.factor), record.factor)
    return format_html('{} <span class="text-secondary">{}</span>', name, record.factor)


def _system(device: Any) -> SafeString:
    """Write a system (ST) by its code and name."""
    name = _named(hj212.SYSTEMS.get(device.system), "")
    return format_html('{} <span class="text-secondary">{}</span>', device.system, name)


def _present(model: Any, field: str, table: Any = None) -> Callable[[User], Choices]:
    """Return the choices of a filter: the values that the user's records have, by name where a table names them."""

    def choices(user: User) -> Choices:
        values = model.objects.visible_to(user).order_by(field).values_list(field, flat=True).distinct()
        named = [(value, _named((table or {}).get(value), value)) for value in values if value]
        return sorted(named, key=lambda item: str(item[1]))

    return choices


def _with_outlets(facilities: QuerySet[Any], user: User) -> QuerySet[Any]:
    """Annotate facilities with how many outlets they have."""
    own = Outlet.objects.filter(facility=OuterRef("pk")).order_by().values("facility").values(number=Count("pk"))
    return facilities.annotate(outlet_count=Coalesce(Subquery(own), 0))


REGISTERS = [
    Register(
        key="facilities",
        model=Facility,
        icon="building-factory-2",
        order=10,
        columns=[
            "name",
            "code",
            Column("uscc", kind="code"),
            "region",
            "industry",
            "status",
            Column("outlet_count", _("Outlets"), kind="integer", sortable=False),
            Column("address", shown=False),
            Column("organisation", shown=False),
            Column("longitude", shown=False),
            Column("latitude", shown=False),
        ],
        filters=[
            "region",
            Filter("industry", choices=_present(Facility, "industry")),
            "status",
            "organisation",
            "is_demo",
        ],
        annotate=_with_outlets,
        search=["name", "code", "uscc", "address"],
        form=[
            Group(_("Identity"), ["name", "code", "uscc", "organisation", "industry", "status"]),
            Group(_("Where it is"), ["region", "address", "longitude", "latitude"]),
        ],
        natural_key=["code"],
        bulk=["region", "industry", "status"],
        related=[Related("outlets", "facility")],
        select=["region", "organisation"],
        page=lambda record: reverse("facility", args=[record.pk]),
        create=actions.create_facility,
        change=actions.change_facility,
        position=("longitude", "latitude"),
        help="how-to/import-places",
        description=_("Enterprises' sites that the law regulates, each with its outlets."),
        cycle=_("when something changes"),
    ),
    Register(
        key="outlets",
        model=Outlet,
        icon="droplet",
        order=20,
        columns=[
            "name",
            "number",
            "facility",
            "medium",
            "region",
            "process",
            Column("height_m", decimals=0),
            Column("reference_oxygen", shown=False),
            "is_active",
            Column("commissioned_at", shown=False),
            Column("code", shown=False),
            Column("longitude", shown=False),
            Column("latitude", shown=False),
        ],
        filters=["facility", "medium", "region", Filter("process", choices=_present(Outlet, "process")), "is_active"],
        search=["name", "code", "number", "facility__name"],
        form=[
            Group(_("Identity"), ["facility", "number", "name", "process", "note"]),
            Group(_("Technical data"), ["height_m", "reference_oxygen", "commissioned_at", "is_active"]),
            Group(_("Where it is"), ["region", "longitude", "latitude"]),
        ],
        natural_key=["facility", "number"],
        bulk=["process", "is_active"],
        related=[Related("devices", "place"), Related("series", "place"), Related("limits", "outlet")],
        select=["facility", "region"],
        page=lambda record: reverse("place", args=[record.pk]),
        create=actions.create_outlet,
        change=actions.change_outlet,
        position=("longitude", "latitude"),
        help="how-to/import-places",
        description=_("Discharge outlets of facilities: waste gas (DA) and waste water (DW)."),
        cycle=_("when something changes"),
    ),
    Register(
        key="stations",
        model=Station,
        icon="map-pin",
        order=30,
        columns=[
            "name",
            "code",
            "medium",
            "region",
            "control",
            "zone_class",
            "target_class",
            "is_active",
            Column("water_body", shown=False),
            Column("commissioned_at", shown=False),
            Column("longitude", shown=False),
            Column("latitude", shown=False),
        ],
        filters=["medium", "region", "control", "is_active"],
        search=["name", "code"],
        form=[
            Group(_("Identity"), ["name", "code", "medium", "control", "note"]),
            Group(_("What it is judged by"), ["zone_class", "water_body", "target_class"]),
            Group(_("Where it is"), ["region", "longitude", "latitude", "commissioned_at", "is_active"]),
        ],
        natural_key=["code"],
        bulk=["control", "zone_class", "is_active"],
        related=[Related("devices", "place"), Related("series", "place")],
        select=["region"],
        page=lambda record: reverse("place", args=[record.pk]),
        create=actions.create_station,
        change=actions.change_station,
        position=("longitude", "latitude"),
        help="how-to/import-places",
        description=_("Where the environment is measured; river sections are stations of surface water."),
        cycle=_("when something changes"),
    ),
    Register(
        key="devices",
        model=Device,
        icon="router",
        order=40,
        view="device.view",
        columns=[
            Column("mn", kind="code"),
            "name",
            "place",
            Column("system", render=_system),
            "edition",
            "maintainer",
            "is_active",
            Column("realtime_seconds", shown=False),
            Column("minute_interval", shown=False),
            Column("overtime_seconds", shown=False),
            Column("resend_count", shown=False),
        ],
        filters=[
            "place",
            Filter("system", choices=_present(Device, "system", hj212.SYSTEMS)),
            "edition",
            "maintainer",
            "is_active",
        ],
        search=["mn", "name", "place__name"],
        form=[
            Group(_("Identity"), ["mn", "name", "place", "system", "edition", "maintainer"]),
            Group(
                _("Protocol"),
                ["password", "networks", "realtime_seconds", "minute_interval", "overtime_seconds", "resend_count"],
            ),
            Group(_("State"), ["is_active"]),
        ],
        natural_key=["mn"],
        bulk=["maintainer", "edition", "is_active", "realtime_seconds"],
        select=["place", "maintainer"],
        page=lambda record: reverse("device", args=[record.pk]),
        create=actions.create_device,
        change=actions.change_device,
        help="how-to/import-places",
        description=_("Data loggers that speak HJ 212, known by their MN."),
        cycle=_("when something changes"),
    ),
    Register(
        key="limits",
        model=Limit,
        icon="ruler-measure",
        order=60,
        columns=[
            "outlet",
            Column("factor", render=_factor),
            "basis",
            "upper",
            "lower",
            "unit",
            "converted",
            "source",
            "verified",
            "effective_from",
            "effective_to",
        ],
        filters=[
            "outlet",
            Filter("factor", choices=_present(Limit, "factor", hj212.FACTORS)),
            "basis",
            "verified",
            "effective_from",
        ],
        search=["outlet__name", "factor", "source"],
        natural_key=["outlet", "factor", "basis", "effective_from"],
        bulk=["source", "verified", "effective_to"],
        select=["outlet", "outlet__facility"],
        create=actions.create_limit,
        change=actions.change_limit,
        help="how-to/import-places",
        description=_("What outlets may discharge, with the text each limit comes from and its dates."),
        cycle=_("when a standard or permit changes"),
    ),
    Register(
        key="series",
        model=Series,
        icon="timeline",
        order=70,
        columns=[
            "place",
            Column("factor", render=_factor),
            "interval",
            "seconds",
            "unit",
            "expected",
            "lower",
            "upper",
            Column("created_at", shown=False),
        ],
        filters=[
            "place",
            Filter("factor", choices=_present(Series, "factor", hj212.FACTORS)),
            "interval",
            "expected",
        ],
        menu=False,
        search=["place__name", "factor"],
        natural_key=["place", "factor", "interval"],
        bulk=["expected", "lower", "upper"],
        select=["place"],
        create=actions.create_series,
        change=actions.change_series,
        help="how-to/import-places",
        description=_("What is measured where: one factor at one place at one interval."),
        cycle=_("when a device is adopted or changed"),
    ),
    Register(
        key="organisations",
        model=Organisation,
        icon="users",
        order=80,
        columns=["name", "kind"],
        filters=["kind"],
        search=["name"],
        natural_key=["name"],
        related=[Related("facilities", "organisation"), Related("devices", "maintainer")],
        help="how-to/import-places",
        description=_("The bureau, its district bureaus, enterprises and maintainers that people belong to."),
        cycle=_("when something changes"),
    ),
]
