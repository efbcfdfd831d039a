"""The public site stays up: every page is a copy that is made again once a minute and kept for when that fails.

A copy is the same for everyone, so it is made without a request: no session, no cookie, nothing personal can reach it.
While one request makes a page again, the others get the last copy; when the database is away or slow, everyone does,
with a line that says how old it is.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.core.cache import cache, caches
from django.db import Error, connection, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from luming import __version__
from luming.web.addresses import visitor
from luming.web.templatetags.luming import span

logger = logging.getLogger(__name__)

LANGUAGES = {"zh": "zh-hans", "en": "en"}  # part of the address -> language
FRESH = 60  # seconds that a copy is taken as it is
KEPT = 30 * 86400
MAKING = 20  # seconds after which another request may try
PAUSE = 10  # seconds without another try after a failure
SLOW = 4000  # milliseconds that a statement may take
NOTICE = b"<!-- notice -->"  # where a page says that it is old


@dataclass(frozen=True, slots=True)
class Copy:
    """A page as it was made."""

    body: bytes
    content_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    made_at: float = 0.0


def answer(request: HttpRequest, language: str, make: Callable[[], Copy]) -> HttpResponse:
    """Return the page of a request's path in a language: the copy of this minute, else a new one, else the last one."""
    if (wait := over_limit(request)) is not None:
        return _plain(429, {"Retry-After": str(wait)}, language)
    with translation.override(LANGUAGES[language]):
        return _answer(request, make)


def _answer(request: HttpRequest, make: Callable[[], Copy]) -> HttpResponse:
    pages = caches["public"]
    key = "page." + hashlib.blake2b(f"{__version__} {request.path}".encode(), digest_size=16).hexdigest()
    copy: Copy | None = pages.get(key)
    if copy is not None and time.time() - copy.made_at < FRESH:
        return _response(request, copy)
    if copy is not None and not cache.add(f"luming.making.{key}", 1, MAKING):
        return _response(request, copy)  # somebody makes it again at this moment
    if cache.get("luming.public.away"):
        return _old(request, copy)
    try:
        made = _made(make)
    except Http404:
        if copy is not None:
            pages.delete(key)
        raise
    except Exception as error:
        if copy is None and not isinstance(error, Error):
            raise
        logger.exception("the public page %s could not be made", request.path)
        if isinstance(error, Error):
            connection.close()
            cache.set("luming.public.away", 1, PAUSE)
        return _old(request, copy)
    finally:
        cache.delete(f"luming.making.{key}")
    pages.set(key, made, KEPT)
    return _response(request, made)


def _made(make: Callable[[], Copy]) -> Copy:
    """Make a page; a statement that takes too long is given up, as the site must not wait for a busy database."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(SLOW)])
        copy = make()
    return Copy(copy.body, copy.content_type, copy.headers, time.time())


def _old(request: HttpRequest, copy: Copy | None) -> HttpResponse:
    """Return the last good copy and say how old it is; without one, say that there is nothing to show."""
    if copy is None:
        body = render_to_string("web/outside/public_away.html", {"LANGUAGE_CODE": translation.get_language()})
        return HttpResponse(body, status=503, headers={"Retry-After": "30", "Cache-Control": "no-store"})
    age = span(time.time() - copy.made_at)
    text = _("This page cannot be brought up to date at the moment. What it shows is %(age)s old.") % {"age": age}
    notice = render_to_string("web/outside/public_notice.html", {"text": text}).encode()
    return _response(request, Copy(copy.body.replace(NOTICE, notice), copy.content_type, copy.headers, copy.made_at))


def _response(request: HttpRequest, copy: Copy) -> HttpResponse:
    """Return a copy with what lets browsers and proxies keep it."""
    etag = f'"{hashlib.blake2b(copy.body, digest_size=12).hexdigest()}"'
    headers = {
        "ETag": etag,
        "Cache-Control": f"public, max-age={FRESH}, stale-while-revalidate=300, stale-if-error=86400",
        **copy.headers,
    }
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")}
    if etag in known:
        return HttpResponseNotModified(headers=headers)
    response = HttpResponse(copy.body, content_type=copy.content_type, headers=headers)
    response.headers["Content-Language"] = translation.get_language() or ""
    return response


def _plain(status: int, headers: dict[str, str], language: str) -> HttpResponse:
    with translation.override(LANGUAGES[language]):
        text = _("Too many requests from your address. Try again in a minute.")
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8", headers=headers)


def over_limit(request: HttpRequest) -> int | None:
    """Count a request of an address; return the seconds to wait when it sent too many in this minute."""
    now = time.time()
    key = f"luming.public.rate.{visitor(request)}.{int(now // 60)}"
    cache.add(key, 0, 120)
    try:
        number = cache.incr(key)
    except ValueError:  # the entry was dropped in between
        return None
    return None if number <= settings.PUBLIC_REQUESTS_PER_MINUTE else 60 - int(now % 60)
