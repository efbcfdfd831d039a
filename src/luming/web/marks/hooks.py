"""What the pages of this room add to the manifest of the web."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.manifest import Concern, Item, Moment, NavigationItem, Panel, Section, Timeline
from luming.core.models import User
from luming.registry.models import Outlet, Region
from luming.telemetry.marks import actions, wanting, words
from luming.telemetry.marks.models import Mark, said
from luming.web.onefile import subjects
from luming.web.templatetags.luming import outletname

SHOWN = 8
PAGE_SHOWN = 100
GROUNDS: dict[str, Any] = {
    "exceeding": gettext_lazy("exceeds a limit"),
    "flagged": gettext_lazy("flagged by the device"),
    "missing": gettext_lazy("no data"),
}
_SUBJECTS = frozenset({"outlet", "facility"})
ICON = "tag"


def _own_outlets(user: User) -> list[Outlet]:
    if not user.may(actions.MAKE):
        return []
    rows = Outlet.objects.visible_to(user).filter(is_active=True, medium__in=("gas", "sewage"))
    return list(rows.select_related("facility").order_by("code"))


def _open(user: User) -> list[dict[str, Any]]:
    """Return the periods of one's own outlets that call for a mark."""
    now = timezone.now()
    return [
        {
            "period": row, "said": said(row), "ground": GROUNDS[row.ground], "late": row.deadline < now,
            "name": outletname(row.outlet),
            "url": f"{reverse('mark-outlet', args=[row.outlet.pk])}?start={row.start:%Y-%m-%dT%H:%MZ}"
            f"&end={row.end:%Y-%m-%dT%H:%MZ}#mark",
        }
        for row in wanting.open_periods(_own_outlets(user), now)
    ]  # fmt: skip


# ---- portal ----------------------------------------------------------------------------------------------------------


def section(user: User) -> Mapping[str, Any] | None:
    """Show what calls for a mark, and what the bureau refused last; nothing to whoever marks nothing."""
    if not user.may(actions.MAKE):
        return None
    found = _open(user)
    refused = Mark.objects.visible_to(user).filter(state=Mark.State.REFUSED).select_related("code", "outlet__facility")
    return {"open": found[:SHOWN], "more": max(len(found) - SHOWN, 0), "refused": list(refused.order_by("-start")[:3])}


def section_page(user: User, item: str) -> Mapping[str, Any] | None:
    """Show all outlets, what calls for a mark, and the own marks."""
    if item or not user.may(actions.MAKE):
        return None
    marks = Mark.objects.visible_to(user).select_related("code", "outlet__facility").order_by("-made_at")
    return {"open": _open(user), "outlets": _own_outlets(user), "marks": list(marks[:PAGE_SHOWN])}


# ---- the file --------------------------------------------------------------------------------------------------------


def panel(user: User, subject: Any) -> Mapping[str, Any] | None:
    """Show the last marks of an outlet or facility; nothing where nobody ever marked."""
    places = subjects.place_ids(user, subject)
    marks = Mark.objects.visible_to(user).filter(outlet__in=places).select_related("code", "outlet__facility")
    rows = list(marks.order_by("-start", "-pk")[:SHOWN])
    own = isinstance(subject, Outlet) and user.may(actions.MAKE)
    if not rows and not own:
        return None
    return {"rows": rows, "own": subject.pk if own else None}


def moments(user: User, subject: Any, before: datetime, limit: int) -> Iterator[Moment]:
    """Tell marks and what was decided about them."""
    if isinstance(subject, Region):
        return
    places = subjects.place_ids(user, subject)
    rows = Mark.objects.visible_to(user).filter(outlet__in=places).select_related("code", "outlet", "decided_by")
    tones = {"refused": "warning", "confirmed": "good"}
    found = []
    for mark in rows.filter(made_at__lt=before).order_by("-made_at")[:limit]:
        detail = f"{mark.outlet} · {said(mark)}"
        tone = "warning" if mark.late or mark.contradicted else "info"
        label = _("Marked: %(code)s") % {"code": mark.code}
        found.append(Moment(mark.made_at, label, detail, reverse("mark", args=[mark.pk]), tone, ICON))
    for mark in rows.filter(decided_at__lt=before).order_by("-decided_at")[:limit]:
        label = _("Mark %(state)s: %(code)s") % {"state": mark.get_state_display(), "code": mark.code}
        who = mark.decided_by.name if mark.decided_by else ""
        detail = " · ".join(filter(None, [str(mark.outlet), said(mark), mark.reason]))
        url = reverse("mark", args=[mark.pk])
        found.append(Moment(mark.decided_at, label, detail, url, tones.get(mark.state, "info"), ICON, who))
    yield from sorted(found, key=lambda moment: moment.at, reverse=True)[:limit]


# ---- home ------------------------------------------------------------------------------------------------------------


def to_decide(user: User, since: datetime) -> Sequence[Item]:
    """Return the marks to decide, those that something speaks against first."""
    rows = Mark.objects.visible_to(user).filter(state=Mark.State.SUBMITTED).select_related("code", "outlet__facility")
    return [_item(mark) for mark in rows.order_by("-contradicted", "-late", "made_at")[:SHOWN]]


def _item(mark: Mark) -> Item:
    against = [words.finding_title(finding) for finding in mark.contradictions[:2]]
    detail = " · ".join([str(mark.code), said(mark), *([_("late")] if mark.late else []), *against])
    label = f"{mark.outlet.facility.name} {outletname(mark.outlet)}"
    tone = "warning" if against or mark.late else "info"
    return Item(label, reverse("mark", args=[mark.pk]), detail, mark.made_at, tone, ICON)


def to_mark(user: User, since: datetime) -> Sequence[Item]:
    """Return the periods of one's own outlets that call for a mark."""
    return [
        Item(
            f"{row['name']} · {row['said']}", row["url"], str(row["ground"]), row["period"].deadline,
            "danger" if row["late"] else "warning", ICON,
        )
        for row in _open(user)[:SHOWN]
    ]  # fmt: skip


NAVIGATION = [NavigationItem(gettext_lazy("Marks of periods"), "marks", ICON, "cockpit.view", "monitoring", 32)]
PANELS = [
    Panel("marks", gettext_lazy("Marked periods"), _SUBJECTS, "web/marks/panel.html", panel, 109, printed=False),
]  # fmt: skip
TIMELINES = [Timeline("marks", gettext_lazy("Marked periods"), _SUBJECTS, moments)]
CONCERNS = [
    Concern(
        "marks-decide", gettext_lazy("Marks to decide"), "todo", to_decide, actions.DECIDE, 17,
        lambda: reverse("marks"),
    ),
    Concern(
        "marks-make", gettext_lazy("Periods to mark"), "todo", to_mark, actions.MAKE, 17,
        lambda: reverse("portal-section", args=["marks"]),
    ),
]  # fmt: skip
PORTAL_SECTIONS = [
    Section(
        "marks", gettext_lazy("Marking periods"), "web/marks/portal.html", section, 12, icon=ICON, page=section_page,
        page_template="web/marks/portal_page.html", permission=actions.MAKE,
    )
]  # fmt: skip
