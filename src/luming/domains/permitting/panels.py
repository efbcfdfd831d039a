"""The panel "emissions this year against permit" of facilities and outlets, and the same in the enterprises' portal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from luming.core.manifest import Panel, Section
from luming.core.models import User
from luming.domains.permitting import accounts, factors, links, words
from luming.domains.permitting.accounts import Line, Month
from luming.domains.permitting.models import Permit
from luming.registry.models import Facility, Outlet, Place
from luming.standards.edition import city_day

LOW_COVERAGE = 0.75  # below it the figure says little; said in words beside it
BAR = 100.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A month in the small chart: position and height in a box of 12 × 10."""

    x: float
    height: float
    label: str
    known: bool

    @property
    def y(self) -> float:
        """Return where the bar begins, counted from above."""
        return 10 - self.height


@dataclass(frozen=True, slots=True)
class Row:
    """A line as the template shows it."""

    line: Line

    @property
    def name(self) -> str:
        """Return the factor's name."""
        return factors.name(self.line.factor)

    @property
    def word(self) -> words.Word:
        """Return how the account stands."""
        return words.STANDINGS[self.line.account.standing]

    @property
    def emitted(self) -> str:
        """Return the tonnes until now."""
        return words.amount(self.line.account.emitted)

    @property
    def reported(self) -> str:
        """Return how much of it was reported by the enterprise, empty for nothing."""
        return words.amount(self.line.account.reported) if self.line.account.reported else ""

    @property
    def reported_until(self) -> date:
        """Return the last day of what was reported."""
        return self.line.account.counted_from - timedelta(days=1)

    @property
    def allowed(self) -> str:
        """Return the allowance in tonnes."""
        return words.amount(self.line.account.allowance)

    @property
    def used(self) -> str:
        """Return the share of the allowance that is used."""
        return words.per_cent(self.line.account.share)

    @property
    def projected(self) -> str:
        """Return what the year will come to."""
        return words.amount(self.line.account.projected)

    @property
    def coverage(self) -> str:
        """Return the share of hours that were there, rounded down: what is not complete is not written as complete."""
        share = self.line.account.coverage
        return "—" if share is None else f"{int(share * 1000) / 10:g} %"

    @property
    def is_thin(self) -> bool:
        """Tell whether too few hours were there."""
        share = self.line.account.coverage
        return share is not None and share < LOW_COVERAGE

    @property
    def url(self) -> str:
        """Return the address of the days that the figure was summed from."""
        account = self.line.account
        where = {"outlet": self.line.outlet_id} if self.line.outlet_id else {"outlet__facility": self.line.facility_id}
        return links.days(account.counted_from, city_day(account.now), factor=self.line.factor, **where)

    # The bar: 100 is the allowance, or what is used or projected when that is more.

    @property
    def _scale(self) -> float:
        account = self.line.account
        shares = [1.0, account.share or 0.0]
        if account.projected is not None and account.allowance:
            shares.append(account.projected / account.allowance)
        return BAR / max(shares)

    @property
    def used_to(self) -> float:
        """Return where the bar of what is used ends."""
        return round((self.line.account.share or 0.0) * self._scale, 2)

    @property
    def projected_to(self) -> float:
        """Return where the bar of what is projected ends."""
        account = self.line.account
        if account.projected is None or not account.allowance:
            return self.used_to
        return round(account.projected / account.allowance * self._scale, 2)

    @property
    def pace_at(self) -> float:
        """Return where an even pace would be today."""
        return round(self.line.account.pace * self._scale, 2)

    @property
    def limit_at(self) -> float:
        """Return where the allowance ends."""
        return round(self._scale, 2)

    @property
    def bars(self) -> list[Bar]:
        """Return the last twelve months."""
        highest = max((month.tonnes or 0.0 for month in self.line.months), default=0.0)
        return [
            Bar(i, 0.0 if not highest else round(9.5 * (month.tonnes or 0.0) / highest, 2), _month(month),
                month.tonnes is not None)
            for i, month in enumerate(self.line.months)
        ]  # fmt: skip

    @property
    def months_text(self) -> str:
        """Return the months with data in words, for those who do not see the chart."""
        return ", ".join(_month(month) for month in self.line.months if month.tonnes is not None)


def _month(month: Month) -> str:
    return f"{month.start:%Y-%m}: {words.amount(month.tonnes)} t"


@dataclass(frozen=True, slots=True)
class Named:
    """The lines of one outlet that a permit names."""

    outlet: Any
    rows: Sequence[Row]


def _rows(lines: Sequence[Line]) -> tuple[list[Row], list[Named]]:
    """Return the rows of the facility and those of its outlets."""
    own = [Row(line) for line in lines if line.outlet_id is None]
    by_outlet: dict[int, list[Row]] = {}
    for line in lines:
        if line.outlet_id is not None:
            by_outlet.setdefault(line.outlet_id, []).append(Row(line))
    return own, [Named(rows[0].line.allowance.outlet, rows) for rows in by_outlet.values()]  # type: ignore[union-attr]


def _shared(rows: Sequence[Row], permit: Permit | None) -> dict[str, Any]:
    today = timezone.localdate()
    return {
        "year": today.year,
        "today": today,
        "permit": permit,
        "permit_word": words.PERMITS[permit.standing(today)] if permit is not None else None,
        "permit_url": links.permit(permit) if permit is not None else "",
        "reported_until": ", ".join(sorted({row.reported_until.isoformat() for row in rows if row.reported})),
        "has_allowance": any(row.line.allowance for row in rows),
        "unverified": any(row.line.allowance and not row.line.allowance.verified for row in rows),
    }


def facility_context(user: User, facility: Facility) -> Mapping[str, Any] | None:
    """Return a facility's permit and accounts: four queries whatever the number of outlets; None for a maintainer."""
    if user.role == "maintainer":
        return None
    permit = accounts.permit_of(user, facility)
    own, named = _rows(accounts.of_facility(user, facility))
    every = [*own, *(row for group in named for row in group.rows)]
    return {"rows": own, "named": named, **_shared(every, permit), **_to_enter(user, facility, permit, own)}


def _to_enter(user: User, facility: Facility, permit: Permit | None, rows: Sequence[Row]) -> dict[str, str]:
    """Return where a register keeper enters what is missing: the permit, or allowances of it."""
    if not user.may("permit.edit"):
        return {}
    if permit is None:
        return {"enter_permit": links.new("permits", facility=facility.pk)}
    if all(row.line.allowance for row in rows):
        return {}
    return {"enter_allowance": links.new("allowances", permit=permit.pk, year=timezone.localdate().year)}


def outlet_context(user: User, outlet: Outlet | Place) -> Mapping[str, Any] | None:
    """Return an outlet's accounts, also of what no permit names; None when its amounts are not counted."""
    own = outlet if isinstance(outlet, Outlet) else outlet.outlet
    rows = [Row(line) for line in accounts.of_outlet(own.facility_id, own.pk)]
    if not rows:
        return None
    permit = accounts.permit_of(user, own.facility)
    return {"rows": rows, "named": [], "is_outlet": True, **_shared(rows, permit)}


def portal_context(user: User) -> Mapping[str, Any] | None:
    """Return the enterprise's own facilities, each with permit and accounts; five queries."""
    facilities = list(Facility.objects.visible_to(user).order_by("code"))
    if not facilities:
        return None
    keys = [facility.pk for facility in facilities]
    permits = accounts.permits_of(user, keys, timezone.localdate())
    lines = accounts.of_facilities(user, keys)
    found = []
    for facility in facilities:
        own, named = _rows(lines.get(facility.pk, []))
        every = [*own, *(row for group in named for row in group.rows)]
        shared = _shared(every, permits.get(facility.pk))
        found.append({"facility": facility, "rows": own, "named": named, **shared})
    return {"files": found}


PANELS = [
    Panel(
        "emissions",
        _("Emissions this year against permit"),
        frozenset({"facility"}),
        "permitting/panel.html",
        facility_context,
        order=30,
    ),
    Panel(
        "emissions",
        _("Emissions this year against permit"),
        frozenset({"outlet"}),
        "permitting/panel.html",
        outlet_context,
        order=60,
    ),
]

PORTAL_SECTIONS = [
    Section(
        "permit",
        _("Permit and emissions"),
        "permitting/portal.html",
        portal_context,
        order=30,
        icon="certificate",
    ),
]
