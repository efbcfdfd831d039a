"""Children are started, restarted after a fall, and stopped."""

import subprocess
import sys
import time

import pytest

from luming.ops.supervisor import Child, Supervisor


@pytest.fixture
def supervisor(tmp_path, monkeypatch):
    supervisor = Supervisor(tmp_path / "logs")
    yield supervisor
    supervisor.stop(timeout=5)


def _wait(condition, timeout=20):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_child_that_falls_is_started_again_with_growing_pauses(supervisor, capfd):
    child = Child("version", ["--version"])  # prints and ends at once
    supervisor.start(child)
    _wait(lambda: child.process is not None and child.process.poll() is not None)
    supervisor._look_after(child)
    assert child.falls == 1
    assert child.process is None
    _wait(lambda: supervisor._look_after(child) or child.process is not None)
    _wait(lambda: child.process is None or child.process.poll() is not None)
    supervisor._look_after(child)
    assert child.falls == 2
    assert child.restart_at - time.monotonic() > 1
    assert (supervisor.logs / "version.log").read_text().count("luming") == 2
    assert "starting it again" in capfd.readouterr().err


def test_stop_stops(supervisor):
    child = Child("sleeper", [])
    child.process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    supervisor.children.append(child)
    supervisor.stop(timeout=5)
    assert child.process.poll() is not None
