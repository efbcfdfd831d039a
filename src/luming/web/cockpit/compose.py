"""The cockpit: the tiles of all domains by groups, as one user sees them."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from luming.core import manifest
from luming.core.manifest import Figure, Tile
from luming.core.models import User
from luming.web.live import shared
from luming.web.templatetags.luming import MISSING

logger = logging.getLogger(__name__)

SECONDS = 30  # how long people with the same scope see the same figure
GROUPS = {
    "air": (_("Air"), "wind"),
    "water": (_("Water"), "droplet"),
    "sources": (_("Sources"), "building-factory-2"),
    "noise": (_("Noise"), "volume"),
    "matters": (_("Matters"), "list-check"),
    "plan": (_("Plan indicators"), "target"),
    "transmission": (_("Data transmission"), "router"),
}
WIDTH, HEIGHT = 120, 32  # of a sparkline, in its own units
MARGIN = 3


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a figure that is broken up, with its share of the largest (lists) or of the whole (bars)."""

    label: Any
    value: float
    colour: str
    url: str
    share: float


@dataclass(frozen=True, slots=True)
class Spark:
    """A small trend: lines between gaps, the last point, and the level of the target where it lies within."""

    lines: Sequence[str]
    last: tuple[float, float] | None
    target: float | None
    begin: datetime
    end: datetime
    low: float
    high: float

    @property
    def format(self) -> str:
        """Return how its ends are written: days by their date."""
        return "m-d" if self.end - self.begin > timedelta(days=3) else "m-d H:i"


@dataclass(frozen=True, slots=True)
class Shown:
    """A tile with its figure; ``failed`` where computing it raised."""

    tile: Tile
    figure: Figure | None
    parts: Sequence[Part] = ()
    spark: Spark | None = None
    failed: bool = False

    @property
    def text(self) -> str:
        """Return the value as it is shown."""
        if self.figure is None or self.figure.value is None:
            return MISSING
        return f"{self.figure.value:,.{self.figure.decimals}f}"

    @property
    def coverage(self) -> int | None:
        """Return the coverage in per cent where something is missing."""
        share = self.figure.coverage if self.figure else None
        return None if share is None or share >= 0.995 else math.floor(100 * share)


@dataclass(slots=True)
class Group:
    """A group of tiles."""

    key: str
    label: Any
    icon: str
    tiles: list[Shown] = field(default_factory=list)


def groups(user: User) -> list[Group]:
    """Return the groups that have tiles for the user, in the order of the house, others after them."""
    found: dict[str, Group] = {}
    for tile in manifest.tiles():
        if not user.may(tile.permission):
            continue
        shown = _shown(tile, user)
        if shown is None:
            continue
        label, icon = GROUPS.get(tile.group, (tile.group, "circle"))
        found.setdefault(str(tile.group), Group(str(tile.group), label, icon)).tiles.append(shown)
    order = list(GROUPS)
    return sorted(found.values(), key=lambda group: order.index(group.key) if group.key in order else len(order))


def _shown(tile: Tile, user: User) -> Shown | None:
    """Return a tile ready to be drawn; one that fails says so and leaves the others alone."""
    try:
        figure = shared(f"tile.{tile.key}.{get_language()}", user, SECONDS, lambda: (_settled(tile.figure(user)),))[0]
    except Exception:
        logger.exception("the tile %s could not be computed", tile.key)
        return Shown(tile, None, failed=True)
    if figure is None:
        return None
    return Shown(tile, figure, parts(figure, of_whole=tile.kind == "parts"), spark(figure))


def _settled(figure: Figure | None) -> Figure | None:
    """Return a figure whose texts are written, in the language of now."""
    if figure is None:
        return None
    return Figure(
        figure.value, figure.url, str(figure.unit), figure.decimals, list(figure.trend), figure.target, figure.good,
        str(figure.note), figure.coverage, [(str(label), *rest) for label, *rest in figure.parts], figure.colour,
    )  # fmt: skip


def parts(figure: Figure, *, of_whole: bool) -> list[Part]:
    """Return the parts of a figure with their shares in per cent."""
    values = [value for _label, value, _colour, _url in figure.parts]
    whole = (sum(values) if of_whole else max(values, default=0)) or 1
    return [
        Part(label, value, colour, url, round(100 * value / whole, 2)) for label, value, colour, url in figure.parts
    ]


def spark(figure: Figure) -> Spark | None:
    """Return the sparkline of a figure's trend; None with fewer than two values."""
    points = [(moment.timestamp(), value) for moment, value in figure.trend]
    known = [value for _moment, value in points if value is not None]
    if len(known) < 2:
        return None
    first, last = points[0][0], points[-1][0]
    low, high = min(known), max(known)
    if low == high:
        low, high = low - 1, high + 1

    def x(moment: float) -> float:
        return round((WIDTH - 2 * MARGIN) * (moment - first) / ((last - first) or 1) + MARGIN, 1)

    def y(value: float) -> float:
        return round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (value - low) / (high - low), 1)

    lines: list[list[str]] = [[]]
    for moment, value in points:
        if value is None:
            lines.append([])
        else:
            lines[-1].append(f"{x(moment)},{y(value)}")
    end = next(((x(moment), y(value)) for moment, value in reversed(points) if value is not None), None)
    target = y(figure.target) if figure.target is not None and low <= figure.target <= high else None
    drawn = [" ".join(line if len(line) > 1 else line * 2) for line in lines if line]
    return Spark(drawn, end, target, figure.trend[0][0], figure.trend[-1][0], min(known), max(known))


def as_data(group: Group) -> dict[str, Any]:
    """Return a group as the wall display reads it."""
    return {
        "key": group.key,
        "label": str(group.label),
        "icon": group.icon,
        "tiles": [_tile_data(shown) for shown in group.tiles],
    }


def _tile_data(shown: Shown) -> dict[str, Any]:
    figure = shown.figure
    known: dict[str, Any] = {
        "key": shown.tile.key, "label": str(shown.tile.label), "kind": shown.tile.kind, "text": shown.text,
        "failed": shown.failed, "trend": [], "parts": [],
    }  # fmt: skip
    if figure is None:
        return known
    return known | {
        "unit": figure.unit, "url": figure.url, "note": figure.note, "good": figure.good, "colour": figure.colour,
        "target": figure.target, "coverage": shown.coverage, "decimals": figure.decimals,
        "trend": [[int(moment.timestamp() * 1000), value] for moment, value in figure.trend],
        "parts": [[part.label, part.value, part.colour, part.url, part.share] for part in shown.parts],
    }  # fmt: skip


ZONES = ({"air", "water"}, {"sources", "matters"})


def zones(every: Sequence[Group]) -> dict[str, list[Group]]:
    """Return where groups stand on the wall: two beside the map on the left, two on the right, the rest below it."""
    left = [group for group in every if group.key in ZONES[0]]
    right = [group for group in every if group.key in ZONES[1]]
    rest = [group for group in every if group not in left and group not in right]
    while len(right) < 2 and rest:
        right.append(rest.pop())
    while len(left) < 2 and rest:
        left.append(rest.pop())
    return {"left": left, "right": right, "below": rest}


def now() -> datetime:
    """Return when the figures were put together, in the city's time."""
    return timezone.localtime()
