"""``luming serve``: the web pages."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from luming.core import installation


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming serve``."""
    installation.use_configuration()
    parser.add_argument("--host", default=os.environ.get("LUMING_WEB_HOST", "127.0.0.1"), help="address to listen on")
    parser.add_argument("--port", type=int, default=int(os.environ.get("LUMING_WEB_PORT", "8000")))
    parser.add_argument("--processes", type=int, default=2, help="web processes")
    parser.add_argument("--threads", type=int, default=4, help="threads of each process")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until stopped."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
    if installation.has_own_database():
        # Pages are served by a role that can neither update nor delete packets and observations.
        os.environ.setdefault("LUMING_DB_ROLE", "luming_app")
    collect_static()
    from django.db import connections

    from luming.core.setup_commands import announcement

    if text := announcement(f"http://{args.host}:{args.port}"):
        print(text, flush=True)
    connections.close_all()
    from granian import Granian
    from granian.constants import Interfaces

    Granian(
        "luming.web.wsgi:application",
        address=args.host,
        port=args.port,
        interface=Interfaces.WSGI,
        workers=args.processes,
        blocking_threads=args.threads,
        log_access=False,
        respawn_failed_workers=True,
    ).serve()
    return 0


def collect_static() -> None:
    """Gather, compress and fingerprint the static files when they have changed since the last time."""
    import django
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    django.setup()
    newest = max(
        (Path(storage.path(path)).stat().st_mtime for finder in get_finders() for path, storage in finder.list([])),
        default=0.0,
    )
    stamp = settings.STATIC_ROOT / ".collected"
    if stamp.exists() and stamp.stat().st_mtime >= newest:
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=stamp.exists())
    stamp.touch()
