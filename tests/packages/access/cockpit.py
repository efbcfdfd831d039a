"""The addresses of home, cockpit and search."""

from access.groups import BUREAU, DATA, EVERYONE

COCKPIT = BUREAU | {"leader"}

ROWS: dict = {
    "cockpit": ("get", (), {}, COCKPIT),
    "cockpit-now": ("get", (), {}, COCKPIT),
    "wall": ("get", (), {}, COCKPIT),
    "wall-data": ("get", (), {}, COCKPIT),
    "judgements": ("get", (), {}, DATA),
    "completeness": ("get", (), {}, DATA),
    "search": ("get", (), {"q": "a"}, EVERYONE),
    "search-find": ("get", (), {"q": "a"}, EVERYONE),
}
