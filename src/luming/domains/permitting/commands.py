"""``luming permitting``: compute daily emissions again."""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import UTC, date, datetime, timedelta

DAYS = 90


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming permitting``."""
    commands = parser.add_subparsers(dest="permitting_command", metavar="recompute", required=True)
    sub = commands.add_parser("recompute", help="daily emissions from the hours that are stored / 重算日排放量")
    sub.add_argument(
        "--from", dest="first", type=_day, metavar="YYYY-MM-DD", help=f"first day ({DAYS} days before the last one)"
    )
    sub.add_argument("--to", dest="last", type=_day, metavar="YYYY-MM-DD", help="last day (today)")
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
    """Compute the daily emissions of all outlets again and print how many figures changed."""
    from luming.domains.permitting.evaluate import recompute_between
    from luming.standards.edition import city_day

    last = args.last or city_day(datetime.now(UTC))
    first = args.first or last - timedelta(days=DAYS - 1)
    if first > last:
        print("the first day lies after the last one / 起始日期晚于结束日期", file=sys.stderr)
        return 1
    began, total = time.perf_counter(), 0
    for until, changed in recompute_between(first, last):
        total += changed
        print(f"{until}\t{changed}", flush=True)
    seconds = time.perf_counter() - began
    print(f"{first} … {last}: {total} figures changed in {seconds:.1f} s / 更新 {total} 个日排放量")
    return 0
