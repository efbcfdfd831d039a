"""``luming migrate``: bring the database to this version."""

from __future__ import annotations

import argparse
import os


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming migrate``."""
    parser.add_argument("--check", action="store_true", help="only say whether migrations are missing (exit code 1)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the migrations as the owner of the database."""
    os.environ.pop("LUMING_DB_ROLE", None)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
    import django
    from django.core.management import call_command

    django.setup()
    if args.check:
        from django.db import connection
        from django.db.migrations.executor import MigrationExecutor

        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        for migration, _backwards in missing:
            print(migration)
        return 1 if missing else 0
    call_command("migrate", interactive=False, verbosity=1)
    return 0
