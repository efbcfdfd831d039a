"""``luming backup`` and ``luming restore``: from the machine's console."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming backup``."""
    parser.add_argument("--folder", type=Path, help="where to; without it the folder chosen in the first-run wizard")
    parser.add_argument("--keep", type=int, help="how many backups to keep in the folder")
    parser.add_argument("--check", action="store_true", help="restore it on trial and compare every table's rows")
    parser.add_argument("--list", action="store_true", help="only list the backups of the folder")
    parser.set_defaults(run=run)


def configure_restore(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming restore``."""
    parser.add_argument("backup", type=Path, help="the folder of one backup: luming-YYYYMMDD-HHMMSS")
    parser.add_argument("--database", help="name of the database to restore into; without it the installation's own")
    parser.add_argument("--replace", action="store_true", help="put it in the place of a database that is not empty")
    parser.set_defaults(run=run_restore)


def _start() -> None:
    os.environ.pop("LUMING_DB_ROLE", None)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
    import django

    django.setup()


def run(args: argparse.Namespace) -> int:
    """Make a backup, or list them."""
    _start()
    from luming.core import backup

    folder = (args.folder or backup.folder() or Path()).expanduser()
    if not folder.is_absolute():
        folder = folder.resolve() if args.folder else folder
    if folder == Path():
        print("say where to: --folder, or choose it in the first-run wizard / 请用 --folder 指定目录", file=sys.stderr)
        return 2
    if args.list:
        for one in backup.listing(folder):
            print(f"{one.name}  {one.size / 1e6:>10.1f} MB  {one.version}  {'checked' if one.checked_at else ''}")
        return 0
    try:
        made = backup.make(folder)
        print(f"{made.folder}  {made.size / 1e6:.1f} MB  {sum(made.rows.values()):,} rows")
        if args.check:
            backup.check(made)
            print("restored on trial: every table has its rows / 恢复检验通过")
    except backup.BackupError as error:
        print(error, file=sys.stderr)
        return 1
    for name in backup.prune(folder, args.keep or backup.keep()):
        print(f"removed {name}")
    return 0


def run_restore(args: argparse.Namespace) -> int:
    """Restore a backup."""
    _start()
    from luming.core import backup, postgres_tools

    try:
        found = backup.read(args.backup.expanduser().resolve())
    except (OSError, ValueError, KeyError) as error:
        print(f"{args.backup} is no finished backup: {error} / 不是完整的备份", file=sys.stderr)
        return 2
    database = args.database or str(postgres_tools.parameters()["dbname"])
    try:
        before = backup.restore(found, database, replace=args.replace)
    except backup.BackupError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{database} is restored from {found.name}, made {found.made_at:%F %T} UTC by Luming {found.version}")
    if before:
        print(f"what was there is kept as the database {before}; drop it when you are sure / 原数据库保留为 {before}")
    print("run `luming migrate`, then start pages, gateway and worker / 请运行 luming migrate 后启动各进程")
    return 0
