"""``luming demo``: the whole product on this machine, with a simulated fleet, under one supervisor."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import sys
import time
import urllib.request
from datetime import timedelta

from luming.core import installation
from luming.ops.postgres import PostgresError, Server, own_server
from luming.ops.supervisor import Child, Supervisor

HISTORY_DAYS = 60


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming demo``."""
    parser.add_argument("--reset", action="store_true", help="throw the demonstration data away and start afresh")
    parser.add_argument("--port", type=int, default=8000, help="of the pages (the next free one is taken)")
    parser.add_argument(
        "--gateway-port", type=int, default=9212, help="of the HJ 212 gateway (the next free one is taken)"
    )
    parser.add_argument("--days", type=int, default=HISTORY_DAYS, help="days of history to fill in")
    parser.add_argument("--no-simulation", action="store_true", help="start without the simulated fleet")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Set up what is missing, start everything, wait for Ctrl-C, stop everything."""
    began = time.monotonic()
    server = own_server() if installation.has_own_database() else None
    if args.reset:
        reset(server)
        server = own_server() if server else None
    try:
        if server:
            step("database / 数据库")
            server.start()
        passwords = prepare(args.days)
    except (PostgresError, KeyboardInterrupt) as error:
        print(f"\n{error}" if str(error) else "\nstopped / 已停止", file=sys.stderr)
        if server:
            server.stop()
        return 1
    supervisor = Supervisor(installation.data_dir() / "logs")
    try:
        web, gateway = free_port(args.port), free_port(args.gateway_port)
        start_children(supervisor, web, gateway, simulation=not args.no_simulation)
        wait_for_page(f"http://127.0.0.1:{web}/healthz")
        announce(f"http://127.0.0.1:{web}", gateway, passwords, time.monotonic() - began)
        supervisor.run()
    except KeyboardInterrupt:
        pass
    finally:
        print("\nstopping / 正在停止 …", flush=True)
        supervisor.stop()
        if server:
            server.stop()
        print("stopped / 已停止", flush=True)
    return 0


def step(text: str) -> None:
    """Print one line of progress."""
    print(f"· {text}", flush=True)


def reset(server: Server | None) -> None:
    """Throw away the data folder of a demonstration; any other installation is refused."""
    if server is None:
        print(
            "DATABASE_URL is set: --reset only works on the embedded database; drop and create yours by hand.",
            file=sys.stderr,
        )
        raise SystemExit(2)
    marker = installation.data_dir() / "demo"
    if any(installation.data_dir().iterdir()) and (installation.data_dir() / "pgdata").exists() and not marker.exists():
        print(f"{installation.data_dir()} was not made by `luming demo`; it is left alone.", file=sys.stderr)
        raise SystemExit(2)
    server.stop()
    shutil.rmtree(installation.data_dir())


def prepare(days: int) -> dict[str, str]:
    """Migrate, load the city and the fleet, fill in the history; return the one-time passwords still unused."""
    os.environ.pop("LUMING_DB_ROLE", None)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
    import django
    from django.core.management import call_command
    from django.db import connections
    from django.utils import timezone

    (installation.data_dir() / "demo").touch()
    django.setup()
    step("tables / 数据表")
    call_command("migrate", interactive=False, verbosity=0)

    from luming.demo import announcements, fleet, history, instruments, marks, permits, reviews, samples, telling
    from luming.registry import city
    from luming.telemetry import judging
    from luming.telemetry.quality import closing

    step("city profile / 城市配置")
    city.load("baotou")
    step("demonstration fleet / 演示点位与设备")
    passwords = one_time_passwords(fleet.load())
    announcements.load()
    today = timezone.localdate()
    permits.load(fleet.describe(), today - timedelta(days=days), today)
    instruments.load(fleet.describe(), timezone.now(), days)
    telling.send(fleet.describe(), timezone.now())
    step(f"history of {days} days / {days} 天历史数据")
    history.fill(days=days)
    samples.load(today)
    step("checks / 数据检查")
    closing.loaded(timezone.now() - timedelta(days=days), timezone.now())
    reviews.load(today)
    marks.load(today)
    judging.judge_pending()  # the newest hours, for the first page; the worker goes on with the older ones
    connections.close_all()
    return passwords


def one_time_passwords(new: dict[str, str]) -> dict[str, str]:
    """Keep new one-time passwords (readable by the owner only); return those that nobody has changed yet."""
    from luming.core.models import User

    path = installation.data_dir() / "one-time-passwords.json"
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    kept.update(new)
    waiting = set(User.objects.filter(must_change_password=True).values_list("username", flat=True))
    kept = {name: password for name, password in kept.items() if name in waiting}
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(kept, file)
    return kept


def free_port(wanted: int) -> int:
    """Return the wanted port, or the next one that nobody listens on."""
    for port in range(wanted, wanted + 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SystemExit(f"no free port between {wanted} and {wanted + 199} / 没有空闲端口")


def start_children(supervisor: Supervisor, web: int, gateway: int, *, simulation: bool) -> None:
    """Start web, gateway, worker and the simulated fleet."""
    from luming.ops.serve import collect_static

    step("pages / 网页")
    collect_static()
    metrics = free_port(gateway + 1)
    worker_metrics = free_port(metrics + 1)
    # A first look must be easy: nobody has to enrol a second factor (whoever wants to may).
    environment = {
        "LUMING_GATEWAY_PORT": str(gateway),
        "LUMING_GATEWAY_METRICS_PORT": str(metrics),
        "LUMING_SECOND_FACTOR": os.environ.get("LUMING_SECOND_FACTOR", "off"),
    }
    supervisor.start(Child("web", ["serve", "--port", str(web), "--processes", "1"], environment))
    supervisor.start(Child("gateway", ["gateway"], environment))
    supervisor.start(Child("worker", ["worker", "--metrics-port", str(worker_metrics)], environment))
    if simulation:
        supervisor.start(Child("simulate", ["simulate", "--port", str(gateway)], environment))


def wait_for_page(url: str, timeout: float = 60) -> None:
    """Wait until the pages answer."""
    deadline = time.monotonic() + timeout
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            with opener.open(url, timeout=5):
                return
        except OSError as error:
            if time.monotonic() > deadline:
                log = installation.data_dir() / "logs" / "web.log"
                raise SystemExit(f"the pages do not answer ({error}); see {log} / 网页没有响应") from error
            time.sleep(0.2)


def announce(address: str, gateway: int, passwords: dict[str, str], seconds: float) -> None:
    """Print where to look and who may sign in."""
    from luming.core.models import User

    users = {user.username: user for user in User.objects.all()}
    lines = [f"鹿鸣 Luming  {address}   （{seconds:.0f} s）", f"HJ 212 gateway / 接收网关  127.0.0.1:{gateway}", ""]
    if passwords:
        lines.append("one-time passwords, to be changed at the first sign-in / 一次性密码，首次登录须修改：")
        lines += [f"  {name:<16}{password:<22}{users[name].get_role_display()}" for name, password in passwords.items()]
    else:
        lines.append(
            "one-time passwords are used up; `luming user reset-password NAME` makes a new one / 可用该命令重置密码"
        )
    lines += ["", "演示数据 demonstration data. Ctrl-C stops everything; the data is kept."]
    print("\n" + "\n".join(lines) + "\n", flush=True)
