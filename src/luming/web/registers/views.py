"""The list of a register: the page, its rows, what its filters offer, and the views that people keep of it."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from luming.core import manifest, search, views_actions
from luming.core.models import SavedView, User
from luming.core.registers import Register
from luming.web.access import signed_in
from luming.web.registers import access, exporting, filters
from luming.web.registers.columns import columns
from luming.web.registers.listing import DENSITIES, Listing
from luming.web.registers.paging import LAST, CursorError
from luming.web.registers.tables import RegisterTable

CHOICES_SHOWN = 20
COOKIE = "luming_density"


@signed_in
@require_GET
def listing(request: HttpRequest, key: str) -> HttpResponse:
    """Show the rows of a register that search and filters find, in order, page by page."""
    register = access.found(request, key)
    shown = Listing(register, request.user, request.GET)
    views = list(views_actions.offered(request.user, register))
    if not request.GET and not request.htmx and (first := _opened_first(views, request.user)):
        return redirect(f"{request.path}?{_with_view(first)}")
    try:
        page = shown.page()
    except CursorError:
        return redirect(request.path + shown.address())
    abilities, density = _abilities(request.user, register), _density(request, shown)
    values = {
        "register": register,
        "listing": shown,
        "page": page,
        "here": shown.address(at=shown.cursor),
        "turns": {
            "following": shown.address(at=page.following),
            "preceding": shown.address(at=page.preceding),
            "last": shown.address(at=LAST),
        },
        "table": RegisterTable(shown, page.rows, density=density, ticks=bool(abilities["bulk_url"])),
        "views": [(view, _with_view(view), view.owner_id == request.user.pk) for view in views],
        "view": next((view for view in views if str(view.pk) == request.GET.get("view")), None),
        "density": density,
        "every_column": _columns_to_choose(shown),
        "formats": exporting.formats(register),
        **abilities,
    }
    response = render(request, _template(request), values)
    if request.htmx:  # the address without the fields that were left empty
        response["HX-Push-Url"] = request.path + (shown.address(at=shown.cursor) if shown.query else "?view=")
    patch_vary_headers(response, ["HX-Request", "HX-Target", "Cookie"])
    return response


def _template(request: HttpRequest) -> str:
    """Return the part that was asked for: the rows, the list with its form, or the page."""
    if not request.htmx or request.htmx.boosted or request.htmx.history_restore_request:
        return "web/registers/list.html"
    return "web/registers/rows.html" if request.htmx.target == "rows" else "web/registers/body.html"


def _density(request: HttpRequest, shown: Listing) -> str:
    wanted = shown.density or request.COOKIES.get(COOKIE, "")
    return wanted if wanted in DENSITIES else DENSITIES[0]


def _columns_to_choose(shown: Listing) -> list[tuple[Any, bool]]:
    """Return the shown columns in their order, then the others."""
    names = {column.name for column in shown.columns}
    rest = [column for column in columns(shown.register).values() if column.name not in names]
    return [*((column, True) for column in shown.columns), *((column, False) for column in rest)]


def _abilities(user: User, register: Register) -> dict[str, Any]:
    """Return what the user may do here, as addresses of the pages for it (empty: may not)."""
    edits = user.may(register.edit)
    return {
        "new_url": _address("record-new", register) if edits and register.add else "",
        "bulk_url": _address("record-bulk", register) if _may_change_many(user, register) else "",
        "deleted_url": _address("register-deleted", register) if edits and register.delete else "",
        "import_url": _address("register-import", register) if edits and register.natural_key else "",
    }


def _may_change_many(user: User, register: Register) -> bool:
    return bool(
        (user.may(register.edit) and (register.bulk or register.delete))
        or any(action.bulk and user.may(action.permission) for action in register.actions)
    )


def _address(name: str, register: Register) -> str:
    try:
        return reverse(name, args=[register.key])
    except NoReverseMatch:
        return ""


def _opened_first(views: list[SavedView], user: User) -> SavedView | None:
    return next((view for view in views if view.is_default and view.owner_id == user.pk), None)


def _with_view(view: SavedView) -> str:
    return f"{view.query}&view={view.pk}" if view.query else f"view={view.pk}"


@signed_in
@require_GET
def choices(request: HttpRequest, key: str, name: str) -> JsonResponse:
    """Return the records that a filter offers for what was typed."""
    register = access.found(request, key)
    declared = next((item for item in filters.declared_filters(register) if item.name == name), None)
    if declared is None or filters.kind_of(register, declared) != "record":
        raise Http404(_("This register has no such filter."))
    last, _nullable = filters.follow(register.model, name)
    target = last.related_model  # type: ignore[union-attr]
    rows = filters.related(target, request.user)
    text = request.GET.get("q", "").replace("\0", "").strip()
    of_target = manifest.register_of(target)
    if text and of_target is not None and of_target.search:
        rows = search.matching(rows, of_target.key, text)
    elif text:
        named = [item.name for item in target._meta.fields if item.name in ("name", "code", "title", "number")]
        rows = rows.filter(reduce(or_, (Q(**{f"{item}__icontains": text}) for item in named), Q(pk__in=[])))
    found = [{"value": str(record.pk), "label": str(record)} for record in rows[: CHOICES_SHOWN + 1]]
    return JsonResponse({"found": found[:CHOICES_SHOWN], "more": len(found) > CHOICES_SHOWN})


# ---- saved views ----------------------------------------------------------------------------------------------------


CHANGES: dict[str, dict[str, Any]] = {
    "share": {"is_shared": True},
    "unshare": {"is_shared": False},
    "first": {"is_default": True},
    "not-first": {"is_default": False},
}


@signed_in
@require_POST
def keep_view(request: HttpRequest, key: str) -> HttpResponseRedirect:
    """Keep the list as it is seen under a name; or bring a kept view up to date, share it, open it first, delete it."""
    register = access.found(request, key)
    query = Listing(register, request.user, _query_of(request)).state
    try:
        view, sentence = _keep(request, register, query, request.POST.get("action", "save"))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(reverse("register", args=[key]) + "?" + (query or "view="))
    messages.success(request, sentence % {"name": view.name})
    return redirect(reverse("register", args=[key]) + "?" + (_with_view(view) if view.pk else "view="))


def _keep(request: HttpRequest, register: Register, query: str, action: str) -> tuple[SavedView, str]:
    """Do what was asked of a view; return it and the sentence about it."""
    user, saved = request.user, _("The view “%(name)s” is saved.")
    if action == "save":
        name = request.POST.get("name", "").strip()
        if not name:
            raise ValidationError(_("Give the view a name."))
        marks = {mark: request.POST.get(mark) == "on" for mark in ("is_shared", "is_default")}
        return views_actions.save(user, register, name=name, query=query, **marks), saved
    pk = request.POST.get("view", "")
    view = get_object_or_404(views_actions.offered(user, register), pk=pk if pk.isdecimal() else 0)
    if action == "delete":
        views_actions.delete(user, register, view)
        view.pk = None
        return view, _("The view “%(name)s” is deleted.")
    if action == "update":
        return views_actions.change(user, register, view, query=query), saved
    if action not in CHANGES:
        raise ValidationError(_("There is no such change of a view."))
    return views_actions.change(user, register, view, **CHANGES[action]), saved


def _query_of(request: HttpRequest) -> QueryDict:
    """Return the state of the list that a form was sent from."""
    return QueryDict(request.POST.get("query", "").lstrip("?"))


# ---- export ---------------------------------------------------------------------------------------------------------


@signed_in
@require_POST
def export(request: HttpRequest, key: str) -> HttpResponse:
    """Give what the list shows as a file: at once, or as long work when there is much of it."""
    register = access.found(request, key)
    kind = request.POST.get("format", "")
    if kind not in dict(exporting.formats(register)):
        raise Http404(_("This register is not exported in this format."))
    query = request.POST.get("query", "").lstrip("?")
    shown = Listing(register, request.user, _query_of(request))
    back = reverse("register", args=[key]) + "?" + (query or "view=")
    if shown.count > exporting.AT_ONCE:
        try:
            exporting.start(request.user, shown, kind)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(
                request, _("The export has begun; it goes on when you leave, and you find it in your tasks.")
            )
        return redirect(back)
    content = exporting.write(shown, kind)
    exporting.note(request.user, shown, kind)
    return exporting.attachment(content, exporting.filename(register, kind), kind)
