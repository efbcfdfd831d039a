"""Signing in, accounts, roles and the audit trail."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from luming.core import actions
from luming.core.commands import configure, run
from luming.core.models import AuditEntry, Organisation, User
from luming.core.roles import NO_ROLE, ROLES
from luming.registry.models import Region

pytestmark = pytest.mark.django_db
NEW = "Deer-in-the-grass-7"


def person(role, **fields):
    fields = {"language": "en", **fields}
    return User.objects.create_user(f"u-{role}", "Luming-2026!", name=role, role=role, **fields)


def signed_in(user):
    client = Client()
    client.force_login(user, backend="luming.web.auth.Backend")
    return client


def test_sign_in_and_out():
    person("duty")
    client = Client()
    page = client.get("/sign-in/")
    assert page.status_code == 200 and "鹿鸣" in page.content.decode()
    wrong = client.post("/sign-in/", {"username": "u-duty", "password": "no"})
    assert wrong.status_code == 200 and "alert-danger" in wrong.content.decode()
    right = client.post("/sign-in/", {"username": "u-duty", "password": "Luming-2026!", "next": "/account/"})
    assert right.headers["Location"] == "/account/"
    assert client.get("/account/").status_code == 200
    client.post("/sign-out/")
    assert client.get("/account/").status_code == 302


def test_sign_in_goes_nowhere_else():
    person("duty")
    response = Client().post(
        "/sign-in/", {"username": "u-duty", "password": "Luming-2026!", "next": "https://evil.example"}
    )
    assert response.headers["Location"] == "/"


def test_a_deactivated_account_is_out_at_once():
    user = person("duty")
    client = signed_in(user)
    assert client.get("/account/").status_code == 200
    User.objects.update(is_active=False)
    assert client.get("/account/").status_code == 302
    assert Client().post("/sign-in/", {"username": "u-duty", "password": "Luming-2026!"}).status_code == 200


def test_five_wrong_passwords_lock(settings):
    settings.AXES_ENABLED = True
    person("duty")
    client = Client()
    statuses = [client.post("/sign-in/", {"username": "u-duty", "password": "no"}).status_code for _ in range(6)]
    assert statuses[:4] == [200] * 4 and statuses[-1] == 429
    locked = client.post("/sign-in/", {"username": "u-duty", "password": "Luming-2026!"})
    assert locked.status_code == 429 and "登录已锁定" in locked.content.decode()


def test_a_one_time_password_must_be_changed():
    user, password = actions.create_user(None, "fresh", "Fresh", role="duty", language="en")
    client = Client()
    client.post("/sign-in/", {"username": "fresh", "password": password})
    assert client.get("/places/").headers["Location"] == "/account/password/"
    form = {"old": password, "new": "short", "again": "short"}
    assert "at least 10" in client.post("/account/password/", form).content.decode()
    form = {"old": password, "new": NEW, "again": NEW + "!"}
    assert "differ" in client.post("/account/password/", form).content.decode()
    form = {"old": "wrong", "new": NEW, "again": NEW}
    assert "not your present password" in client.post("/account/password/", form).content.decode()
    form = {"old": password, "new": password, "again": password}
    assert "is the old one" in client.post("/account/password/", form).content.decode()
    assert client.post("/account/password/", {"old": password, "new": NEW, "again": NEW}).status_code == 302
    assert client.get("/places/").status_code == 200  # the session goes on
    user.refresh_from_db()
    assert user.check_password(NEW) and not user.must_change_password
    assert AuditEntry.objects.filter(verb="account.change-password", actor=user).exists()


def test_two_administrators_make_a_working_account():
    system, security = person("system-admin"), person("security-admin")
    Region.objects.create(code="150203", name="昆都仑区", level="district")
    form = {"username": "new", "name": "New", "language": "en"}
    page = signed_in(system).post(reverse("user-new"), form).content.decode()
    user = User.objects.get(username="new")
    assert user.role == NO_ROLE and user.must_change_password
    password = page.split('fs-3">')[1].split("<")[0]
    assert user.check_password(password)
    assert not any(user.may(permission) for role in ROLES.values() for permission in role.permissions)
    form = {"role": "district", "regions": ["150203"], "reason": "posted there"}
    assert signed_in(security).post(reverse("role", args=[user.pk]), form).status_code == 302
    user.refresh_from_db()
    assert (user.role, user.region_codes) == ("district", ["150203"])
    entry = AuditEntry.objects.get(verb="user.assign-role")
    assert entry.reason == "posted there" and entry.detail["before"]["role"] == NO_ROLE and entry.address == "127.0.0.1"


def test_a_taken_name_and_a_bad_one_are_told():
    system = signed_in(person("system-admin"))
    page = system.post(
        reverse("user-new"), {"username": "u-system-admin", "name": "x", "language": "en"}
    ).content.decode()
    assert "already exists" in page
    page = system.post(reverse("user-new"), {"username": "no space", "name": "x", "language": "en"}).content.decode()
    assert "Letters, digits" in page


def test_nobody_raises_himself():
    system, security = person("system-admin"), person("security-admin")
    with pytest.raises(ValidationError):
        actions.assign_role(security, security, "duty", [], None, "why not")
    with pytest.raises(ValidationError):
        actions.set_active(system, system, False)
    with pytest.raises(PermissionDenied):
        actions.create_user(system, "x", "X", role="duty")
    with pytest.raises(PermissionDenied):
        actions.assign_role(system, security, "duty", [], None, "why not")
    with pytest.raises(PermissionDenied):
        actions.create_user(security, "x", "X")
    page = (
        signed_in(system)
        .post(reverse("user-activity", args=[system.pk]), {"active": "0"}, follow=True)
        .content.decode()
    )
    assert "cannot switch off your own" in page


def test_an_outside_role_needs_its_organisation():
    security, user = person("security-admin"), person(NO_ROLE)
    with pytest.raises(ValidationError):
        actions.assign_role(security, user, "enterprise", [], None, "r")
    with pytest.raises(ValidationError):
        actions.assign_role(security, user, "enterprise", [], Organisation.objects.create(name="甲"), "  ")
    with pytest.raises(ValidationError):
        actions.assign_role(security, user, "king", [], None, "r")
    actions.assign_role(security, user, "enterprise", [], Organisation.objects.get(), "r")


def test_a_reset_ends_the_sessions():
    system, user = person("system-admin"), person("duty")
    client = signed_in(user)
    signed_in(system).post(reverse("user-password", args=[user.pk]))
    assert client.get("/account/").status_code == 302
    user.refresh_from_db()
    assert user.must_change_password and AuditEntry.objects.filter(verb="user.reset-password").exists()


def test_the_audit_trail_is_found_by_day_actor_verb_and_object():
    auditor = signed_in(person("audit-admin"))
    actions.create_user(None, "fresh", "Fresh", role="duty")
    assert "user.create" in auditor.get(reverse("audit")).content.decode()
    for query in ({"verb": "device."}, {"actor": "somebody"}, {"object": "nobody"}, {"day": "2020-01-01"}):
        assert "No entry meets" in auditor.get(reverse("audit"), query).content.decode()
    assert (
        "user.create"
        in auditor.get(reverse("audit"), {"verb": "user", "actor": "system", "day": "2020-02-31"}).content.decode()
    )


@pytest.mark.parametrize(
    ("role", "says"),
    [
        ("system-admin", "One-time passwords not used yet"),
        ("security-admin", "Accounts without a role"),
        ("audit-admin", "Done since yesterday"),
        (NO_ROLE, "Your account has no role yet"),
    ],
)
def test_everyone_has_a_home_of_theirs(role, says):
    response = signed_in(person(role)).get("/", follow=True)
    assert response.status_code == 200 and says in response.content.decode()


def command(*words):
    import argparse

    parser = argparse.ArgumentParser()
    configure(parser)
    return run(parser.parse_args(words))


def test_luming_user(capsys):
    assert command("create", "zhang", "--name", "张三", "--role", "duty", "--regions", "150203") == 0
    name, password = capsys.readouterr().out.split()
    user = User.objects.get(username=name)
    assert user.check_password(password) and user.must_change_password and user.region_codes == ["150203"]
    assert AuditEntry.objects.get(verb="user.create").actor_name == "system"
    assert command("reset-password", "zhang") == 0
    assert User.objects.get(username="zhang").check_password(capsys.readouterr().out.split()[1])
    assert command("list") == 0 and "zhang" in capsys.readouterr().out
    assert command("reset-password", "nobody") == 2
    assert command("create", "zhang", "--name", "x", "--role", "duty") == 2
    assert command("create", "li", "--name", "x", "--role", "enterprise", "--organisation", "none") == 2
    assert "nobody" in capsys.readouterr().err


def test_probes(settings):
    client = Client()
    assert client.get("/healthz").json() == {"ok": True, "database": "ok"}
    assert b"python_info" in client.get("/metrics").content
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "10.1.2.3"}).status_code == 403
    settings.METRICS_TOKEN = "secret"
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3", headers={"Authorization": "Bearer secret"}).status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3", headers={"Authorization": "Bearer guess"}).status_code == 403


def test_health_tells_when_the_database_is_away(monkeypatch):
    from luming.web.views import health

    def away():
        raise ConnectionError("gone")

    monkeypatch.setattr(health.connection, "cursor", away)
    assert Client().get("/healthz").status_code == 503
