"""The addresses of portal, public site, second factor and first run."""

from access.groups import EVERYONE, PUBLIC

PORTAL = frozenset({"enterprise", "maintainer"})

ROWS: dict = {
    "public": ("get", (), {}, PUBLIC),
    "public-front": ("get", ("zh",), {}, PUBLIC),
    "public-section": ("get", ("en", "air"), {}, PUBLIC),
    "public-item": ("get", ("zh", "air", "S1"), {}, PUBLIC),
    "public-csv": ("get", ("zh", "air", "S1/30"), {}, PUBLIC),
    "portal": ("get", (), {}, PORTAL),
    "portal-section": ("get", ("transmission",), {}, PORTAL),
    "portal-item": ("get", ("dummy-visits", "1"), {}, PORTAL),
    "help": ("get", ("help/home",), {}, EVERYONE),
    "second-factor": ("get", (), {}, EVERYONE),
    "second-factor-enrol": ("get", (), {}, EVERYONE),
    "second-factor-codes": ("get", (), {}, EVERYONE),
    "second-factor-remove": ("get", (), {}, EVERYONE),
    "second-factor-reset": ("post", ("account",), {"reason": "a test"}, {"security-admin"}),
}
