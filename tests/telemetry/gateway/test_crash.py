"""The short version of benchmarks/crash.py: kill -9 of the gateway and of PostgreSQL under load, nothing is lost."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
def test_what_was_acknowledged_survives_kill_9():
    # A database of its own, with fsync; nothing of this test run's.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("LUMING_", "DATABASE_URL"))
    }
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "crash.py"), "--rounds", "2", "--devices", "20"],
        capture_output=True, text=True, check=False, timeout=240, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "every acknowledged packet is stored once" in done.stdout
