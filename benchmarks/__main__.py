"""``make bench``: run every benchmark one after the other and keep its JSON in ``bench-results/``.

``python -m benchmarks decode store`` runs only those.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def main(names: list[str]) -> int:
    """Run the named benchmarks (all when none is named); returns the number that failed."""
    results = Path("bench-results")
    results.mkdir(exist_ok=True)
    scripts = sorted(FOLDER.glob("bench_*.py"))
    known = {script.stem.removeprefix("bench_"): script for script in scripts}
    if unknown := set(names) - set(known):
        print(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    failed = 0
    for name in names or known:
        print(f"\n=== {name}", flush=True)
        command = [sys.executable, str(known[name]), "--json", str(results / f"{name}.json")]
        failed += subprocess.run(command, check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
