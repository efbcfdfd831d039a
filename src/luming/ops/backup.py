"""``luming backup``; see :mod:`luming.core.backup_commands`."""

from __future__ import annotations

import argparse

from luming.core import backup_commands
from luming.ops.restore import with_database


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming backup``."""
    backup_commands.configure(parser)
    parser.set_defaults(run=with_database(backup_commands.run))
