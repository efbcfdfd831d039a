"""What happened in operation: events, exceedances, missing data, commands, verbs, files and notes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core import manifest
from luming.core.manifest import Moment, Timeline
from luming.core.models import Attachment, AuditEntry, Note, User
from luming.registry.models import Device, Facility, Outlet, Place, Region, Station
from luming.telemetry.models import Command, Event, Gap, Judgement
from luming.web import verbs as audit_words
from luming.web import words
from luming.web.onefile import past, subjects
from luming.web.onefile.newest import newest
from luming.web.onefile.timeline import for_the_bureau
from luming.web.templatetags.luming import span

EVENT_ICONS = {
    "connected": "plug-connected",
    "disconnected": "plug-connected-x",
    "rejected": "file-alert",
    "clock": "clock",
    "clock-right": "clock",
    "device-adopted": "router",
    "state": "broadcast",
}
TONES = {0: "info", 1: "warning", 2: "danger"}
# Told better by a source of their own.
ELSEWHERE = ("gap-found", "gap-filled", "gap-given-up")


def happenings(user: User, subject: Any, before: datetime, limit: int) -> Iterator[Moment]:
    """Tell the events of places and devices; what exceeded and what is missing have sources of their own."""
    told = {"extra": "AND kind <> ALL(%s) AND NOT (kind = 'state' AND detail ->> 'to' = 'exceeding')"}
    told["values"] = [list(ELSEWHERE)]
    mine = newest(Event, "place_id", subjects.place_ids(user, subject), "at", before, limit, **told)
    mine |= newest(Event, "device_id", subjects.device_ids(user, subject), "at", before, limit, **told)
    if isinstance(subject, Region):
        mine &= Q(severity__gt=0)  # that each of its devices connected says nothing of a region
    rows = Event.objects.filter(mine).exclude(kind__in=ELSEWHERE).exclude(kind="state", detail__to="exceeding")
    for row in rows.select_related("place", "device").order_by("-at", "-id")[:limit]:
        about = row.place or row.device
        url = _place_url(row.place_id) if row.place_id else reverse("device", args=[row.device_id])
        yield Moment(
            row.at,
            words.event_sentence(row.kind, row.detail),
            _unless_own(subject, about),
            url,
            TONES.get(row.severity, "info"),
            EVENT_ICONS.get(row.kind, "circle"),
        )


def _place_url(pk: Any) -> str:
    return reverse("place", args=[pk])


def _unless_own(subject: Any, other: Any) -> str:
    """Return the name of what a moment is about, unless the page is about it anyway."""
    own = isinstance(subject, Place) and isinstance(other, Place) and other.pk == subject.pk
    return "" if other is None or own else str(other)


def exceeding(places: Any) -> Any:
    """Return the judgements of places that exceeded and were not judged anew since; by index newest first."""
    later = Judgement.objects.filter(
        place=OuterRef("place"), kind=OuterRef("kind"), start=OuterRef("start"), revision__gt=OuterRef("revision")
    )
    return Judgement.objects.filter(~Exists(later), place__in=places, state="exceeding")


# How far back is looked at first; days with exceedances are found quickly where there are many.
_REACHES = (timedelta(days=100), None)


def exceedances(user: User, subject: Any, before: datetime, limit: int) -> Iterator[Moment]:
    """Tell the days on which a place exceeded: how many hours, and how far at worst."""
    places = subjects.place_ids(user, subject)
    end = timezone.localtime(before).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    rows: list[dict[str, Any]] = []
    for reach in _REACHES:
        # Whole days: the day of ``before`` counts only when all of its hours lie before it, else it was told already.
        found = exceeding(places).filter(start__lt=end)
        if reach is not None:
            found = found.filter(start__gte=end - reach)
        rows = list(
            found.annotate(day=TruncDate("start", tzinfo=timezone.get_current_timezone()))
            .values("place", "place__name", "kind", "day")
            .annotate(last=Max("start"), hours=Count("pk"), worst=Max("value"), judgement=Max("pk"))
            .filter(last__lt=before)
            .order_by("-last", "place", "kind")[:limit]
        )
        if len(rows) >= limit:
            break
    for row in rows:
        daily = row["kind"].endswith("-day")
        label = _("Daily mean above the limit") if daily else _("Hours above the limit: %(n)s") % {"n": row["hours"]}
        detail = [] if row["place"] == subject.pk and isinstance(subject, Place) else [row["place__name"]]
        if row["worst"] is not None and row["kind"].startswith("limit"):
            detail.append(_("worst +%(n)s×") % {"n": f"{row['worst']:.2g}"})
        url = reverse("judgement", args=[row["place"], row["judgement"]])
        yield Moment(row["last"], label, " · ".join(detail), url, "danger", "alert-triangle")


def missing(user: User, subject: Any, before: datetime, limit: int) -> Iterator[Moment]:
    """Tell runs of missing data, with their cause and what became of them."""
    if not user.may("device.view"):
        return
    rows = Gap.objects.filter(newest(Gap, "device_id", subjects.device_ids(user, subject), "start", before, limit))
    for row in rows.select_related("device").order_by("-start")[:limit]:
        length = span((row.end - row.start).total_seconds())
        yield Moment(
            row.start,
            _("Data missing for %(span)s") % {"span": length},
            f"{row.device} · {row.get_interval_display()} · {row.get_cause_display()} · {row.get_state_display()}",
            reverse("device", args=[row.device_id]) + "#gaps",
            "good" if row.state == Gap.State.FILLED else "warning",
            "cloud-off",
        )


@for_the_bureau
def commands(user: User, subject: Any, before: datetime, limit: int) -> Iterator[Moment]:
    """Tell the commands to devices."""
    if not user.may("device.view"):
        return
    devices = subjects.device_ids(user, subject)
    rows = Command.objects.filter(newest(Command, "device_id", devices, "created_at", before, limit))
    for row in rows.select_related("device", "requested_by").order_by("-created_at")[:limit]:
        detail = [str(row.device), str(row.get_state_display()), row.reason]
        yield Moment(
            row.created_at,
            f"{row.cn} {words.command_name(row.cn)}",
            " · ".join(item for item in detail if item),
            reverse("device", args=[row.device_id]) + "#commands",
            "warning" if row.state in (Command.State.REFUSED, Command.State.FAILED) else "info",
            "send",
            str(row.requested_by or ""),
        )


# Told with the change itself (history), the command, the file or the note.
_TOLD = Q(verb__endswith=".create") | Q(verb__endswith=".change") | Q(verb__endswith=".delete")
_TOLD |= Q(verb__in=["device.command", "task.start"])
_TOLD |= Q(verb__startswith="attachment.") | Q(verb__startswith="note.") | Q(verb__startswith="record.")


@for_the_bureau
def verbs(user: User, subject: Any, before: datetime, limit: int) -> Iterator[Moment]:
    """Tell what people and the platform did beside changing the register."""
    rows = AuditEntry.objects.filter(_records(user, subject), at__lt=before).exclude(_TOLD).order_by("-at")[:limit]
    for row in rows:
        label = audit_words.verb(row.verb)
        detail = [row.object_name, _("Reason: %(reason)s") % {"reason": row.reason} if row.reason else ""]
        who = audit_words.actor(row.actor_name)
        yield Moment(row.at, label, " · ".join(item for item in detail if item), "", "info", "user", who)


def _records(user: User, subject: Any) -> Q:
    """Return the filter of rows that hang on the subject's record or on its places and devices (object type and id)."""
    if isinstance(subject, Region):
        return _record(Region, [subject.pk])
    places = [str(pk) for pk in subjects.place_ids(user, subject)]
    devices = [str(pk) for pk in subjects.device_ids(user, subject)]
    found = Q()
    for model in (Place, Station if isinstance(subject, Station) else Outlet):
        found |= _record(model, places)
    if isinstance(subject, Facility):
        found |= _record(Facility, [subject.pk])
    return found | _record(Device, devices)


def _record(model: Any, ids: list[Any]) -> Q:
    return Q(object_type=model._meta.label_lower, object_id__in=[str(pk) for pk in ids])


@for_the_bureau
def files(user: User, subject: Any, before: datetime, limit: int) -> Iterator[Moment]:
    """Tell the files that were attached, and those taken away again."""
    rows = Attachment.objects.filter(_records(user, subject), uploaded_at__lt=before).select_related("uploaded_by")
    for row in rows.order_by("-uploaded_at")[:limit]:
        label = _("File attached") if row.removed_at is None else _("File attached (removed since)")
        detail = f"{row.name} · {row.get_category_display()}"
        yield Moment(row.uploaded_at, label, detail, "", "info", "link", str(row.uploaded_by or ""))


@for_the_bureau
def notes(user: User, subject: Any, before: datetime, limit: int) -> Iterator[Moment]:
    """Tell the notes that people wrote; a removed one is not told any more."""
    rows = Note.objects.filter(_records(user, subject), written_at__lt=before, removed_at=None)
    for row in rows.select_related("author").order_by("-written_at")[:limit]:
        yield Moment(row.written_at, _("Note"), row.text[:200], "", "info", "edit", str(row.author))


_ALL = frozenset(manifest.SUBJECTS)
TIMELINES = [
    Timeline("exceedances", gettext_lazy("Exceedances"), _ALL, exceedances),
    Timeline("events", gettext_lazy("Events"), _ALL, happenings),
    Timeline("gaps", gettext_lazy("Missing data"), _ALL, missing, "device.view"),
    Timeline("history", gettext_lazy("Register"), _ALL, past.moments),
    Timeline("commands", gettext_lazy("Commands"), _ALL - {"region"}, commands, "device.view"),
    Timeline("verbs", gettext_lazy("Actions"), _ALL, verbs),
    Timeline("files", gettext_lazy("Files"), _ALL, files),
    Timeline("notes", gettext_lazy("Notes"), _ALL, notes),
]
