"""The portrait: two figures, risk and trust, each the sum of reasons that lead to their evidence.

The weights are configuration in one dated table (``weights.toml``), shown with its edition. They are this product's own
method, made to say where to look first; no law knows them.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib import resources
from typing import Any

from django.db.models import Count, Max, Min, Q, Sum
from django.db.models.functions import Coalesce, Greatest, Least, TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core import manifest
from luming.core.manifest import Reason, Trait
from luming.core.models import User
from luming.registry.models import Limit, Outlet, Place
from luming.registry.queries import limits_in_force
from luming.telemetry import store
from luming.telemetry.models import Connection, Gap
from luming.web import words
from luming.web.live import shared
from luming.web.onefile import subjects
from luming.web.onefile.events import exceeding
from luming.web.templatetags.luming import offset


@dataclass(frozen=True, slots=True)
class Edition:
    """The weights in force from a day on."""

    key: str
    effective_from: date
    verified: bool
    base: dict[str, float]
    risk: dict[str, float]
    trust: dict[str, float]


@functools.cache
def editions() -> tuple[Edition, ...]:
    """Return all editions, oldest first."""
    text = resources.files(__package__).joinpath("weights.toml").read_text(encoding="utf-8")
    found = [Edition(**entry) for entry in tomllib.loads(text)["edition"]]
    return tuple(sorted(found, key=lambda entry: entry.effective_from))


def edition(day: date | None = None) -> Edition:
    """Return the edition in force on a day; before the first one, the first."""
    day = day or timezone.localdate()
    return next((entry for entry in reversed(editions()) if entry.effective_from <= day), editions()[0])


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the portrait with its reasons, the heaviest first."""

    key: str
    label: Any
    value: int
    base: int
    tone: str  # good, warning or danger
    reasons: list[Reason]


LABELS = {"risk": gettext_lazy("Risk"), "trust": gettext_lazy("Trust in the data")}


def figures(user: User, kind: str, subject: Any) -> list[Figure]:
    """Return the figures that anything says something about."""
    reasons: dict[str, list[Reason]] = {}
    for trait in manifest.traits(kind):
        reasons.setdefault(trait.figure, []).extend(trait.assess(user, subject))
    return [_figure(key, reasons[key]) for key in LABELS if key in reasons]


def _figure(key: str, reasons: Iterable[Reason]) -> Figure:
    ordered = sorted(reasons, key=lambda reason: -abs(reason.points))
    base = edition().base[key]
    value = round(min(100.0, max(0.0, base + sum(reason.points for reason in ordered))))
    concern = value if key == "risk" else 100 - value
    tone = "good" if concern < 20 else "warning" if concern < 50 else "danger"
    return Figure(key, LABELS[key], value, round(base), tone, ordered)


# ---- risk -----------------------------------------------------------------------------------------------------------


def exceeded(user: User, subject: Any) -> Iterator[Reason]:
    """Weigh the days with exceedances and the worst of them."""
    weights = edition().risk
    since = timezone.now() - timedelta(days=weights["exceeding_days_window"])
    found = exceeding(subjects.place_ids(user, subject)).filter(start__gte=since)
    rows = list(
        found.annotate(day=TruncDate("start", tzinfo=timezone.get_current_timezone()))
        .values("day")
        .annotate(hours=Count("pk"), worst=Max("value", filter=Q(kind__startswith="limit")))
        .order_by("-day")
    )
    window = {"n": f"{weights['exceeding_days_window']:g}"}
    if not rows:
        yield Reason(_("No exceedance in the last %(n)s days") % window, 0)
        return
    sentence = _("Exceeded on %(days)s of the last %(n)s days (%(hours)s periods)")
    figures = window | {"days": len(rows), "hours": sum(row["hours"] for row in rows)}
    points = min(weights["exceeding_day"] * len(rows), weights["exceeding_day_most"])
    yield Reason(sentence % figures, points, "#timeline")
    worst = max(row["worst"] or 0 for row in rows)
    if worst >= weights["multiple_high"]:
        evidence = found.filter(kind__startswith="limit", value=worst).order_by("-start").values_list("place", "pk")
        url = reverse("judgement", args=evidence[0])
        text = _("At worst %(n)s times above the limit") % {"n": f"{worst:.2g}"}
        yield Reason(text, weights["multiple_high_points"], url)


def exceeds_now(user: User, subject: Any) -> Iterator[Reason]:
    """Weigh the places that exceed now."""
    weights = edition().risk
    now = [place for place in subjects.places_of(user, subject) if _state(place) == "exceeding"]
    if now:
        url = reverse("place", args=[now[0].pk])
        points = min(weights["exceeding_now"] * len(now), weights["exceeding_now_most"])
        yield Reason(_("Exceeds now: %(names)s") % {"names": "、".join(place.name for place in now[:3])}, points, url)


def _state(place: Place) -> str:
    current = getattr(place, "current", None)
    return current.state if current else "no-data"


def not_judged(user: User, subject: Any) -> Iterator[Reason]:
    """Weigh active outlets without any limit: what they send is compared with nothing."""
    weights = edition().risk
    places = [place for place in subjects.places_of(user, subject) if place.is_active]
    limited = _limits(user, subject)
    free = [place for place in places if place.pk not in limited]
    if free:
        points = min(weights["not_judged"] * len(free), weights["not_judged_most"])
        yield Reason(_("Outlets without limits in force: %(n)s") % {"n": len(free)}, points, "#identity")


def _limits(user: User, subject: Any) -> dict[int, list[Limit]]:
    places = subjects.place_ids(user, subject)
    return subjects.remembered(user, subject, "limits", lambda: limits_in_force(places, timezone.now()))


# ---- trust ----------------------------------------------------------------------------------------------------------


def _window() -> tuple[datetime, datetime]:
    now = timezone.now()
    return now - timedelta(days=edition().trust["window"]), now


def missing(user: User, subject: Any) -> Iterator[Reason]:
    """Weigh the share of hours that are missing, and the gaps that are still open."""
    devices = [device.pk for device in subjects.measuring(user, subject)]
    if not devices:
        return
    weights, (since, now) = edition().trust, _window()
    length = Least("end", now) - Greatest("start", since)
    found = (
        Gap.objects.filter(device__in=devices, interval="hour", end__gt=since, start__lt=now)
        .exclude(state=Gap.State.FILLED)
        .aggregate(length=Sum(length), open=Count("pk", filter=Q(state__in=(Gap.State.OPEN, Gap.State.REQUESTED))))
    )
    hours = (found["length"] or timedelta()).total_seconds() / 3600
    share = 100 * hours / (24 * weights["window"] * len(devices))
    window = {"n": f"{weights['window']:g}"}
    url = _device_url(user, devices[0], "#gaps") if len(devices) == 1 else "#timeline"
    if share >= 0.05:
        text = _("%(share)s %% of the hours of the last %(n)s days are missing") % (window | {"share": f"{share:.1f}"})
        yield Reason(text, -min(weights["missing_percent"] * share, weights["missing_most"]), url)
    else:
        yield Reason(_("No hour of the last %(n)s days is missing") % window, 0, url)
    if found["open"]:
        points = min(weights["gap_open"] * found["open"], weights["gap_open_most"])
        yield Reason(_("Gaps still open: %(n)s") % {"n": found["open"]}, -points, url)


def refused(user: User, subject: Any) -> Iterator[Reason]:
    """Weigh the packets that were held or rejected."""
    devices = [device.pk for device in subjects.measuring(user, subject)]
    if not devices:
        return
    weights = edition().trust
    since = timezone.now() - timedelta(days=weights["refused_window"])
    name = f"refused.{subject._meta.label_lower}.{subject.pk}"
    rows, received = shared(name, user, 60, lambda: _refused(since, devices))
    refused = sum(number for _verdict, _reason, number, _last in rows)
    if not refused:
        return
    share = 1000 * refused / max(received, refused)
    worst = words.reason(rows[0][1]) or words.VERDICTS[rows[0][0]].label
    text = _("%(n)s of %(all)s packets of the last %(days)s days were held or rejected, most often: %(reason)s")
    url = reverse("problems") if user.may("packet.view") else ""
    points = min(weights["refused_permille"] * share, weights["refused_most"])
    figures = {"n": refused, "all": received, "days": f"{weights['refused_window']:g}", "reason": worst}
    yield Reason(text % figures, -points, url)


def _refused(since: datetime, devices: list[int]) -> tuple[list[Any], int]:
    """Return the refused packets by reason and, where there are any, the number of all packets."""
    rows = store.reason_counts(since, devices)
    return rows, store.packet_count(since, devices) if rows else 0


def connections(user: User, subject: Any) -> Iterator[Reason]:
    """Weigh devices that are off line now, the time without a connection, and clocks that are off."""
    devices = [device for device in subjects.measuring(user, subject) if device.is_active]
    if not devices:
        return
    weights = edition().trust
    off = [device for device in devices if device.status in ("offline", "silent", "never")]
    if off:
        text = _("Not on line now: %(names)s") % {"names": "、".join(str(device) for device in off[:3])}
        points = min(weights["offline"] * len(off), weights["offline_most"])
        yield Reason(text, -points, _device_url(user, off[0].pk))
    yield from _online(devices)
    wrong = [device for device in devices if abs(_clock(device)) > weights["clock_seconds"]]
    if wrong:
        worst = max(wrong, key=lambda device: abs(_clock(device)))
        text = _("Clocks that are off: %(n)s, at worst %(offset)s")
        points = min(weights["clock"] * len(wrong), weights["clock_most"])
        url = _device_url(user, worst.pk)
        yield Reason(text % {"n": len(wrong), "offset": offset(_clock(worst))}, -points, url)


def _device_url(user: User, pk: int, part: str = "") -> str:
    """Return the address of a device, empty for who may not open it."""
    return reverse("device", args=[pk]) + part if user.may("device.view") else ""


def _clock(device: Any) -> float:
    state = getattr(device, "state", None)
    return (state.clock_offset if state else None) or 0.0


def _online(devices: list[Any]) -> Iterator[Reason]:
    """Weigh the share of the time without a connection since each device first connected within the window."""
    weights, (since, now) = edition().trust, _window()
    opened, closed = Greatest("opened_at", since), Least(Coalesce("closed_at", now), now)
    rows = (
        Connection.objects.filter(device__in=devices, opened_at__lt=now)
        .filter(Q(closed_at=None) | Q(closed_at__gt=since))
        .values("device")
        .annotate(first=Min(opened), connected=Sum(closed - opened))
    )
    shares = [min(1.0, row["connected"].total_seconds() / max((now - row["first"]).total_seconds(), 1)) for row in rows]
    if not shares:
        return
    away = 100 * (1 - sum(shares) / len(shares))
    if away < 0.5:
        yield Reason(_("Connected all the time"), 0)
        return
    points = min(weights["online_percent"] * away, weights["online_most"])
    yield Reason(_("Without a connection for %(n)s %% of the time") % {"n": f"{away:.1f}"}, -points)


def unverified(user: User, subject: Any) -> Iterator[Reason]:
    """Weigh limits that nobody compared with their text."""
    weights = edition().trust
    rows = [limit for limits in _limits(user, subject).values() for limit in limits if not limit.verified]
    if rows:
        url = "#limits" if isinstance(subject, Outlet) else reverse("place", args=[rows[0].outlet_id]) + "#limits"
        points = min(weights["unverified"] * len(rows), weights["unverified_most"])
        yield Reason(_("Limits not verified: %(n)s") % {"n": len(rows)}, -points, url)


_SOURCES = frozenset({"facility", "outlet"})
_ALL = _SOURCES | {"station", "section"}
TRAITS = [
    Trait("exceeded", gettext_lazy("Exceedances"), "risk", _SOURCES, exceeded),
    Trait("exceeds-now", gettext_lazy("Exceeds now"), "risk", _SOURCES, exceeds_now),
    Trait("not-judged", gettext_lazy("Not judged"), "risk", _SOURCES, not_judged),
    Trait("missing", gettext_lazy("Missing data"), "trust", _ALL, missing),
    Trait("refused", gettext_lazy("Held and rejected packets"), "trust", _ALL, refused),
    Trait("connections", gettext_lazy("Connections and clocks"), "trust", _ALL, connections),
    Trait("unverified", gettext_lazy("Limits not verified"), "trust", _SOURCES, unverified),
]
