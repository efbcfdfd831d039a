"""A sheet of labels as PDF: number, place, factors, preservation, and the QR code that opens the sample on a phone."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import segno
import typst
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from luming.registry import city
from luming.telemetry.sampling import holding, words
from luming.telemetry.sampling.models import Sample
from luming.web.access import needs
from luming.web.onefile import dossier
from luming.web.words import chinese

MOST = 240  # labels of one sheet of paper after another


@needs("sample.plan")
def sheet(request: HttpRequest) -> HttpResponse:
    """Give the labels of the chosen samples; without any there is nothing to print."""
    wanted = [int(pk) for pk in request.GET.getlist("pk") if pk.isdigit()][:MOST]
    rows = Sample.objects.visible_to(request.user).filter(pk__in=wanted).select_related("place").order_by("number")
    samples = list(rows)
    if not samples:
        return redirect("sampling")
    response = HttpResponse(make(request, samples), content_type="application/pdf")
    response["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(samples[0].number, safe='')}.pdf"
    return response


def make(request: HttpRequest, samples: Sequence[Sample]) -> bytes:
    """Return the sheet as PDF."""
    with tempfile.TemporaryDirectory(prefix="luming-labels-") as name:
        folder = Path(name)
        (folder / "main.typ").write_bytes(resources.files(__package__).joinpath("labels.typ").read_bytes())
        (folder / "data.json").write_bytes(orjson.dumps(content(samples)))
        for number, sample in enumerate(samples):
            (folder / f"{number}.svg").write_bytes(code(address(request, sample)))
        return typst.compile(str(folder / "main.typ"), root=name, font_paths=dossier.fonts())


def address(request: HttpRequest, sample: Sample) -> str:
    """Return what the QR code of a sample opens."""
    return request.build_absolute_uri(reverse("sample-scan", args=[sample.number]))


def code(text: str) -> bytes:
    """Return a QR code as SVG; a quarter of it may be dirty or wet."""
    out = io.BytesIO()
    segno.make(text, error="q", micro=False).save(out, kind="svg", border=2, xmldecl=False)
    return out.getvalue()


def content(samples: Sequence[Sample]) -> dict[str, Any]:
    """Return what the template sets; blank and parallel samples look like any other: the laboratory is blind."""
    return {
        "lang": "zh" if chinese() else "en",
        "fonts": [dossier.FONT, "Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "Libertinus Serif"],
        "bureau": city.profile().text("bureau"),
        "demo": _("DEMONSTRATION DATA"),
        "words": {"factors": _("Factors"), "kept": _("Preservation"), "due": _("Due on")},
        "labels": [_label(sample) for sample in samples],
    }


def _label(sample: Sample) -> dict[str, Any]:
    rules = holding.rules(sample.place.medium, sample.factors, sample.due_on)
    texts = dict.fromkeys(rule.text for rule in rules.values())
    return {
        "number": sample.number,
        "place": sample.place.name,
        "due": sample.due_on.isoformat(),
        "factors": words.factor_names(sample.factors),
        "kept": ("；" if chinese() else "; ").join(texts),
        "is_demo": sample.is_demo,
    }
