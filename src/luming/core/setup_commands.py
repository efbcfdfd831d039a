"""``luming setup-token``: the token of the first-run wizard."""

from __future__ import annotations

import argparse
import os
import sys


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming setup-token``."""
    parser.add_argument("--new", action="store_true", help="make another token; the old one is void")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the token; say so when the installation is set up already."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
    import django

    django.setup()
    from luming.core import setup_token

    if not setup_token.is_open():
        print(
            "administrators exist already: sign in, or use `luming user reset-password` / 管理员已建立，请直接登录",
            file=sys.stderr,
        )
        return 1
    if args.new:
        setup_token.remove()
    print(setup_token.current())
    return 0


def announcement(address: str) -> str:
    """Return what a process that serves the pages prints while the installation is not set up; empty afterwards."""
    from django.db import DatabaseError

    from luming.core import setup_token

    try:
        if not setup_token.is_open():
            return ""
    except DatabaseError:
        return "the database has no tables yet: run `luming migrate` / 数据库尚未建表，请运行 luming migrate"
    return (
        f"not set up yet: open {address}/setup/ and type the token {setup_token.current()}\n"
        f"尚未初始化：请打开 {address}/setup/ 并输入上述令牌（luming setup-token 可再次显示）"
    )
