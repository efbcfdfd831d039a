"""The web's own sections of the public site: air now, water now, what the data are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.manifest import Section
from luming.registry import city
from luming.registry.models import Medium, Place
from luming.standards import air as air_index
from luming.standards import edition as editions
from luming.web import words
from luming.web.outside import bars, published
from luming.web.outside.published import SPANS, Reading, Station
from luming.web.states import short_name

# What the tables show, in the order of the standards.
COLUMNS = {
    Medium.AIR: [("pm25", "µg/m³"), ("pm10", "µg/m³"), ("o3", "µg/m³"), ("no2", "µg/m³"), ("so2", "µg/m³"),
                 ("co", "mg/m³")],
    Medium.WATER: [("ph", ""), ("do", "mg/L"), ("codmn", "mg/L"), ("nh3n", "mg/L"), ("tp", "mg/L"), ("tn", "mg/L")],
}  # fmt: skip
HOURS = {Medium.AIR: 1, Medium.WATER: 4}  # that a measurement stands for
UNITS = {Medium.AIR: "AQI", Medium.WATER: ""}


def air_now() -> dict[str, Any] | None:
    """Return the air of the city at this hour, with what it means for health."""
    found = _now(Medium.AIR)
    return found and found | {"health": health(found["stations"])}


def water_now() -> dict[str, Any] | None:
    """Return the sections of the rivers with their classes."""
    found = _now(Medium.WATER)
    if found:
        for row in found["stations"]:
            row.place.target = row.place.station.target_class
    return found


def _now(medium: Medium) -> dict[str, Any] | None:
    stations = published.now(medium)
    if not stations:
        return None
    measured = [row for row in stations if row.reading]
    states = Counter(row.state for row in measured)
    tally = [(key, words.state(key), states[key], 100 * states[key] / len(measured)) for key in sorted(states)]
    values = [row.reading.value for row in measured if row.reading and row.reading.value is not None]
    return {
        "medium": medium.value,
        "stations": stations,
        "measured": measured,
        "silent": len(stations) - len(measured),
        "tally": tally,
        "low": min(values, default=None),
        "high": max(values, default=None),
        "period": max((row.reading.start for row in measured if row.reading), default=None),
        "seconds": 3600 * HOURS[medium],
        "editions": published.edition_text(row.reading.edition for row in measured if row.reading),
    }


def health(stations: Sequence[Station]) -> dict[str, Any] | None:
    """Return what the worst level measured now means for people and what they should do."""
    rated = [row for row in stations if row.reading and row.reading.value is not None]
    if not rated:
        return None
    worst = max(rated, key=lambda row: row.reading.value or 0)  # type: ignore[union-attr]
    reading = worst.reading
    number = int(reading.state.removeprefix("level-") or 0) if reading and reading.state.startswith("level-") else 0
    edition = "2012" if reading and reading.edition.endswith("2012") else "2026"
    level = air_index.LEVELS[edition].get(number)
    if level is None or reading is None:
        return None
    chinese = words.chinese()
    groups = air_index.sensitive_groups("+".join(reading.primary), edition, language="zh" if chinese else "en")
    return {
        "place": worst.place,
        "word": reading.word,
        "effect": level.health_zh if chinese else level.health_en,
        "advice": level.advice_zh if chinese else level.advice_en,
        "groups": groups if number > 1 else [],
        "verified": level.text_verified,
    }


def air_page(item: str) -> dict[str, Any] | None:
    """Return the page of the air, or of one station."""
    return _page(Medium.AIR, item, air_now)


def water_page(item: str) -> dict[str, Any] | None:
    """Return the page of the water, or of one section."""
    return _page(Medium.WATER, item, water_now)


def _page(medium: Medium, item: str, overview: Any) -> dict[str, Any] | None:
    heads = [(short_name(short, medium), unit) for short, unit in COLUMNS[medium]]
    if not item:
        found = overview() or {"medium": medium.value, "stations": []}
        for row in found["stations"]:
            row.place.cells = _cells(row.reading, medium)
        return found | {"heads": heads, "days": published.days(medium, 30) if found["stations"] else []}
    place, span = _station(medium, item)
    return place and _history(place, span) | {"heads": heads}


def _station(medium: Medium, item: str) -> tuple[Place | None, int]:
    """Read ``CODE`` or ``CODE/30``: a published station and a number of days."""
    code, _slash, days = item.partition("/")
    if days and days not in {str(span) for span in SPANS}:
        return None, 0
    return published.places(medium).filter(code=code).first(), int(days or SPANS[0])


def _history(place: Place, span: int) -> dict[str, Any]:
    medium = Medium(place.medium)
    readings = published.history(place, span)
    end = timezone.now()
    newest = readings[-1] if readings else None
    shown = readings[:-73:-1]  # the newest 72 periods, newest first
    return {
        "medium": medium.value,
        "place": place,
        "span": span,
        "spans": SPANS,
        "bars": bars.draw(readings, end - timedelta(days=span), end, _hours(readings, medium), UNITS[medium]),
        "legend": _legend(readings),
        "newest": newest,
        "seconds": 3600 * HOURS[medium],
        "rows": [(row, _cells(row, medium), published.names(row.primary, medium)) for row in shown],
        "total": len(readings),
        "editions": published.edition_text(row.edition for row in readings),
    }


def _hours(readings: Sequence[Reading], medium: Medium) -> float:
    """Return how long a bar lasts: the distance of the closest measurements, at most what the medium's stand for."""
    gaps = [(after.start - before.start) / timedelta(hours=1) for before, after in pairwise(readings)]
    return min([HOURS[medium], *gaps])


def _legend(readings: Iterable[Reading]) -> list[words.Word]:
    return [words.state(key) for key in sorted({row.state for row in readings})]


def _cells(reading: Reading | None, medium: Medium) -> list[float | None]:
    return [reading.concentration.get(short) if reading else None for short, _unit in COLUMNS[medium]]


def air_file(item: str) -> tuple[str, Iterable[Sequence[Any]]] | None:
    """Return the published hours of an air station."""
    return _file(Medium.AIR, item)


def water_file(item: str) -> tuple[str, Iterable[Sequence[Any]]] | None:
    """Return the published measurements of a section."""
    return _file(Medium.WATER, item)


def _file(medium: Medium, item: str) -> tuple[str, Iterable[Sequence[Any]]] | None:
    place, span = _station(medium, item)
    if place is None:
        return None
    figures = [f"{short_name(short, medium)}{f' ({unit})' if unit else ''}" for short, unit in COLUMNS[medium]]
    if medium == Medium.AIR:
        head = [_("Start"), _("Station"), "AQI", _("Level"), _("Primary pollutant"), *figures, _("Standard edition")]
    else:
        head = [_("Start"), _("Section"), _("Class"), _("Exceeding"), *figures, _("Standard edition")]
    rows: list[Sequence[Any]] = [head]
    for row in published.history(place, span):
        begin: list[Any] = [published.instant(row.start), place.name]
        if medium == Medium.AIR:
            value = "" if row.value is None else f"{row.value:.0f}"
            begin += [value, str(row.word.label), published.names(row.primary, medium)]
        else:
            begin += [str(row.word.label), "、".join(name for name, _multiple in row.exceeding)]
        rows.append([*begin, *("" if cell is None else cell for cell in _cells(row, medium)), row.edition])
    return f"{place.code}-{span}d.csv", rows


def about() -> None:
    """Return nothing for the front page: what the data are has a page of its own."""


def about_page(item: str) -> Mapping[str, Any] | None:
    """Return the standards in force and where the data come from."""
    if item:
        return None
    today = timezone.localdate()
    standards = [
        (row, row.title_zh if words.chinese() else row.title_en)
        for row in editions.editions()
        if row.family in {"HJ 633", "GB 3095", "GB 3838"} and row.in_force(today)
    ]
    counts = [(medium.label, published.places(medium).count()) for medium in published.KINDS]
    return {"standards": standards, "counts": counts, "profile": city.profile()}


SECTIONS = [
    Section(
        "air", gettext_lazy("Air"), "web/outside/public_air.html", air_now, 10, icon="wind",
        page=air_page, page_template="web/outside/public_air_page.html", download=air_file,
    ),
    Section(
        "water", gettext_lazy("Water"), "web/outside/public_water.html", water_now, 20, icon="droplet",
        page=water_page, page_template="web/outside/public_water_page.html", download=water_file,
    ),
    Section(
        "about", gettext_lazy("About the data"), "", about, 900, icon="info-circle",
        page=about_page, page_template="web/outside/public_about.html",
    ),
]  # fmt: skip
