"""The reviewers' workbench over the demonstration's city: server time of each action, keys and requests of each day.

    python benchmarks/bench_review.py [--days 10] [--json PATH]

The fleet and so many days of history are made as ``luming demo`` makes them, and the days are put into the queue; about
one day in three gets doubted hours (by the given seed), as checks would. Then a reviewer works through the queue as the
page does it, through all middleware: open the first day, for each run of doubted hours one draft (keys: N, A or I, a
number; one request), then sign, whose answer brings the next day (keys: Ctrl+Enter; one request).

Measured: milliseconds of the server by action (median, 95th percentile) and of this process's processor alone (without
the database; steadier on a busy machine), queries, keys for a clean day and for one with doubted hours, and how many
station-days fit into an hour at the measured server time plus 0.3 s for each key and 5 s of looking at each day. Bars
(issue of the data of record): 150 ms by the median for each action at the demonstration's size, 2 keys for a clean day,
300 station-days in an hour.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bench_store import _machine, _prepare, freeze

SEED = 20261128
BAR_MS, BAR_KEYS, BAR_DAYS = 150, 2, 300
KEY_SECONDS, LOOKING_SECONDS = 0.3, 5.0
RUN_KEYS, SIGN_KEYS = 3, 2  # N, letter, number; Ctrl+Enter


def main() -> int:
    """Run the benchmark; the exit code is 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="luming-bench-"))
    from luming.ops.postgres import Server

    server = Server(folder, folder / "run", "bench")
    try:
        server.start()
        _prepare(folder, server.url)
        figures: dict[str, Any] = _machine() | {"load_before": round(os.getloadavg()[0], 2), "seed": SEED}
        figures |= fill(args.days)
        freeze()
        figures |= work()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(figures, indent=1, ensure_ascii=False))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if missed(figures) else 0


def fill(days: int) -> dict[str, Any]:
    """Make the city with its history, doubt some hours, and fill the queue with all days but the first and today."""
    from django.utils import timezone

    from luming.core.models import User
    from luming.demo import fleet, history
    from luming.ops.serve import collect_static
    from luming.registry import city
    from luming.telemetry.review import queue

    city.load("baotou")
    fleet.load()
    summary = history.fill(days=days)
    collect_static()
    User.objects.update(must_change_password=False)
    today = timezone.localdate()
    dates = [today - timedelta(days=back) for back in range(1, days)]
    doubted = sum(doubt(date) for date in dates)
    began = time.perf_counter()
    entered = sum(queue.fill(date) for date in dates)
    return {
        "observations": summary.observations, "station-days": entered, "doubted hours": doubted,
        "filling the queue, ms for a station-day": round((time.perf_counter() - began) * 1000 / entered, 2),
    }  # fmt: skip


def doubt(date: Any) -> int:
    """Let a check doubt one run of hours on about one station-day in three."""
    from django.db import transaction

    from luming.registry.models import Series
    from luming.standards.edition import midnight
    from luming.telemetry import store
    from luming.telemetry.store import Origin, Quality, VerdictRow

    chance = random.Random(f"{SEED} {date}")
    by_place: dict[int, list[Any]] = {}
    for series in Series.objects.filter(interval="hour").order_by("pk"):
        by_place.setdefault(series.place_id, []).append(series)
    rows = []
    for _place, series in sorted(by_place.items()):
        if chance.random() > 1 / 3:
            continue
        one = chance.choice(series)
        first, length = chance.randrange(20), chance.randrange(1, 4)
        start = midnight(date) + timedelta(hours=first)
        held = store.held_starts([one.pk], start, start + timedelta(hours=length))[one.pk]
        said = (Origin.MEASURED, Quality.SUSPECT, "checks", "bench", "N", ("GEN-SPIKE:3",))
        rows += [VerdictRow(one.pk, moment.replace(tzinfo=UTC), 0, *said) for moment in held.tolist()]
    with transaction.atomic():
        return store.write_verdicts(rows)


def work() -> dict[str, Any]:
    """Work through the queue as the page does; return what each action took."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    from luming.core.models import User
    from luming.telemetry.review.models import ReasonCode

    client = Client(HTTP_HOST="localhost", headers={"accept-encoding": "gzip"})
    client.force_login(User.objects.get(username="reviewer"), backend="luming.web.auth.Backend")
    codes = {row.action: row.pk for row in ReasonCode.objects.filter(key=1)}
    times: dict[str, list[float]] = {}
    processor: dict[str, list[float]] = {}
    queries: dict[str, int] = {}

    def ask(name: str, method: str, url: str, fields: Any = None, **more: Any) -> Any:
        if len(times.get(name, ())) == 5 and name not in queries:  # the sixth is counted, not timed
            with CaptureQueriesContext(connection) as captured:
                response = getattr(client, method)(url, fields or {}, **more)
            queries[name] = len(captured)
        else:
            began, busy = time.perf_counter(), time.process_time()
            response = getattr(client, method)(url, fields or {}, **more)
            times.setdefault(name, []).append((time.perf_counter() - began) * 1000)
            processor.setdefault(name, []).append((time.process_time() - busy) * 1000)
        if response.status_code != 200:
            raise SystemExit(f"{name}: {url} answers {response.status_code}: {response.content[:300]!r}")
        return response

    for _round in range(8):
        ask("queue", "get", reverse("review-queue"))
        ask("quiet days", "get", reverse("review-queue"), {"view": "quiet"})
    data = ask("next", "get", reverse("review-next"), headers={"accept": "application/json", "accept-encoding": "gzip"})
    found = _json(data)["next"]
    for _round in range(8):
        ask("page", "get", reverse("review-day", args=found["key"].split("/")))
        ask("presence", "get", reverse("review-here", args=found["key"].split("/")))
        ask("neighbours", "get", reverse("review-neighbours", args=found["key"].split("/")))
    keys: dict[str, list[int]] = {"clean": [], "doubted": []}
    while found:
        key = found["key"].split("/")
        runs = doubted_runs(found)
        for position, (series, start, end) in enumerate(runs):
            action = ("accept", "invalid")[position % 2]
            fields = {"series": series, "start": start, "end": end, "action": action, "code": codes[action]}
            ask("draft", "post", reverse("review-draft", args=key), fields)
        fields = {"fingerprint": found["fingerprint"], "next": "1"}
        answer = ask("sign, with the next day", "post", reverse("review-submit", args=key), fields)
        keys["doubted" if runs else "clean"].append(RUN_KEYS * len(runs) + SIGN_KEYS)
        found = _json(answer)["next"]
    return summary(times, processor, queries, keys)


def _json(response: Any) -> Any:
    import gzip

    body = response.content
    return json.loads(gzip.decompress(body) if response.headers.get("Content-Encoding") == "gzip" else body)


def doubted_runs(data: Any) -> list[tuple[int, int, int]]:
    """Return the runs of doubted hours as the key N chooses them: series, start, end."""
    found = []
    for one in data["series"]:
        cells = data["cells"][str(one["id"])]
        position = 0
        while position < len(cells):
            last = position
            while last < len(cells) and cells[last] is not None and cells[last].get("d"):
                last += 1
            if last > position:
                end = min(data["rows"][last - 1] + one["seconds"] * 1000, data["end"])
                found.append((one["id"], data["rows"][position], end))
            position = max(last, position + 1)
    return found


def summary(
    times: dict[str, list[float]],
    processor: dict[str, list[float]],
    queries: dict[str, int],
    keys: dict[str, list[int]],
) -> dict[str, Any]:
    """Return the figures."""
    found: dict[str, Any] = {
        name: {
            "median, ms": round(statistics.median(rows), 1),
            "95th percentile, ms": round(statistics.quantiles(rows, n=20)[-1], 1) if len(rows) > 1 else None,
            "of it this process's processor, ms": round(statistics.median(processor[name]), 1),
            "times": len(rows), "queries": queries.get(name),
        }
        for name, rows in times.items()
    }  # fmt: skip
    days = sum(map(len, keys.values()))
    server = (sum(times.get("draft", [])) + sum(times["sign, with the next day"])) / 1000 / days
    pressed = sum(map(sum, keys.values())) / days
    an_hour = 3600 / (LOOKING_SECONDS + pressed * KEY_SECONDS + server)
    return {
        "actions": found,
        "station-days signed": days,
        "keys for a clean day": round(statistics.mean(keys["clean"]), 2) if keys["clean"] else None,
        "keys for a day with doubted hours": round(statistics.mean(keys["doubted"]), 2) if keys["doubted"] else None,
        "server time of a day, ms": round(server * 1000, 1),
        "station-days in an hour": round(an_hour),
    }


def missed(figures: dict[str, Any]) -> bool:
    """Tell whether a bar is missed, and say which."""
    slow = [name for name, row in figures["actions"].items() if row["median, ms"] > BAR_MS]
    wrong = [f"{name}: above {BAR_MS} ms" for name in slow]
    if (figures["keys for a clean day"] or 0) > BAR_KEYS:
        wrong.append(f"a clean day needs more than {BAR_KEYS} keys")
    if figures["station-days in an hour"] < BAR_DAYS:
        wrong.append(f"less than {BAR_DAYS} station-days in an hour")
    for line in wrong:
        print(line, file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
