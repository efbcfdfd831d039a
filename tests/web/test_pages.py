"""What the pages say, and that every template is rendered."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template.loader import get_template
from django.test import Client
from django.urls import reverse

from luming.core.models import AuditEntry, User
from luming.registry.models import Device, Facility, FactorAlias, Place
from luming.telemetry import store
from luming.telemetry.models import Command, UnregisteredDevice
from luming.web import packet_view, words

STRANGER = "010000A8900016F0001699FF"


def text(client, name, *args, **query):
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200, name
    return b"".join(response).decode() if response.streaming else response.content.decode()


def test_every_page_opens(world):
    walk(world)


def walk(world):
    """Open every page, also those that say that something is wrong or empty."""
    duty = world.client("duty")
    for name in (
        "home",
        "home-summary",
        "places",
        "packets",
        "problems",
        "devices",
        "unregistered",
        "tasks",
        "account",
        "password",
    ):
        text(duty, name)
    for name in ("place", "place-now", "place-values"):
        text(duty, name, world.outlet.pk)
    hour = int(world.judgement.start.timestamp() * 1000)
    text(duty, "value", world.outlet.pk, world.series.pk, hour)
    text(duty, "judgement", world.outlet.pk, world.judgement.pk)
    text(duty, "facility", world.facility.pk)
    text(duty, "packet", world.packet)
    text(duty, "packet", world.held)
    for name in ("device", "device-now", "device-gaps", "device-commands"):
        text(duty, name, world.device.pk)
    text(duty, "device-command", world.device.pk, 2061)
    text(duty, "adopt", mn=STRANGER)
    text(duty, "adopt-places", mn=STRANGER, q="工厂")
    for name in ("places", "packets", "devices"):
        duty.get(reverse(name), {"q": "nothing like it", "mn": "none"}, headers={"HX-Request": "true"})
    duty.get(reverse("places"), {"page": 1, "q": "nothing like it"})
    text(world.client("registrar"), "import")
    system, security = world.client("system-admin"), world.client("security-admin")
    text(system, "users")
    text(system, "user-new")
    text(system, "system")
    system.post(reverse("user-password", args=[world.users["none"].pk]))
    text(security, "roles")
    text(security, "role", world.users["none"].pk)
    text(world.client("audit-admin"), "audit")
    assert duty.get("/nothing/").status_code == 404
    assert duty.get(reverse("users")).status_code == 403
    assert duty.get(reverse("place", args=[999999]), headers={"HX-Request": "true"}).status_code == 404
    duty.post(reverse("user-new"), {})
    system.post(reverse("user-new"), {})
    Client().get("/sign-in/")
    for name in ("web/server_error.html", "web/locked_out.html", "web/parts/form_errors.html", "web/parts/pages.html"):
        get_template(name).render({"user": AnonymousUser()})


def test_the_first_run_says_what_to_do(empty_store):
    User.objects.create_user("first", "Luming-2026!", name="first", role="duty", language="en")
    client = Client()
    client.force_login(User.objects.get(username="first"), backend="luming.web.auth.Backend")
    assert "luming city load" in text(client, "home")
    assert "No place is registered yet" in text(client, "places")
    assert "No packet has come yet" in text(client, "packets")
    assert "No device is registered yet" in text(client, "devices")
    assert "Every device that speaks is registered" in text(client, "unregistered")


def test_home_counts_and_links(world):
    page = text(world.client("duty"), "home")
    assert "Lightly polluted 1" in page and "Exceeding 1" in page
    assert reverse("place", args=[world.outlet.pk]) in page
    assert "Data is missing" in page and "From Normal to Exceeding" in page
    assert ">1<small> / 2</small>" in page  # one of two devices is on line


def test_demonstration_and_sketch_are_said_on_every_page(world):
    for name in ("home", "places", "devices", "account"):
        assert "DEMONSTRATION DATA" in text(world.client("duty"), name)
    assert "SCHEMATIC MAP" in text(world.client("duty"), "home")
    Facility.objects.update(is_demo=False)
    Place.objects.update(is_demo=False)
    from django.core.cache import cache

    cache.clear()
    assert "DEMONSTRATION DATA" not in text(world.client("duty"), "home")


def test_the_list_filters_and_sorts(world):
    duty = world.client("duty")
    assert world.station.name not in text(duty, "places", kind="outlet")
    assert "工厂F2" not in text(duty, "places", state="exceeding")
    assert "工厂F2" in text(duty, "places", state="no-data", kind="outlet")
    assert "工厂F2" not in text(duty, "places", q="F1-DA")
    assert "工厂F1" in text(duty, "places", q=world.device.mn)
    ascending, descending = text(duty, "places", sort="name"), text(duty, "places", sort="-name")
    assert (ascending.find("空气站一") > ascending.find("工厂F1")) != (
        descending.find("空气站一") > descending.find("工厂F1")
    )
    text(duty, "places", sort="nonsense", page="x", region="0", state="'")


def test_a_value_leads_to_its_packet_with_all_revisions(world):
    hour = int(world.judgement.start.timestamp() * 1000)
    page = text(world.client("duty"), "value", world.outlet.pk, world.series.pk, hour)
    packets = [record.packet_id for record in store.history(world.series.pk, world.judgement.start)]
    assert len(packets) == 2 and all(reverse("packet", args=[packet]) in page for packet in packets)
    assert "valid" in page and "superseded" in page
    assert reverse("judgement", args=[world.outlet.pk, world.judgement.pk]) in page
    assert "Open the packet" not in text(world.client("leader"), "value", world.outlet.pk, world.series.pk, hour)


@pytest.mark.parametrize("start", [0, 10**15, 10**18])
def test_a_value_that_is_not_there(world, start):
    url = reverse("value", args=[world.outlet.pk, world.series.pk, start])
    assert world.client("duty").get(url).status_code == 404


def test_the_packet_page_hides_the_password_and_shows_what_it_became(world):
    page = text(world.client("duty"), "packet", world.packet)
    assert "123456" not in page and "PW=••••••" in page
    assert "HJ 212-2017" in page and world.outlet.name in page
    assert "31 32 33 34 35 36" not in page
    held = text(world.client("duty"), "packet", world.held)
    assert "654321" not in held and "Release this packet" in held
    assert "Release this packet" not in text(world.client("district"), "packet", world.held)


def test_bytes_that_are_no_text_are_shown():
    assert packet_view.printable(b"a\x00\r\n\xe4\x7f") == "a␀␍␊⟨E4⟩␡"
    assert packet_view.readable("站".encode()) == "站"
    assert packet_view.readable("包头站".encode("gb18030")) == "包头站"
    assert packet_view.masked("##0QN=1;PW=123456;MN=1") == "##0QN=1;PW=••••••;MN=1"


def test_the_chart(world):
    url = reverse("place-chart", args=[world.outlet.pk])
    data = json.loads(world.client("duty").get(url, {"interval": "hour", "factor": "a34013", "span": "7d"}).content)
    (one,) = data["series"]
    assert one["limit"] == {"upper": 10.0, "lower": None} and one["name"]
    assert len(one["t"]) == len(one["v"]) == 29
    assert one["v"][-1] == 12.5 and one["exceeding"] == [28]
    assert [flag for _index, flag, _words in one["flags"]] == ["D"]
    assert data["offset"] == 8 * 3600 * 1000
    assert [gap["cause"] for gap in data["gaps"]] == ["Connected but silent"]
    measured = json.loads(world.client("duty").get(url, {"interval": "hour", "column": "value"}).content)
    assert measured["series"][0]["limit"] is None  # the limit judges the converted value
    amount = json.loads(world.client("duty").get(url, {"interval": "hour", "column": "amount"}).content)
    assert set(amount["series"][0]["v"]) == {100.0}


def test_odd_periods_fall_back(world):
    url = reverse("place-chart", args=[world.outlet.pk])
    for query in (
        {"span": "x"},
        {"span": "custom"},
        {"span": "custom", "from": "2026-02-31", "to": "1"},
        {"interval": "week"},
    ):
        assert world.client("duty").get(url, query).status_code == 200
    day = (world.judgement.start + timedelta(hours=8)).strftime("%Y-%m-%d")
    answer = json.loads(
        world.client("duty").get(url, {"span": "custom", "from": day, "to": day, "interval": "hour"}).content
    )
    assert answer["end"] - answer["start"] == 86400_000


def test_csv_holds_the_whole_period(world):
    lines = text(world.client("duty"), "place-csv", world.outlet.pk, span="7d", interval="hour").splitlines()
    assert len(lines) == 30 and lines[0].startswith("\ufeff")
    assert lines[-1].split(",")[1] == "12.5" and "+08:00" in lines[-1]


def test_a_live_part_is_sent_only_when_it_changed(world):
    duty, url = world.client("duty"), reverse("place-now", args=[world.outlet.pk])
    first = duty.get(url)
    again = duty.get(url, headers={"If-None-Match": first.headers["ETag"]})
    squeezed = duty.get(url, headers={"Accept-Encoding": "gzip"})
    assert squeezed.headers["Content-Encoding"] == "gzip" and squeezed.headers["ETag"] == f"W/{first.headers['ETag']}"
    assert duty.get(url, headers={"If-None-Match": squeezed.headers["ETag"]}).status_code == 304
    assert again.status_code == 304 and not again.content
    world.outlet.current.state = "normal"
    world.outlet.current.save()
    assert duty.get(url, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_problems_are_counted_by_reason(world):
    page = text(world.client("duty"), "problems")
    assert words.reason("password-wrong") and "PW is not the registered password" in page
    assert f"{reverse('packets')}?verdict=H&amp;reason=password-wrong" in page
    assert "PW is not" in text(world.client("duty"), "packets", verdict="H", reason="password-wrong")


def test_release_from_the_page(world):
    response = world.client("duty").post(
        reverse("release"), {"packet": world.held, "reason": "logger was replaced"}, follow=True
    )
    assert "released" in response.content.decode()
    assert store.packet(world.held).is_released
    assert world.client("duty").post(reverse("release"), {"packet": world.held}, follow=True).status_code == 200


def test_adopt_from_the_page(world):
    duty = world.client("duty")
    page = text(duty, "adopt", mn=STRANGER)
    assert "123456" not in page
    response = duty.post(reverse("adopt"), {"mn": STRANGER, "place": world.station.pk, "name": "new", "edition": 1})
    device = Device.objects.get(mn=STRANGER)
    assert response.headers["Location"] == reverse("device", args=[device.pk])
    assert device.place_id == world.station.pk and device.name == "new"
    assert duty.get(reverse("adopt"), {"mn": STRANGER}).status_code == 404


def test_adopt_into_another_scope_is_refused(world):
    world.users["registrar"].region_codes = ["150203"]
    world.users["registrar"].save()
    response = world.client("registrar").post(
        reverse("adopt"), {"mn": STRANGER, "place": world.elsewhere.pk, "edition": 1}
    )
    assert response.status_code == 200 and not Device.objects.filter(mn=STRANGER).exists()


def test_dismiss_from_the_page(world):
    duty = world.client("duty")
    duty.post(reverse("dismiss"), {"mn": STRANGER, "reason": "a neighbour's"})
    assert UnregisteredDevice.objects.get(mn=STRANGER).dismissed_reason == "a neighbour's"
    assert STRANGER not in text(duty, "unregistered") and STRANGER in text(duty, "unregistered", dismissed=1)


def test_a_command_needs_a_reason_and_a_confirmation(world):
    duty, url = world.client("duty"), reverse("device-command", args=[world.device.pk, 1062])
    page = duty.post(url, {"RtdInterval": "5"}).content.decode()
    assert "Say why" in page and "Confirm that" in page
    page = duty.post(url, {"RtdInterval": "5", "reason": "r", "confirm": "yes"}).content.decode()
    assert "A whole number from 30 to 3600." in page
    assert not Command.objects.filter(cn=1062).exists()
    duty.post(url, {"RtdInterval": "60", "reason": "r", "confirm": "yes"})
    command = Command.objects.get(cn=1062)
    assert command.requested_by == world.users["duty"] and command.parameters == {"RtdInterval": "60"}
    assert AuditEntry.objects.filter(verb="device.command", actor=world.users["duty"]).exists()
    duty.post(reverse("command-cancel", args=[world.device.pk, command.pk]))
    command.refresh_from_db()
    assert command.state == Command.State.CANCELLED


def test_a_code_is_mapped_from_the_page(world):
    assert "B99" in text(world.client("registrar"), "device", world.device.pk)
    world.client("registrar").post(
        reverse("device-factors", args=[world.device.pk]), {"sent": "B99", "factor": "a21026"}
    )
    assert FactorAlias.objects.filter(place=world.outlet, sent="B99", factor="a21026").exists()


def test_what_people_and_devices_wrote_is_escaped(world):
    Place.objects.filter(pk=world.outlet.pk).update(name="<script>alert(1)</script>")
    UnregisteredDevice.objects.filter(mn=STRANGER).update(mn="<img src=x>/..%00&")
    for name, args in (
        ("home", ()),
        ("places", ()),
        ("place", (world.outlet.pk,)),
        ("unregistered", ()),
        ("device", (world.device.pk,)),
    ):
        page = text(world.client("duty"), name, *args)
        assert "<script>alert(1)" not in page and "<img src=x>" not in page
    assert "&lt;img" in text(world.client("duty"), "adopt", mn="<img src=x>/..%00&")


def test_headers(world):
    response = world.client("duty").get("/")
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "frame-ancestors 'none'" in policy and "unsafe-eval" not in policy
    assert response.headers["X-Frame-Options"] == "DENY" and response.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-cache" in response.headers["Cache-Control"]
    page = response.content.decode()
    assert "<script>" not in page and "onclick=" not in page and "javascript:" not in page
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page


def test_forms_need_their_token(world):
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.users["duty"], backend="luming.web.auth.Backend")
    response = client.post(reverse("dismiss"), {"mn": STRANGER, "reason": "r"})
    assert response.status_code == 403 and "This form has expired" in response.content.decode()
    assert UnregisteredDevice.objects.get(mn=STRANGER).dismissed_reason == ""


def test_language(world):
    duty = world.client("duty")
    assert 'lang="en"' in text(duty, "home")
    duty.post(reverse("language"), {"language": "zh-hans", "next": "//evil.example/"})
    page = text(duty, "home")
    assert 'lang="zh-hans"' in page and "首页" in page and ">Home<" not in page
    assert world.users["duty"].__class__.objects.get(username="u-duty").language == "zh-hans"
    visitor = Client()
    assert "登录" in text(visitor, "login")
    assert (
        visitor.post(reverse("language"), {"language": "en", "next": "https://evil.example/"}).headers["Location"]
        == "/"
    )
    assert "Sign in" in text(visitor, "login")
