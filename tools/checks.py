"""Write docs/reference/checks.md from the catalogue of quality checks; ``--check`` only says whether it is up to date.

python tools/checks.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

from luming.science.qc.listing import markdown

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "checks.md"


def main(arguments: list[str]) -> int:
    """Write the page, or with ``--check`` compare it; 1 when it is not up to date."""
    text = markdown()
    if "--check" in arguments:
        current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        if current != text:
            print("docs/reference/checks.md is not up to date: run python tools/checks.py", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
