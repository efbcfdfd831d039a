"""What the dummy puts on the map: many points, many polygons, a line, a layer with a history, one for few eyes."""

import math

from luming.core.manifest import Layer

LEGEND = [("dummy-good", "All good", "#2b8a3e"), ("dummy-bad", "Not good", "#c92a2a")]
POINTS, CELLS = 20_000, 2_000


def _collection(features):
    return {"type": "FeatureCollection", "features": list(features)}


def _feature(pk, geometry, name, bad=False):
    state, _label, colour = LEGEND[bad]
    properties = {"name": name, "code": f"D{pk}", "state": state, "colour": colour, "value": pk / 7}
    return {"type": "Feature", "id": pk, "geometry": geometry, "properties": properties}


def many(user):
    """Return points over the city, thickest in its middle."""
    for pk in range(1, POINTS + 1):
        turn, far = pk * 2.399963, 0.9 * (pk / POINTS) ** 0.7  # a sunflower
        point = [round(109.95 + far * math.cos(turn), 5), round(40.62 + 0.7 * far * math.sin(turn), 5)]
        yield _feature(pk, {"type": "Point", "coordinates": point}, f"Point {pk}", pk % 97 == 0)


def cells(user):
    """Return a grid of hexagons."""
    size = 0.02
    for pk in range(1, CELLS + 1):
        row, column = divmod(pk - 1, 50)
        x, y = 109.2 + size * 1.5 * column, 40.0 + size * 1.3 * (row + (column % 2) / 2)
        ring = [
            [round(x + size * math.cos(i * math.pi / 3), 5), round(y + 0.75 * size * math.sin(i * math.pi / 3), 5)]
            for i in range(6)
        ]
        yield _feature(pk, {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}, f"Cell {pk}", pk % 31 == 0)


def canal(user):
    """Return a line."""
    line = {"type": "LineString", "coordinates": [[109.7, 40.55], [109.9, 40.6], [110.1, 40.58]]}
    return _collection([_feature(1, line, "Canal")])


def clock(user, at=None):
    """Return a point that was bad in the odd hours, UTC."""
    feature = _feature(
        5, {"type": "Point", "coordinates": [109.85, 40.62]}, "Clock", at is not None and at.hour % 2 == 1
    )
    if at is not None:
        feature["properties"]["period"] = at.isoformat()
    return _collection([feature])


def secret(user):
    """Return what only those who manage packets see."""
    return _collection([_feature(9, {"type": "Point", "coordinates": [109.95, 40.62]}, "Hidden spring")])


LAYERS = [
    Layer(
        "dummy-many",
        "Many points",
        lambda user: _collection(many(user)),
        LEGEND,
        order=500,
        group="Dummy",
        shown=False,
        page=lambda pk: f"/places/?q={pk}",
    ),
    Layer(
        "dummy-cells",
        "Many cells",
        lambda user: _collection(cells(user)),
        LEGEND,
        order=501,
        group="Dummy",
        geometry="polygon",
        shown=False,
    ),
    Layer("dummy-canal", "Canal", canal, LEGEND, order=502, group="Dummy", geometry="line", shown=False),
    Layer("dummy-clock", "Clock", clock, LEGEND, order=503, group="Dummy", timed=True, shown=False),
    Layer(
        "dummy-secret", "Springs", secret, LEGEND, order=504, group="Dummy", permission="packet.release", shown=False
    ),
]
