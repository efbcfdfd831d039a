"""The addresses of the one map."""

from access.groups import DATA

CIRCLE = (
    '{"area": {"geometry": {"type": "Point", "coordinates": [109.8, 40.6]}, "buffer": 900}, "layers": ["districts"]}'
)

ROWS: dict = {
    "map": ("get", (), {}, DATA),
    "map-layer": ("get", ("air-stations",), {}, DATA),
    "map-feature": ("get", ("gas-outlets", "outlet"), {}, DATA),
    "map-inside": ("post", (), {"query": CIRCLE}, DATA),
    "map-wind": ("get", (), {"lon": "109.8", "lat": "40.6"}, DATA),
    "map-layers": ("get", (), {}, DATA),
    "base-map": ("get", (), {}, DATA),
    "base-map-relief": ("get", (), {}, DATA),
}
