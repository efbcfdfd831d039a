"""The printable dossier: what the printed panels say, on A4, with who printed it and when."""

from __future__ import annotations

import functools
import tempfile
from importlib import resources
from pathlib import Path
from typing import Any

import orjson
import typst
from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from luming.core.models import User
from luming.registry import city
from luming.registry.models import Region
from luming.web.onefile import compose, drawing, paper, timeline
from luming.web.onefile.subjects import File
from luming.web.words import chinese

FONT = "Noto Sans SC"
_FONT_FILES = ("400Regular/NotoSansSC_400Regular.ttf", "700Bold/NotoSansSC_700Bold.ttf")
STORY_SHOWN = 60


def make(request: HttpRequest, file: File) -> bytes:
    """Return the dossier of a file as PDF, with what this user may see."""
    with tempfile.TemporaryDirectory(prefix="luming-dossier-") as name:
        folder = Path(name)
        template = resources.files(__package__).joinpath("dossier.typ").read_bytes()
        (folder / "main.typ").write_bytes(template)
        (folder / "data.json").write_bytes(orjson.dumps(content(request, file)))
        (folder / "map.svg").write_text(drawing.drawing(request.user, file.subject), encoding="utf-8")
        return typst.compile(str(folder / "main.typ"), root=name, font_paths=fonts())


@functools.cache
def fonts() -> list[str | Path]:
    """Return the folders of the Chinese font, of the npm package where it is installed.

    Only two of its weights are named: reading all nine takes typst a second. Without the package typst uses what the
    machine has.
    """
    packages = getattr(settings, "NODE_PACKAGES", None)
    if packages is None:
        return []
    root = Path(packages) / "@expo-google-fonts" / "noto-sans-sc"
    return [root / Path(item).parent for item in _FONT_FILES if (root / item).exists()]


def content(request: HttpRequest, file: File) -> dict[str, Any]:
    """Return what the template sets."""
    profile, user = city.profile(), request.user
    values = compose.frame(user, file)
    parts = [
        {"title": str(part.panel.label), "blocks": _blocks(request, file, part, values)}
        for part in compose.parts(user, file, printed=True)
    ]
    demo = bool(getattr(file.subject, "is_demo", False))
    return {
        "title": _title(file),
        "subtitle": " · ".join([*(name for name, _url in values["path"]), str(getattr(file.subject, "code", ""))]),
        "bureau": profile.text("bureau"),
        "lang": "zh" if chinese() else "en",
        "fonts": [FONT, "Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "Libertinus Serif"],
        "printed": _("Printed by %(who)s on %(when)s") % {"who": user, "when": _now()},
        "demo": _("DEMONSTRATION DATA") if demo else "",
        "demo_text": _("This enterprise or place and all its values are invented.") if demo else "",
        "parts": [part for part in parts if part["blocks"]],
    }


def _title(file: File) -> str:
    return compose.region_name(file.subject) if isinstance(file.subject, Region) else str(file.subject)


def _now() -> str:
    return timezone.localtime().strftime("%Y-%m-%d %H:%M")


def _blocks(request: HttpRequest, file: File, part: compose.Part, values: dict[str, Any]) -> list[paper.Block]:
    if part.key == "timeline":
        return _story(request.user, file)
    html = render_to_string(part.panel.template, values | dict(part.values), request)
    found = paper.blocks(html)
    return [{"kind": "map", "text": values["sketch_label"]}, *found] if part.key == "surroundings" else found


def _story(user: User, file: File) -> list[paper.Block]:
    """Return a longer extract of the timeline than the page begins with."""
    found = timeline.page(user, file.kind, file.subject, timeline.read_instant(None), limit=STORY_SHOWN)
    rows = []
    for one in found.told:
        moment = one.moment
        lines = [
            f"{moment.label} ({one.source.label})",
            " · ".join(str(item) for item in (moment.detail, moment.who) if item),
        ]
        when = timezone.localtime(moment.at).strftime("%Y-%m-%d %H:%M")
        rows.append([when, "\n".join(line for line in lines if line)])
    if not rows:
        return []
    found_blocks: list[paper.Block] = [{"kind": "told", "rows": rows}]
    if found.older is not None:
        text = _("Older entries are on the page of the file.")
        found_blocks.append({"kind": "paragraph", "text": text})
    return found_blocks
