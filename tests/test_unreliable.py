"""Unreliable data never enters anything: statistics, indices, judgements, emissions, tiles, the public page, alerts.

Two cities are the same but for the values that do not count: in the second these are absurd (a thousand million). Every
figure that anyone sees must be the same in both.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from luming.core.models import User
from luming.domains.air import days
from luming.domains.permitting import accounts
from luming.domains.permitting.models import EmissionDay
from luming.registry.models import Facility, Limit, Outlet, Region, Series, Station
from luming.standards.edition import CITY_ZONE
from luming.telemetry import judging, store
from luming.telemetry.identity import id_floor
from luming.telemetry.models import Event, Judgement, PlaceState
from luming.telemetry.statistics import recomputing
from luming.telemetry.statistics.models import Statistic
from luming.telemetry.store import Origin, Quality, VerdictRow, connecting
from luming.web.cockpit import compose

HOUR = timedelta(hours=1)
ABSURD = 1e9
NOTICED = 2000.0  # as a sound level it is still a number
DAYS = 3
KINDS = ["good", "mark", "suspect", "invalid", "missing"]
AIR = {
    "a21026": (8, "µg/m³"), "a21004": (25, "µg/m³"), "a21005": (0.6, "mg/m³"), "a05024": (60, "µg/m³"),
    "a34002": (55, "µg/m³"), "a34004": (30, "µg/m³"),
}  # fmt: skip
GAS = {"a21026": (30, "mg/m³"), "a34013": (8, "mg/m³"), "a00000": (20, "m³/s")}
SEWAGE = {"w01018": (40, "mg/L"), "w00000": (12, "L/s")}
WATER = {"w01001": (7.5, ""), "w01009": (8, "mg/L"), "w01019": (3, "mg/L"), "w21003": (0.4, "mg/L")}
NOISE = {"Leq": (52, "dB")}
_sequence = count(1)


def empty():
    with connecting.connect(**connecting.parameters(as_owner=True)) as owner:
        owner.execute(
            "TRUNCATE telemetry_packet, telemetry_packet_release, telemetry_observation, telemetry_verdict,"
            " telemetry_dirty, statistics_dirty, statistics_closed, statistics_statistic, telemetry_judgement"
        )
    for model in (PlaceState, Event, EmissionDay):
        model.objects.all().delete()
    cache.clear()


@pytest.fixture
def city(transactional_db):
    """Make one place of each medium, an outlet with limits, and somebody who sees it all."""
    region = Region.objects.create(code="150203", name="R", level="district")
    at = {"region": region, "longitude": 109.8, "latitude": 40.6, "commissioned_at": datetime(2025, 1, 1, tzinfo=UTC)}
    facility = Facility.objects.create(name="F", code="F", region=region, longitude=109.8, latitude=40.6)
    places = {
        "air": Station.objects.create(code="A", name="A", medium="air", **at),
        "water": Station.objects.create(code="W", name="W", medium="water", water_body="river", target_class=3, **at),
        "noise": Station.objects.create(code="N", name="N", medium="noise", zone_class="2", **at),
        "gas": Outlet.objects.create(code="F-DA001", name="G", number="DA001", medium="gas", facility=facility, **at),
        "sewage": Outlet.objects.create(
            code="F-DW001", name="S", number="DW001", medium="sewage", facility=facility, **at
        ),
    }
    for factor, upper in (("a21026", 35), ("a34013", 10)):
        Limit.objects.create(
            outlet=places["gas"], factor=factor, converted=True, upper=upper, unit="mg/m³", source="X",
            effective_from="2020-01-01",
        )  # fmt: skip
    for medium, factors in (("air", AIR), ("water", WATER), ("noise", NOISE), ("gas", GAS), ("sewage", SEWAGE)):
        for factor, (_level, unit) in factors.items():
            for interval, seconds in (("hour", 3600), ("minute", 600)):
                Series.objects.create(
                    place=places[medium], factor=factor, interval=interval, seconds=seconds, unit=unit
                )
    user = User.objects.create(username="duty", role="duty", language="en")
    return places, user


def fill(places, seed, absurd):
    """Store three days of data and verdicts; what does not count gets the value ``absurd`` unless that is None."""
    chance = np.random.default_rng(seed)
    now = datetime.now(CITY_ZONE).replace(minute=0, second=0, microsecond=0)
    start = now.replace(hour=0) - timedelta(days=DAYS)
    hours = int((now - start) / HOUR)
    rows, verdicts, packets = [], [], []
    for medium, factors in (("air", AIR), ("water", WATER), ("noise", NOISE), ("gas", GAS), ("sewage", SEWAGE)):
        place = places[medium]
        for factor, (level, _unit) in factors.items():
            for series in Series.objects.filter(place=place, factor=factor).order_by("interval"):
                number = hours if series.interval == "hour" else 36
                values = np.round(level * chance.uniform(0.7, 1.3, number), 2)
                kinds = chance.choice(
                    ["good", "mark", "suspect", "invalid", "missing"], number, p=[0.8, 0.06, 0.06, 0.04, 0.04]
                )
                for i in range(number):
                    moment = start + i * timedelta(seconds=series.seconds)
                    kind, value = kinds[i], float(values[i])
                    if kind == "missing":
                        continue
                    if kind != "good" and absurd is not None:
                        value = absurd
                    flag = str(chance.choice(["D", "M", "T", "C"])) if kind == "mark" else "N"
                    packet = store.PacketRow(
                        id_floor(moment + HOUR) + next(_sequence), moment + HOUR, "I", None, None, "T", None, "22",
                        2061, None, b"##", "A",
                    )  # fmt: skip
                    packets.append(packet)
                    rows.append(
                        store.ObservationRow(
                            series.pk, place.pk, series.interval, moment, value, value, value, value, value * 3, flag,
                            packet.id,
                        )
                    )  # fmt: skip
                    if kind in ("suspect", "invalid"):
                        quality = Quality.SUSPECT if kind == "suspect" else Quality.INVALID
                        verdicts.append(
                            VerdictRow(
                                series.pk, moment.astimezone(UTC), 0, Origin.MEASURED, quality, "review:1", "1",
                                checks=["X:4"], reason="test",
                            )
                        )  # fmt: skip
    with store.Writer() as writer:
        writer.write(packets, rows)
    with transaction.atomic():
        store.write_verdicts(verdicts, person_id=1)


def process(monkeypatch):
    """Judge, sum up and compute all that waits, without the checks: they would find the absurd values themselves."""
    monkeypatch.setattr(judging, "_check", lambda pending: None, raising=False)
    while judging.judge_pending():
        pass
    while recomputing.recompute_pending().place_days:
        pass


def seen(places, user):
    """Return every figure that anyone sees, and the pages that the public sees."""
    cache.clear()
    fields = (
        "place_id", "factor", "measure", "kind", "start", "value", "valid", "reason", "count", "required", "deviation",
    )  # fmt: skip
    judged = Judgement.objects.order_by("place_id", "kind", "start", "revision")
    since = timezone.now() - timedelta(days=DAYS + 1)
    with translation.override("en"):
        person = User.objects.get(pk=user.pk)
        tiles = {
            shown.tile.key: shown.figure and (
                shown.figure.value, shown.figure.note, shown.figure.coverage, list(shown.figure.trend),
                [part[:3] for part in shown.figure.parts],
            )
            for group in compose.groups(person) for shown in group.tiles
        }  # fmt: skip
        lines = {
            (line.outlet_id, line.factor): (line.account.monitored, [month.tonnes for month in line.months])
            for found in accounts.of_facilities(person).values() for line in found
        }  # fmt: skip
    return {
        "statistics": list(Statistic.objects.order_by(*fields[:5], "revision").values_list(*fields)),
        "judgements": [
            (row.place_id, row.kind, row.start, row.state, row.value, _figures(row.detail)) for row in judged
        ],
        "states": list(PlaceState.objects.order_by("place_id").values_list("place_id", "state", "value", "period")),
        "events": sorted(Event.objects.values_list("place_id", "kind", "severity")),
        "emissions": list(
            EmissionDay.objects.order_by("outlet_id", "factor", "day").values_list(
                "outlet_id", "factor", "day", "amount_kg", "hours_present", "hours_expected"
            )
        ),
        "city days": days.city_days([places["air"].pk], since),
        "tiles": tiles,
        "permits": lines,
        "public": {address: public(address) for address in ("", "air/", "water/", "air/A/", "water/W/")},
    }  # fmt: skip


def public(address):
    """Return a page of the public site without what differs from one request to the next."""
    response = Client().get(reverse("public-front", args=["en"]) + address)
    assert response.status_code == 200, address
    text = re.sub(r"<time[^>]*>.*?</time>", "", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"csrf\w*[^>]*>|nonce=\S+", "", text))


def _figures(detail):
    """Return the detail of a judgement; values that were not judged only stand there with their mark."""
    kept = {key: value for key, value in detail.items() if key not in ("statistics", "factors")}
    kept["factors"] = {
        factor: {key: value for key, value in row.items() if key != "value" or row["state"] in ("normal", "exceeding")}
        for factor, row in (detail.get("factors") or {}).items()
    }
    return json.dumps(kept, sort_keys=True)


@pytest.mark.parametrize("seed", [11, 12])
def test_what_does_not_count_changes_nothing_that_anyone_sees(city, seed, monkeypatch):
    places, user = city
    found = []
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)  # charts are drawn up to this moment
    for absurd in (None, ABSURD):
        empty()
        fill(places, seed, absurd)
        process(monkeypatch)
        found.append(seen(places, user))
    plain, absurd = found
    assert len(plain["statistics"]) > 100 and plain["emissions"] and plain["city days"], "there is something to compare"
    assert {row[1] for row in plain["judgements"]} >= {"aqi-hour", "aqi-day", "limit-hour", "water-class"}
    for address, text in plain["public"].items():
        other = absurd["public"][address]
        at = next((i for i, (one, two) in enumerate(zip(text, other, strict=False)) if one != two), None)
        assert at is None, (address, text[at - 200 : at + 60], other[at - 60 : at + 60])
    for name, figures in plain.items():
        assert absurd[name] == figures, name
    assert not re.search(r"\b1000000000\b|\b1e\+?0?9\b|1,000,000,000", repr(absurd))


def test_emissions_of_days_and_their_statistics_are_one_truth(city, monkeypatch):
    """What the permits' accounts sum up of a day that is over is what the statistic of the day says."""
    places, _user = city
    empty()
    fill(places, 13, None)
    process(monkeypatch)
    today = timezone.localtime(timezone.now(), CITY_ZONE).date()
    amounts = {}
    for row in Statistic.objects.filter(measure="amount", kind="day").order_by("revision"):
        amounts[row.place_id, row.factor, timezone.localtime(row.start, CITY_ZONE).date()] = row.value
    rows = EmissionDay.objects.filter(day__lt=today)
    assert len(rows) >= 3 * DAYS
    for row in rows:
        assert amounts[row.outlet_id, row.factor, row.day] == pytest.approx(row.amount_kg, abs=1e-9), row


def test_the_comparison_would_notice(city, monkeypatch):
    """Let everything count, and the figures are others: the test above compares what it should."""
    places, user = city
    empty()
    fill(places, 11, NOTICED)
    series = list(Series.objects.values_list("pk", flat=True))
    rows = store.effective(series, timezone.now() - timedelta(days=DAYS + 1), timezone.now())
    assert (rows.value == NOTICED).sum() > 100 and not rows.counts[rows.value == NOTICED].any()
    monkeypatch.setattr(store.Effective, "counts", property(lambda rows: ~np.isnan(rows.used)))
    monkeypatch.setattr(store.Effective, "letters", property(lambda rows: np.full(len(rows), "N")))
    process(monkeypatch)
    statistics = seen(places, user)["statistics"]
    assert max(row[5] for row in statistics if row[5] is not None) > NOTICED / 100
