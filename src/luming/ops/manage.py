"""``luming manage …``: Django's own management commands, for those who develop Luming."""

from __future__ import annotations

import argparse
import os


def configure(parser: argparse.ArgumentParser) -> None:
    """Take all that follows as Django's arguments."""
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Hand over to Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["luming manage", *args.arguments])
    return 0
