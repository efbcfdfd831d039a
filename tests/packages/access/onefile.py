"""The addresses of one enterprise, one file."""

from access.groups import DATA

# name -> (method, arguments, form or query, roles that get through)
ROWS: dict = {
    "regions": ("get", (), {}, DATA),
    "region": ("get", ("150203",), {}, DATA),
    "file-outlets": ("get", ("place", "outlet"), {}, DATA),
    "file-map": ("get", ("place", "outlet"), {}, DATA),
    "file-timeline": ("get", ("place", "outlet"), {}, DATA),
    "file-dossier": ("get", ("place", "outlet"), {}, DATA),
}
