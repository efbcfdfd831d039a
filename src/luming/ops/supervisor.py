"""A few child processes under one parent: started together, restarted when they fall, stopped together."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Child:
    """One process: its name, its ``luming`` arguments and how it has fared."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    falls: int = 0
    restart_at: float = 0.0
    started_at: float = 0.0


class Supervisor:
    """Runs children until told to stop.

    Each child's output goes to ``<log folder>/<name>.log``. Children run in sessions of their own, so that Ctrl-C
    reaches only the parent, which then stops them in reverse order; should the parent die, they get SIGTERM.
    """

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.children: list[Child] = []
        self.stopping = False
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, child: Child) -> None:
        """Start a child and look after it from now on."""
        self._launch(child)
        self.children.append(child)

    def run(self) -> None:
        """Look after the children until :meth:`stop` is asked for by a signal."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        while not self.stopping:
            for child in self.children:
                self._look_after(child)
            time.sleep(0.2)

    def stop(self, timeout: float = 20) -> None:
        """Stop the children, last started first; kill those that do not stop in time."""
        for child in reversed(self.children):
            if child.process and child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + timeout
        for child in reversed(self.children):
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                print(f"{child.name} did not stop in {timeout:g} s and was killed", file=sys.stderr)
                child.process.kill()
                child.process.wait()

    def _on_signal(self, *_: object) -> None:
        self.stopping = True

    def _launch(self, child: Child) -> None:
        with (self.logs / f"{child.name}.log").open("ab") as log:
            child.process = subprocess.Popen(
                [sys.executable, "-m", "luming", *child.arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **child.environment},
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        child.started_at = time.monotonic()

    def _look_after(self, child: Child) -> None:
        if child.process is None:
            if time.monotonic() >= child.restart_at:
                self._launch(child)
            return
        code = child.process.poll()
        if code is None:
            if time.monotonic() - child.started_at > 60:
                child.falls = 0
            return
        child.falls += 1
        pause = min(30.0, 2.0 ** (child.falls - 1))
        print(
            f"{child.name} ended with code {code}; starting it again in {pause:g} s (see {self.logs / child.name}.log)",
            file=sys.stderr,
        )
        child.process, child.restart_at = None, time.monotonic() + pause


def _die_with_parent() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
