"""Who asks, also behind a reverse proxy."""

import runpy
from ipaddress import ip_network
from pathlib import Path

import pytest
from django.test import Client, RequestFactory

from luming.core.models import AuditEntry, User
from luming.web import addresses, settings


@pytest.mark.parametrize(
    ("peer", "named", "found"),
    [
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "6.6.6.6", "10.0.0.1"),  # no proxy of ours: nobody names himself
        ("127.0.0.1", "6.6.6.6, 10.0.0.2", "10.0.0.2"),  # what the proxy was told before may be invented
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("127.0.0.1", "6.6.6.6, 10.0.0.2, 192.168.7.1", "10.0.0.2"),  # a second proxy of ours
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("", "6.6.6.6", ""),
    ],
)
def test_who_asks(settings, peer, named, found):
    settings.PROXIES = [*settings.PROXIES, ip_network("192.168.7.0/24")]
    headers = {"X-Forwarded-For": named} if named else {}
    assert addresses.visitor(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers)) == found


@pytest.mark.django_db
def test_wrong_passwords_lock_their_own_sender_only(settings):
    settings.AXES_ENABLED = True
    User.objects.create_user("duty", "Luming-2026!", name="D", role="duty")

    def sign_in(visitor, password):
        form = {"username": "duty", "password": password}
        return Client().post("/sign-in/", form, headers={"X-Forwarded-For": visitor}).status_code

    assert [sign_in("10.6.6.6", "no") for _ in range(6)][-1] == 429
    assert sign_in("10.6.6.6", "Luming-2026!") == 429
    assert sign_in("10.0.0.2", "Luming-2026!") == 302


@pytest.mark.django_db
def test_the_audit_trail_names_the_visitor():
    user = User.objects.create_user("duty", "x", name="D", role="duty")
    client = Client()
    client.force_login(user, backend="luming.web.auth.Backend")
    client.post("/account/language/", {"language": "en"}, headers={"X-Forwarded-For": "10.0.0.2"})
    assert AuditEntry.objects.get(verb="account.language").address == "10.0.0.2"


def test_behind_https_answers_count_as_sent_over_it(monkeypatch):
    def read():
        return runpy.run_path(str(Path(settings.__file__)))

    assert read()["SECURE_PROXY_SSL_HEADER"] is None
    monkeypatch.setenv("LUMING_HTTPS", "1")
    monkeypatch.setenv("LUMING_PROXIES", "10.1.0.0/16")
    found = read()
    assert found["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https") and found["SESSION_COOKIE_SECURE"]
    assert found["SECURE_HSTS_SECONDS"] > 0 and found["PROXIES"] == [ip_network("10.1.0.0/16")]
