"""Pages of the file: region pages, and the parts that pages of every subject share."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header

from luming.registry import city
from luming.registry.models import Facility, Region
from luming.web.access import needs
from luming.web.live import live
from luming.web.onefile import compose, neighbours, subjects
from luming.web.onefile import outlets as now
from luming.web.onefile import timeline as story
from luming.web.onefile.subjects import File


@needs("data.view")
def regions(request: HttpRequest) -> HttpResponse:
    """Lead to the page of the city, or of the first region there is."""
    found = Region.objects.filter(code=city.profile().code).first() or Region.objects.first()
    if found is None:
        return render(request, "web/onefile/no_region.html")
    return redirect("region", found.code)


@needs("data.view")
def region(request: HttpRequest, code: str) -> HttpResponse:
    """Show one region: what is in it, how it stands, who answers for it."""
    return page(request, subjects.find(request.user, "region", code), "web/region.html")


def page(request: HttpRequest, file: File, template: str, **values: Any) -> HttpResponse:
    """Render the page of a file with the panels of all manifests."""
    return render(request, template, compose.context(request, file) | values)


@needs("data.view")
@live
def outlets(request: HttpRequest, of: str, key: str) -> HttpResponse:
    """Return the rows of a facility's outlets as they are now."""
    file = subjects.find(request.user, of, key)
    rows = now.of(request.user, file.subject) if isinstance(file.subject, Facility) else []
    return render(request, "web/onefile/outlets_rows.html", {"rows": rows, "file": file})


@needs("data.view")
@live
def map_layers(request: HttpRequest, of: str, key: str) -> HttpResponse:
    """Return the layers around a subject in the form of the one map's."""
    file = subjects.find(request.user, of, key)
    km = neighbours.read_distance(request.GET.get("km"))
    return JsonResponse({"layers": neighbours.layers(request.user, file.subject, km)})


@needs("data.view")
def timeline(request: HttpRequest, of: str, key: str) -> HttpResponse:
    """Return a piece of the timeline: older than an instant, of one source or of all."""
    file = subjects.find(request.user, of, key)
    found = story.sources(request.user, file.kind)
    only = request.GET.get("source", "")
    only = only if only in {source.key for source in found} else ""
    before = story.read_instant(request.GET.get("before"))
    part = story.page(request.user, file.kind, file.subject, before, only=only)
    older = bool(request.GET.get("before"))
    template = "web/onefile/timeline_rows.html" if older else "web/onefile/timeline_all.html"
    if not request.htmx:  # without scripts the link leads to a page of its own
        template = "web/onefile/timeline_page.html"
    return render(request, template, {"page": part, "sources": found, "only": only, "file": file})


@needs("data.view")
def dossier(request: HttpRequest, of: str, key: str) -> HttpResponse:
    """Return the dossier as PDF."""
    from luming.web.onefile import dossier as paper  # typst is loaded when it is needed

    file = subjects.find(request.user, of, key)
    response = HttpResponse(paper.make(request, file), content_type="application/pdf")
    name = f"{getattr(file.subject, 'code', file.subject.pk)}.pdf"
    response["Content-Disposition"] = content_disposition_header(False, name)
    return response
