"""The addresses of registers: lists, catalogue, import, export and interface (records: records.py)."""

from access.groups import DATA, DEVICES, EDIT, EVERYONE

ROWS: dict = {
    "registers": ("get", (), {}, DATA),
    "register": ("get", ("facilities",), {"view": ""}, DATA),
    "register-choices": ("get", ("devices", "place"), {"q": "F1"}, DEVICES),
    "register-views": ("post", ("facilities",), {"name": "", "query": ""}, DATA),
    "register-export": ("post", ("facilities",), {"format": "csv"}, DATA),
    "register-schema": ("get", ("facilities",), {}, DATA),
    "register-import": ("get", ("facilities",), {}, EDIT),
    "openapi": ("get", (), {}, EVERYONE),
    "register-api": ("get", ("facilities",), {}, DATA),
    "register-api-record": ("get", ("facilities", "facility"), {}, DATA),
}
