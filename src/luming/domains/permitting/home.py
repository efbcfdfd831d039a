"""What permitting puts on the home page and the cockpit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.manifest import Concern, Figure, Item, Tile
from luming.core.models import User
from luming.domains.permitting import accounts, factors, links, words
from luming.domains.permitting.accounts import Line
from luming.domains.permitting.models import RENEWAL, Permit
from luming.registry.models import Facility
from luming.standards.edition import CITY_ZONE

LOOKED_BACK = timedelta(days=365)  # a permit that expired longer ago is no news
CITY_FACTORS = {"so2": "a21026", "nox": "a21002", "pm": "a34013", "cod": "w01018"}


# ---- home ------------------------------------------------------------------------------------------------------------


def permits_due(user: User, since: datetime) -> Sequence[Item]:
    """Return the permits that expired or whose renewal is due, unless a later one is entered; two queries."""
    today = timezone.localdate()
    rows = (
        Permit.objects.visible_to(user)
        .filter(
            status=Permit.Status.VALID, valid_to__gte=today - LOOKED_BACK, valid_to__lt=today + RENEWAL,
            facility__status=Facility.Status.RUNNING,
        )
        .select_related("facility")
        .order_by("valid_to")
    )  # fmt: skip
    renewed = dict(
        Permit.objects.filter(facility__in=[row.facility_id for row in rows], status=Permit.Status.VALID)
        .order_by("valid_to")
        .values_list("facility_id", "valid_to")
    )
    return [_due(permit, today) for permit in rows if renewed[permit.facility_id] == permit.valid_to]


def _due(permit: Permit, today: date) -> Item:
    word = words.PERMITS[permit.standing(today)]
    left = (permit.valid_to - today).days
    text = _("in %(days)d days") % {"days": left} if left >= 0 else _("%(days)d days ago") % {"days": -left}
    return Item(
        permit.facility.name, links.permit(permit) or links.facility(permit.facility_id),
        f"{permit.number} · {permit.valid_to.isoformat()}", tone=word.tone, icon="certificate", value=text,
    )  # fmt: skip


def allowances_short(user: User, since: datetime) -> Sequence[Item]:
    """Return facilities that are over an allowance or will be before the year ends, the worst first; four queries."""
    lines = [
        line
        for group in accounts.of_city(user).values()
        for line in group
        if line.account.standing in ("over", "ahead")
    ]
    names = dict(Facility.objects.filter(pk__in={line.facility_id for line in lines}).values_list("pk", "name"))
    lines.sort(key=lambda line: (accounts.STANDINGS.index(line.account.standing), -(line.account.share or 0)))
    return [_short(line, names[line.facility_id]) for line in lines]


def _short(line: Line, facility: str) -> Item:
    account = line.account
    word = words.STANDINGS[account.standing]
    outlet = line.allowance.outlet if line.allowance is not None else None
    return Item(
        facility if outlet is None else f"{facility} {outlet.number}",
        links.facility(line.facility_id),
        _("%(factor)s: %(emitted)s t of %(allowed)s t, projected %(projected)s t")
        % {
            "factor": factors.name(line.factor),
            "emitted": words.amount(account.emitted),
            "allowed": words.amount(account.allowance),
            "projected": words.amount(account.projected),
        },
        tone=word.tone,
        icon="scale",
        value=words.per_cent(account.share),
    )


CONCERNS = [
    Concern(
        "permits-due",
        gettext_lazy("Permits that expire"),
        "todo",
        permits_due,
        permission="permit.edit",
        order=60,
        url=lambda: links.register(
            "permits",
            valid_to_before=(timezone.localdate() + RENEWAL - timedelta(days=1)).isoformat(),  # inclusive
            status="valid",
        ),
    ),
    Concern(
        "allowances-short",
        gettext_lazy("Allowances that are or will be exceeded"),
        "wrong",
        allowances_short,
        order=60,
        url=lambda: links.register("allowances"),
    ),
]


# ---- cockpit ---------------------------------------------------------------------------------------------------------


def city_figure(factor: str) -> Callable[[User], Figure | None]:
    """Return the figure of a factor: what the user's facilities emitted this year against their allowances."""

    def figure(user: User) -> Figure | None:
        groups = accounts.of_city(user).values()
        lines = [line for group in groups for line in group if (line.outlet_id, line.factor) == (None, factor)]
        if not lines:
            return None
        now = lines[0].account.now
        allowed = sum(line.account.allowance or 0.0 for line in lines)
        # Only what has an allowance is compared with the allowances.
        compared = sum(line.account.emitted for line in lines if line.allowance is not None)
        expected = sum(line.account.expected for line in lines)
        present = sum(line.account.present for line in lines)
        pace = lines[0].account.pace
        return Figure(
            value=sum(line.account.emitted for line in lines),
            url=links.days(date(lines[0].account.year, 1, 1), timezone.localdate(now), factor=factor),
            unit="t",
            trend=_trend(lines),
            target=allowed or None,
            good=None if not allowed else compared <= allowed * pace,
            note=_note(compared, allowed, pace),
            coverage=None if expected <= 0 else min(1.0, present / expected),
            colour="#2f9e6e" if not allowed or compared <= allowed * pace else "#e8a317",
        )

    return figure


def _note(compared: float, allowed: float, pace: float) -> str:
    if not allowed:
        return _("no allowance entered; missing hours not substituted")
    return _("%(used)s of the allowances used, %(pace)s of the year over; missing hours not substituted") % {
        "used": words.per_cent(compared / allowed),
        "pace": words.per_cent(pace),
    }


def _trend(lines: Sequence[Line]) -> list[tuple[datetime, float | None]]:
    """Return the months of all facilities together."""
    months: dict[date, float | None] = defaultdict(lambda: None)
    for line in lines:
        for month in line.months:
            if month.tonnes is not None:
                months[month.start] = (months[month.start] or 0.0) + month.tonnes
    starts = [month.start for month in lines[0].months]
    return [(datetime(start.year, start.month, 1, tzinfo=CITY_ZONE), months[start]) for start in starts]


_LABELS = {
    "so2": gettext_lazy("SO₂ emitted this year"),
    "nox": gettext_lazy("NOx emitted this year"),
    "pm": gettext_lazy("Particles emitted this year"),
    "cod": gettext_lazy("COD emitted this year"),
}
TILES = [
    Tile(f"emission-{key}", _LABELS[key], "sources", city_figure(code), order=40 + position)
    for position, (key, code) in enumerate(CITY_FACTORS.items())
]
