"""What lies inside an area: counted per layer and state, listed, exported."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import orjson
import shapely
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from luming.core.manifest import Layer
from luming.core.models import User
from luming.registry import geodesy
from luming.web.onemap import areas, serving
from luming.web.onemap.serving import QuestionError

LISTED = 300  # rows that a page shows; an export has all
MAX_BODY = 400_000  # bytes of a question
MAX_LAYERS = 100
_SHARED = 0.001  # of the smaller of two areas: simplified borders overlap a little
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for a formula


@dataclass(frozen=True, slots=True)
class Question:
    """An area and the layers to look at, at an instant or now."""

    area: areas.Area
    layers: Sequence[Layer]
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Found:
    """A feature inside the area."""

    layer: Layer
    feature: dict[str, Any]
    distance: float | None  # from the area's centre (m)
    bearing: float | None


def read(user: User, text: str | bytes) -> Question:
    """Return the question of a request's JSON.

    Raises
    ------
    QuestionError
        It is none; the text says what is wrong.
    """
    if len(text) > MAX_BODY:
        raise QuestionError(_("The outline is too large. Draw a simpler one."))
    try:
        asked = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise QuestionError(_("The question is no JSON.")) from error
    if not isinstance(asked, dict):
        raise QuestionError(_("The question is no JSON."))
    keys = asked.get("layers")
    if not isinstance(keys, list) or not keys or len(keys) > MAX_LAYERS:
        raise QuestionError(_("Show at least one layer: what is counted are the layers that are shown."))
    wanted = {str(key) for key in keys}
    chosen = [layer for layer in serving.layers_of(user) if layer.key in wanted]
    at = serving.instant(str(asked["at"])) if asked.get("at") else None
    return Question(areas.read(asked.get("area")), chosen, at)


def find(user: User, question: Question) -> list[Found]:
    """Return what lies inside, touching counts: the nearest first where there is a centre, else the worst first."""
    polygon, centre = question.area.polygon, question.area.centre
    shapely.prepare(polygon)
    found = []
    for layer in question.layers:
        features = serving.collection(layer, user, question.at)["features"]
        for feature, form in _inside(polygon, features):
            distance = bearing = None
            if centre is not None:
                distance, bearing = geodesy.inverse(centre, _nearest(form, centre))
                if question.area.without_centre and distance < 1:
                    continue
            found.append(Found(layer, feature, distance, bearing))
    if centre is not None:
        return sorted(found, key=lambda item: item.distance or 0.0)
    return sorted(
        found,
        key=lambda item: (
            -serving.attention_of(item.feature["properties"]),
            str(item.feature["properties"].get("name")),
        ),
    )


def _nearest(form: shapely.Geometry | geodesy.Point, centre: geodesy.Point) -> geodesy.Point:
    """Return the point of a feature that is nearest to the centre: the centre itself when it lies inside."""
    if isinstance(form, tuple):
        return form
    nearest = shapely.get_point(shapely.shortest_line(form, shapely.Point(centre)), 0)
    return nearest.x, nearest.y


def _inside(
    polygon: shapely.Geometry, features: Sequence[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], shapely.Geometry | geodesy.Point]]:
    """Yield the features that touch a polygon with their points or shapes; points in one vectorised step."""
    points = [item for item in features if item["geometry"] and item["geometry"]["type"] == "Point"]
    if points:
        x, y = np.array([item["geometry"]["coordinates"][:2] for item in points], float).T
        for index in np.flatnonzero(shapely.intersects_xy(polygon, x, y)):
            yield points[index], (float(x[index]), float(y[index]))
    others = [item for item in features if item["geometry"] and item["geometry"]["type"] != "Point"]
    if others:
        shapes = np.array([shapely.geometry.shape(item["geometry"]) for item in others], object)
        touching = np.flatnonzero(shapely.intersects(polygon, shapes))
        for index in touching[_overlaps(polygon, shapes[touching])]:
            yield others[index], shapes[index]


def _overlaps(polygon: shapely.Geometry, shapes: np.ndarray) -> np.ndarray:
    """Tell which lines run inside, and which polygons share more than a border with the area."""
    shared = shapely.area(shapely.intersection(polygon, shapes))
    areas = shapely.area(shapes)
    return (areas == 0) | (shared > _SHARED * np.minimum(areas, polygon.area))


def summary(question: Question, found: Sequence[Found]) -> dict[str, Any]:
    """Return counts per layer and state, the first rows and the area, for the page."""
    groups = []
    for layer in question.layers:
        members = [item for item in found if item.layer.key == layer.key]
        states = Counter(item.feature["properties"].get("state") for item in members)
        colours = {state: colour for state, _label, colour in layer.legend}
        order = list(colours)
        groups.append(
            {
                "key": layer.key,
                "label": str(layer.label),
                "count": len(members),
                "states": [
                    {"label": serving.word_of(layer, state), "colour": colours.get(state, ""), "count": states[state]}
                    for state in sorted(states, key=lambda key: order.index(key) if key in order else len(order))
                    if state
                ],
            }
        )
    return {
        "count": len(found),
        "listed": min(len(found), LISTED),
        "area_m2": geodesy.polygon_area(question.area.polygon),
        "outline": question.area.outline,
        "centre": question.area.centre,
        "groups": groups,
        "rows": [_row(item) for item in found[:LISTED]],
    }


def _row(item: Found) -> dict[str, Any]:
    properties = item.feature["properties"]
    return {
        "layer": item.layer.key,
        "id": item.feature.get("id"),
        "name": properties.get("name", ""),
        "state": serving.word_of(item.layer, properties["state"]) if properties.get("state") else "",
        "colour": properties.get("colour", ""),
        "distance": item.distance,
        "bearing": item.bearing,
    }


def as_csv(found: Sequence[Found]) -> str:
    """Return all rows as CSV that spreadsheets read: UTF-8 with a mark, times of the city, no formulas."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([
        _("Layer"), _("Code"), _("Name"), _("State"), _("Value"), _("Period"), _("Longitude"), _("Latitude"),
        _("Distance (m)"), _("Bearing (°)"),
    ])  # fmt: skip
    for item in found:
        properties = item.feature["properties"]
        x, y = _position(item.feature)
        writer.writerow([
            str(item.layer.label), _plain(properties.get("code")), _plain(properties.get("name")),
            serving.word_of(item.layer, properties["state"]) if properties.get("state") else "",
            properties.get("value"), _local(properties.get("period")), f"{x:.6f}", f"{y:.6f}",
            "" if item.distance is None else f"{item.distance:.0f}",
            "" if item.bearing is None else f"{item.bearing:.1f}",
        ])  # fmt: skip
    return "\ufeff" + text.getvalue()


def as_geojson(found: Sequence[Found]) -> bytes:
    """Return all features as GeoJSON with their layer, and distance and bearing where there is a centre."""
    features = []
    for item in found:
        properties = {name: value for name, value in item.feature["properties"].items() if name != "detail"}
        properties |= {"layer": str(item.layer.label)}
        if properties.get("state"):
            properties["label"] = serving.word_of(item.layer, properties["state"])
        if item.distance is not None:
            properties |= {"distance_m": round(item.distance), "bearing": round(item.bearing or 0.0, 1)}
        features.append({**item.feature, "properties": properties})
    return orjson.dumps({"type": "FeatureCollection", "features": features})


def _position(feature: dict[str, Any]) -> geodesy.Point:
    geometry = feature["geometry"]
    if geometry["type"] == "Point":
        return float(geometry["coordinates"][0]), float(geometry["coordinates"][1])
    middle = shapely.geometry.shape(geometry).representative_point()
    return middle.x, middle.y


def _plain(value: Any) -> str:
    """Return a text that a spreadsheet takes for a text."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _local(value: str | None) -> str:
    moment = parse_datetime(value) if value else None
    return timezone.localtime(moment).isoformat() if moment else ""
