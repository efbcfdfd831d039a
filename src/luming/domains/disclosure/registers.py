"""The register of announcements."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from luming.core.registers import Action, Column, Group, Register
from luming.domains.disclosure import actions
from luming.domains.disclosure.models import Announcement

STANDINGS = {
    "draft": (_("Draft"), "is-info"),
    "published": (_("Published"), "is-good"),
    "withdrawn": (_("Withdrawn"), "is-warn"),
}


def _standing(record: Announcement) -> Any:
    label, look = STANDINGS[record.standing]
    return format_html('<span class="lm-tag {}">{}</span>', look, label)


def _publication(record: Announcement) -> Any:
    if record.published_at is None:
        return _standing(record)
    return format_html("{} {}", _standing(record), timezone.localtime(record.published_at).strftime("%Y-%m-%d %H:%M"))


REGISTERS = [
    Register(
        key="announcements",
        model=Announcement,
        icon="speakerphone",
        order=95,
        edit=actions.PERMISSION,
        columns=[
            "title",
            "kind",
            "lang",
            Column("published_at", label=_("State and time of publication"), render=_publication),
            "written_at",
            "author",
            Column("withdrawn_at", shown=False),
        ],
        filters=["kind", "lang", "published_at"],
        search=["title", "body"],
        form=[Group(_("Announcement"), ["title", "kind", "lang", "body"])],
        actions=[
            Action(
                key="publish",
                label=_("Publish"),
                icon="send",
                permission=actions.PERMISSION,
                run=actions.publish_all,
                question=_("Everyone can read it on the public site from now on."),
                applies=lambda row: row.standing == "draft",
            ),
            Action(
                key="withdraw",
                label=_("Withdraw"),
                icon="ban",
                permission=actions.PERMISSION,
                run=actions.withdraw_all,
                question=_("It leaves the public site. Say why; the register and its history keep it."),
                applies=lambda row: row.standing == "published",
            ),
        ],
        select=["author"],
        sort=["-written_at"],
        create=actions.write,
        change=actions.change,
        menu=False,  # stands in the menu's group of disclosure
        help="help/public",
        description=_("What the bureau tells the public."),
        cycle=_("as needed"),
        classification="public",
    ),
]  # fmt: skip
