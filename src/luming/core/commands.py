"""``luming user``: accounts from the machine's console."""

from __future__ import annotations

import argparse
import os
import sys

from luming.core.roles import ROLES


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming user``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="create an account and print its one-time password / 新建用户")
    create.add_argument("username")
    create.add_argument("--name", required=True, help="the person's name")
    create.add_argument("--role", required=True, choices=sorted(ROLES))
    create.add_argument("--regions", default="", help="codes of GB/T 2260 with commas between; none is the whole city")
    create.add_argument("--organisation", help="name of an organisation in the register")
    create.add_argument("--language", default="zh-hans", choices=["zh-hans", "en"])
    reset = actions.add_parser("reset-password", help="print a new one-time password / 重置密码")
    reset.add_argument("username")
    actions.add_parser("list", help="list the accounts / 列出用户")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run one action; a problem is told in one line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
    import django

    django.setup()
    from django.core.exceptions import ValidationError

    try:
        return {"create": _create, "reset-password": _reset, "list": _list}[args.action](args)
    except ValidationError as error:
        print("; ".join(error.messages), file=sys.stderr)
        return 2


def _create(args: argparse.Namespace) -> int:
    from luming.core import actions
    from luming.core.models import Organisation

    organisation = None
    if args.organisation:
        organisation = Organisation.objects.filter(name=args.organisation).first()
        if organisation is None:
            print(f"no organisation is named “{args.organisation}” / 没有该单位", file=sys.stderr)
            return 2
    regions = [code.strip() for code in args.regions.split(",") if code.strip()]
    user, password = actions.create_user(
        None,
        args.username,
        args.name,
        organisation=organisation,
        role=args.role,
        region_codes=regions,
        language=args.language,
    )
    print(f"{user.username}  {password}")
    return 0


def _reset(args: argparse.Namespace) -> int:
    from luming.core import actions
    from luming.core.models import User

    user = User.objects.filter(username=args.username).first()
    if user is None:
        print(f"no user is named “{args.username}” / 没有该用户", file=sys.stderr)
        return 2
    print(f"{user.username}  {actions.reset_password(None, user)}")
    return 0


def _list(args: argparse.Namespace) -> int:
    from luming.core.models import User

    for user in User.objects.order_by("username"):
        print(f"{user.username:<24}{user.role:<16}{'' if user.is_active else 'off':<5}{user.name}")
    return 0
