"""Server time and queries of the main pages over the demonstration's city, against a throw-away PostgreSQL.

    python benchmarks/bench_pages.py [--days 60] [--rounds 15] [--json PATH]

The fleet, its permits and so many days of history are made as ``luming demo`` makes them, and everything is judged.
Then each page is asked for by a person of a role, through all middleware, in rounds over all pages so that a busy
moment of the machine hits all alike:

- ``first``: with empty caches (median and 95th percentile of the rounds), and how many queries that takes;
- ``again``: the same page once more, with what the first request left in the cache;
- ``python``: processor time of the first request in this process, without the database; steadier on a busy machine;
- ``kB``: as sent, compressed.

Bars (issue of the face of the product): a list within 100 ms and 12 queries, a facility within 300 ms, a search within
100 ms; by the median, because other work on the machine only adds time.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bench_store import _machine, _prepare, freeze

# name -> (role, route, arguments, query, milliseconds at most, queries at most)
PAGES: dict[str, tuple[str, str, tuple[str, ...], dict[str, str], int, int]] = {
    "home": ("duty", "home", (), {}, 0, 0),
    "home of the leader": ("leader", "home", (), {}, 0, 0),
    "cockpit": ("leader", "cockpit", (), {}, 0, 0),
    "wall display": ("leader", "wall-data", (), {}, 0, 0),
    "list of places": ("duty", "places", (), {}, 0, 0),
    "list of facilities": ("duty", "register", ("facilities",), {}, 100, 12),
    "list of outlets": ("duty", "register", ("outlets",), {}, 100, 12),
    "list of series": ("duty", "register", ("series",), {}, 100, 12),
    "list of permits": ("duty", "register", ("permits",), {}, 100, 12),
    "list of allowances": ("duty", "register", ("allowances",), {}, 100, 12),
    "list of emission days": ("duty", "register", ("emission-days",), {}, 100, 12),
    "emission days of a factor": ("duty", "register", ("emission-days",), {"factor": "a21026"}, 100, 12),
    "facility": ("duty", "facility", ("facility",), {}, 300, 0),
    "outlet": ("duty", "place", ("outlet",), {}, 0, 0),
    "chart of 30 days": ("duty", "place-chart", ("outlet",), {"span": "30d"}, 0, 0),
    "station": ("duty", "place", ("station",), {}, 0, 0),
    "region": ("duty", "region", ("region",), {}, 0, 0),
    "permit": ("registrar", "record", ("permits", "permit"), {}, 0, 0),
    "map": ("duty", "map", (), {}, 0, 0),
    "layer of outlets": ("duty", "map-layer", ("gas-outlets",), {}, 0, 0),
    "layer of allowances": ("duty", "map-layer", ("allowances",), {}, 0, 0),
    "packets": ("duty", "packets", (), {}, 0, 0),
    "search, Chinese": ("duty", "search-find", (), {"q": "钢铁"}, 100, 0),
    "search, initials": ("duty", "search-find", (), {"q": "ysgt"}, 100, 0),
    "portal": ("enterprise", "portal", (), {}, 0, 0),
    "public site": ("anonymous", "public", (), {}, 0, 0),
}


@dataclass(slots=True)
class Measured:
    """What the rounds of one page gave."""

    first: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    python: list[float] = field(default_factory=list)
    queries: int = 0
    kilobytes: float = 0.0


def main() -> int:
    """Run the benchmark; the exit code is 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="luming-bench-"))
    from luming.ops.postgres import Server

    server = Server(folder, folder / "run", "bench")
    try:
        server.start()
        _prepare(folder, server.url)
        figures: dict[str, Any] = _machine() | {"load_before": round(os.getloadavg()[0], 2), "days": args.days}
        figures |= fill(args.days)
        freeze()
        measured = measure(args.rounds)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    figures["pages"] = {name: summary(one) for name, one in measured.items()}
    show(figures)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if missed(figures["pages"]) else 0


def fill(days: int) -> dict[str, Any]:
    """Make the demonstration's city with its history; return how long its parts took."""
    from django.utils import timezone

    from luming.core import search_upkeep
    from luming.core.models import User
    from luming.demo import fleet, history, permits
    from luming.ops.serve import collect_static
    from luming.registry import city
    from luming.telemetry import judging

    seconds: dict[str, float] = {}
    began = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal began
        seconds[f"{name}, s"] = round(time.perf_counter() - began, 2)
        began = time.perf_counter()

    city.load("baotou")
    fleet.load()
    lap("city and fleet")
    today = timezone.localdate()
    permits.load(fleet.describe(), today - timedelta(days=days), today)
    lap("permits")
    summary = history.fill(days=days)
    lap("history")
    while judging.judge_pending():
        pass
    lap("judging all of it")
    collect_static()
    User.objects.update(must_change_password=False)
    search_upkeep.rebuild()  # which the worker would keep
    return seconds | {"seed": fleet.SEED, "observations": summary.observations}


def measure(rounds: int) -> dict[str, Measured]:
    """Ask for every page in rounds."""
    from django.core.cache import cache
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import NoReverseMatch, reverse

    from luming.core.models import User

    def client(role: str) -> Client:
        made = Client(HTTP_HOST="localhost", headers={"accept-encoding": "gzip"})
        if role != "anonymous":
            made.force_login(User.objects.get(username=role), backend="luming.web.auth.Backend")
        return made

    things = known()
    clients = {role: client(role) for role in {page[0] for page in PAGES.values()}}
    found: dict[str, Measured] = {}
    addresses: dict[str, tuple[str, dict[str, str]]] = {}
    for name, (role, route, arguments, query, *_bars) in PAGES.items():
        try:
            url = reverse(route, args=[things.get(item, item) for item in arguments])
        except NoReverseMatch:
            print(f"{name}: this installation has no page {route}", file=sys.stderr)
            continue
        response = clients[role].get(url, query, follow=True)  # the first request of a process compiles templates
        if response.status_code != 200:
            raise SystemExit(f"{name}: {url} answers {response.status_code}")
        addresses[name] = (response.request["PATH_INFO"], query)
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            response = clients[role].get(*addresses[name])
        body = b"".join(response.streaming_content) if response.streaming else response.content
        found[name] = Measured(queries=len(queries), kilobytes=len(body) / 1000)
    for _round in range(rounds):
        for name, (url, query) in addresses.items():
            person = clients[PAGES[name][0]]
            cache.clear()
            began = time.process_time()
            found[name].first.append(timed(person, url, query))
            found[name].python.append((time.process_time() - began) * 1000)
            found[name].again.append(timed(person, url, query))
    return found


def known() -> dict[str, Any]:
    """Return the keys of the things that the pages are about: the enterprise with most outlets, and so on."""
    from luming.domains.permitting.models import Permit
    from luming.registry.models import Facility, Outlet, Station

    facility = Facility.objects.get(code="DEMO-F01")
    return {
        "facility": facility.pk,
        "outlet": Outlet.objects.get(code="DEMO-F01-DA001").pk,
        "station": Station.objects.filter(medium="air").order_by("code").first().pk,  # type: ignore[union-attr]
        "region": facility.region_id,
        "permit": Permit.objects.get(facility=facility).pk,
    }


def timed(person: Any, url: str, query: dict[str, str]) -> float:
    """Return how many milliseconds an answer takes."""
    began = time.perf_counter()
    response = person.get(url, query)
    if response.streaming:
        b"".join(response.streaming_content)
    return (time.perf_counter() - began) * 1000


def summary(one: Measured) -> dict[str, float]:
    """Return the figures of one page."""
    return {
        "first p50 ms": round(statistics.median(one.first), 1),
        "first p95 ms": round(percentile(one.first, 0.95), 1),
        "again p50 ms": round(statistics.median(one.again), 1),
        "again p95 ms": round(percentile(one.again, 0.95), 1),
        "python ms": round(statistics.median(one.python), 1),
        "queries": one.queries,
        "kB": round(one.kilobytes, 1),
    }


def percentile(values: list[float], share: float) -> float:
    """Return the value that so large a share does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def show(figures: dict[str, Any]) -> None:
    """Print the table."""
    for name, value in figures.items():
        if name != "pages":
            print(f"{name:28} {value}")
    columns = ("first p50 ms", "first p95 ms", "again p50 ms", "again p95 ms", "python ms", "queries", "kB")
    print(f"\n{'page':28}" + "".join(f"{column:>14}" for column in columns))
    for name, row in figures["pages"].items():
        print(f"{name:28}" + "".join(f"{row[column]:>14}" for column in columns))
    for text in missed(figures["pages"]):
        print(f"MISSED: {text}", file=sys.stderr)


def missed(pages: dict[str, dict[str, float]]) -> list[str]:
    """Return what is above its bar."""
    found = []
    for name, row in pages.items():
        milliseconds, queries = PAGES[name][4:]
        if milliseconds and row["first p50 ms"] > milliseconds:
            found.append(f"{name}: {row['first p50 ms']} ms, at most {milliseconds}")
        if queries and row["queries"] > queries:
            found.append(f"{name}: {row['queries']} queries, at most {queries}")
    return found


if __name__ == "__main__":
    raise SystemExit(main())
