"""The cockpit, the wall display and the global search."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from luming import __version__
from luming.registry import city
from luming.web.access import needs, signed_in
from luming.web.cockpit import compose, searching
from luming.web.cockpit.home import sections
from luming.web.judgements import dumps
from luming.web.live import live

QUICK, WHOLE = 5, 30  # results of each kind in the dialog and on the page


@needs("cockpit.view")
def cockpit(request: HttpRequest) -> HttpResponse:
    """Show the figures of all domains to those who decide."""
    return render(request, "web/cockpit/cockpit.html", _figures(request))


@needs("cockpit.view")
@live
def now(request: HttpRequest) -> HttpResponse:
    """Return the figures again."""
    return render(request, "web/cockpit/figures.html", _figures(request))


def _figures(request: HttpRequest) -> dict[str, object]:
    asked = [section for section in sections(request.user) if section.key != "todo"]
    return {"groups": compose.groups(request.user), "sections": asked}


@needs("cockpit.view")
def wall(request: HttpRequest) -> HttpResponse:
    """Show the figures on a large screen."""
    profile = city.profile()
    values = {
        "zones": compose.zones(compose.groups(request.user)),
        "profile": profile,
        "city_name": profile.text("name"),
        "bureau": profile.text("bureau"),
        "sketch_label": profile.text("label"),
        "attribution": profile.text("attribution"),
    }
    return render(request, "web/cockpit/wall.html", values)


@needs("cockpit.view")
@live
def wall_data(request: HttpRequest) -> HttpResponse:
    """Return the figures of the wall display and what is wrong now."""
    wrong = next((section for section in sections(request.user) if section.key == "wrong"), None)
    items = [] if wrong is None else [(row.concern, item) for row in wrong.lists for item in row.items]
    body = {
        "version": __version__,
        "zones": {
            name: [compose.as_data(group) for group in groups]
            for name, groups in compose.zones(compose.groups(request.user)).items()
        },
        "number": wrong.number if wrong else 0,
        "wrong": [
            {"kind": str(concern.label), "label": str(item.label), "value": str(item.value), "url": item.url}
            for concern, item in items
        ],
    }
    return HttpResponse(dumps(body), content_type="application/json")


@signed_in
def search(request: HttpRequest) -> HttpResponse:
    """Show all that was found for ``q``."""
    text = request.GET.get("q", "").strip()[: searching.LONGEST]
    groups = searching.results(request, text, WHOLE)
    return render(request, "web/cockpit/search.html", {"text": text, "groups": groups})


@signed_in
def find(request: HttpRequest) -> HttpResponse:
    """Return the options of the search dialog for ``q``."""
    text = request.GET.get("q", "").strip()[: searching.LONGEST]
    groups = searching.results(request, text, QUICK)
    response = render(request, "web/cockpit/search_options.html", {"text": text, "groups": groups})
    response["Cache-Control"] = "no-store"
    return response
