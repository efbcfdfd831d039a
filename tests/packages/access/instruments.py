"""The addresses of the room of instruments."""

from access.groups import DEVICES

KEEP = frozenset({"duty", "reviewer", "maintainer"})

ROWS: dict = {
    "device-health-list": ("get", (), {}, DEVICES),
    "maintainers": ("get", (), {}, DEVICES),
    "maintainers-csv": ("get", (), {}, DEVICES),
    "device-health": ("get", ("device",), {}, DEVICES),
    "device-drift": ("get", ("device",), {}, DEVICES),
    "device-calibrate": ("get", ("device",), {}, KEEP),
    "device-maintain": ("get", ("device",), {}, KEEP),
}
