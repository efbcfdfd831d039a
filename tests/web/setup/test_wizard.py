"""The first run: from an empty database to three administrators and a checklist."""

import re

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from luming.core import installation, setup_commands, setup_token
from luming.core.models import AuditEntry, User
from luming.core.roles import ADMINISTRATORS
from luming.registry.models import Region, Station
from luming.web.setup import actions

pytestmark = pytest.mark.django_db
NAMES = {f"{role}-{field}": f"{role[:3]}{field}" for role in ADMINISTRATORS for field in ("username", "name")}
PEOPLE = {role: (f"{role[:3]}1", role) for role in ADMINISTRATORS}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Give each test a data folder of its own."""
    monkeypatch.setenv("LUMING_DATA", str(tmp_path))
    cache.clear()
    return tmp_path


def begun():
    client = Client()
    assert client.post("/setup/", {"token": setup_token.current()}).headers["Location"] == "/setup/"
    return client


def admin(role="system-admin"):
    client = Client()
    user = User.objects.create_user(role, "x", name=role, role=role, language="en")
    client.force_login(user, backend="luming.web.auth.Backend")
    return client, user


def text(response):
    return response.content.decode()


def test_an_empty_installation_leads_to_the_wizard():
    for url in ("/", "/sign-in/"):
        assert Client().get(url, follow=True).redirect_chain[-1][0] == "/setup/"
    page = text(Client().get("/setup/"))
    token = (installation.data_dir() / "setup-token").read_text().strip()
    assert token not in page and "luming setup-token" in page
    assert (installation.data_dir() / "setup-token").stat().st_mode & 0o077 == 0


def test_nothing_opens_without_the_token():
    for url in ("/setup/city/", "/setup/administrators/"):
        assert Client().get(url).headers["Location"] == "/setup/"
        assert Client().post(url, NAMES).headers["Location"] == "/setup/"
    for url in ("/setup/stations/", "/setup/gateway/", "/setup/backup/", "/setup/summary/"):
        assert Client().get(url).headers["Location"].startswith("/sign-in/")
    assert not User.objects.exists()


def test_guessing_is_stopped():
    client = Client()
    for _ in range(6):
        page = text(client.post("/setup/", {"token": "0000-0000"}))
    assert "令牌不正确" in page
    assert "错误次数过多" in text(client.post("/setup/", {"token": setup_token.current()}))
    assert client.get("/setup/city/").status_code == 302
    other = Client().post("/setup/", {"token": setup_token.current()}, REMOTE_ADDR="10.0.0.9")
    assert other.status_code == 302


def test_a_new_token_voids_the_old_one_and_its_sessions():
    client, old = begun(), setup_token.current()
    assert client.get("/setup/city/").status_code == 200
    setup_token.remove()
    assert setup_token.current() != old and not setup_token.is_right(old)
    assert client.get("/setup/city/").status_code == 302


def test_the_whole_way(settings, tmp_path):
    settings.SECOND_FACTOR = "admins"
    client = begun()
    assert client.get("/setup/").headers["Location"] == "/setup/city/"
    assert client.post("/setup/city/", {"profile": "atlantis"}).status_code == 200
    assert client.post("/setup/city/", {"profile": "baotou"}).headers["Location"] == "/setup/administrators/"
    assert Region.objects.filter(code="150200").exists() and Station.objects.exists()
    assert installation.configured()["LUMING_CITY"] == "baotou"
    assert client.get("/setup/").headers["Location"] == "/setup/administrators/"  # it can be left and gone on with
    same = {**NAMES, "audit-admin-username": NAMES["system-admin-username"]}
    assert "不得兼任" in text(client.post("/setup/administrators/", same)) and not User.objects.exists()
    page = text(client.post("/setup/administrators/", NAMES))
    passwords = re.findall(r'fs-3">([\w-]{16})<', page)
    users = {user.role: user for user in User.objects.all()}
    assert set(users) == set(ADMINISTRATORS) and len(passwords) == 3
    assert all(user.must_change_password for user in users.values())
    assert users["system-admin"].check_password(passwords[0])
    # the token is void, the first two steps are shut
    assert not setup_token.path().exists() and not setup_token.is_open()
    for url in ("/setup/", "/setup/city/", "/setup/administrators/"):
        assert client.get(url, follow=True).redirect_chain[-1][0].startswith("/sign-in/"), url
    # the system administrator changes the password, enrols, goes on
    system = Client()
    system.post("/sign-in/", {"username": users["system-admin"].username, "password": passwords[0]})
    assert system.get("/setup/stations/").headers["Location"] == "/account/password/"
    settings.SECOND_FACTOR = "off"
    User.objects.update(must_change_password=False, language="en")
    assert system.get("/setup/").headers["Location"] == "/setup/stations/"
    assert "No register keeper yet" in text(system.get("/setup/stations/"))
    assert system.get("/setup/stations/template/").content.startswith(b"PK")
    assert system.post("/setup/stations/").headers["Location"] == "/setup/gateway/"
    assert "between 1024 and 65535" in text(system.post("/setup/gateway/", {"host": "0.0.0.0", "port": 80}))
    assert system.post("/setup/gateway/", {"host": "0.0.0.0", "port": 9300}).headers["Location"] == "/setup/backup/"
    bad = system.post("/setup/backup/", {"folder": "relative", "keep": 3})
    assert "whole path" in text(bad) and 'value="relative"' in text(bad)
    good = {"folder": str(tmp_path / "backups"), "keep": 3}
    assert system.post("/setup/backup/", good).headers["Location"] == "/setup/summary/"
    assert (tmp_path / "backups").is_dir()
    summary = text(system.get("/setup/summary/"))
    assert "LUMING_GATEWAY_PORT" in summary and "→ 9300" in summary and "Do it" not in summary
    assert system.get("/setup/").headers["Location"] == "/setup/summary/"
    written = installation.configured()
    assert (written["LUMING_GATEWAY_HOST"], written["LUMING_GATEWAY_PORT"]) == ("0.0.0.0", "9300")
    assert written["LUMING_BACKUP_KEEP"] == "3"
    verbs = set(AuditEntry.objects.filter(verb__startswith="setup.").values_list("verb", flat=True))
    assert verbs == set(actions.VERBS.values())


def test_other_administrators_do_not_set_up():
    client, user = admin("security-admin")
    for url in ("/setup/stations/", "/setup/gateway/", "/setup/backup/", "/setup/summary/"):
        assert client.get(url).status_code == 403
    assert client.get("/setup/").headers["Location"] == "/"
    for verb in (lambda: actions.set_gateway(user, "0.0.0.0", 9300), lambda: actions.set_backup(user, "/tmp/x", 1),
                 lambda: actions.note_stations(user), lambda: actions.choose_city(user, "baotou"),
                 lambda: actions.back_up_now(user)):  # fmt: skip
        with pytest.raises(PermissionDenied):
            verb()


def test_two_people_with_the_token_make_one_set():
    actions.make_administrators(PEOPLE)
    with pytest.raises(ValidationError):
        actions.make_administrators({role: (f"other{role}", "x") for role in ADMINISTRATORS})
    with pytest.raises(PermissionDenied):
        actions.choose_city(None, "baotou")
    with pytest.raises(ValidationError):
        actions.make_administrators({"system-admin": ("a", "A")})
    assert User.objects.count() == 3


def test_a_name_that_will_not_do_leaves_nothing():
    wrong = PEOPLE | {"audit-admin": ("no space", "x")}
    with pytest.raises(ValidationError):
        actions.make_administrators(wrong)
    assert not User.objects.exists() and setup_token.is_open()
    assert "Letters" not in text(begun().get("/setup/administrators/"))


def test_ports_of_other_processes_are_refused(monkeypatch):
    _client, user = admin()
    monkeypatch.setenv("LUMING_WEB_PORT", "8123")
    for port in (80, 70000, 5432, 8123, 9213, 9214):
        with pytest.raises(ValidationError):
            actions.set_gateway(user, "0.0.0.0", port)
    assert not installation.configured()
    actions.set_gateway(user, "0.0.0.0", 9300)
    assert installation.configured() == {"LUMING_GATEWAY_HOST": "0.0.0.0", "LUMING_GATEWAY_PORT": "9300"}


def test_folders_that_cannot_hold_backups(tmp_path, settings):
    _client, user = admin()
    settings.STATIC_ROOT, settings.MEDIA_ROOT = tmp_path / "static", tmp_path / "files"
    inside = [str(tmp_path / name) for name in ("pgdata/x", "static", "static/b", "files/b")]
    for folder in ("relative", str(tmp_path), *inside, "/proc/nothing/here"):
        with pytest.raises(ValidationError):
            actions.set_backup(user, folder, 3)
    with pytest.raises(ValidationError):
        actions.set_backup(user, str(tmp_path / "b"), 0)
    assert not installation.configured()


def test_luming_setup_token(capsys):
    import argparse

    def command(*words):
        parser = argparse.ArgumentParser()
        setup_commands.configure(parser)
        return setup_commands.run(parser.parse_args(words))

    assert command() == 0
    first = capsys.readouterr().out.strip()
    assert command() == 0 and capsys.readouterr().out.strip() == first
    assert command("--new") == 0 and capsys.readouterr().out.strip() != first
    assert "/setup/" in setup_commands.announcement(
        "http://x"
    ) and setup_token.current() in setup_commands.announcement("")
    admin()
    assert command() == 1 and setup_commands.announcement("http://x") == ""


def test_what_the_environment_says_wins_over_what_pages_wrote(monkeypatch):
    installation.configure(LUMING_X_TEST="file")
    assert installation.setting("LUMING_X_TEST") == "file"
    monkeypatch.setenv("LUMING_X_TEST", "environment")
    assert installation.setting("LUMING_X_TEST") == "environment"
    monkeypatch.delenv("LUMING_X_TEST")
    installation.use_configuration()
    installation.configure(LUMING_X_TEST="newer")  # written after this process took the file's
    assert installation.setting("LUMING_X_TEST") == "newer"
    monkeypatch.delenv("LUMING_X_TEST")
    installation._from_file.discard("LUMING_X_TEST")
