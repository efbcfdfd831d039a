"""The portrait: figures between 0 and 100, each reason with its points and its evidence, weights of a dated table."""

from datetime import date, timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone, translation

from luming.core import manifest
from luming.core.manifest import Reason, Trait
from luming.registry.models import Limit, Outlet
from luming.telemetry.models import Connection, DeviceStatus, Gap, Judgement, PlaceState
from luming.web.onefile import portrait, subjects


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def reasons(world, trait, role="duty"):
    cache.clear()
    subject = subjects.facility_file(world.users[role], world.facility.pk).subject
    return {reason.text: (reason.points, reason.url) for reason in trait(world.users[role], subject)}


def test_days_with_exceedances_and_the_worst_of_them(world):
    found = reasons(world, portrait.exceeded)
    assert found == {"Exceeded on 1 of the last 90 days (1 periods)": (2.0, "#timeline")}
    worst = Judgement.objects.create(
        place=world.outlet, kind="limit-hour", start=timezone.now() - timedelta(days=3), state="exceeding", value=1.5,
        edition="x", software="0",
    )  # fmt: skip
    found = reasons(world, portrait.exceeded)
    url = reverse("judgement", args=[world.outlet.pk, worst.pk])
    assert found["At worst 1.5 times above the limit"] == (15.0, url)
    other = Outlet.objects.create(
        code="F1-DA002", name="x", medium="gas", region=world.outlet.region, longitude=109.8, latitude=40.6,
        facility=world.facility, number="DA002",
    )  # fmt: skip
    Judgement.objects.create(  # of the same day, later, at another outlet, and not the worst
        place=other, kind="limit-hour", start=worst.start, state="exceeding", value=1.2, edition="x", software="0"
    )
    assert reasons(world, portrait.exceeded)["At worst 1.5 times above the limit"] == (15.0, url)
    assert world.client("duty").get(url).status_code == 200
    for age in range(4, 60):
        Judgement.objects.create(
            place=world.outlet, kind="limit-hour", start=timezone.now() - timedelta(days=age), state="exceeding",
            value=0.1, edition="x", software="0",
        )  # fmt: skip
    assert max(points for points, _url in reasons(world, portrait.exceeded).values()) == 40.0  # and not more


def test_nothing_exceeded_is_said_too(world):
    Judgement.objects.all().delete()
    assert reasons(world, portrait.exceeded) == {"No exceedance in the last 90 days": (0, "")}
    PlaceState.objects.update(state="normal")
    assert reasons(world, portrait.exceeds_now) == {}


def test_what_exceeds_now_and_what_nobody_judges(world):
    [(text, (points, url))] = reasons(world, portrait.exceeds_now).items()
    assert world.outlet.name in text and points == 15.0 and url == reverse("place", args=[world.outlet.pk])
    assert reasons(world, portrait.not_judged) == {}
    Limit.objects.all().delete()
    assert reasons(world, portrait.not_judged) == {"Outlets without limits in force: 1": (10.0, "#identity")}


def test_missing_hours_and_open_gaps(world):
    found = reasons(world, portrait.missing)
    url = reverse("device", args=[world.device.pk]) + "#gaps"
    # One of 720 hours.
    assert found["0.1 % of the hours of the last 30 days are missing"][0] == pytest.approx(-100 / 720)
    assert found["Gaps still open: 1"] == (-2.0, url)
    Gap.objects.update(start=timezone.now() - timedelta(days=400), state="given-up")  # of which 30 days count
    found = reasons(world, portrait.missing)
    assert next(iter(found.values()))[0] == -35.0 and len(found) == 1
    Gap.objects.update(state="filled")
    assert reasons(world, portrait.missing) == {"No hour of the last 30 days is missing": (0, url)}


def test_refused_packets(world):
    [(text, (points, url))] = reasons(world, portrait.refused).items()
    # Of the device's packets of seven days one was held and one rejected: more per thousand than can be weighed.
    assert text.startswith("2 of 32 packets of the last 7 days") and points == -15.0 and url == reverse("problems")


def test_connections_and_clocks(world):
    now = timezone.now()
    Connection.objects.update(opened_at=now - timedelta(days=10), closed_at=now - timedelta(days=5))
    DeviceStatus.objects.update(last_packet_at=now)
    found = reasons(world, portrait.connections)
    assert found["Without a connection for 50.0 % of the time"][0] == -15.0
    assert found["Clocks that are off: 1, at worst +70.0 s"] == (-4.0, reverse("device", args=[world.device.pk]))
    assert not any("Not on line" in text for text in found)
    DeviceStatus.objects.update(connected=False, clock_offset=-59)
    Connection.objects.update(closed_at=None)
    found = reasons(world, portrait.connections)
    assert found["Connected all the time"] == (0, "")
    assert found["Not on line now: 数采仪一"] == (-8.0, reverse("device", args=[world.device.pk]))
    assert not any("Clock" in text for text in found)


def test_limits_not_verified(world):
    assert reasons(world, portrait.unverified) == {
        "Limits not verified: 1": (-1.0, reverse("place", args=[world.outlet.pk]) + "#limits")
    }
    Limit.objects.update(verified=True)
    assert reasons(world, portrait.unverified) == {}


def test_everyone_at_the_bureau_sees_the_same_figures(world):
    """A leader may open no device; the figure is the same, only the links are not there."""
    for trait in portrait.TRAITS:
        duty, leader = reasons(world, trait.assess), reasons(world, trait.assess, "leader")
        assert {text: points for text, (points, _url) in duty.items()} == {
            text: points for text, (points, _url) in leader.items()
        }, trait.key
        assert not any("/devices/" in url or "/packets/" in url for _points, url in leader.values())


def test_a_figure_is_the_sum_of_its_reasons_between_0_and_100(world, monkeypatch):
    def trait(figure, *points):
        return Trait(figure, figure, figure, frozenset(), lambda *_: [Reason(str(number), number) for number in points])

    duty = world.users["duty"]
    monkeypatch.setattr(manifest, "traits", lambda kind: [trait("risk", 5, 12.4), trait("trust", -300)])
    risk, trust = portrait.figures(duty, "facility", None)
    assert (risk.key, risk.value, risk.tone, [one.points for one in risk.reasons]) == ("risk", 17, "good", [12.4, 5])
    assert (trust.key, trust.value, trust.tone, trust.base) == ("trust", 0, "danger", 100)
    monkeypatch.setattr(manifest, "traits", lambda kind: [trait("risk", 60, 60)])
    assert [one.value for one in portrait.figures(duty, "facility", None)] == [100]


def test_the_edition_is_the_one_in_force():
    first = portrait.editions()[0]
    assert portrait.edition(date(1990, 1, 1)) == first
    assert portrait.edition(first.effective_from) == first
    assert portrait.edition().effective_from <= timezone.localdate()
    for entry in portrait.editions():
        assert set(entry.base) == set(portrait.LABELS) == {"risk", "trust"}
        assert all(number > 0 for number in (*entry.risk.values(), *entry.trust.values()))


def test_the_page_says_whose_method_it_is_and_which_edition(world):
    page = world.client("duty").get(reverse("facility", args=[world.facility.pk])).content.decode()
    assert "A method of this product, not of any law" in page and portrait.edition().key in page
    assert "not verified" in page
