"""``luming verify``: close the days that are over, recompute hash trees, name the first record that differs."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming verify``."""
    parser.add_argument("--from", dest="first", type=_day, metavar="DAY", help="first day, YYYY-MM-DD / 起始日")
    parser.add_argument("--to", dest="last", type=_day, metavar="DAY", help="last day / 结束日")
    parser.add_argument(
        "--anchor",
        metavar="DAY=DIGEST",
        action="append",
        default=[],
        type=_anchor,
        help="a digest that was printed or published earlier; it must be the one of that day / 已公布的摘要",
    )
    parser.add_argument("--close-only", action="store_true", help="only close the days that are over / 仅生成")
    parser.set_defaults(run=run)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"“{text}” is no day; write it as 2026-03-01 / 日期格式错误") from error


def _anchor(text: str) -> tuple[date, str]:
    day, _, digest = text.partition("=")
    if not digest:
        raise argparse.ArgumentTypeError(f"“{text}” is not DAY=DIGEST / 应为 日期=摘要")
    return _day(day), digest.strip().lower()


def run(args: argparse.Namespace) -> int:
    """Verify; 0 when all is as it was, 1 when something differs, 2 when the database cannot be reached."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
    import django
    from django.db.utils import OperationalError

    django.setup()
    try:
        return _verify(args)
    except OperationalError as error:
        print(f"the database cannot be reached; is the product running? / 数据库无法连接: {error}", file=sys.stderr)
        return 2


def _verify(args: argparse.Namespace) -> int:
    from luming.telemetry.evidence import closing, verifying
    from luming.telemetry.evidence.models import DayHash

    for closed in closing.close_days():
        print(f"{closed.day:%F}  closed  {closed.records:>9,} records  {closed.digest}", file=sys.stderr)
    if args.close_only:
        return 0
    differences = days = records = 0
    for result in verifying.verify_days(args.first, args.last):
        days, records = days + 1, records + result.records
        note = f"  (removed by retention: {', '.join(result.dropped)})" if result.dropped else ""
        print(f"{result.day:%F}  {'DIFFERS' if result.differences else 'intact '}  {result.records:>9,} records{note}")
        for item in result.differences:
            differences += 1
            print(f"            {item.source or 'chain'}: {item.kind}: {item.text}")
    for day, digest in args.anchor:
        stored = DayHash.objects.filter(day=day).values_list("digest", flat=True).first()
        if stored != digest:
            differences += 1
            print(f"{day:%F}  DIFFERS  the published digest is {digest}, the stored one {stored or 'missing'}")
    if not days:
        print("no closed day in that period / 该时段没有已封存的日期", file=sys.stderr)
    print(
        f"{days:,} days, {records:,} records, {differences} differences / {days} 天，{records} 条，{differences} 处不符"
    )
    return 1 if differences else 0
