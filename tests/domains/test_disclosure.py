"""Announcements: written, published, withdrawn; read by everyone, as text."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone

from luming.core import history
from luming.core.models import AuditEntry, User
from luming.domains.disclosure import actions, home
from luming.domains.disclosure.models import Announcement
from luming.domains.disclosure.registers import REGISTERS

pytestmark = pytest.mark.django_db


@pytest.fixture
def publisher():
    cache.clear()
    return User.objects.create_user("p", "Luming-2026!", name="P", role="publisher", language="en")


def draft(user, **values):
    return actions.write(
        user, **{"title": "沙尘提示", "kind": "warning", "lang": "zh-hans", "body": "一\n\n二"} | values
    )


def site(url):
    cache.clear()
    return Client().get(url)


def test_from_draft_to_public_to_withdrawn(publisher):
    row = draft(publisher)
    assert row.standing == "draft" and "沙尘提示" not in site("/public/zh/").content.decode()
    assert site(f"/public/zh/announcements/{row.pk}/").status_code == 404
    assert actions.publish(publisher, row).standing == "published"
    assert "沙尘提示" in site("/public/zh/").content.decode()
    assert "<p>一</p><p>二</p>" in site(f"/public/zh/announcements/{row.pk}/").content.decode()
    with pytest.raises(ValidationError):
        actions.publish(publisher, row)
    with pytest.raises(ValidationError):
        actions.withdraw(publisher, row, reason=" ")
    assert actions.withdraw(publisher, row, reason="the warning is lifted").standing == "withdrawn"
    assert "沙尘提示" not in site("/public/zh/announcements/").content.decode()
    for verb in (actions.publish, actions.withdraw):
        with pytest.raises(ValidationError):
            verb(publisher, row, reason="again")
    with pytest.raises(ValidationError):
        actions.change(publisher, row, title="x", reason="r")
    verbs = list(AuditEntry.objects.filter(verb__startswith="announcement").values_list("verb", flat=True))
    assert sorted(verbs) == ["announcement.publish", "announcement.withdraw", "announcement.write"]
    assert [event.objects.count() for event in history.event_models(Announcement)] == [3]


def test_text_is_text(publisher):
    row = actions.publish(publisher, draft(publisher, title="<b>T</b>", body="<script>alert(1)</script>\nline"))
    page = site(f"/public/zh/announcements/{row.pk}/").content.decode()
    assert "<script>alert" not in page and "&lt;script&gt;" in page and "<br>line" in page and "<b>T" not in page


def test_what_is_published_changes_with_a_reason(publisher):
    row = draft(publisher)
    assert actions.change(publisher, row, title="改").title == "改"  # a draft is changed freely
    actions.publish(publisher, row)
    with pytest.raises(ValidationError, match="reason"):
        actions.change(publisher, row, body="三")
    assert actions.change(publisher, row, body="三", reason="a typing mistake").body == "三"
    with pytest.raises(ValidationError):
        actions.change(publisher, row, body="", reason="r")
    with pytest.raises(ValidationError):
        draft(publisher, kind="gossip")


def test_only_the_disclosure_officer_writes(publisher):
    duty = User.objects.create_user("d", "x", name="D", role="duty")
    row = draft(publisher)
    for attempt in (
        lambda: draft(duty),
        lambda: actions.change(duty, row, title="x"),
        lambda: actions.publish(duty, row),
        lambda: actions.withdraw(duty, row, reason="r"),
    ):
        with pytest.raises(PermissionDenied):
            attempt()
    none = User.objects.create_user("n", "x", name="N", role="system-admin")
    visible = [set(Announcement.objects.visible_to(user)) for user in (publisher, duty, none)]
    assert visible == [{row}, set(), set()]
    actions.publish(publisher, row)
    assert set(Announcement.objects.visible_to(duty)) == {row}


def test_what_is_dated_ahead_waits(publisher):
    row = actions.publish(publisher, draft(publisher))
    Announcement.objects.update(published_at=timezone.now() + timedelta(hours=1))
    assert site(f"/public/zh/announcements/{row.pk}/").status_code == 404


def test_an_english_reader_sees_english_first_and_chinese_readers_only_theirs(publisher):
    actions.publish(publisher, draft(publisher))
    actions.publish(publisher, draft(publisher, title="Dust ahead", lang="en"))
    english = site("/public/en/announcements/").content.decode()
    assert english.index("Dust ahead") < english.index("沙尘提示")
    assert "Dust ahead" not in site("/public/zh/announcements/").content.decode()


def test_drafts_wait_on_the_home_page(publisher):
    row = draft(publisher)
    items = home.drafts(publisher, timezone.now())
    assert [str(item.label) for item in items] == ["沙尘提示"] and items[0].url.endswith(f"/{row.pk}/")
    actions.publish_all(publisher, [row])
    assert not home.drafts(publisher, timezone.now())


@pytest.mark.parametrize("item", ["0", "x", "9" * 30, "-1", "1/2", "01", "１"])
def test_odd_numbers_are_not_there(publisher, item):
    assert site(f"/public/zh/announcements/{item}/").status_code == 404


def test_the_portal_shows_them(publisher):
    row = actions.publish(publisher, draft(publisher))
    user = User.objects.create_user("e", "x", name="E", role="enterprise")
    client = Client()
    client.force_login(user, backend="luming.web.auth.Backend")
    assert "沙尘提示" in client.get("/portal/").content.decode()
    assert "<p>一</p>" in client.get(f"/portal/announcements/{row.pk}/").content.decode()
    assert client.get("/portal/announcements/99999/").status_code == 404


def test_the_register_shows_how_each_stands(publisher):
    row = draft(publisher)
    column = next(column for column in REGISTERS[0].columns if getattr(column, "name", "") == "published_at")
    assert "is-info" in column.render(row)
    assert "is-good" in column.render(actions.publish(publisher, row))
    assert "is-warn" in column.render(actions.withdraw(publisher, row, reason="r"))
    client = Client()
    client.force_login(publisher, backend="luming.web.auth.Backend")
    assert "沙尘提示" in client.get("/registers/announcements/").content.decode()
    assert client.get(f"/registers/announcements/{row.pk}/").status_code == 200
