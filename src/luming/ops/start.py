"""``luming start``: a real installation on one machine: database, pages, gateway and worker under one supervisor."""

from __future__ import annotations

import argparse
import os
import socket
import sys

from luming.core import installation
from luming.ops.postgres import PostgresError, own_server
from luming.ops.supervisor import Child, Supervisor


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming start``."""
    installation.use_configuration()
    parser.add_argument("--host", default=os.environ.get("LUMING_WEB_HOST", "127.0.0.1"), help="address of the pages")
    parser.add_argument("--port", type=int, default=int(os.environ.get("LUMING_WEB_PORT", "8000")), help="of the pages")
    parser.add_argument("--processes", type=int, default=2, help="web processes")
    parser.add_argument("--no-migrate", action="store_true", help="leave the tables as they are")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Start everything, wait for Ctrl-C or SIGTERM, stop everything."""
    if taken(args.host, args.port):
        print(f"port {args.port} is in use: choose another with --port / 端口 {args.port} 已被占用", file=sys.stderr)
        return 1
    server = own_server() if installation.has_own_database() else None
    try:
        if server:
            server.start()
        prepare(migrate=not args.no_migrate)
    except PostgresError as error:
        print(error, file=sys.stderr)
        if server:
            server.stop()
        return 1
    supervisor = Supervisor(installation.data_dir() / "logs")
    try:
        for child in children(args.host, args.port, args.processes):
            supervisor.start(child)
        announce(f"http://{'127.0.0.1' if args.host == '0.0.0.0' else args.host}:{args.port}")
        supervisor.run()
    except KeyboardInterrupt:
        pass
    finally:
        print("stopping / 正在停止 …", flush=True)
        supervisor.stop()
        if server:
            server.stop()
    return 0


def taken(host: str, port: int) -> bool:
    """Tell whether somebody listens on a port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def prepare(*, migrate: bool) -> None:
    """Bring the tables to this version and gather the static files."""
    os.environ.pop("LUMING_DB_ROLE", None)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
    import django
    from django.core.management import call_command
    from django.db import connections

    from luming.ops.serve import collect_static

    django.setup()
    if migrate:
        call_command("migrate", interactive=False, verbosity=0)
    collect_static()
    connections.close_all()


def children(host: str, port: int, processes: int) -> list[Child]:
    """Return the processes of an installation."""
    web = ["serve", "--host", host, "--port", str(port), "--processes", str(processes)]
    return [
        Child("web", web, {"LUMING_WEB_PORT": str(port)}),
        Child("gateway", ["gateway"]),
        Child("worker", ["worker"]),
    ]


def announce(address: str) -> None:
    """Print where the pages are, and the token while nobody administers them."""
    from django.conf import settings
    from django.db import connections

    from luming.core.setup_commands import announcement

    print(
        f"鹿鸣 Luming  {address}\nHJ 212 gateway / 接收网关  {settings.GATEWAY_HOST}:{settings.GATEWAY_PORT}",
        flush=True,
    )
    if text := announcement(address):
        print(text, flush=True)
    connections.close_all()
