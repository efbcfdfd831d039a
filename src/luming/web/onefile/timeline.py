"""The timeline of everything that ever happened to a subject: the sources of all manifests, merged, newest first."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from luming.core import manifest
from luming.core.manifest import Moment, Timeline
from luming.core.models import User

SHOWN = 20
_MOST = 5000  # moments of one instant that are still told apart
_EARLIEST = datetime(1949, 10, 1, tzinfo=UTC)  # nothing is older; sources may reckon with days around an instant


@dataclass(frozen=True, slots=True)
class Told:
    """A moment with the source that tells it."""

    moment: Moment
    source: Timeline

    @property
    def at(self) -> datetime:
        """Return when it happened."""
        return self.moment.at


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of the timeline; ``older`` is where the next one begins, None at its end."""

    told: list[Told]
    older: datetime | None


Source = Callable[[Any, Any, datetime, int], Iterable[Moment]]


def for_the_bureau(moments: Source) -> Source:
    """Keep a source to the bureau's own people: an enterprise sees its data, not who corrected it and why."""

    @functools.wraps(moments)
    def guarded(user: User, subject: Any, before: datetime, limit: int) -> Iterable[Moment]:
        return moments(user, subject, before, limit) if user.is_internal else ()

    guarded.internal = True  # type: ignore[attr-defined]
    return guarded


def sources(user: User, kind: str) -> list[Timeline]:
    """Return the sources that the user may read."""
    return [
        source
        for source in manifest.timelines(kind)
        if user.may(source.permission) and (user.is_internal or not getattr(source.moments, "internal", False))
    ]


def read_instant(text: str | None) -> datetime:
    """Return the instant of an address, else the end of the present second."""
    try:
        found = parse_datetime(text or "")
    except ValueError:
        found = None
    latest = timezone.now() + timedelta(seconds=1)
    if found is None or timezone.is_naive(found):
        return latest
    return max(_EARLIEST, min(found, latest))


def page(user: User, kind: str, subject: Any, before: datetime, *, only: str = "", limit: int = SHOWN) -> Page:
    """Return about ``limit`` moments before an instant.

    Each source is asked for one moment more than is shown. A source that gives that many may have more of the same
    instant as its last one, so the page ends above the newest such instant; nothing is lost between two pages, also
    when a hundred records were imported in one transaction.
    """
    chosen = [source for source in sources(user, kind) if only in ("", source.key)]
    wanted = limit + 1
    while True:
        lists = [_ask(source, user, subject, before, wanted) for source in chosen]
        horizon = max((told[-1].at for told in lists if len(told) >= wanted), default=None)
        merged = sorted((one for told in lists for one in told), key=lambda one: one.at, reverse=True)
        safe = merged if horizon is None else [one for one in merged if one.at > horizon]
        if safe or horizon is None or wanted > _MOST:
            break
        wanted *= 8
    safe = safe or merged
    shown = _whole_instants(safe, limit)
    more = horizon is not None or len(safe) > len(shown)
    return Page(shown, shown[-1].at if shown and more else None)


def _ask(source: Timeline, user: User, subject: Any, before: datetime, limit: int) -> list[Told]:
    found = [moment for moment in source.moments(user, subject, before, limit) if moment.at < before]
    return [Told(moment, source) for moment in sorted(found, key=lambda moment: moment.at, reverse=True)]


def _whole_instants(told: Sequence[Told], limit: int) -> list[Told]:
    """Return the first moments, with all of the last one's instant."""
    if len(told) <= limit:
        return list(told)
    last = told[limit - 1].at
    return [one for one in told if one.at >= last]
