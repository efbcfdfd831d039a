"""``luming search``: the index of the search, from the machine's console."""

from __future__ import annotations

import argparse
import os
import sys
import time


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming search``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    rebuild = actions.add_parser("rebuild", help="index every record anew / 重建索引")
    rebuild.add_argument("register", nargs="*", help="keys of registers, such as facilities; all without")
    find = actions.add_parser("find", help="print what a person finds / 以某用户身份搜索")
    find.add_argument("username")
    find.add_argument("text")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run one action."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
    import django

    django.setup()
    return _rebuild(args.register) if args.action == "rebuild" else _find(args.username, args.text)


def _rebuild(keys: list[str]) -> int:
    from luming.core import search_upkeep

    if unknown := set(keys) - {register.key for register in search_upkeep.sources()}:
        print(f"no register has the key {', '.join(sorted(unknown))} / 没有该台账", file=sys.stderr)
        return 2
    begun = time.perf_counter()
    for key, number in search_upkeep.rebuild(keys or None).items():
        print(f"{key:<24}{number:>10,}")
    print(f"{time.perf_counter() - begun:.1f} s")
    return 0


def _find(username: str, text: str) -> int:
    from luming.core import search
    from luming.core.models import User

    user = User.objects.filter(username=username).first()
    if user is None:
        print(f"no user is named “{username}” / 没有该用户", file=sys.stderr)
        return 2
    for group in search.find(user, text):
        for hit in group.hits:
            print(f"{group.register.key:<16}{hit.record.pk!s:<10}{hit.title}  {' · '.join(hit.texts)}")
    return 0
