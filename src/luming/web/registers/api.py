"""The REST interface to registers, generated from their declarations with django-ninja.

Each register gets its own typed operations; the addresses of Django (``register-api``, ``register-api-record``) hand
requests over to them, so that sign-in, CSRF token, permission and scope are those of the pages.
"""

from __future__ import annotations

import functools
import json
from datetime import date, datetime
from typing import Any, Literal

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import URLResolver, reverse
from django.urls.resolvers import RegexPattern
from django.utils import translation
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from ninja import NinjaAPI, Router, Schema, Status
from ninja.openapi.docs import DocsBase
from pydantic import Field, create_model

from luming import __version__
from luming.core import manifest, records, versions
from luming.core.registers import Register
from luming.web.access import signed_in
from luming.web.registers import access, filters
from luming.web.registers.catalogue import described
from luming.web.registers.columns import ListColumn, columns
from luming.web.registers.listing import Listing
from luming.web.registers.paging import CursorError

ROOT = "/api/v1/"
SIZE, MOST = 100, 1000


class Related(Schema):
    """A record of another register, as a field names it."""

    id: int | str
    name: str


class Problem(Schema):
    """Why a request was not done: a sentence, and what is wrong with each field."""

    detail: str
    errors: dict[str, list[str]] = {}


class _NoPages(DocsBase):
    """No page of a third party shows the description: the catalogue links to it."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """Show nothing."""
        raise Http404


# ---- addresses ------------------------------------------------------------------------------------------------------


@signed_in
def openapi(request: HttpRequest) -> JsonResponse:
    """Return the description of the interface (OpenAPI 3.1), in the language of the page."""
    return JsonResponse(document(translation.get_language() or ""), json_dumps_params={"ensure_ascii": False})


@signed_in
def rows(request: HttpRequest, key: str) -> HttpResponse:
    """List the records of a register (GET) or make one (POST)."""
    return _handed_over(request, key)


@signed_in
def record(request: HttpRequest, key: str, pk: str) -> HttpResponse:
    """Return a record (GET) or change it (PATCH)."""
    return _handed_over(request, key)


def _handed_over(request: HttpRequest, key: str) -> HttpResponse:
    try:
        access.found(request, key)
        match = _built(translation.get_language() or "")[1].resolve(request.path.removeprefix(ROOT))
        return match.func(request, *match.args, **match.kwargs)
    except (Http404, ObjectDoesNotExist):
        sentence = _("There is no such record or register, or it lies outside your data scope.")
        return _problem(404, sentence)
    except PermissionDenied as error:
        return _problem(403, str(error))
    except records.ConflictError as error:
        return _of_version(_problem(412, " ".join(error.messages)), error.version)
    except ValidationError as error:
        fields = error.message_dict if hasattr(error, "error_dict") else {}
        named = {name: texts for name, texts in fields.items() if name != "__all__"}
        general = fields.get("__all__", []) if fields else error.messages
        return _problem(400, " ".join(general) or _("Some fields are wrong."), named)


def _problem(status: int, detail: str, errors: dict[str, list[str]] | None = None) -> JsonResponse:
    answer = {"detail": detail, "errors": errors or {}}
    return JsonResponse(answer, status=status, json_dumps_params={"ensure_ascii": False})


# ---- what is generated ----------------------------------------------------------------------------------------------


def document(language: str) -> dict[str, Any]:
    """Return the description of all registers' operations."""
    return dict(_built(language)[0].get_openapi_schema(path_prefix=ROOT))


@functools.cache
def _built(language: str) -> tuple[NinjaAPI, URLResolver]:
    """Return the interface in a language, and what finds its operations by address."""
    with translation.override(language):
        api = NinjaAPI(
            title=_("Luming: registers"),
            version=__version__,
            description=_("Every register of the installation, with the permissions and the data scope of its pages."),
            docs=_NoPages(),
            docs_url=None,
            openapi_url=None,
        )
        api.on_exception = _raise  # type: ignore[method-assign]
        for register in manifest.registers():
            api.add_router(f"registers/{register.key}", _router(register))
        return api, URLResolver(RegexPattern(r""), api._get_urls())


def _raise(request: HttpRequest, error: Exception) -> HttpResponse:
    raise error


def _router(register: Register) -> Router:
    router = Router(tags=[str(register.title)])
    name = register.key.replace("-", "_")
    out = _record_schema(register, name)
    page = create_model(f"{name}_page", __base__=Schema, count=(int, ...), next=(str | None, ...),
                        previous=(str | None, ...), results=(list[out], ...))  # type: ignore[valid-type]  # fmt: skip
    failures = dict.fromkeys((400, 403, 404), Problem)
    common: dict[str, Any] = {"exclude_unset": True, "by_alias": True}

    def listed(request: HttpRequest) -> Any:
        return _list(request, register)

    def one(request: HttpRequest, response: HttpResponse, pk: str) -> Any:
        return _answered(request, response, register, pk, _chosen(register, request))

    router.add_api_operation(
        "/", ["GET"], listed, response={200: page} | failures, operation_id=f"{name}_list",
        summary=_("List records"), openapi_extra={"parameters": _parameters(register)}, **common,
    )  # fmt: skip
    router.add_api_operation(
        "/{pk}/", ["GET"], one, response={200: out} | failures, operation_id=f"{name}_get",
        summary=_("One record"), openapi_extra={"parameters": [_fields_parameter()]}, **common,
    )  # fmt: skip

    def made(request: HttpRequest) -> Any:
        values, reason = _body(request)
        new = records.create(request.user, register, values, reason)
        return Status(201, _as_dict(_found(request, register, str(new.pk)), list(columns(register).values())))

    def changed(request: HttpRequest, response: HttpResponse, pk: str) -> Any:
        values, reason = _body(request)
        version = _version_read(request)
        records.change(request.user, register, _found(request, register, pk), values, reason, version=version)
        return _answered(request, response, register, pk, list(columns(register).values()))

    if register.add:
        router.add_api_operation(
            "/", ["POST"], made, response={201: out} | failures, operation_id=f"{name}_create",
            summary=_("Make a record"), openapi_extra=_body_schema(register, name, "new"), **common,
        )  # fmt: skip
    router.add_api_operation(
        "/{pk}/", ["PATCH"], changed, response={200: out, 412: Problem} | failures, operation_id=f"{name}_change",
        summary=_("Change a record"), **common,
        openapi_extra=_body_schema(register, name, "change") | {"parameters": [_version_parameter()]},
    )  # fmt: skip
    return router


# ---- answers --------------------------------------------------------------------------------------------------------


def _list(request: HttpRequest, register: Register) -> dict[str, Any]:
    shown = Listing(register, request.user, request.GET)
    if not shown.filters.form.is_valid():
        raise ValidationError({name: list(texts) for name, texts in shown.filters.form.errors.items()})
    chosen = _chosen(register, request)
    shown.columns = chosen
    try:
        page = shown.page(_size(request))
    except CursorError as error:
        raise ValidationError({"at": [_("This is no place in this list; begin with the first page.")]}) from error
    address = reverse("register-api", args=[register.key])
    kept = {name: request.GET[name] for name in ("fields", "size") if request.GET.get(name)}

    def turn(cursor: str) -> str | None:
        return address + shown.address(at=cursor, **kept) if cursor else None

    return {
        "count": shown.count,
        "next": turn(page.following),
        "previous": turn(page.preceding),
        "results": [_as_dict(one, chosen) for one in page.rows],
    }


def _size(request: HttpRequest) -> int:
    text = request.GET.get("size", str(SIZE))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= MOST):
        raise ValidationError({"size": [_("Between 1 and %(most)d records at once.") % {"most": MOST}]})
    return int(text)


def _chosen(register: Register, request: HttpRequest) -> list[ListColumn]:
    known = columns(register)
    names = [name.strip() for name in request.GET.get("fields", "").split(",") if name.strip()]
    if unknown := [name for name in names if name not in known]:
        sentence = _("There is no field “%(name)s”; the fields are: %(names)s.")
        raise ValidationError({"fields": [sentence % {"name": unknown[0], "names": ", ".join(known)}]})
    return [known[name] for name in dict.fromkeys(names)] or list(known.values())


def _answered(
    request: HttpRequest, response: HttpResponse, register: Register, pk: str, chosen: list[ListColumn]
) -> dict[str, Any]:
    """Return a record for an answer that bears its version."""
    version = versions.current_key(register.model, _key(register, pk))
    _of_version(response, version)
    return _as_dict(_found(request, register, pk), chosen)  # after its version: at worst it is newer than that


def _of_version(response: HttpResponse, version: str) -> HttpResponse:
    if version:
        response["ETag"] = f'"{version}"'
    return response


def _version_read(request: HttpRequest) -> str:
    """Return the version that a change was made from, as If-Match names it; "" when it names none."""
    header = request.headers.get("If-Match", "*").strip()
    if header == "*":
        return ""
    named = [tag.removeprefix("W/").strip('"') for tag in parse_etags(header)]  # weak once an answer was compressed
    if len(named) != 1 or not named[0]:
        raise ValidationError(_("If-Match names one version: the ETag that came with the record."))
    return named[0]


def _key(register: Register, pk: str) -> Any:
    field = register.model._meta.pk
    try:
        return field.to_python(pk)  # type: ignore[union-attr]
    except ValidationError as error:
        raise Http404 from error


def _found(request: HttpRequest, register: Register, pk: str) -> Any:
    key = _key(register, pk)
    relations = {path for column in columns(register).values() for path in column.relations} | set(register.select)
    rows = access.rows(register, request.user)
    return (rows.select_related(*sorted(relations)) if relations else rows).get(pk=key)


def _as_dict(one: Any, chosen: list[ListColumn]) -> dict[str, Any]:
    found: dict[str, Any] = {"id": one.pk}
    for column in chosen:
        value = column.value(one)
        found[column.name] = {"id": value.pk, "name": column.text(value)} if isinstance(value, models.Model) else value
    return found


def _body(request: HttpRequest) -> tuple[dict[str, Any], str]:
    try:
        found = json.loads(request.body)
        values, reason = found["values"], found.get("reason", "")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        sentence = _("Send JSON such as %(example)s.") % {"example": '{"values": {"name": "…"}, "reason": "…"}'}
        raise ValidationError(sentence) from error
    if not isinstance(values, dict) or not isinstance(reason, str):
        raise ValidationError(_("“values” holds the fields by name, “reason” is a text."))
    return values, reason


# ---- schemas --------------------------------------------------------------------------------------------------------

_TYPES: dict[str, Any] = {
    "number": float,
    "integer": int,
    "boolean": bool,
    "date": date,
    "moment": datetime,
    "record": Related,
    "text": str,
    "code": str,
    "state": str,
}


def _record_schema(register: Register, name: str) -> Any:
    key = register.model._meta.pk
    fields: dict[str, Any] = {"id": (_key_type(key), Field(description=_("Key of the record")))}
    for column in columns(register).values():
        kind = Any if column.field is None else _type_of(column)
        fields[column.name] = (kind | None if kind is not Any else Any, Field(default=None, description=column.label))
    return create_model(f"{name}_record", __base__=Schema, **fields)


def _type_of(column: ListColumn) -> Any:
    if column.choices:
        return int if isinstance(column.field, models.IntegerField) else str
    if isinstance(column.field, models.JSONField):
        return Any
    return _TYPES.get(column.kind, str)


def _key_type(field: Any) -> Any:
    while field.remote_field is not None:
        field = field.target_field
    return int if isinstance(field, models.IntegerField) else str


def _body_schema(register: Register, name: str, what: str) -> dict[str, Any]:
    """Return what POST and PATCH take: the editable fields by name, and the reason for the audit trail."""
    required = {item.name for item in described(register) if item.required}
    fields: dict[str, Any] = {}
    fixed = records.fixed_fields(register) if what == "change" else frozenset()
    editable = records.editable_fields(register)
    for field in (item for group in records.groups(register) for item in group.fields):
        if field in fixed or field not in editable:
            continue
        kind = _input_type(editable[field])
        needed = what == "new" and field in required
        extra: dict[str, Any] = {"description": str(editable[field].verbose_name)}
        fields[field] = (
            (kind, Field(**extra)) if needed else (kind | None if kind is not Any else Any, Field(None, **extra))
        )
    values = create_model(f"{name}_{what}_values", __base__=Schema, **fields)
    body = create_model(f"{name}_{what}", __base__=Schema, values=(values, ...), reason=(str, ""))
    schema = _inlined(body.model_json_schema())
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _input_type(field: models.Field[Any, Any]) -> Any:
    if field.choices:
        return Literal[tuple(value for value, _label in field.flatchoices)]  # type: ignore[misc]
    match field:
        case models.ForeignKey():
            return _key_type(field.target_field)
        case models.BooleanField():
            return bool
        case models.DateTimeField():
            return datetime
        case models.DateField():
            return date
        case models.IntegerField():
            return int
        case models.FloatField() | models.DecimalField():
            return float
        case models.JSONField():
            return Any
    return str


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON schema whose definitions stand where they are used: the document has no place for them."""
    definitions = schema.pop("$defs", {})

    def resolved(part: Any) -> Any:
        if isinstance(part, dict):
            if "$ref" in part:
                return resolved(definitions[part["$ref"].rpartition("/")[2]])
            return {name: resolved(value) for name, value in part.items()}
        return [resolved(item) for item in part] if isinstance(part, list) else part

    return resolved(schema)


def _fields_parameter() -> dict[str, Any]:
    return _parameter("fields", _("Fields to return, by comma"))


def _version_parameter() -> dict[str, Any]:
    said = _("The ETag that came with the record: nothing is changed when somebody else changed it since")
    return _parameter("If-Match", said) | {"in": "header"}


def _parameters(register: Register) -> list[dict[str, Any]]:
    """Return the parameters of a list: search, filters, order, fields, place."""
    found = [_parameter("q", _("Search: part of a name, pinyin initials or a code"))] if register.search else []
    for declared in filters.declared_filters(register):
        last, _nullable = filters.follow(register.model, declared.name)
        label = str(declared.label or (last.verbose_name if last is not None else declared.name))
        kind = filters.kind_of(register, declared)
        if kind == "range":
            is_day = isinstance(last, models.DateField)
            suffixes, schema = (("after", "before"), {"type": "string", "format": "date"}) if is_day else (
                ("min", "max"), {"type": "number"})  # fmt: skip
            found += [_parameter(f"{declared.name}_{suffix}", label, **schema) for suffix in suffixes]
        elif kind == "boolean":
            found.append(_parameter(declared.name, label, enum=["true", "false"]))
        elif kind in ("choice", "record", "tag"):
            found.append(_parameter(declared.name, label, many=True))
        else:
            found.append(_parameter(declared.name, label))
    sortable = ", ".join(column.name for column in columns(register).values() if column.sort_keys)
    found.append(
        _parameter("sort", _("Order: fields by comma, “-” before one for descending: %(names)s") % {"names": sortable})
    )
    found.append(_fields_parameter())
    found.append(_parameter("size", _("Records at once"), type="integer", minimum=1, maximum=MOST))
    found.append(_parameter("at", _("Place in the list, as “next” and “previous” name it")))
    return found


def _parameter(name: str, description: str, *, many: bool = False, **schema: Any) -> dict[str, Any]:
    of_one = {"type": "string"} | schema
    of_all = {"type": "array", "items": of_one} if many else of_one
    return {"name": name, "in": "query", "required": False, "description": description, "schema": of_all}
