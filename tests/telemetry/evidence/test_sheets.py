"""From the packet to the sheet and back: what a figure came from and went into; a sheet that finds tampering."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from luming.core.models import AuditEntry, User
from luming.domains.enforcement import evaluate
from luming.hj212 import CHINA, encode
from luming.registry.models import Device, Facility, Limit, Outlet, Region, Series
from luming.telemetry import judging, store
from luming.telemetry.evidence import (
    actions,
    checking,
    closing,
    codes,
    documents,
    influence,
    lineage,
    sources,
    verifying,
)
from luming.telemetry.evidence.models import EvidenceSheet
from luming.telemetry.identity import PacketIds
from luming.telemetry.models import Judgement
from luming.telemetry.statistics import queue, recomputing
from luming.telemetry.statistics.models import Statistic
from luming.telemetry.store import connecting
from luming.telemetry.store.lookup import sha256

MIDNIGHT = datetime(2026, 5, 31, 16, tzinfo=UTC)  # of 2026-06-01 in the city
NOON = MIDNIGHT + timedelta(hours=12)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SO2 = "a21026"


@contextmanager
def tampering():
    """The owner of the database with the triggers off: whom nothing but the hashes can find."""
    with connecting.reading() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor
        cursor.execute("SET LOCAL session_replication_role = origin")


class Stack:
    """An outlet whose day was received, judged and computed: hours of 30 mg/m³, one of 80."""

    def __init__(self):
        region = Region.objects.create(code="150203", name="R", level="district")
        facility = Facility.objects.create(name="厂", code="F1", region=region, longitude=109.8, latitude=40.6)
        self.outlet = Outlet.objects.create(
            code="F1-DA001", number="DA001", name="烟囱", medium="gas", facility=facility, region=region,
            longitude=109.8, latitude=40.6, is_demo=True,
        )  # fmt: skip
        self.device = Device.objects.create(mn="010000A8900016F000169DC0", place=self.outlet, system="31", edition=1)
        self.series = Series.objects.create(place=self.outlet, factor=SO2, interval="hour", seconds=3600, unit="mg/m³")
        Limit.objects.create(
            outlet=self.outlet, factor=SO2, upper=50, unit="mg/m³", converted=True, source="GB 13223-2011",
            effective_from="2014-07-01",
        )  # fmt: skip
        self.ids = PacketIds(7)
        self.packets = {}
        self.user = User.objects.create(username="reviewer", name="审核员", role="reviewer")
        self.send({hour: 80.0 if hour == 12 else 30.0 for hour in range(24)})
        self.judge()

    def send(self, values, at=None):
        rows = [self.row(hour, value, at) for hour, value in values.items()]
        with store.Writer() as writer:
            writer.write([packet for packet, _observation in rows], [observation for _packet, observation in rows])
        queue.mark([(self.outlet.pk, "hour", [observation.start for _packet, observation in rows])])

    def row(self, hour, value, at):
        start = MIDNIGHT + hour * HOUR
        at = at or start + HOUR + timedelta(seconds=5)
        cp = f"DataTime={start.astimezone(CHINA):%Y%m%d%H%M%S};{SO2}-Avg={value},{SO2}-ZsAvg={value},{SO2}-Flag=N"
        body = encode(cn=2061, st="31", mn=self.device.mn, pw="123456", qn=f"{at:%Y%m%d%H%M%S}000", flag=5, cp=cp)
        row = store.PacketRow(
            self.ids.next(at), at, "I", None, self.device.pk, self.device.mn, None, "31", 2061, None,
            body.rstrip(b"\r\n"), "A",
        )  # fmt: skip
        observation = store.ObservationRow(
            self.series.pk, self.outlet.pk, "hour", start, value, None, None, value, value / 10, "N", row.id
        )
        self.packets[hour] = row
        return row, observation

    def judge(self):
        starts = [MIDNIGHT + i * HOUR for i in range(24)]
        with transaction.atomic():
            judging.save(evaluate.judge_periods({self.outlet.pk: starts}, "hour"))
        recomputing.recompute_pending(now=MIDNIGHT + 3 * DAY)

    def invalidate(self, hour, person=None):
        row = store.VerdictRow(
            self.series.pk, MIDNIGHT + hour * HOUR, 0, store.Origin.MEASURED, store.Quality.INVALID, "checks", "1",
            checks=["GEN-RANGE:4"], reason="out of range",
        )  # fmt: skip
        with transaction.atomic():
            store.write_verdicts([row], person_id=person)
            queue.mark([(self.outlet.pk, "hour", [row.start])])

    def judgement(self, hour=12):
        return Judgement.objects.filter(place=self.outlet, kind="limit-hour", start=MIDNIGHT + hour * HOUR).latest(
            "revision"
        )

    def statistic(self, kind="day", measure="mean"):
        return Statistic.objects.filter(place=self.outlet, factor=SO2, measure=measure, kind=kind).latest("revision")


@pytest.fixture
def stack(empty_store):
    return Stack()


def test_a_judgement_leads_to_its_packet_and_the_day(stack):
    list(closing.close_days(MIDNIGHT + 3 * DAY))
    found = lineage.of_judgement(stack.judgement())
    [item] = found.inputs
    packet = stack.packets[12]
    assert (item.value, item.counts, item.agrees) == (80.0, True, True)
    assert (item.packet.id, item.packet.sha256, item.packet.size) == (packet.id, sha256(packet.body), len(packet.body))
    stored = found.days[datetime(2026, 6, 1).date()]
    assert stored is not None and stored.of("packets")["count"] == 23  # the last hour came after midnight
    assert found.is_sound and [one.id for one in found.packets] == [packet.id]


def test_a_verdict_is_told_as_it_held_then(stack):
    before = stack.judgement()
    stack.invalidate(12)
    stack.judge()
    after = stack.judgement()
    assert after.revision == before.revision + 1
    [old], [new] = lineage.of_judgement(before).inputs, lineage.of_judgement(after).inputs
    assert (old.verdict, old.counts, new.counts, new.sequence) == (None, True, False, 0)
    [spoke] = new.checks
    assert (spoke.code, spoke.failed, spoke.check.source != "") == ("GEN-RANGE", True, True)
    assert new.agrees and old.agrees


def test_a_statistic_is_proved_from_its_inputs(stack):
    found = lineage.of_statistic(stack.statistic())
    assert found.recomputed.is_equal(found.subject) and found.is_sound
    assert len(found.inputs) == 24 and len(found.packets) == 24
    month = lineage.of_statistic(stack.statistic("month"))
    [day] = month.inputs
    assert day.statistic == stack.statistic() and day.agrees and month.packets == []
    year = lineage.of_statistic(stack.statistic("year"))
    assert [item.statistic.kind for item in year.inputs] == ["day"]
    capture = lineage.of_statistic(stack.statistic(measure="capture"))
    assert capture.is_sound and (capture.inputs[0].revision, capture.inputs[0].sequence) == (24, 24)
    put = Statistic.objects.filter(measure="substituted", kind="day").first()
    assert lineage.of_statistic(put).is_sound


def test_a_value_tells_what_it_went_into(stack):
    def used(revision):
        rows = influence.of_value(stack.series, NOON, revision)
        return {(one.kind, one.row.kind, getattr(one.row, "measure", "")): one.used for one in rows}

    first = used(0)
    assert first["judgement", "limit-hour", ""] and first["statistic", "day", "mean"]
    assert first["statistic", "month", "mean"] and first["statistic", "year", "mean"]
    assert first["statistic", "day", "capture"] is None
    stack.send({12: 20.0}, at=MIDNIGHT + 2 * DAY)
    stack.judge()
    assert not any(one for key, one in used(0).items() if key[1] == "limit-hour" or key[2] == "mean")
    second = used(1)
    assert second["judgement", "limit-hour", ""] and second["statistic", "month", "mean"]
    assert [item.revision for item in lineage.of_value(stack.series, NOON).inputs] == [1, 0]
    day = stack.statistic()
    kinds = {one.row.kind for one in influence.of_statistic(day) if one.used}
    assert kinds == {"month", "quarter", "year"}


def test_a_packet_tells_what_it_became(stack):
    found = lineage.of_packet(store.packet(stack.packets[12].id))
    [item] = found.inputs
    assert (item.start, item.value, item.packet.id) == (NOON, 80.0, stack.packets[12].id)
    went = influence.of_packet([(item.series, item.start, item.revision)])
    assert went[0].row == stack.judgement() and went[0].used
    assert stack.statistic("year") in [one.row for one in went if one.used]


@pytest.mark.parametrize("kind", lineage.KINDS)
def test_a_sheet_finds_that_an_observation_was_changed(stack, kind):
    keys = {
        "judgement": str(stack.judgement().pk), "statistic": str(stack.statistic().pk),
        "value": f"{stack.series.pk}/{lineage.milliseconds(NOON)}", "packet": str(stack.packets[12].id),
    }  # fmt: skip
    sheet = actions.issue_sheet(stack.user, kind, keys[kind], "行政处罚案卷")
    assert checking.check(sheet).state == checking.SAME
    assert documents.hashes(bytes(sheet.document)) == (sheet.sha256, sheet.sm3)
    list(closing.close_days(MIDNIGHT + 3 * DAY))
    assert checking.check(sheet).is_good
    assert AuditEntry.objects.filter(verb="evidence.issue").count() == 1
    with tampering() as owner:
        owner.execute("UPDATE telemetry_observation SET value = 40, converted = 40 WHERE value = 80")
    found = checking.check(sheet)
    assert found.state == checking.DIFFERENT and "inputs" in found.parts and len(found.inputs) == 1
    if kind == "statistic":
        assert "figure" in found.parts and found.inputs == (12,)
    assert not documents.find(kind, keys[kind]).is_sound or kind in ("value", "packet")


def test_a_sheet_finds_a_changed_packet_and_a_changed_sheet(stack):
    sheet = actions.issue_sheet(stack.user, "judgement", str(stack.judgement().pk), "证明")
    with tampering() as owner:
        owner.execute("UPDATE telemetry_packet SET body = body || '0'::bytea WHERE id = %s", [stack.packets[12].id])
    assert checking.check(sheet).parts == ("packets",)
    with tampering() as owner:
        owner.execute("UPDATE evidence_evidencesheet SET document = '{}'")
    assert checking.check(EvidenceSheet.objects.get()).state == checking.DAMAGED


def test_packets_that_the_retention_removed_are_no_difference(stack, monkeypatch):
    sheet = actions.issue_sheet(stack.user, "judgement", str(stack.judgement().pk), "证明")
    with tampering() as owner:
        owner.execute("DELETE FROM telemetry_packet")
    assert checking.check(sheet).parts == ("packets",)
    monkeypatch.setattr(store, "packet_days", list)
    found = checking.check(sheet)
    assert (found.state, found.dropped) == (checking.SAME, 1)


def test_a_later_revision_does_not_change_a_sheet_but_is_told(stack):
    sheets = [
        actions.issue_sheet(stack.user, "judgement", str(stack.judgement().pk), "证明"),
        actions.issue_sheet(stack.user, "statistic", str(stack.statistic().pk), "证明"),
        actions.issue_sheet(stack.user, "value", f"{stack.series.pk}/{lineage.milliseconds(NOON)}", "证明"),
    ]
    assert [checking.check(sheet).newer for sheet in sheets] == [False, False, False]
    stack.invalidate(12, stack.user.pk)
    stack.judge()
    outcomes = [checking.check(sheet) for sheet in sheets]
    assert [(one.state, one.newer) for one in outcomes] == [(checking.SAME, True)] * 3


def test_a_changed_day_is_told_on_the_sheet(stack):
    list(closing.close_days(MIDNIGHT + 3 * DAY))
    sheet = actions.issue_sheet(stack.user, "value", f"{stack.series.pk}/{lineage.milliseconds(NOON)}", "证明")
    with tampering() as owner:
        owner.execute("UPDATE evidence_dayhash SET digest = repeat('0', 64)")
    found = checking.check(sheet)
    assert found.state == checking.SAME and not found.is_good
    assert [equal for *_rest, equal in found.days] == [False]


def test_sheets_are_issued_by_those_who_may_in_their_scope(stack):
    key = str(stack.judgement().pk)
    leader = User.objects.create(username="leader", role="leader")
    away = User.objects.create(username="away", role="enforcement", region_codes=["150207"])
    with pytest.raises(PermissionDenied):
        actions.issue_sheet(leader, "judgement", key, "x")
    with pytest.raises(ValidationError):
        actions.issue_sheet(away, "judgement", key, "x")
    with pytest.raises(ValidationError):
        actions.issue_sheet(stack.user, "judgement", key, "  ")
    with pytest.raises(ValidationError):
        actions.issue_sheet(stack.user, "judgement", "999999", "x")
    with pytest.raises(ValidationError):
        actions.issue_sheet(stack.user, "value", f"{stack.series.pk}/0", "x")
    actions.issue_sheet(stack.user, "judgement", key, "x")
    assert EvidenceSheet.objects.visible_to(stack.user).count() == 1
    assert EvidenceSheet.objects.visible_to(away).count() == 0
    with pytest.raises(IntegrityError, match="append"), transaction.atomic():
        EvidenceSheet.objects.update(purpose="y")


def test_codes_are_read_as_people_write_them():
    code = codes.make()
    assert len(code) == codes.LENGTH and codes.read(code.lower()) == code
    assert codes.read(f" {code[:5]}-{code[5:10]} {code[10:]}") == code
    assert codes.read("OIL" + "0" * 17) == "011" + "0" * 17
    assert codes.read("U" * 20) == "" and codes.read("0") == ""


def test_reviews_statistics_and_sheets_are_covered_by_the_day(stack):
    sheet = actions.issue_sheet(stack.user, "judgement", str(stack.judgement().pk), "证明")
    now = datetime.now(UTC)
    *_before, day = closing.close_days(now + 2 * DAY)
    while day.of("sheets")["count"] == 0:
        day = closing.DayHash.objects.get(day=day.day - DAY)
    assert day.of("statistics")["count"] == Statistic.objects.count() and day.of("sheets")["count"] == 1
    assert not [item for one in verifying.verify_days(day.day, day.day) for item in one.differences]
    with tampering() as owner:
        owner.execute("UPDATE statistics_statistic SET value = value + 1 WHERE kind = 'year' AND measure = 'mean'")
        owner.execute("UPDATE evidence_evidencesheet SET purpose = '其他' WHERE id = %s", [sheet.pk])
    found = {item.source: item for one in verifying.verify_days(day.day, day.day) for item in one.differences}
    assert set(found) == {"statistics", "sheets"} and "mean year" in found["statistics"].key


def test_every_source_is_there_with_its_columns(stack):
    for source in sources.SOURCES:
        assert source.is_there(), source.name
        assert isinstance(list(source.lines(MIDNIGHT, MIDNIGHT + DAY)), list)
