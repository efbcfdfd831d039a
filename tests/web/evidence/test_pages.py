"""The pages of evidence: the chain of each kind of figure, sheets, what the public learns, and the closed days."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from statistic_rows import row

from luming.core import work
from luming.core.models import AuditEntry, Task
from luming.telemetry import store
from luming.telemetry.evidence import actions, closing
from luming.telemetry.evidence.models import DayHash, EvidenceSheet, Verification
from luming.telemetry.models import Judgement
from luming.telemetry.store import connecting
from luming.web.evidence import printing


def text(response, status=200):
    assert response.status_code == status, response.content.decode()[:500]
    return response.content.decode()


def ms(moment):
    return int(moment.timestamp() * 1000)


def tamper(*statements):
    with connecting.reading() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.fixture
def statistic(world):
    found = row(world.outlet, "a34013", "2026-05-01", 8.0, unit="mg/m³")
    found.save()
    return found


@pytest.fixture
def sheet(world):
    return actions.issue_sheet(world.users["reviewer"], "judgement", str(world.judgement.pk), "行政处罚案卷 2026-17")


def test_from_a_judgement_to_the_value_the_packet_and_back(world):
    client = world.client("duty")
    page = text(client.get(reverse("evidence-judgement", args=[world.judgement.pk])))
    value = reverse("evidence-value", args=[world.series.pk, ms(world.judgement.start)])
    assert value in page and "GB 13223-2011" in page and "+0.2" in page
    packet = re.search(r"/evidence/packets/(\d+)/", page)
    assert packet and "SHA-256" in page
    page = text(client.get(value))
    assert reverse("evidence-judgement", args=[world.judgement.pk]) in page
    assert "rests on another revision" in page  # the newest one is not the one that was judged
    assert "revision 1" in page and "revision 0" in page
    page = text(client.get(packet.group(0)))
    assert value in page and reverse("evidence-judgement", args=[world.judgement.pk]) in page
    for name, args in (
        ("judgement", [world.outlet.pk, world.judgement.pk]),
        ("packet", [int(packet.group(1))]),
        ("value", [world.outlet.pk, world.series.pk, ms(world.judgement.start)]),
    ):
        assert "/evidence/" in text(client.get(reverse(name, args=args))), name


def test_a_statistic_says_honestly_whether_it_comes_out_again(world, statistic):
    page = text(world.client("duty").get(reverse("evidence-statistic", args=[statistic.pk])))
    assert "Computed again now" in page and "differs" in page  # its digest is invented
    assert "do not give this figure any more" in page
    page = text(world.client("duty").get(reverse("statistic", args=[statistic.pk])))
    assert reverse("evidence-statistic", args=[statistic.pk]) in page


def test_packets_and_names_are_for_those_who_may_see_them(world):
    url = reverse("evidence-value", args=[world.series.pk, ms(world.judgement.start)])
    row = store.VerdictRow(
        world.series.pk, world.judgement.start, 1, store.Origin.CORRECTED, store.Quality.VALID, "review:1", "1",
        value=12.4, reason="校准后修正",
    )  # fmt: skip
    store.write_verdicts([row], person_id=world.users["reviewer"].pk)
    page = text(world.client("enterprise").get(url))
    assert "/evidence/packets/" not in page and "12.4" in page and "Issue an evidence sheet" not in page
    assert "/evidence/packets/" in text(world.client("maintainer").get(url))
    api = reverse("evidence-api-value", args=[world.series.pk, ms(world.judgement.start)])
    inside, outside = (world.client(role).get(api).json()["document"] for role in ("duty", "enterprise"))
    assert inside["packets"] and not outside["packets"]
    assert inside["inputs"][0]["verdict"]["person"] and "person" not in outside["inputs"][0]["verdict"]


@pytest.mark.parametrize("role", ["district", "enterprise", "maintainer"])
def test_what_is_out_of_scope_does_not_exist(world, role):
    foreign = Judgement.objects.create(
        place=world.elsewhere, kind="limit-hour", start=world.judgement.start, state="normal", edition="x", software="0"
    )
    figure = row(world.elsewhere, "a34013", "2026-05-01", 8.0)
    figure.save()
    client = world.client(role)
    for name, pk in (("judgement", foreign.pk), ("statistic", figure.pk), ("packet", world.foreign)):
        if name == "packet" and role == "enterprise":
            continue
        assert client.get(reverse(f"evidence-{name}", args=[pk])).status_code == 404, name
        assert client.get(reverse(f"evidence-api-{name}", args=[pk])).status_code == 404, name
    assert client.get(reverse("evidence-value", args=[world.series.pk, 10**17])).status_code == 404


def test_the_interface_for_programs_gives_the_document(world):
    answer = world.client("duty").get(reverse("evidence-api-judgement", args=[world.judgement.pk])).json()
    assert answer["document"]["figure"]["state"] == "exceeding" and answer["is_sound"]
    [item] = answer["document"]["inputs"]
    assert item["value"] == item["observed"]["value"] == 12.0
    value = world.client("duty").get(
        reverse("evidence-api-value", args=[world.series.pk, ms(world.judgement.start)])
    ).json()  # fmt: skip
    assert [(one["kind"], one["used"]) for one in value["influences"]] == [("judgement", False)]


def test_a_sheet_is_issued_printed_and_found_again(world):
    client = world.client("reviewer")
    form = {"kind": "judgement", "key": world.judgement.pk, "purpose": "案卷 17"}
    page = text(client.post(reverse("evidence-issue"), form, follow=True))
    sheet = EvidenceSheet.objects.get()
    assert sheet.grouped in page and sheet.sha256 in page and "The sheet stands" in page
    assert AuditEntry.objects.get(verb="evidence.issue").detail["sha256"] == sheet.sha256
    assert sheet.grouped in text(client.get(reverse("evidence-sheets"), {"q": sheet.grouped.lower()}))
    assert "No sheet has this code" in text(client.get(reverse("evidence-sheets"), {"q": "0" * 20}))
    assert sheet.grouped in text(client.get(reverse("evidence-judgement", args=[world.judgement.pk])))
    assert sheet.grouped in text(client.get(reverse("search"), {"q": sheet.code}))
    document = client.get(reverse("evidence-sheet-document", args=[sheet.code]))
    assert document.content == bytes(sheet.document)
    pdf = client.get(reverse("evidence-sheet-pdf", args=[sheet.code]))
    assert pdf["Content-Type"] == "application/pdf" and pdf.content.startswith(b"%PDF-")
    assert "Say what the sheet is for." in text(
        client.post(reverse("evidence-issue"), form | {"purpose": ""}, follow=True)
    )
    wrong = form | {"kind": "value", "key": "no/number", "next": "//elsewhere.example"}
    assert client.post(reverse("evidence-issue"), wrong)["Location"] == reverse("evidence-sheets")


def test_what_is_printed(world, sheet):
    store.write_verdicts([
        store.VerdictRow(
            world.series.pk, world.judgement.start, 0, store.Origin.MEASURED, store.Quality.INVALID, "checks", "1",
            checks=["GEN-RANGE:4"], reason="out of range",
        )
    ])  # fmt: skip
    key = f"{world.series.pk}/{ms(world.judgement.start)}"
    value = actions.issue_sheet(world.users["reviewer"], "value", key, "证明")
    for one in (sheet, value):
        content = printing.content(one, "https://example.org/verify/X/")
        assert content["inputs"] and content["packets"] and content["code"] == one.grouped
        assert content["demo"] and content["hashes"][0][1] == one.sha256
        assert any("PW=••••••" in annex[2] and not annex[3] for annex in content["annex"])
        assert not any("123456" in annex[2] for annex in content["annex"])
    [note] = content["notes"]
    assert note[2] and note[2][0].startswith("GEN-RANGE")
    [limit] = printing.content(sheet, "x")["limits"]
    assert limit[1:3] == ["12", "10"]
    tamper("UPDATE telemetry_packet SET body = body || '0'::bytea")
    assert all(annex[3] for annex in printing.content(sheet, "x")["annex"])


def test_the_public_learns_whether_a_sheet_stands(world, sheet):
    client = world.client("anonymous")
    page = text(client.get(reverse("verify")))
    assert 'name="code"' in page
    response = client.get(reverse("verify"), {"code": sheet.grouped.lower()})
    assert response["Location"] == reverse("verify-sheet", args=[sheet.code])
    response = client.get(response["Location"], {"lang": "en"})
    page = text(response)
    assert "The sheet stands" in page and sheet.sha256 in page and sheet.sm3 in page
    assert world.users["reviewer"].name not in page and "2026-17" not in page
    assert response["Cache-Control"] == "no-store" and "noindex" in response["X-Robots-Tag"]
    assert "证据单有效" in text(client.get(reverse("verify-sheet", args=[sheet.code]), {"lang": "zh"}))
    assert "No sheet was issued" in text(client.get(reverse("verify-sheet", args=["0" * 20]), {"lang": "en"}), 404)
    assert "This is no code" in text(client.get(reverse("verify"), {"code": "abc", "lang": "en"}))
    tamper("UPDATE telemetry_observation SET value = 9 WHERE value = 12")
    page = text(client.get(reverse("verify-sheet", args=[sheet.code]), {"lang": "en"}))
    assert "The stored data were changed since" in page and "the values it was made of" in page


def test_a_later_revision_is_told_to_the_public(world, sheet):
    old = world.judgement
    Judgement.objects.create(
        place=old.place, kind=old.kind, start=old.start, revision=1, state="normal", edition=old.edition, software="0"
    )
    page = text(world.client("anonymous").get(reverse("verify-sheet", args=[sheet.code]), {"lang": "en"}))
    assert "The sheet stands" in page and "A later revision of the figure is there" in page


def test_verifying_is_limited_like_the_public_site(world, sheet, settings):
    settings.PUBLIC_REQUESTS_PER_MINUTE = 3
    cache.clear()
    client = world.client("anonymous")
    found = [client.get(reverse("verify-sheet", args=[sheet.code])).status_code for _ in range(4)]
    assert found == [200, 200, 200, 429]


def test_closed_days_are_shown_verified_and_exported(world):
    client = world.client("reviewer")
    assert "No day is closed yet" in text(client.get(reverse("evidence-days")))
    assert "No day is closed yet" in text(client.post(reverse("evidence-days-verify"), follow=True))
    days = list(closing.close_days())  # up to yesterday: the world's packets reach back thirty hours
    page = text(client.get(reverse("evidence-days")))
    assert days[-1].digest in page and "Nothing was verified yet" in page
    rows = list(csv.DictReader(io.StringIO(text(client.get(reverse("evidence-days-csv"))))))
    assert [item["digest"] for item in rows] == [day.digest for day in days]
    assert (
        client.post(reverse("evidence-days-verify"), {"first": "2026-12-01", "last": "2026-01-01"}).status_code == 302
    )
    client.post(reverse("evidence-days-verify"))
    task = work.perform(Task.objects.latest("pk").pk)
    assert task.state == Task.State.DONE and "everything is as it was" in task.message
    assert "Everything is as it was" in text(client.get(reverse("evidence-days")))
    assert "Records that are not what they were" not in text(client.get(reverse("home")))
    tamper("UPDATE telemetry_observation SET value = value + 1")
    client.post(reverse("evidence-days-verify"))
    task = work.perform(Task.objects.latest("pk").pk)
    assert "See the closed days" in task.message
    page = text(client.get(reverse("evidence-days")))
    assert "What differs" in page and "is not what it was" in page
    assert "Records that are not what they were" in text(client.get(reverse("home")))
    assert Verification.objects.count() == 2 and DayHash.objects.count() == len(days)


def test_pages_do_not_query_per_input(world):
    def count(judgement):
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            text(world.client("duty").get(reverse("evidence-judgement", args=[judgement.pk])))
        return len(queries)

    world.client("duty").get("/account/")
    inputs = [
        [world.series.pk, (world.judgement.start - timedelta(hours=i)).isoformat(), 0, 5.0, "mg/m³", "N"]
        for i in (1, 2, 3, 6, 7)
    ]
    many = Judgement.objects.create(
        place=world.outlet, kind="limit-day", start=world.judgement.start, state="normal", edition="x", software="0",
        inputs=inputs,
    )  # fmt: skip
    assert count(many) == count(world.judgement) <= 16
