"""Who may open what: one row per address, for every role and for nobody. An address without a row fails the suite."""

import pytest
from access import (
    base,
    cockpit,
    domains,
    evidence,
    instruments,
    marks,
    onefile,
    onemap,
    outside,
    quality,
    records,
    registers,
    review,
    sampling,
    statistics,
)
from access.groups import PUBLIC, STRANGER
from django.core.files.base import ContentFile
from django.urls import get_resolver, reverse

from luming.core.models import Task, User
from luming.core.roles import ROLES

# name -> (method, arguments, form or query, roles that get through); PUBLIC needs no sign-in
AREAS = (
    base,
    registers,
    records,
    onefile,
    onemap,
    cockpit,
    outside,
    domains,
    sampling,
    instruments,
    review,
    quality,
    statistics,
    evidence,
    marks,
)
MATRIX = {name: row for area in AREAS for name, row in area.ROWS.items()}


def names():
    return [pattern.name for pattern in get_resolver().url_patterns]


def task_of(owner):
    """Return a finished task of a user, of anyone for nobody."""
    task = Task.objects.create(
        owner_id=owner or User.objects.values_list("pk", flat=True)[0], kind="test", title="a test", state="done"
    )
    task.file.save("result.txt", ContentFile(b"done"))
    return task.pk


def request(world, client, name, **headers):
    method, arguments, values, _roles = MATRIX[name]
    known = {
        "outlet": world.outlet.pk,
        "facility": world.facility.pk,
        "series": world.series.pk,
        "hour": int(world.judgement.start.timestamp() * 1000),
        "judgement": world.judgement.pk,
        "packet": world.packet,
        "held": world.held,
        "device": world.device.pk,
        "command": world.command.pk,
        "account": world.users["none"].pk,
        "task": task_of(client.session.get("_auth_user_id")) if "task" in arguments else 0,
    }
    known |= records.known(world, client, arguments)
    known |= quality.known(world, client, arguments)
    known |= review.known(world, arguments, values)
    known |= marks.known(world, arguments, values)
    known |= sampling.known(world, arguments)
    known |= evidence.known(world, arguments, values)
    known |= statistics.known(world, arguments)
    if name == "system-retry":
        known["failed-job"] = outside.failed_job()
    url = reverse(name, args=[known.get(item, item) for item in arguments])
    values = {key: known.get(value, value) for key, value in values.items()}
    return getattr(client, method)(url, values, **headers)


def test_every_address_has_a_row():
    assert sorted(names()) == sorted(MATRIX)


@pytest.mark.parametrize("role", sorted(ROLES))
def test_matrix(world, role):
    wrong = []
    for name, (_method, _arguments, _values, allowed) in MATRIX.items():
        if name == "sign-out":
            continue  # last: it ends the session
        status = request(world, world.client(role), name).status_code
        through = allowed == PUBLIC or role in allowed
        if (status in (200, 302)) != through or (not through and status != 403):
            wrong.append(f"{name}: {status}")
    assert not wrong
    assert request(world, world.client(role), "sign-out").status_code == 302


def test_nobody_is_asked_to_sign_in(world):
    client = world.client("anonymous")
    for name, (_method, _arguments, _values, allowed) in MATRIX.items():
        response = request(world, client, name)
        if allowed == PUBLIC:
            assert response.status_code in (200, 302), name
        else:
            assert response.status_code == 302, name
            assert response.headers["Location"].startswith("/sign-in/?next="), name


def test_a_part_of_a_page_leaves_the_page_when_the_session_is_over(world):
    response = request(world, world.client("anonymous"), "home-summary", headers={"HX-Request": "true"})
    assert (response.status_code, response.headers["HX-Redirect"]) == (401, "/sign-in/")


def test_a_one_time_password_opens_nothing_else(world):
    user = world.users["duty"]
    user.must_change_password = True
    user.save()
    for name in ("home", "places", "packets", "account", "home-summary"):
        response = request(world, world.client("duty"), name)
        assert (response.status_code, response.headers["Location"]) == (302, "/account/password/"), name


FOREIGN = {
    "place": ("elsewhere",),
    "place-now": ("elsewhere",),
    "place-chart": ("elsewhere",),
    "place-values": ("elsewhere",),
    "place-csv": ("elsewhere",),
    "device": ("other_device",),
    "device-now": ("other_device",),
    "device-gaps": ("other_device",),
    "device-commands": ("other_device",),
    "device-command": ("other_device", 1011),
    "packet": ("foreign",),
}


@pytest.mark.parametrize("role", ["district", "enterprise", "maintainer"])
def test_what_is_out_of_scope_does_not_exist(world, role):
    for name, arguments in FOREIGN.items():
        if role not in MATRIX[name][3]:
            continue
        values = [getattr(world, item) if isinstance(item, str) else item for item in arguments]
        url = reverse(name, args=[getattr(value, "pk", value) for value in values])
        assert world.client(role).get(url).status_code == 404, name


@pytest.mark.parametrize("role", ["district", "enterprise", "maintainer"])
def test_lists_show_the_scope_only(world, role):
    client = world.client(role)
    for name in ("home", "places", "devices", "map-layers", "home-summary"):
        text = client.get(reverse(name)).content.decode()
        assert world.elsewhere.name not in text and world.other_device.mn not in text, name
    assert world.facility.name in client.get(reverse("places")).content.decode()
    if role != "enterprise":
        text = client.get(reverse("packets")).content.decode()
        assert world.device.mn in text
        assert world.other_device.mn not in text and STRANGER not in text


def test_packets_of_nobody_are_for_those_who_see_the_city(world):
    url = reverse("packet", args=[world.stray])
    assert world.client("duty").get(url).status_code == 200
    assert world.client("district").get(url).status_code == 404
    assert world.client("maintainer").get(url).status_code == 404


def test_verbs_stop_at_the_scope(world):
    district = world.client("district")
    url = reverse("device-command", args=[world.other_device.pk, 1011])
    assert district.post(url, {"reason": "no"}).status_code == 404
    reviewer = world.client("reviewer")
    world.users["reviewer"].region_codes = ["150207"]
    world.users["reviewer"].save()
    assert reviewer.post(reverse("release"), {"packet": world.held, "reason": "no"}).status_code == 404
    assert not world.command.__class__.objects.filter(device=world.other_device).exists()
