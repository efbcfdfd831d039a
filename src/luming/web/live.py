"""Parts of pages that are asked for again and again: answered with 304 while nothing changed."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified

from luming.core.models import User


def live(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Give the answer of a view a fingerprint, and send nothing when the browser holds it already."""

    @functools.wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if response.status_code != 200:
            return response
        etag = f'"{hashlib.blake2b(response.content, digest_size=12).hexdigest()}"'
        headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Cookie, HX-Request"}
        if request.headers.get("If-None-Match") in (etag, f"W/{etag}"):
            return HttpResponseNotModified(headers=headers)
        for name, value in headers.items():
            response[name] = value
        return response

    return answer


def shared(key: str, user: User, seconds: int, make: Callable[[], Any]) -> Any:
    """Return what people with the same data scope see alike, computed once in ``seconds``."""
    scope = hashlib.blake2b(
        repr((user.role, sorted(user.region_codes), user.organisation_id)).encode(), digest_size=12
    ).hexdigest()
    name = f"luming.{key}.{scope}"
    value = cache.get(name)
    if value is None:
        value = make()
        cache.set(name, value, seconds)
    return value
