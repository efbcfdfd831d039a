"""``luming qc apply``: check stored data again."""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import UTC, date, datetime, timedelta

DAYS = 30


def configure(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``luming qc apply``."""
    sub = commands.add_parser(
        "apply",
        help="check stored data again, by today's checks and settings / 重新检查已存数据",
        description="Judge stored values again by the checks and settings of today; what people have decided stays. "
        "A run that was stopped goes on where it was. / 按现行检查和设置重新判定已存数据，人工结论不变；中断后可继续。",
    )
    sub.add_argument("--from", dest="first", type=_day, metavar="DAY", help=f"first day ({DAYS} days before the last)")
    sub.add_argument("--to", dest="last", type=_day, metavar="DAY", help="last day (today)")
    sub.add_argument("--place", metavar="CODE", help="only this station or outlet / 只查此点位")
    sub.add_argument("--again", action="store_true", help="also days that this edition has checked / 已查过的也重查")
    sub.set_defaults(run=run)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no date such as 2026-11-24 / 日期格式应为 2026-11-24") from error


def run(args: argparse.Namespace) -> int:
    """Set Django up and do it; exit code 0 done, 1 faulty input, 2 no database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
    import django
    from django.db import OperationalError

    django.setup()
    try:
        return apply(args)
    except OperationalError as error:
        print(f"the database does not answer: {error}".strip(), file=sys.stderr)
        print("start it with `luming demo`, or set DATABASE_URL / 数据库未运行", file=sys.stderr)
        return 2


def apply(args: argparse.Namespace) -> int:
    """Check the days and print what changed, a line for each step."""
    from luming.registry.models import Place
    from luming.standards.edition import city_day
    from luming.telemetry.quality import closing

    last = args.last or city_day(datetime.now(UTC))
    first = args.first or last - timedelta(days=DAYS - 1)
    if first > last:
        print("the first day lies after the last one / 起始日期晚于结束日期", file=sys.stderr)
        return 1
    place = None
    if args.place is not None:
        place = Place.objects.filter(code=args.place).first()
        if place is None:
            print(f"no station or outlet has the code {args.place} / 没有此编码的点位", file=sys.stderr)
            return 1
    began, values, written = time.perf_counter(), 0, 0
    for step in closing.apply(first, last, place, again=args.again):
        values, written = values + step.values, written + step.written
        state = "done before / 已查过" if step.done_before else f"{step.values} values, {step.written} verdicts"
        print(f"{step.first} … {step.last}\t{state}", flush=True)
    seconds = time.perf_counter() - began
    rate = values / seconds if seconds else 0
    print(f"{values} values checked, {written} verdicts changed in {seconds:.1f} s ({rate:,.0f}/s)")
    print(f"检查 {values} 个数据，{written} 个判定有变化")
    return 0
