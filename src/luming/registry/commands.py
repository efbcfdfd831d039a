"""``luming city``: list, check and load city profiles."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming city``."""
    commands = parser.add_subparsers(dest="city_command", metavar="list|check|load", required=True)
    sub = commands.add_parser("list", help="the profiles that can be loaded / 可用的城市配置")
    sub.set_defaults(run=run, action=list_profiles)
    sub = commands.add_parser("check", help="say all that is wrong with a profile / 检查城市配置")
    sub.add_argument("path", help="its folder, or its name / 文件夹或名称")
    sub.set_defaults(run=run, action=check)
    sub = commands.add_parser("load", help="bring a profile's regions and stations into the database / 载入城市配置")
    sub.add_argument("name")
    sub.set_defaults(run=run, action=load)


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
        print(
            "start it with `luming demo`, or set DATABASE_URL; `luming doctor` tells more / 数据库未运行",
            file=sys.stderr,
        )
        return 2


def list_profiles(args: argparse.Namespace) -> int:
    """Print name, code, city and folder of each profile."""
    from luming.registry import city

    for name, folder in city.available().items():
        profile = city.read(folder)
        print(f"{name}\t{profile.code}\t{profile.name} {profile.name_en}\t{folder}")
    return 0


def check(args: argparse.Namespace) -> int:
    """Print all that is wrong with a profile."""
    from luming.registry import city, city_check
    from luming.registry.problems import FileError

    try:
        folder = Path(args.path) if Path(args.path).is_dir() else city.find(args.path)
    except FileError as error:
        print(error, file=sys.stderr)
        return 1
    problems = city_check.check(folder)
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(f"{folder}: sound / 无误")
    return 1 if problems else 0


def load(args: argparse.Namespace) -> int:
    """Load a profile and print what is new, changed and unchanged."""
    from luming.registry import city
    from luming.registry.problems import FileError

    try:
        report = city.load(args.name)
    except FileError as error:
        print(error, file=sys.stderr)
        return 1
    report.print({"regions": "regions / 区划", "stations": "stations / 监测点位"})
    for warning in report.warnings:
        print(warning, file=sys.stderr)
    return 0
