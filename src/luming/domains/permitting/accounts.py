"""A year's emissions against what permits allow, for one facility or all of them in the same few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import F, Sum
from django.db.models.functions import TruncMonth

from luming.core.memo import once
from luming.core.models import User
from luming.domains.permitting.factors import rank
from luming.domains.permitting.models import Allowance, EmissionDay, Permit
from luming.registry.models import Facility, Interval, Series
from luming.standards.amounts import Account, expected_hours
from luming.standards.edition import city_day

KILOGRAMS_PER_TONNE = 1000.0
STANDINGS = ("over", "ahead", "within", "none")  # worst first


class Month(NamedTuple):
    """What devices measured in a month; nothing at all is None."""

    start: date
    tonnes: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """One factor of a facility or outlet in a year."""

    facility_id: int
    outlet_id: int | None
    factor: str
    allowance: Allowance | None
    account: Account
    months: Sequence[Month]

    @property
    def rank(self) -> tuple[int, int, int, str]:
        """Return where the line stands in a list: the facility's, those with an allowance, the usual factors first."""
        return (self.outlet_id or 0, 0 if self.allowance else 1, *rank(self.factor))


class _Sum(NamedTuple):
    kilograms: float
    present: int
    stopped: int


@dataclass(slots=True)
class _Data:
    """What the lines are made of, by facility and factor."""

    allowances: dict[tuple[int, int | None, str], Allowance] = field(default_factory=dict)
    sums: dict[tuple[int, str], dict[tuple[int, date], _Sum]] = field(default_factory=dict)
    outlets: dict[tuple[int, str], dict[int, datetime | None]] = field(default_factory=dict)


def of_facilities(
    user: User, facilities: Iterable[int] | None = None, *, now: datetime | None = None
) -> dict[int, list[Line]]:
    """Return the lines of whole facilities (of all visible ones without ``facilities``); three queries.

    A factor has a line when a permit allows an amount of it, or when amounts of it arrive; the lines of outlets that a
    permit names follow those of the facility. A maintainer, who sees single outlets only, gets none.
    """
    if user.role == "maintainer":
        return {}
    now = now or datetime.now(UTC)
    visible = Facility.objects.visible_to(user)
    wanted = visible.values("pk") if facilities is None else visible.filter(pk__in=list(facilities)).values("pk")
    data = _read(wanted, None, now)
    found: dict[int, list[Line]] = defaultdict(list)
    keys = set(data.allowances) | {(facility_id, None, factor) for facility_id, factor in data.sums}
    for facility_id, outlet_id, factor in keys:
        found[facility_id].append(_line(data, facility_id, outlet_id, factor, now))
    return {facility_id: sorted(lines, key=lambda line: line.rank) for facility_id, lines in found.items()}


def of_facility(user: User, facility: Facility) -> list[Line]:
    """Return the lines of one facility, read once per request: several hooks of its page need them."""
    return once(
        user,
        f"permitting.facility.{facility.pk}",
        lambda: of_facilities(user, [facility.pk]).get(facility.pk, []),
    )


def of_city(user: User) -> dict[int, list[Line]]:
    """Return the lines of all visible facilities, read once per request: every tile needs them."""
    return once(user, "permitting.city", lambda: of_facilities(user))


def of_outlet(facility_id: int, outlet_id: int, *, now: datetime | None = None) -> list[Line]:
    """Return the lines of one outlet, which the caller has found in the user's scope; three queries."""
    now = now or datetime.now(UTC)
    data = _read([facility_id], outlet_id, now)
    factors = {factor for _facility, factor in data.sums} | {key[2] for key in data.allowances if key[1] == outlet_id}
    lines = [_line(data, facility_id, outlet_id, factor, now) for factor in factors]
    return sorted(lines, key=lambda line: line.rank)


def permits_of(user: User, facility_ids: Iterable[int], day: date) -> dict[int, Permit]:
    """Return the permit that each facility shows: the one in force, else the one that ended last; one query."""
    found: dict[int, Permit] = {}
    rows = Permit.objects.visible_to(user).filter(facility__in=list(facility_ids), valid_from__lte=day)
    for permit in rows.order_by("valid_to", "valid_from"):
        held = found.get(permit.facility_id)
        if held is None or permit.standing(day) in ("valid", "expiring") or held.standing(day) not in (
            "valid", "expiring",
        ):  # fmt: skip
            found[permit.facility_id] = permit
    return found


def permit_of(user: User, facility: Facility) -> Permit | None:
    """Return the permit that a facility shows today, read once per request."""
    today = city_day(datetime.now(UTC))
    key = f"permitting.permit.{facility.pk}"
    return once(user, key, lambda: permits_of(user, [facility.pk], today).get(facility.pk))


def worst(lines: Iterable[Line]) -> Line | None:
    """Return the line that needs attention first: over its allowance, going to be, the largest share used."""
    allowed = [line for line in lines if line.account.share is not None]
    return min(
        allowed, key=lambda line: (STANDINGS.index(line.account.standing), -(line.account.share or 0)), default=None
    )


def _read(facilities: Any, outlet_id: int | None, now: datetime) -> _Data:
    data = _Data()
    today = city_day(now)
    allowances = Allowance.objects.filter(
        permit__facility__in=facilities, year=today.year, permit__status=Permit.Status.VALID
    )
    if outlet_id is not None:
        allowances = allowances.filter(outlet=outlet_id)
    for row in allowances.select_related("permit", "outlet").order_by("permit__valid_from"):  # the later permit wins
        data.allowances[row.permit.facility_id, row.outlet_id, row.factor] = row
    of_outlets = {"outlet__facility__in": facilities} if outlet_id is None else {"outlet": outlet_id}
    rows = (
        EmissionDay.objects.filter(**of_outlets, day__gte=_months(today)[0], day__lte=today)
        .order_by()
        .values_list("outlet__facility", "outlet", "factor", TruncMonth("day"))
        .annotate(Sum("amount_kg"), Sum("hours_present"), stopped=Sum(24 - F("hours_expected")))
    )
    for facility_id, outlet, factor, month, *figures in rows:
        data.sums.setdefault((facility_id, factor), {})[outlet, month] = _Sum(*figures)
    found = {factor for _facility, factor in data.sums} | {key[2] for key in data.allowances}
    series = Series.objects.filter(interval=Interval.HOUR, expected=True, factor__in=found)
    if outlet_id is None:
        series = series.filter(place__outlet__facility__in=facilities)
    else:
        series = series.filter(place=outlet_id)
    for facility_id, outlet, factor, since in series.values_list(
        "place__outlet__facility", "place", "factor", "place__commissioned_at"
    ):
        data.outlets.setdefault((facility_id, factor), {})[outlet] = since
    return data


def _months(today: date) -> list[date]:
    """Return the first days of the last twelve months, oldest first; January of this year is always among them."""
    count = today.year * 12 + today.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(count - 11, count + 1)]


def _line(data: _Data, facility_id: int, outlet_id: int | None, factor: str, now: datetime) -> Line:
    today = city_day(now)
    allowance = data.allowances.get((facility_id, outlet_id, factor))
    counted_from = date(today.year, 1, 1)
    reported = 0.0
    if allowance is not None and allowance.reported_until is not None:
        counted_from = allowance.reported_until + timedelta(days=1)
        reported = allowance.reported_tonnes or 0.0
    sums = [
        (month, figures)
        for (outlet, month), figures in data.sums.get((facility_id, factor), {}).items()
        if outlet_id in (None, outlet)
    ]
    counted = [figures for month, figures in sums if month >= counted_from]
    stopped = sum(figures.stopped for figures in counted)
    outlets = data.outlets.get((facility_id, factor), {})
    commissioned = [since for outlet, since in outlets.items() if outlet_id in (None, outlet)]
    expected = sum(expected_hours(counted_from, now, since=since) for since in commissioned) - stopped
    account = Account(
        year=today.year,
        now=now,
        counted_from=counted_from,
        reported=reported,
        monitored=sum(figures.kilograms for figures in counted) / KILOGRAMS_PER_TONNE,
        present=sum(figures.present for figures in counted),
        stopped=stopped,
        expected=max(0.0, expected),
        allowance=allowance.tonnes if allowance is not None else None,
    )
    by_month: dict[date, float] = defaultdict(float)
    for month, figures in sums:
        if figures.present or figures.stopped:
            by_month[month] += figures.kilograms / KILOGRAMS_PER_TONNE
    months = [Month(month, by_month.get(month)) for month in _months(today)]
    return Line(facility_id, outlet_id, factor, allowance, account, months)
