"""Lists of a register of 200,000 rows, against a throw-away PostgreSQL with fsync on.

    python benchmarks/bench_registers.py [--rows 200000] [--json PATH]

A ledger of fifteen fields (the well of the tests' dummy domain) is filled with made-up rows; then its list is asked for
over Django's test client as a person who sees the city and as one who sees a district: as it opens, sorted by each
kind of column, filtered, searched, in the middle and at the end. Measured for each: server time (p50, p95) and queries.
Bars: p95 within 100 ms and 12 queries. Also measured: exports of all rows, and a page of the interface.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "packages"))

from bench_store import _machine, _prepare, freeze

SEED = 0.42
BAR_MS, BAR_QUERIES = 100, 12
PARTS = [
    ["昆都仑", "青山", "东河", "九原", "石拐", "白云鄂博", "固阳", "土右", "达茂", "稀土高新"],
    ["河西", "河东", "北梁", "南湾", "新城", "沙坡", "大青", "黄草", "乌兰", "哈业"],
    ["村", "厂区", "园区", "水源地", "农场", "矿区"],
    ["监测井", "供水井", "观测井"],
]
LISTS = {
    "as it opens": "view=",
    "by name": "sort=name",
    "by name, downwards": "sort=-name",
    "by region": "sort=region",
    "by depth, downwards": "sort=-depth_m",
    "by day, some empty": "sort=-drilled_on",
    "by use and depth": "sort=use,-depth_m",
    "one region": "region=150203",
    "a range and a choice": "depth_m_min=100&depth_m_max=300&use=supply",
    "a range, by name": "depth_m_min=100&depth_m_max=300&sort=name",
    "two regions, yes/no, by day": "region=150203&region=150207&is_sealed=false&sort=drilled_on",
    "search 监测井": "q=" + quote("监测井"),
    "search 昆都仑 水源地": "q=" + quote("昆都仑 水源地"),
    "search initials": "q=kdl",
    "search initials, by day": "q=kdl&sort=drilled_on",
    "search one letter": "q=w",
    "search a code": "q=W123456",
    "search and filter, sorted": "q=" + quote("园区") + "&use=supply&sort=-depth_m",
    "nothing found": "q=zzqqxx",
}


def main() -> int:
    """Run the benchmark; the exit code is 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="luming-bench-"))
    from luming.ops.postgres import Server

    server = Server(folder, folder / "run", "bench")
    try:
        server.start()
        _prepare(folder, server.url)
        _serve()
        load(args.rows)
        figures: dict[str, Any] = _machine() | {"seed": SEED, "rows": args.rows}
        figures |= bench_lists(args.repeats) | bench_exports() | bench_interface(args.repeats)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    for name, value in figures.items():
        print(f"{name:52} {value:>14,.1f}" if isinstance(value, float) else f"{name:52} {value!s:>14}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    bars = {"p95 ms": BAR_MS, "queries": BAR_QUERIES}
    missed = [
        f"{name} above {bar}"
        for name, value in figures.items()
        for ending, bar in bars.items()
        if name.startswith("list ") and name.endswith(ending) and value > bar
    ]
    for text in missed:
        print(f"MISSED: {text}", file=sys.stderr)
    return 1 if missed else 0


def _serve() -> None:
    """Serve pages without collecting the static files first."""
    from django.conf import settings

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


def load(rows: int) -> None:
    """Fill the ledger, without triggers, and index it for the search."""
    from django.db import connection

    from luming.core import search_upkeep
    from luming.core.models import User

    picks = " || ".join(f"(%s::text[])[1 + floor(random() * {len(part)})::int]" for part in PARTS)
    with connection.cursor() as cursor:
        cursor.execute(f"SET session_replication_role = replica; SELECT setseed({SEED})")
        cursor.execute(
            "INSERT INTO registry_region (code, name, name_en, level, boundary_source, boundary_official)"
            " SELECT '15020' || i, '区' || i, '', 'district', '', false FROM generate_series(1, 9) AS i"
        )
        cursor.execute(
            "INSERT INTO dummy_well (code, name, region_id, use, depth_m, drilled_on, longitude, latitude,"
            f" is_sealed, contact, remarks) SELECT 'W' || lpad(i::text, 6, '0'), {picks} || (i %% 40), '15020' ||"
            " (1 + floor(random() * 9)::int), CASE WHEN random() < 0.3 THEN 'supply' ELSE 'monitoring' END,"
            " round((random() * 400)::numeric, 1), CASE WHEN random() < 0.8 THEN DATE '1990-01-01' + (random() *"
            " 13000)::int END, 109.5 + random(), 40.4 + random(), random() < 0.2, '', ''"
            " FROM generate_series(1, %s) AS i",
            [*PARTS, rows],
        )
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE dummy_well")
        search_upkeep.rebuild()
        cursor.execute("VACUUM ANALYZE core_searchentry")
    User.objects.create_user("bench-city", role="duty", name="c")
    User.objects.create_user("bench-district", role="district", name="d", region_codes=["150203"])


def _client(name: str) -> Any:
    from django.test import Client

    from luming.core.models import User

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(username=name), backend="luming.web.auth.Backend")
    client.get("/registers/wells/?view=")  # what a process does once
    freeze()
    return client


def bench_lists(repeats: int) -> dict[str, Any]:
    """Open the list in every way, then walk from page to page."""
    figures: dict[str, Any] = {}
    every: list[float] = []
    for name in ("city", "district"):
        client = _client(f"bench-{name}")
        for title, query in LISTS.items():
            address = f"/registers/wells/?{query}"
            figures |= _measured(f"list {name}, {title}", client, address, repeats, every)
        for title, query in {"the middle, by name": "sort=name", "the middle, by day": "sort=-drilled_on"}.items():
            url = _middle(client, f"/registers/wells/?{query}")
            figures |= _measured(f"list {name}, {title}", client, url, repeats, every)
        address = "/registers/wells/?sort=-drilled_on&at=last"
        figures |= _measured(f"list {name}, the end", client, address, repeats, every)
    return figures | {"list all p50 ms": statistics.median(every), "list all p95 ms": _p95(every)}


def _middle(client: Any, address: str) -> str:
    """Return the address of a page about halfway: the one after the row that the database counts off."""
    from django.http import QueryDict

    from luming.core import manifest
    from luming.core.models import User
    from luming.web.registers import paging
    from luming.web.registers.listing import Listing

    user = User.objects.get(pk=client.session["_auth_user_id"])
    shown = Listing(manifest.register("wells"), user, QueryDict(address.partition("?")[2]))
    keys = [*shown.keys, paging.Key("pk", shown.keys[0].descending)]
    values = {f"_key{index}": key.path for index, key in enumerate(keys[:-1])}
    from django.db.models import F

    row = shown.ordered.annotate(**{name: F(path) for name, path in values.items()})[shown.count // 2]
    return address + "&at=" + paging._write(paging.AFTER, None, keys, row)


def _measured(name: str, client: Any, url: str, repeats: int, every: list[float]) -> dict[str, Any]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200, name
    count = len(queries)
    waits = []
    for _ in range(repeats):
        begun = time.perf_counter()
        client.get(url)
        waits.append((time.perf_counter() - begun) * 1e3)
    every += waits
    figures = {f"{name} p50 ms": statistics.median(waits), f"{name} p95 ms": _p95(waits)}
    return figures | {f"{name} queries": count}


def _p95(waits: list[float]) -> float:
    return statistics.quantiles(waits, n=20)[18]


def bench_exports() -> dict[str, Any]:
    """Write all rows in each format."""
    from django.http import QueryDict

    from luming.core import manifest
    from luming.core.models import User
    from luming.web.registers import exporting
    from luming.web.registers.listing import Listing

    figures: dict[str, Any] = {}
    for kind in exporting.LABELS:
        shown = Listing(manifest.register("wells"), User.objects.get(username="bench-city"), QueryDict("sort=name"))
        begun = time.perf_counter()
        with exporting.write(shown, kind) as file:
            size = file.seek(0, io.SEEK_END)
        figures |= {f"export {kind} s": time.perf_counter() - begun, f"export {kind} MB": size / 1e6}
    return figures


def bench_interface(repeats: int) -> dict[str, Any]:
    """Ask the interface for a page of 100 and of 1,000."""
    client = _client("bench-city")
    every: list[float] = []
    figures: dict[str, Any] = {}
    for size in (100, 1000):
        url = f"/api/v1/registers/wells/?size={size}&sort=-depth_m"
        figures |= _measured(f"interface {size} records", client, url, repeats, every)
    return figures


if __name__ == "__main__":
    sys.exit(main())
