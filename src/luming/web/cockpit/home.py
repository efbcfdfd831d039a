"""The home page of each role: what to do today, what is wrong now, what changed since yesterday."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from luming.core import manifest
from luming.core.manifest import Concern, Item
from luming.core.models import User
from luming.web.cockpit.facts import yesterday

SHOWN = 5  # lines of a list; the whole list is one click away
SHOWN_OPEN = 30  # lines of a list that has no page of its own

# key, heading, icon, what stands there when nothing is
SECTIONS = (
    ("todo", _("To do today"), "list-check", _("Nothing waits for you.")),
    ("wrong", _("Wrong now"), "alert-triangle", _("Nothing is wrong at this moment.")),
    ("changed", _("Since yesterday"), "history", _("Nothing changed since yesterday.")),
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A concern with what the user sees of it."""

    concern: Concern
    items: Sequence[Item]
    number: int
    url: str

    @property
    def left(self) -> int:
        """Return how many lines are not shown."""
        return self.number - len(self.items)


@dataclass(frozen=True, slots=True)
class Section:
    """One of the three questions; ``watched`` names what is looked at for the user, to say when all is well."""

    key: str
    label: Any
    icon: str
    empty: Any
    lists: list[Listed]
    watched: list[Any]

    @property
    def number(self) -> int:
        """Return how many lines there are in all."""
        return sum(row.number for row in self.lists)


def sections(user: User) -> list[Section]:
    """Return the three questions with the lists that say something; a question nobody asks this role is left out."""
    mine = [concern for concern in manifest.concerns() if user.may(concern.permission)]
    since = yesterday()
    found = []
    for key, label, icon, empty in SECTIONS:
        asked = [concern for concern in mine if concern.section == key]
        if asked:
            lists = [row for concern in asked if (row := _listed(concern, user, since)) is not None]
            found.append(Section(key, label, icon, empty, lists, [concern.label for concern in asked]))
    return found


def _listed(concern: Concern, user: User, since: Any) -> Listed | None:
    items = concern.items(user, since)
    if not items:
        return None
    url = concern.url() if concern.url is not None else ""
    return Listed(concern, items[: SHOWN if url else SHOWN_OPEN], len(items), url)
