"""Pages that say what went wrong and what to do next."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from luming.web.access import public


def _page(request: HttpRequest, status: int, title: str, text: str, advice: str) -> HttpResponse:
    template = "web/error_part.html" if getattr(request, "htmx", False) else "web/error.html"
    values = {"status": status, "title": title, "text": text, "advice": advice}
    return render(request, template, values, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the request itself is wrong."""
    return _page(
        request,
        400,
        _("This request cannot be read"),
        str(exception or "") or _("Something in the address or the form is not as it should be."),
        _("Go back and try again; a link from outside may be cut short."),
    )


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: the role does not hold the verb."""
    return _page(
        request,
        403,
        _("Your role may not do this"),
        str(exception or ""),
        _("Ask the security administrator when your work needs it."),
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: there is no such thing, or it lies outside the person's scope."""
    return _page(
        request,
        404,
        _("There is nothing here"),
        _("The address is wrong, or what it names is outside your data scope."),
        _("Look for it in the lists of the menu."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a fault of ours; the page needs no database, which may be what failed."""
    return render(None, "web/server_error.html", status=500)  # type: ignore[arg-type]


@public
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form was sent without its token, mostly from a page that was open too long."""
    if request.path.startswith("/api/"):
        detail = _("Send the token of your session (cookie csrftoken) in the header X-CSRFToken.")
        return JsonResponse({"detail": detail, "errors": {}}, status=403)
    return _page(
        request,
        403,
        _("This form has expired"),
        _("It was open too long, or your session ended in another window."),
        _("Open the page again and repeat what you wanted to do."),
    )


def locked_out(request: HttpRequest, credentials: Any = None, *args: Any, **kwargs: Any) -> HttpResponse:
    """429: too many wrong passwords."""
    return render(request, "web/locked_out.html", status=429)
