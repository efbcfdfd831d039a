"""An outlet with limits, the people of its enterprise and of the bureau, and ways to send, judge and mark."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from luming.core.models import Organisation, User
from luming.registry.models import Facility, Limit, Outlet, Region, Series
from luming.telemetry import judging, store
from luming.telemetry.identity import PacketIds
from luming.telemetry.marks import actions, seeding
from luming.telemetry.marks.models import Mark, MarkCode
from luming.telemetry.models import Judgement
from luming.telemetry.store import connecting

HOUR = timedelta(hours=1)
START = datetime(2026, 11, 1, 2, tzinfo=UTC)  # 10 o'clock in the city
UNITS = {"a34013": "mg/m³", "a21026": "mg/m³", "a19001": "%", "a00000": "m³/s"}


class Scene:
    """What the tests name, and what they do to it."""

    start = START

    def __init__(self, writer):
        """Register the outlet, its series and limits, and the people."""
        self.writer, self.ids = writer, PacketIds(node=5)
        seeding.seed()
        region = Region.objects.create(code="150203", name="昆都仑区", level="district")
        spot = {"region": region, "longitude": 109.8, "latitude": 40.6}
        self.enterprise = Organisation.objects.create(name="甲厂", kind="enterprise")
        self.other = Organisation.objects.create(name="乙厂", kind="enterprise")
        facility = Facility.objects.create(
            name="热电厂", code="F1", organisation=self.enterprise, industry="热电联产", **spot
        )
        begun = datetime(2024, 12, 31, 16, tzinfo=UTC)
        self.outlet = Outlet.objects.create(
            code="F1-DA001", number="DA001", name="烟囱", medium="gas", facility=facility, commissioned_at=begun, **spot
        )
        self.series = {
            factor: Series.objects.create(place=self.outlet, factor=factor, interval="hour", seconds=3600, unit=unit)
            for factor, unit in UNITS.items()
        }
        for factor, upper in (("a34013", 10), ("a21026", 35)):
            Limit.objects.create(
                outlet=self.outlet,
                factor=factor,
                upper=upper,
                unit="mg/m³",
                source="GB 13223-2011",
                verified=True,
                effective_from="2014-07-01",
            )
        self.clerk = self.person("clerk", "enterprise", organisation=self.enterprise)
        self.stranger = self.person("stranger", "enterprise", organisation=self.other)
        self.anna = self.person("anna", "reviewer")
        self.duty = self.person("duty", "duty")

    def person(self, name, role, **fields):
        """Make a user."""
        return User.objects.create_user(name, "Luming-2026!", name=name, role=role, language="en", **fields)

    def at(self, hour):
        """Return the beginning of an hour after the first one."""
        return START + hour * HOUR

    def send(self, hour, values, flag="N"):
        """Store the values of an hour and judge what has come."""
        now = datetime.now(UTC)
        packet = store.PacketRow(
            self.ids.next(now), now, "I", None, None, "T", "127.0.0.1:1", "31", 2061, None, b"##", "A", None, ()
        )
        rows = [
            store.ObservationRow(
                self.series[factor].pk,
                self.outlet.pk,
                "hour",
                self.at(hour),
                value,
                None,
                None,
                None,
                None,
                flag,
                packet.id,
            )
            for factor, value in values.items()
        ]
        self.writer.write([packet], rows)

    def judge(self):
        """Judge what is queued."""
        judging.judge_pending()

    def judged(self, hour, kind="limit-hour"):
        """Return the newest judgement of an hour."""
        return Judgement.objects.filter(kind=kind, start=self.at(hour)).order_by("revision").last()

    def code(self, name):
        """Return a code."""
        return MarkCode.objects.get(code=name)

    def wanted(self, code, first, last, explanation="see the log", factors=()):
        """Return a period from one hour to another, which may be fractions."""
        return actions.Wanted(self.code(code), self.at(first), self.at(last), explanation, tuple(factors))

    def mark(self, code, first, last, user=None, **keywords):
        """Mark a period as the enterprise, or as somebody else."""
        [mark] = actions.make(user or self.clerk, self.outlet, [self.wanted(code, first, last, **keywords)])
        return mark

    def stored(self, mark):
        """Return a mark as it is stored now."""
        return Mark.objects.get(pk=mark.pk)


@pytest.fixture
def scene(transactional_db):
    """Empty the store, whose writers commit over their own connections, and build the scene; sentences are English."""
    empty()
    with translation.override("en"), store.Writer() as writer:
        yield Scene(writer)
    empty()


def empty():
    """Empty the store's tables."""
    with connecting.connect(**connecting.parameters(as_owner=True)) as owner:
        tables = "telemetry_packet, telemetry_packet_release, telemetry_observation, telemetry_verdict, telemetry_dirty"
        owner.execute(f"TRUNCATE {tables}, statistics_dirty")
