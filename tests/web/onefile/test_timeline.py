"""The timeline: every source, newest first, nothing lost between two pages, nothing that one may not see."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation

from luming.core import manifest
from luming.core.manifest import Moment, Timeline
from luming.core.models import Attachment, Note
from luming.registry import actions
from luming.registry.models import Facility, Limit
from luming.telemetry.models import Command, Event, Gap, Judgement
from luming.web.onefile import events, past, subjects, timeline

# History is told by transaction, so that these tests need real ones.
committed = pytest.mark.django_db(transaction=True)
LATER = datetime(2100, 1, 1, tzinfo=UTC)
ALL = frozenset(manifest.SUBJECTS)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def facility(world, role="duty"):
    return subjects.facility_file(world.users[role], world.facility.pk).subject


def told(source, world, subject=None, role="duty", before=LATER, limit=50):
    return list(source(world.users[role], subject or facility(world, role), before, limit))


@committed
def test_history_says_who_changed_what_from_what_to_what_and_why(world):
    limit = Limit.objects.get()
    actions.change_limit(world.users["registrar"], limit, reason="permit renewed", upper=8)
    newest = told(past.moments, world)[0]
    assert newest.label == "Limit changed" and "Upper limit: 10 → 8" in newest.detail
    assert "permit renewed" in newest.detail and newest.who == "registrar"
    assert newest.tone == "info"


@committed
def test_what_was_made_in_one_transaction_is_one_moment(world):
    with transaction.atomic():
        for factor in ("a21002", "a19001"):
            Limit.objects.create(outlet=world.outlet, factor=factor, upper=50, source="x", effective_from="2020-01-01")
    labels = [moment.label for moment in told(past.moments, world)]
    assert labels[0] == "2 × Limit entered"
    assert "Facility entered" in labels and labels.count("Series entered") == 3
    assert len([label for label in labels if "Outlet" in label]) == 1  # the place behind it is not told twice
    assert not any("Place" in label for label in labels)


@committed
def test_a_deleted_limit_stays_in_the_history(world):
    Limit.objects.all().delete()
    newest = told(past.moments, world)[0]
    assert "deleted" in newest.label and newest.tone == "warning"


def test_events_leave_out_what_others_tell(world):
    device = world.device
    Event.objects.create(at=timezone.now(), kind="connected", device=device)
    kinds = {moment.icon for moment in told(events.happenings, world)}
    assert kinds == {"plug-connected"}  # not the state (an exceedance), not the gap


def test_a_day_of_exceedances_is_one_moment_and_one_judged_anew_is_none(world):
    [moment] = told(events.exceedances, world)
    assert moment.at == world.judgement.start and moment.url.endswith(f"/judgements/{world.judgement.pk}/")
    assert "+0.2×" in moment.detail
    again = Judgement.objects.get(pk=world.judgement.pk)
    again.pk, again.revision, again.state = None, 1, "normal"
    again.save()
    assert told(events.exceedances, world) == []


def test_a_day_is_told_once_wherever_a_page_ends(world):
    noon = timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=3)
    for hour in (-2, -1, 0, 1):
        Judgement.objects.create(
            place=world.outlet, kind="limit-hour", start=noon + timedelta(hours=hour), state="exceeding", value=0.5,
            edition="x", software="0",
        )  # fmt: skip
    [_newest, day] = told(events.exceedances, world)
    assert "4" in day.label and day.at == noon + timedelta(hours=1)
    # Between its hours: the day was told with its last hour already.
    assert told(events.exceedances, world, before=noon) == []


def test_gaps_commands_files_and_notes_are_told(world):
    [gap] = told(events.missing, world)
    assert "1 h" in gap.label and "Open" in gap.detail and gap.url.endswith("#gaps")
    [command] = told(events.commands, world)
    assert command.label.startswith("1011") and command.who == "duty"
    record = {"object_type": "registry.facility", "object_id": str(world.facility.pk)}
    Attachment.objects.create(
        **record, name="permit.pdf", file="x", media_type="application/pdf", size=1, sha256="0" * 64
    )
    Note.objects.create(**record, text="looked at the stack", author=world.users["duty"])
    Note.objects.create(**record, text="wrong", author=world.users["duty"], removed_at=timezone.now())
    assert [moment.detail for moment in told(events.files, world)] == ["permit.pdf · Document"]
    assert [moment.detail for moment in told(events.notes, world)] == ["looked at the stack"]


@pytest.mark.parametrize("source", [past.moments, events.commands, events.verbs, events.files, events.notes])
def test_the_bureaus_own_doings_are_not_for_outsiders(world, source):
    for role in ("enterprise", "maintainer"):
        assert told(source, world, role=role) == []
        keys = {found.key for found in timeline.sources(world.users[role], "facility")}
        assert "exceedances" in keys and not keys & {"history", "commands", "verbs", "files", "notes"}


def test_who_may_not_see_devices_gets_no_gaps(world):
    assert told(events.missing, world, role="leader") == []


def test_every_source_keeps_to_before_and_limit(world):
    subject = facility(world)
    for source in manifest.timelines("facility"):
        every = list(source.moments(world.users["duty"], subject, LATER, 50))
        assert every == sorted(every, key=lambda moment: moment.at, reverse=True), source.key
        if every:
            edge = every[len(every) // 2].at
            older = list(source.moments(world.users["duty"], subject, edge, 50))
            assert all(moment.at < edge for moment in older), source.key
            assert len(list(source.moments(world.users["duty"], subject, LATER, 1))) == 1, source.key


# ---- merging --------------------------------------------------------------------------------------------------------

START = datetime(2026, 1, 1, tzinfo=UTC)


def source_of(key, instants):
    every = sorted((Moment(at, f"{key} {n}") for n, at in enumerate(instants)), key=lambda one: one.at, reverse=True)

    def moments(user, subject, before, limit):
        return [one for one in every if one.at < before][:limit]

    return Timeline(key, key, ALL, moments)


def walk(monkeypatch, world, sources, limit):
    monkeypatch.setattr(manifest, "timelines", lambda subject: sources)
    before, pages = LATER, []
    while before is not None:
        page = timeline.page(world.users["duty"], "facility", None, before, limit=limit)
        pages.append([one.moment.label for one in page.told])
        before = page.older
        assert len(pages) < 100
    return pages


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_no_moment_is_lost_or_told_twice(world, monkeypatch, limit):
    minute = timedelta(minutes=1)
    sources = [
        source_of("a", [START + minute * n for n in range(20)]),
        source_of("b", [START + minute * (n // 5) for n in range(23)]),  # five at a time
        source_of("c", [START + minute * 4] * 40),  # an import
        source_of("d", []),
    ]
    pages = walk(monkeypatch, world, sources, limit)
    labels = [label for page in pages for label in page]
    assert len(labels) == len(set(labels)) == 20 + 23 + 40
    instants = {one.label: one.at for source in sources for one in source.moments(None, None, LATER, 1000)}
    order = [instants[label] for label in labels]
    assert order == sorted(order, reverse=True)


def test_an_address_that_makes_no_sense_shows_the_newest(world):
    duty = world.client("duty")
    url = reverse("file-timeline", args=["facility", world.facility.pk])
    for before in ("", "yesterday", "2026-13-45T00:00:00Z", "2026-01-01T00:00:00"):
        response = duty.get(url, {"before": before, "source": "'"}, headers={"HX-Request": "true"})
        assert "Data missing for 1 h" in response.content.decode(), before
    for before in ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59-08:00", "0001-01-01T00:00:00+08:00"):
        response = duty.get(url, {"before": before}, headers={"HX-Request": "true"})
        assert ("Data missing for 1 h" in response.content.decode()) == before.startswith("9"), before


def test_pieces_filters_and_the_page_without_scripts(world):
    duty = world.client("duty")
    url = reverse("file-timeline", args=["facility", world.facility.pk])
    whole = duty.get(url).content.decode()
    assert "<html" in whole and "Exceedances" in whole
    part = duty.get(url, {"source": "gaps"}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and "Data missing for 1 h" in part and "Facility entered" not in part
    older = duty.get(url, {"before": (timezone.now() - timedelta(days=9)).isoformat()}, headers={"HX-Request": "true"})
    assert older.content.decode().strip() == ""


def test_region_and_place_have_their_own(world):
    duty = world.users["duty"]
    place = subjects.place_file(duty, world.outlet.pk)
    region = subjects.region_file(duty, "150203")
    assert timeline.page(duty, place.kind, place.subject, LATER).told
    assert timeline.page(duty, region.kind, region.subject, LATER).told
    assert Facility.objects.count() == 2 and Command.objects.count() == 1 and Gap.objects.count() == 1
