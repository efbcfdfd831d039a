"""The second factor and idle sessions."""

import re
import time

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from luming.core import second_factor
from luming.core.models import AuditEntry, User
from luming.web import sessions

pytestmark = pytest.mark.django_db
PASSWORD = "Luming-2026!"


def person(role, name=None):
    return User.objects.create_user(name or f"u-{role}", PASSWORD, name=role, role=role, language="en")


def code_of(device, offset=0):
    return f"{totp(device.bin_key, drift=offset):06d}"


def enrolled(user):
    device = second_factor.begin(user)
    _device, codes = second_factor.enrol(user, code_of(device))
    TOTPDevice.objects.update(last_t=-1)  # the same code may be used once more in a test of one second
    return TOTPDevice.objects.get(user=user), codes


def sign_in(user, **more):
    client = Client()
    response = client.post("/sign-in/", {"username": user.username, "password": PASSWORD, **more})
    assert response.status_code == 302
    return client


@pytest.mark.parametrize(
    ("mode", "role", "asked"),
    [("admins", "system-admin", True), ("admins", "security-admin", True), ("admins", "audit-admin", True),
     ("admins", "duty", False), ("all", "duty", True), ("off", "system-admin", False)],
)  # fmt: skip
def test_who_must_enrol(settings, mode, role, asked):
    settings.SECOND_FACTOR = mode
    response = sign_in(person(role)).get("/account/")
    assert (response.status_code == 302) == asked
    if asked:
        assert response.headers["Location"].startswith("/account/second-factor/?next=")


def test_enrol_and_sign_in_with_it(settings):
    settings.SECOND_FACTOR = "admins"
    user = person("system-admin")
    client = sign_in(user)
    page = client.get("/account/second-factor/?next=/users/").content.decode()
    device = TOTPDevice.objects.get(user=user)
    assert "data:image/svg+xml;base64," in page and second_factor.secret(device) in page
    assert client.get("/users/").status_code == 302
    wrong = client.post("/account/second-factor/", {"code": "000000"}).content.decode()
    assert "This code is wrong" in wrong and not TOTPDevice.objects.get(user=user).confirmed
    TOTPDevice.objects.update(throttling_failure_count=0)
    done = client.post("/account/second-factor/", {"code": code_of(device), "next": "/users/"}).content.decode()
    codes = re.findall(r"\b[2-9a-z]{5}-[2-9a-z]{5}\b", done)
    assert len(codes) == second_factor.RECOVERY_CODES and 'href="/users/"' in done
    assert client.get("/users/").status_code == 200
    assert client.get("/account/second-factor/").status_code == 302  # nothing more to enrol
    TOTPDevice.objects.update(last_t=-1)
    other = sign_in(user)
    assert other.get("/users/").headers["Location"].startswith("/account/code/?next=")
    for allowed in ("/account/code/", "/account/code/?next=/users/"):
        assert other.get(allowed).status_code == 200
    assert other.get("/account/second-factor/remove/").status_code == 302  # the password alone removes nothing
    answer = other.post("/account/code/", {"code": code_of(device), "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/" and other.get("/users/").status_code == 200
    # a recovery code works once
    third = sign_in(user)
    assert third.post("/account/code/", {"code": codes[0].upper()}).status_code == 302
    assert third.get("/users/").status_code == 200
    fourth = sign_in(user)
    assert "This code is wrong" in fourth.post("/account/code/", {"code": codes[0]}).content.decode()
    assert second_factor.codes_left(user) == second_factor.RECOVERY_CODES - 1
    verbs = set(AuditEntry.objects.values_list("verb", flat=True))
    assert {"account.second-factor-enrol", "account.recovery-code-used", "account.second-factor-wrong"} <= verbs


def test_who_has_one_is_asked_for_it_even_where_nobody_must(settings):
    settings.SECOND_FACTOR = "off"
    user = person("duty")
    enrolled(user)
    client = sign_in(user)
    assert client.get("/account/").headers["Location"].startswith("/account/code/")
    part = client.get("/summary/", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Redirect"]) == (401, "/account/code/")


def test_a_stolen_password_alone_changes_no_password(settings):
    user = person("duty")
    enrolled(user)
    client = sign_in(user)
    answer = client.post("/account/password/", {"old": PASSWORD, "new": "Taken-2026!", "again": "Taken-2026!"})
    assert answer.headers["Location"].startswith("/account/code/?next=")
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)
    assert client.get("/account/second-factor/codes/").headers["Location"].startswith("/account/code/?next=")
    assert client.post("/account/language/", {"language": "zh-hans"}).status_code == 302
    assert client.post("/sign-out/").headers["Location"] == "/sign-in/"


def test_a_one_time_password_is_changed_before_the_code_is_asked_for(settings):
    user = person("duty")
    device, _codes = enrolled(user)
    User.objects.update(must_change_password=True)
    client = sign_in(user)
    assert client.get("/account/code/").headers["Location"] == "/account/password/"
    client.post("/account/password/", {"old": PASSWORD, "new": "Fresh-2026!", "again": "Fresh-2026!"})
    assert client.get("/account/").headers["Location"].startswith("/account/code/?next=")
    assert client.post("/account/code/", {"code": code_of(device)}).status_code == 302
    assert client.get("/account/").status_code == 200


def test_programs_are_told_in_their_own_way(settings):
    user = person("duty")
    enrolled(user)
    client, program = sign_in(user), {"Accept": "application/json"}
    asked = [client.get("/api/v1/registers/organisations/", headers=program)]
    User.objects.update(must_change_password=True)
    asked += [
        client.get("/api/v1/registers/organisations/", headers=program),
        Client().get("/api/v1/registers/organisations/", headers=program),
    ]
    assert [answer.status_code for answer in asked] == [401] * 3
    assert [answer.json()["detail"] for answer in asked] == [
        "Sign in with your second factor first.", "Change your one-time password first.", "请先登录。"
    ]  # fmt: skip
    part = client.get("/summary/", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Redirect"]) == (401, "/account/password/")


def test_pages_that_show_a_secret_once_are_not_kept(settings):
    user, system = person("duty"), person("system-admin")
    client = sign_in(user)
    pages = [client.get("/account/second-factor/")]
    pages.append(client.post("/account/second-factor/", {"code": code_of(TOTPDevice.objects.get(user=user))}))
    pages.append(client.post("/account/second-factor/codes/", {"password": PASSWORD}))
    pages.append(sign_in(system).post(reverse("user-password", args=[user.pk])))
    pages.append(sign_in(system).post("/users/new/", {"username": "new", "name": "New", "language": "en"}))
    for page in pages:
        assert page.status_code == 200 and "no-store" in page.headers["Cache-Control"]
    assert len(re.findall(r"\b[2-9a-z]{5}-[2-9a-z]{5}\b", pages[2].content.decode())) == second_factor.RECOVERY_CODES
    assert User.objects.filter(username="new").exists()


def test_wrong_codes_make_wait(settings):
    user = person("duty")
    device, _codes = enrolled(user)
    client = sign_in(user)
    for _ in range(3):
        page = client.post("/account/code/", {"code": "111111"}).content.decode()
    assert "Too many wrong codes" in page
    assert "Too many wrong codes" in client.post("/account/code/", {"code": code_of(device)}).content.decode()


def test_a_code_is_not_taken_twice():
    user = person("duty")
    device, _codes = enrolled(user)
    second_factor.verify(user, code_of(device))
    with pytest.raises(ValidationError):
        second_factor.verify(user, code_of(device))


def test_recovery_codes_are_kept_as_proofs_only():
    from django_otp.plugins.otp_static.models import StaticToken

    user = person("duty")
    _device, codes = enrolled(user)
    kept = set(StaticToken.objects.values_list("token", flat=True))
    assert not kept & {code.replace("-", "") for code in codes}
    with pytest.raises(ValidationError):
        second_factor.renew_codes(user, "wrong")
    new = second_factor.renew_codes(user, PASSWORD)
    with pytest.raises(ValidationError):
        second_factor.verify(user, codes[1])
    user.staticdevice_set.update(throttling_failure_count=0)
    assert second_factor.verify(user, new[1])


def test_remove_needs_the_password(settings):
    settings.SECOND_FACTOR = "off"
    user = person("duty")
    device, _codes = enrolled(user)
    client = sign_in(user)
    client.post("/account/code/", {"code": code_of(device)})
    page = client.post("/account/second-factor/remove/", {"password": "no"}).content.decode()
    assert "not your present password" in page and second_factor.device(user)
    assert client.post("/account/second-factor/remove/", {"password": PASSWORD}).status_code == 302
    assert second_factor.device(user) is None and client.get("/account/").status_code == 200


def test_the_security_administrator_resets_it():
    user, security, system = person("duty"), person("security-admin"), person("system-admin")
    enrolled(user)
    with pytest.raises(PermissionDenied):
        second_factor.reset(system, user, "lost")
    with pytest.raises(ValidationError):
        second_factor.reset(security, security, "lost")
    with pytest.raises(ValidationError):
        second_factor.reset(security, user, " ")
    client = sign_in(security)
    assert "Reset the second factor" in client.get(reverse("role", args=[user.pk])).content.decode()
    client.post(reverse("second-factor-reset", args=[user.pk]), {"reason": "telephone lost"})
    assert second_factor.device(user) is None and second_factor.codes_left(user) == 0
    assert AuditEntry.objects.get(verb="user.reset-second-factor").reason == "telephone lost"


def test_idle_sessions_end(settings, monkeypatch):
    settings.ADMIN_IDLE_MINUTES = 30
    admin, officer = sign_in(person("system-admin")), sign_in(person("duty"))
    assert admin.get("/users/").status_code == 200 and officer.get("/account/").status_code == 200
    start = time.time()
    monkeypatch.setattr(sessions.time, "time", lambda: start + 20 * 60)
    assert admin.get("/users/").status_code == 200  # something was done: the time begins anew
    monkeypatch.setattr(sessions.time, "time", lambda: start + 45 * 60)
    assert admin.get("/help/help/home/", headers={"HX-Request": "true"}).status_code == 200  # a part, by itself
    monkeypatch.setattr(sessions.time, "time", lambda: start + 51 * 60)
    assert admin.get("/users/").headers["Location"].startswith("/sign-in/")
    assert officer.get("/account/").status_code == 200
    settings.IDLE_MINUTES = 10
    assert officer.get("/account/").status_code == 200
    monkeypatch.setattr(sessions.time, "time", lambda: start + 62 * 60)
    assert officer.get("/account/").status_code == 302
