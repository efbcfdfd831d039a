"""What must hold for a place, a device, a series or a limit; one list for pages, imports and commands.

Each rule looks at one record and asks the database nothing; :mod:`luming.registry.actions` and the import add what
needs the neighbours (unique keys, overlapping dates).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from luming.hj212 import SYSTEMS, find_factor
from luming.registry import units
from luming.registry.models import Device, FactorAlias, Interval, Limit, Medium, Outlet, Series, Station

# HJ 212-2017 6.3.1: 24 characters 0-9 A-F (EPC-96); HJ/T 212-2005 6.3: 14 characters. Loggers in the field also use
# letters beyond F, therefore all letters are taken.
MN_PATTERN = re.compile(r"[0-9A-Za-z]{14}|[0-9A-Za-z]{24}")

STATION_MEDIA = frozenset({Medium.AIR, Medium.WATER, Medium.NOISE})
OUTLET_MEDIA = {"DA": Medium.GAS, "DW": Medium.SEWAGE}
SYSTEM_OF_MEDIUM = {
    Medium.AIR: "22",
    Medium.WATER: "21",
    Medium.NOISE: "23",
    Medium.GAS: "31",
    Medium.SEWAGE: "32",
}
SECONDS = {Interval.REALTIME: 60, Interval.MINUTE: 600, Interval.HOUR: 3600, Interval.DAY: 86400}

Problems = dict[str, str]  # field -> sentence


def outlet_code(facility_code: str, number: str) -> str:
    """Return the code of an outlet among all places."""
    return f"{facility_code}-{number}"


def check(instance: models.Model) -> None:
    """Raise what is wrong with one record, all fields at once.

    Raises
    ------
    ValidationError
        With a dictionary of the fields.
    """
    if problems := problems_of(instance):
        raise ValidationError(problems)


def problems_of(instance: models.Model) -> Problems:
    """Return what is wrong with one record apart from its fields' own validators: field -> sentence."""
    rule = _RULES.get(type(instance))
    return rule(instance) if rule else {}


def _station(station: Station) -> Problems:
    problems = {}
    if station.medium not in STATION_MEDIA:
        problems["medium"] = _("A station measures air, water or noise; waste gas and waste water belong to outlets.")
    if station.medium != Medium.WATER and (station.water_body or station.target_class):
        problems["water_body"] = _("Water body and target class are for surface water only: leave them empty.")
    return problems


def _outlet(outlet: Outlet) -> Problems:
    problems = {}
    medium = OUTLET_MEDIA.get(outlet.number[:2])
    if medium and outlet.medium != medium:
        problems["medium"] = _(
            "DA outlets discharge waste gas and DW outlets waste water (HJ 608): mend one of the two."
        )
    if outlet.code != outlet_code(outlet.facility.code, outlet.number):
        problems["code"] = _("The code of an outlet is FACILITY-NUMBER, here %(code)s.") % {
            "code": outlet_code(outlet.facility.code, outlet.number)
        }
    return problems


def _device(device: Device) -> Problems:
    problems = {}
    if not MN_PATTERN.fullmatch(device.mn):
        problems["mn"] = _(
            "An MN has 24 letters and digits (HJ 212-2017, 2025) or 14 (HJ/T 212-2005), not %(count)d."
        ) % {"count": len(device.mn)}
    if device.system not in SYSTEMS:
        problems["system"] = _("“%(code)s” is no system code of HJ 212 (table of ST); such as 22, 31 or 32.") % {
            "code": device.system
        }
    return problems


def _series(series: Series) -> Problems:
    problems = factor_problem(series.factor) | unit_problem(series.unit)
    fixed = {Interval.HOUR: 3600, Interval.DAY: 86400}.get(series.interval)
    if fixed and series.seconds != fixed:
        problems["seconds"] = _("A series of this interval has %(seconds)d seconds.") % {"seconds": fixed}
    elif series.interval == Interval.MINUTE and (not 60 <= series.seconds < 3600 or 3600 % series.seconds):
        problems["seconds"] = _("Minute data come every 60 to 1800 seconds, a whole number of times per hour.")
    elif series.interval == Interval.REALTIME and not 1 <= series.seconds <= 3600:
        problems["seconds"] = _("Real-time data come every 1 to 3600 seconds.")
    if series.lower is not None and series.upper is not None and series.lower >= series.upper:
        problems["upper"] = _("The instrument's range ends above its beginning.")
    return problems


def _limit(limit: Limit) -> Problems:
    problems = factor_problem(limit.factor) | unit_problem(limit.unit)
    if limit.upper is None and limit.lower is None:
        problems["upper"] = _("A limit needs an upper or a lower bound.")
    elif limit.upper is not None and limit.lower is not None and limit.lower >= limit.upper:
        problems["upper"] = _("The upper limit must be above the lower one.")
    if limit.effective_to and limit.effective_to < limit.effective_from:
        problems["effective_to"] = _("The last day must not be before the first.")
    return problems


def _alias(alias: FactorAlias) -> Problems:
    return factor_problem(alias.factor)


def factor_problem(code: str) -> Problems:
    """Return the problem of a factor code that HJ 212 does not know."""
    if find_factor(code):
        return {}
    return {"factor": _("“%(code)s” is no factor code of HJ 212; such as a34004 or w01018.") % {"code": code}}


def unit_problem(text: str) -> Problems:
    """Return the problem of a unit that is not spelled as :mod:`luming.registry.units` spells it."""
    if units.known(text) == text:
        return {}
    if (better := units.known(text)) is not None:
        return {"unit": _("Write this unit as “%(unit)s”.") % {"unit": better}}
    return {"unit": _("“%(unit)s” is no unit known here; such as mg/m³, µg/m³, mg/L or dB.") % {"unit": text}}


_RULES = {Station: _station, Outlet: _outlet, Device: _device, Series: _series, Limit: _limit, FactorAlias: _alias}


def overlapping(limit: Limit, others: Iterable[Limit]) -> Limit | None:
    """Return one of ``others`` (same outlet, factor and basis) in force on a day on which ``limit`` is too."""
    for other in others:
        ends = other.effective_to or date.max
        if other.effective_from <= (limit.effective_to or date.max) and limit.effective_from <= ends:
            return other
    return None


def overlap_problem(limit: Limit, other: Limit) -> Problems:
    """Return the sentence about two limits in force on the same days."""
    day_before = limit.effective_from - timedelta(days=1)
    return {
        "effective_from": _(
            "Another limit of this outlet, factor and basis is in force from %(first)s to %(last)s: end it by "
            "%(day_before)s, or change it instead."
        )
        % {
            "first": other.effective_from.isoformat(),
            "last": other.effective_to.isoformat() if other.effective_to else _("further notice"),
            "day_before": day_before.isoformat(),
        }
    }
