"""Invented discharge permits of the fleet's enterprises (演示数据), and what they allow.

Which enterprise has which permit, how much it may emit and what it usually emits is in data files; the dates hang on
the day of loading, as the history does, so that a demonstration always has a permit that expires soon and one that did.
One enterprise has none. What was emitted before the history begins stands in the allowances as reported.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import transaction

from luming.demo.fleet import Fleet, rows
from luming.domains.permitting import actions
from luming.domains.permitting.models import Permit
from luming.registry.models import Facility, Outlet
from luming.standards.amounts import month_end

ISSUER = "演示·生态环境局"
SOURCE = "演示排污许可证副本 大气（水）污染物许可排放量（虚构）"
REASON = "演示数据"
YEARS = 5  # Regulation on discharge permits, article 14


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a permit allows of a factor in a year, and what the enterprise usually emits in one (tonnes)."""

    facility: str
    outlet: str  # empty: the whole facility
    factor: str
    tonnes: float
    usual: float


def allowed() -> tuple[Allowed, ...]:
    """Return the allowances of the data file."""
    return tuple(
        Allowed(row["facility"], row["outlet"], row["factor"], float(row["tonnes"]), float(row["usual"]))
        for row in rows("allowances.csv")
    )


@transaction.atomic
def load(fleet: Fleet, first: date, today: date) -> int:
    """Enter the permits and allowances of enterprises that have no permit yet; return how many permits were made.

    Parameters
    ----------
    first : first day of the history.
    """
    by_code = {facility.code: facility for facility in fleet.facilities}
    held = Facility.objects.filter(is_demo=True, code__in=by_code, permits__isnull=True)
    facilities = {facility.code: facility for facility in held}
    outlets = {outlet.code: outlet for outlet in Outlet.objects.filter(facility__in=facilities.values())}
    by_facility: dict[str, list[Allowed]] = {}
    for row in allowed():
        by_facility.setdefault(row.facility, []).append(row)
    made = 0
    for row in rows("permits.csv"):
        if row["facility"] in facilities:
            permit = _permit(row, facilities[row["facility"]], by_code[row["facility"]].uscc, today)
            _allowances(permit, by_facility[row["facility"]], outlets, row["verified"] == "1", first, today)
            made += 1
    return made


def _permit(row: dict[str, str], facility: Facility, uscc: str, today: date) -> Permit:
    last = today + timedelta(days=int(row["days_left"]))
    begin = date(last.year - YEARS, last.month, min(last.day, 28)) + timedelta(days=1)
    return actions.create_permit(
        None,
        reason=REASON,
        number=f"{uscc}001P",
        facility=facility,
        category=row["category"],
        issued_by=ISSUER,
        issued_on=begin - timedelta(days=9),
        valid_from=begin,
        valid_to=last,
        note=REASON,
        is_demo=True,
    )


def _allowances(
    permit: Permit, wanted: Iterable[Allowed], outlets: dict[str, Outlet], verified: bool, first: date, today: date
) -> None:
    until = reported_until(first, today)
    years = {first.year, today.year} | ({today.year + 1} if today.month == 12 else set())
    for row in wanted:
        for year in sorted(years & set(range(permit.valid_from.year, permit.valid_to.year + 1))):
            actions.create_allowance(
                None,
                reason=REASON,
                permit=permit,
                outlet=outlets[f"{row.facility}-{row.outlet}"] if row.outlet else None,
                factor=row.factor,
                year=year,
                tonnes=row.tonnes,
                source=SOURCE,
                verified=verified,
                **(_reported(row, until) if until is not None and until.year == year else {}),
            )


def reported_until(first: date, today: date) -> date | None:
    """Return the last day of the months before the history, which the enterprises reported; None without any.

    The month in which the history begins counts as reported when it is over.
    """
    end = month_end(first)
    if end >= today:
        end = first.replace(day=1) - timedelta(days=1)
    return end if end.year == first.year else None


def _reported(row: Allowed, until: date) -> dict[str, Any]:
    days = (until - date(until.year, 1, 1)).days + 1
    return {"reported_tonnes": round(row.usual * days / 365, 3), "reported_until": until}
