"""``luming doctor``: what is wrong with this installation, and how to mend it."""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import psycopg

from luming.core import installation, machine

OK, WARNING, PROBLEM = "ok", "warning", "problem"
_SIGNS = {OK: "✓", WARNING: "!", PROBLEM: "✗"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was looked at, how it is, and what to do when it is not well."""

    check: str
    state: str
    found: str
    remedy: str = ""


Check = Callable[[], Iterator[Finding]]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming doctor``."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the findings; exit code 1 when there is a problem."""
    os.environ.pop("LUMING_DB_ROLE", None)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
    import django

    django.setup()
    findings = examine()
    if args.json:
        print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=1))
    else:
        for finding in findings:
            print(f"{_SIGNS[finding.state]} {finding.check}: {finding.found}")
            if finding.remedy:
                print(f"    → {finding.remedy}")
    return int(any(finding.state == PROBLEM for finding in findings))


def examine() -> list[Finding]:
    """Run all checks; a check that fails itself is a finding, not a crash."""
    findings: list[Finding] = []
    for check in CHECKS:
        try:
            findings += check()
        except Exception as error:
            findings.append(
                Finding(check.__name__, PROBLEM, f"{type(error).__name__}: {error}", "please report this / 请反馈")
            )
    return findings


def data_folder() -> Iterator[Finding]:
    """The data folder has room, and its secrets are nobody else's."""
    folder = installation.data_dir()
    free = machine.free_bytes(folder) / 2**30
    state = PROBLEM if free < 1 else WARNING if free < 10 else OK
    remedy = "" if state == OK else "free some space or move the folder (LUMING_DATA) / 清理磁盘或更换数据目录"
    yield Finding("disk / 磁盘", state, f"{free:.1f} GiB free in {folder}", remedy)
    secrets = folder / "secrets.json"
    if secrets.exists() and secrets.stat().st_mode & 0o077:
        yield Finding("secrets / 密钥文件", PROBLEM, f"{secrets} is readable by others", f"chmod 600 {secrets}")


def clock() -> Iterator[Finding]:
    """The machine's clock is kept by a time service: measurements are judged by it."""
    if not machine.clock_is_possible():
        yield Finding(
            "clock / 时钟",
            PROBLEM,
            time.strftime("%F %T"),
            "set the clock and run chrony or systemd-timesyncd / 校准时钟",
        )
    elif machine.clock_is_kept():
        yield Finding("clock / 时钟", OK, "synchronised / 已同步")
    else:
        remedy = (
            "run chrony or systemd-timesyncd: loggers are set by this clock / 运行时间同步服务，数采仪以本机时钟校时"
        )
        yield Finding("clock / 时钟", WARNING, "no time service known here / 未发现时间同步服务", remedy)


def open_files() -> Iterator[Finding]:
    """Each logger needs a file descriptor."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    state = OK if hard == resource.RLIM_INFINITY or hard >= 4096 else WARNING
    remedy = (
        ""
        if state == OK
        else "raise LimitNOFILE (systemd) or `ulimit -Hn`: one connection takes one / 提高打开文件数上限"
    )
    yield Finding("open files / 打开文件数", state, f"{soft} (at most {hard})", remedy)


def fonts() -> Iterator[Finding]:
    """Chinese fonts for pictures made on this machine (browsers of users bring their own)."""
    if not shutil.which("fc-list"):
        yield Finding(
            "fonts / 字体",
            WARNING,
            "fontconfig is not installed",
            "install fontconfig and Noto Sans CJK / 安装中文字体",
        )
        return
    done = subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, text=True, timeout=20, check=False)
    family = done.stdout.splitlines()[0] if done.stdout else ""
    if family:
        yield Finding("fonts / 字体", OK, family)
    else:
        yield Finding(
            "fonts / 字体", WARNING, "no Chinese font", "install Noto Sans CJK (Debian: fonts-noto-cjk) / 安装中文字体"
        )


def front_end() -> Iterator[Finding]:
    """The browser libraries are there."""
    from django.conf import settings

    if (settings.STATIC_ROOT / ".collected").exists() or (installation.CHECKOUT / "node_modules").exists():
        yield Finding("front end / 前端资源", OK, str(settings.STATIC_ROOT))
    else:
        yield Finding(
            "front end / 前端资源",
            PROBLEM,
            "browser libraries are missing",
            "run `make setup` (npm ci) / 运行 make setup",
        )


def database() -> Iterator[Finding]:
    """The database answers, is new enough, durable, migrated, and pages use the lesser role."""
    where = "embedded / 内置" if installation.has_own_database() else "DATABASE_URL"
    try:
        connection = psycopg.connect(installation.database_url(), connect_timeout=5, autocommit=True)
    except psycopg.OperationalError as error:
        remedy = "run `luming demo`, or check DATABASE_URL and that the server is up / 启动数据库或检查 DATABASE_URL"
        yield Finding("database / 数据库", PROBLEM, f"{where}: {str(error).strip().splitlines()[0]}", remedy)
        return
    with connection:
        version = connection.info.server_version // 10000
        state = OK if version >= 15 else PROBLEM
        yield Finding(
            "database / 数据库",
            state,
            f"{where}, PostgreSQL {version}",
            "" if state == OK else "PostgreSQL 15 or newer is needed",
        )
        yield from _durability(connection)
        yield from _migrations()
        yield from _serving_role(connection)
        yield from _database_clock(connection)


def _durability(connection: psycopg.Connection) -> Iterator[Finding]:
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        value = connection.execute(f"SHOW {name}").fetchone()[0]
        if value == "off":
            yield Finding(
                name,
                PROBLEM,
                value,
                f"set {name} = on: an acknowledged packet must be on disk / 应开启，否则应答后仍可能丢失数据",
            )


def _migrations() -> Iterator[Finding]:
    missing = machine.missing_migrations()
    if missing:
        yield Finding(
            "migrations / 数据迁移",
            PROBLEM,
            f"{len(missing)} missing: {', '.join(missing[:3])}",
            "run `luming migrate` / 运行 luming migrate",
        )
    else:
        yield Finding("migrations / 数据迁移", OK, "up to date / 最新")


def _serving_role(connection: psycopg.Connection) -> Iterator[Finding]:
    exists = connection.execute("SELECT to_regrole('luming_app') IS NOT NULL").fetchone()[0]
    raw = connection.execute("SELECT to_regclass('telemetry_packet') IS NOT NULL").fetchone()[0]
    if not raw:
        return
    if not exists:
        remedy = "let the owner create roles (CREATEROLE) and run `luming migrate` again / 赋予建角色权限后重新迁移"
        yield Finding(
            "serving role / 服务角色", WARNING, "luming_app does not exist; triggers alone guard raw data", remedy
        )
        return
    query = "SELECT has_table_privilege('luming_app', 'telemetry_packet', 'UPDATE, DELETE, TRUNCATE')"
    if connection.execute(query).fetchone()[0]:
        remedy = "REVOKE UPDATE, DELETE, TRUNCATE ON telemetry_packet, telemetry_observation FROM luming_app"
        yield Finding("serving role / 服务角色", PROBLEM, "luming_app may change raw data", remedy)
    else:
        yield Finding(
            "serving role / 服务角色", OK, "pages can neither change nor delete raw data / 页面无权改删原始数据"
        )


def _database_clock(connection: psycopg.Connection) -> Iterator[Finding]:
    before = time.time()
    there = connection.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()[0]
    offset = float(there) - (before + time.time()) / 2
    if abs(offset) > 2:
        yield Finding(
            "database clock / 数据库时钟",
            PROBLEM,
            f"{offset:+.1f} s from this machine",
            "synchronise both clocks / 同步两机时钟",
        )


def ports() -> Iterator[Finding]:
    """The gateway's port is ours or free."""
    from django.conf import settings

    host, port = settings.GATEWAY_HOST, settings.GATEWAY_PORT
    with socket.socket() as probe:
        probe.settimeout(1)
        listening = probe.connect_ex(("127.0.0.1" if host in ("", "0.0.0.0") else host, port)) == 0
    if not listening:
        remedy = "start `luming gateway`, or set LUMING_GATEWAY_PORT / 启动接收网关"
        yield Finding("gateway / 接收网关", WARNING, f"nobody listens on {host}:{port}", remedy)
    else:
        yield Finding("gateway / 接收网关", OK, f"{host}:{port}")


CHECKS: tuple[Check, ...] = (data_folder, clock, open_files, fonts, front_end, database, ports)
