"""The addresses of registers: the list side; the record side is in records.py's rows below."""

from access.groups import DATA, EDIT, EVERYONE

ROWS: dict = {
    "registers": ("get", (), {}, DATA),
    "register": ("get", ("facilities",), {"view": ""}, DATA),
    "register-choices": ("get", ("outlets", "facility"), {"q": "F1"}, DATA),
    "register-views": ("post", ("facilities",), {"name": "", "query": ""}, DATA),
    "register-export": ("post", ("facilities",), {"format": "csv"}, DATA),
    "register-schema": ("get", ("facilities",), {}, DATA),
    "register-import": ("get", ("facilities",), {}, EDIT),
    "openapi": ("get", (), {}, EVERYONE),
    "register-api": ("get", ("facilities",), {}, DATA),
    "register-api-record": ("get", ("facilities", "facility"), {}, DATA),
}
