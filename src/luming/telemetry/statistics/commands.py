"""``luming statistics``: compute statistics again."""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import UTC, date, datetime, timedelta

DAYS = 90


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming statistics``."""
    commands = parser.add_subparsers(dest="statistics_command", metavar="recompute", required=True)
    sub = commands.add_parser(
        "recompute", help="days, months, quarters and years from the data that is stored / 重算统计值"
    )
    sub.add_argument(
        "--from", dest="first", type=_day, metavar="YYYY-MM-DD", help=f"first day ({DAYS} days before the last one)"
    )
    sub.add_argument("--to", dest="last", type=_day, metavar="YYYY-MM-DD", help="last day (yesterday)")
    sub.add_argument(
        "--place", dest="places", action="append", metavar="CODE", help="only this station or outlet; may be repeated"
    )
    sub.set_defaults(run=run, action=recompute)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no date such as 2026-11-24 / 日期格式应为 2026-11-24") from error


def run(args: argparse.Namespace) -> int:
    """Set Django up and run the sub-command; exit code 0 done, 1 faulty input, 2 no database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
    import django
    from django.db import OperationalError

    django.setup()
    try:
        return int(args.action(args))
    except OperationalError as error:
        print(f"the database does not answer: {error}".strip(), file=sys.stderr)
        print("start it with `luming demo`, or set DATABASE_URL / 数据库未运行", file=sys.stderr)
        return 2


def recompute(args: argparse.Namespace) -> int:
    """Compute all figures of the days again and print how many came out otherwise."""
    from luming.registry.models import Place
    from luming.standards.edition import city_day
    from luming.telemetry.statistics.recomputing import recompute_between

    last = args.last or city_day(datetime.now(UTC)) - timedelta(days=1)
    first = args.first or last - timedelta(days=DAYS - 1)
    if first > last:
        print("the first day lies after the last one / 起始日期晚于结束日期", file=sys.stderr)
        return 1
    ids = None
    if args.places:
        known = dict(Place.objects.filter(code__in=args.places).values_list("code", "pk"))
        if missing := sorted(set(args.places) - known.keys()):
            print(f"no station or outlet has the code {', '.join(missing)} / 点位编码不存在", file=sys.stderr)
            return 1
        ids = sorted(known.values())
    began, total = time.perf_counter(), 0
    for until, outcome in recompute_between(first, last, ids):
        total += outcome.total
        print(f"{until}\t{outcome.place_days}\t{outcome.total}", flush=True)
    seconds = time.perf_counter() - began
    print(f"{first} … {last}: {total} figures changed in {seconds:.1f} s / 更新 {total} 个统计值")
    return 0
