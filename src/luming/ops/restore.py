"""``luming backup`` and ``luming restore`` with the embedded database started for the time it takes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from luming.core import backup_commands, installation
from luming.ops.postgres import PostgresError, own_server


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming restore``."""
    backup_commands.configure_restore(parser)
    parser.set_defaults(run=with_database(backup_commands.run_restore))


def with_database(command: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Return a command that starts the embedded database when nobody has, and stops it again then."""

    def run(args: argparse.Namespace) -> int:
        server = own_server() if installation.has_own_database() else None
        if server is None or server.is_running():
            return command(args)
        try:
            server.start()
            return command(args)
        except PostgresError as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            server.stop()

    return run
