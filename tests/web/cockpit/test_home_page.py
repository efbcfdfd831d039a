"""The home page of each role: what to do, what is wrong, what changed, each within one's scope."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from luming_dummy.models import Sample, Well

from luming.core import actions, annotations, audit, manifest
from luming.core.roles import ROLES
from luming.domains.permitting.models import EmissionDay
from luming.registry.models import Device, Facility, Limit, Outlet, Station
from luming.telemetry.models import Command, DeviceStatus, Gap, PlaceState
from luming.web.cockpit import concerns, home
from luming.web.cockpit.facts import yesterday


def text(world, role, name="home", **query):
    response = world.client(role).get(reverse(name), query)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def listed(world, role):
    """Return section -> key of a list -> labels of its lines."""
    cache.clear()
    user = world.users[role].__class__.objects.get(pk=world.users[role].pk)
    with translation.override("en"):
        found = home.sections(user)
    return {
        section.key: {row.concern.key: [str(item.label) for item in row.items] for row in section.lists}
        for section in found
    }


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"leader", "enterprise"}))
def test_no_home_is_empty(world, role):
    page = text(world, role)
    assert "lm-question" in page or "Your account has no role yet" in page
    assert ("Your account has no role yet" in page) == (role == "none")
    assert reverse("home-summary") in page


def test_leaders_begin_at_the_cockpit(world):
    response = world.client("leader").get("/")
    assert (response.status_code, response.headers["Location"]) == (302, reverse("cockpit"))


def test_enterprises_begin_at_their_portal(world):
    response = world.client("enterprise").get("/")
    assert response.status_code == 302 and "portal" in response.headers["Location"]


def test_what_is_wrong_links_to_its_place(world):
    page = text(world, "duty")
    assert reverse("place", args=[world.outlet.pk]) in page
    assert listed(world, "duty")["wrong"]["exceeding"] == [world.facility.name]


def test_the_duty_officer_sees_what_waits(world):
    todo = listed(world, "duty")["todo"]
    assert todo["unregistered"] == ["010000A8900016F0001699FF"]
    assert len(todo["held"]) == 1 and "assword" in todo["held"][0]
    Command.objects.create(
        device=world.device, cn=2061, state="failed", expires_at=timezone.now(), requested_by=world.users["duty"]
    )
    Gap.objects.create(
        device=world.device, interval="hour", start=timezone.now() - timedelta(hours=5), end=timezone.now(),
        cause="silent", state="given-up", found_at=timezone.now(), closed_at=timezone.now(),
    )  # fmt: skip
    todo = listed(world, "duty")["todo"]
    assert todo["commands"] == todo["lost"] == [world.device.mn]
    assert "commands" not in listed(world, "registrar")["todo"]


def test_silence_clocks_and_gaps_are_wrong(world):
    DeviceStatus.objects.filter(device=world.device).update(connected=False, clock_offset=-900)
    Gap.objects.create(
        device=world.device, interval="hour", start=timezone.now() - timedelta(hours=5), end=timezone.now(),
        cause="silent", state="open", found_at=timezone.now(),
    )  # fmt: skip
    wrong = listed(world, "duty")["wrong"]
    assert world.device.mn in wrong["disconnected"] and wrong["clocks"] == [world.device.mn]
    assert world.device.mn in wrong["gaps"]
    assert world.client("duty").get(reverse("devices"), {"problem": "away"}).content.decode().count(world.device.mn)
    PlaceState.objects.filter(place=world.outlet).update(state="no-data", value=None)
    assert listed(world, "duty")["wrong"]["without-data"] == [world.facility.name]


def test_a_section_below_its_target_and_a_loud_station(world):
    def station(code, medium, state, value, **more):
        place = Station.objects.create(
            code=code, name=code, medium=medium, region=world.outlet.region, longitude=110, latitude=40.6, **more
        )
        PlaceState.objects.create(place=place, state=state, value=value, since=timezone.now(), period=timezone.now())

    station("W1", "water", "class-4", 4, target_class=3)
    station("W2", "water", "class-2", 2, target_class=3)
    station("N1", "noise", "exceeding", 71.4, zone_class="2")
    wrong = listed(world, "duty")["wrong"]
    assert wrong["below-target"] == ["W1"] and wrong["noisy"] == ["N1"]
    page = text(world, "duty", "places", target="missed")
    assert ">W1<" in page and ">W2<" not in page


def test_the_register_keeper_sees_limits_that_end_and_codes_without_a_factor(world):
    DeviceStatus.objects.filter(device=world.device).update(unmapped=["B99"])
    today = timezone.localdate()
    Limit.objects.update(effective_to=today - timedelta(days=3))
    todo = listed(world, "registrar")["todo"]
    assert todo["unmapped"] == [world.device.mn]
    assert len(todo["limits"]) == 1 and world.facility.name in todo["limits"][0]
    old = Limit.objects.get()
    old.pk, old.effective_from, old.effective_to = None, today - timedelta(days=2), None
    old.save()
    assert "limits" not in listed(world, "registrar")["todo"]  # one follows


def test_the_three_administrators_see_their_own(world):
    _user, _password = actions.create_user(None, "fresh", "Fresh")
    AccessAttempt.objects.create(
        username="u-duty", ip_address="10.0.0.9", failures_since_start=5, user_agent="x", get_data="", post_data="",
        http_accept="", path_info="/sign-in/",
    )  # fmt: skip
    system = listed(world, "system-admin")
    assert "Fresh" in system["todo"]["passwords"] and system["wrong"]["locked"] == ["u-duty"]
    assert "Fresh" in system["changed"]["accounts"]
    security = listed(world, "security-admin")
    assert "Fresh" in security["todo"]["without-role"] and "exceeding" not in str(security)
    auditor = listed(world, "audit-admin")
    assert auditor["todo"]["remarkable"] == ["The platform · An account was made"]
    assert "An account was made" in auditor["changed"]["trail"]
    assert world.outlet.name not in text(world, "audit-admin")


def test_changes_of_records_are_told_within_the_scope(world):
    registrar = world.users["registrar"]
    for record in (world.facility, Facility.objects.get(code="F2")):
        audit.record(registrar, "facility.change", record, reason="moved")
    assert len(listed(world, "duty")["changed"]["records"]) == 2
    assert listed(world, "district")["changed"]["records"] == [world.facility.name]


def test_changes_lead_to_records_that_are_there(world):
    registrar, today = world.users["registrar"], timezone.localdate()
    day = EmissionDay.objects.create(
        outlet=world.outlet, factor="a21026", day=today, amount_kg=1, hours_present=1, hours_expected=1,
        computed_at=timezone.now(), software="test",
    )  # fmt: skip
    annotations.write_note(registrar, manifest.register("emission-days"), day, "Looked at")
    gone = Facility.objects.create(name="Gone", region=world.outlet.region, longitude=109.8, latitude=40.6)
    key = gone.pk
    audit.record(registrar, "facility.delete", gone)
    gone.delete()
    page = text(world, "duty")
    assert f"?interval=hour&amp;span=custom&amp;from={today.isoformat()}" in page  # the day's own page, made from it
    assert "Gone" in page and reverse("facility", args=[key]) not in page


def test_other_districts_are_not_told_of(world):
    for role in ("district", "maintainer"):
        page = text(world, role)
        assert world.elsewhere.name not in page and world.other_device.mn not in page


def test_the_dummy_adds_to_all_three_questions(world):
    well = Well.objects.create(
        code="W1", name="Well one", region=world.outlet.region, depth_m=30, longitude=109.8, latitude=40.6
    )
    Sample.objects.create(well=well, taken_at=timezone.now(), nitrate=31.5)
    found = listed(world, "duty")
    assert found["todo"]["wells-unchecked"] == found["wrong"]["wells-polluted"] == ["Well one"]
    assert found["changed"]["wells-sampled"] == ["Well one"]
    page = text(world, "duty")
    assert "Wells to check" in page and reverse("record", args=["wells", well.pk]) in page and "31.5" in page
    assert "Wells to check" not in text(world, "system-admin")


def test_nothing_wrong_says_what_was_looked_at(world):
    PlaceState.objects.update(state="normal", value=None)
    DeviceStatus.objects.all().delete()
    Device.objects.update(is_active=False)
    page = text(world, "publisher")
    assert "Nothing is wrong at this moment." in page and "Outlets above their limits" in page


def test_an_unchanged_home_is_not_sent_again(world):
    first = world.client("audit-admin").get(reverse("home-summary"))
    again = world.client("audit-admin").get(reverse("home-summary"), headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def cost(world, role):
    cache.clear()
    client = world.client(role)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(reverse("home")).status_code == 200
    return len(queries)


@pytest.mark.parametrize("role", ["duty", "registrar", "reviewer", "system-admin", "audit-admin", "publisher"])
def test_twelve_queries_are_enough(world, role, monkeypatch):
    own = list(concerns.CONCERNS)
    monkeypatch.setattr("luming.core.manifest.concerns", lambda: own)  # domains' own lists cost their own
    audit.record(world.users["registrar"], "facility.change", world.facility)  # its record is one more query
    assert cost(world, role) <= 12
    before = cost(world, role)
    for number in range(8):
        outlet = Outlet.objects.create(
            code=f"X{number}", name=f"X{number}", medium="gas", region=world.outlet.region, longitude=109.8,
            latitude=40.6, facility=world.facility, number=f"DA1{number:02}",
        )  # fmt: skip
        PlaceState.objects.create(place=outlet, state="exceeding", value=1.5, since=timezone.now())
        device = Device.objects.create(mn=f"X{number:023}", place=outlet, system="31")
        DeviceStatus.objects.create(device=device, clock_offset=999, unmapped=["B99"])
        Limit.objects.create(
            outlet=outlet, factor="a34013", upper=10, source="x", effective_from="2014-07-01", effective_to="2020-01-01"
        )
        audit.record(world.users["registrar"], "facility.change", world.facility)
    assert cost(world, role) == before


def test_yesterday_begins_at_midnight_in_the_city():
    begin = timezone.localtime(yesterday())
    assert (begin.hour, begin.minute) == (0, 0)
    assert timezone.localdate() - begin.date() == timedelta(days=1)
