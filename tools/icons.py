"""Write the sprite of the icons that the pages use, from the npm package @tabler/icons (MIT).

Run it after adding a name: ``python tools/icons.py``. The sprite is committed, so that a browser loads 20 kB.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "node_modules" / "@tabler" / "icons" / "icons" / "outline"
SPRITE = ROOT / "src" / "luming" / "web" / "static" / "luming" / "icons.svg"
LOGO = SPRITE.with_name("logo.svg")
STROKE = 'fill="none" stroke="currentColor" stroke-width="3.2" stroke-linecap="round" stroke-linejoin="round"'
ICONS = """
adjustments alert-triangle antenna-bars-5 arrow-back-up arrow-down arrow-right arrow-up arrows-left-right ban
baseline-density-small binary books braces broadcast building-factory-2 calendar calendar-stats certificate
certificate-off chart-line check chevron-down chevron-left chevron-right circle circle-check circle-x clock cloud-off
columns copy database device-desktop device-floppy dots download droplet edit external-link eye file file-alert
file-code file-download file-export file-import file-search file-spreadsheet filter flask gauge grip-vertical
heartbeat help help-hexagon history home info-circle key language layers-intersect layout-list link list list-check
loader lock logout map map-pin maximize menu-2 moon note paperclip player-pause player-play plug-connected
plug-connected-x plus polygon printer rectangle refresh rotate router ruler-measure scale search send server share
shield-check speakerphone square-x stack-2 sun table table-import tag target timeline tool trash upload user user-plus
users volume wind world x
""".split()  # noqa: SIM905


def symbol(name: str) -> str:
    """Return one icon as a ``<symbol>``; its colour and stroke come from the page."""
    text = (PACKAGE / f"{name}.svg").read_text(encoding="utf-8")
    found = re.search(r"<svg[^>]*>(.*)</svg>", text, re.S)
    if found is None:
        raise ValueError(f"{name}.svg is not what was expected")
    return f'<symbol id="{name}" viewBox="0 0 24 24">{" ".join(found[1].split())}</symbol>'


def main() -> int:
    """Write the sprite; say which names the package does not have."""
    missing = [name for name in ICONS if not (PACKAGE / f"{name}.svg").exists()]
    if missing:
        print(f"@tabler/icons has no icon named {', '.join(missing)}", file=sys.stderr)
        return 1
    deer = LOGO.read_text(encoding="utf-8").partition(">")[2].rpartition("</svg>")[0].strip()
    drawn = f'<symbol id="deer" viewBox="0 0 64 64"><g {STROKE}>{" ".join(deer.split())}</g></symbol>'
    body = "\n".join([*(symbol(name) for name in sorted(ICONS)), drawn])
    SPRITE.write_text(f'<svg xmlns="http://www.w3.org/2000/svg">\n{body}\n</svg>\n', encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
