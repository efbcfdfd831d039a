"""Files, notes and tags of records: who may, what is refused, what can be undone, what an outsider sees."""

import hashlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from luming.core import annotations, manifest
from luming.core.models import Attachment, AuditEntry, Note, Tag
from luming.core.roles import ROLES

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 a permit"
HX = {"HX-Request": "true"}


def address(name, world, *args, key="facilities", record=None):
    return reverse(name, args=[key, (record or world.facility).pk, *args])


def send(world, role="duty", content=PDF, name="permit.pdf", **more):
    file = SimpleUploadedFile(name, content)
    return world.client(role).post(address("record-attach", world), {"file": file, "category": "permit"}, **more)


def test_a_file_is_kept_listed_and_given_back(world):
    page = send(world, headers=HX).content.decode()
    row = Attachment.objects.get()
    assert "permit.pdf" in page and "Permit or approval" in page
    assert (row.media_type, row.size, row.category) == ("application/pdf", len(PDF), "permit")
    assert row.sha256 == hashlib.sha256(PDF).hexdigest() and row.uploaded_by == world.users["duty"]
    assert "permit" not in row.file.name
    audited = AuditEntry.objects.get(verb="facility.attach")
    assert (audited.object_id, audited.detail["sha256"]) == (str(world.facility.pk), row.sha256)
    response = world.client("leader").get(reverse("attachment", args=[row.pk]))
    assert b"".join(response) == PDF
    assert response["Content-Disposition"].startswith("attachment; ")
    assert response["X-Content-Type-Options"] == "nosniff" and "sandbox" not in response["Content-Type"]
    assert "default-src 'none'" in response["Content-Security-Policy"]
    inline = world.client("leader").get(reverse("attachment", args=[row.pk]), {"inline": "1"})
    assert inline["Content-Disposition"].startswith("inline; ")


def test_only_what_a_browser_shows_safely_opens_in_it(world):
    send(world, content=b"a,b", name="表.csv")
    row = Attachment.objects.get()
    response = world.client("duty").get(reverse("attachment", args=[row.pk]), {"inline": "1"})
    assert response["Content-Disposition"] == "attachment; filename*=UTF-8''%E8%A1%A8.csv"
    assert response["Content-Security-Policy"].startswith("sandbox")


@pytest.mark.parametrize(
    ("content", "name"), [(b"<svg/>", "a.svg"), (b"<html>", "a.pdf"), (b"MZ\x90\x00", "a.exe"), (b"", "a.pdf")]
)
def test_what_could_run_is_refused_and_said(world, content, name):
    page = send(world, content=content, name=name, headers=HX).content.decode()
    assert not Attachment.objects.exists() and 'role="alert"' in page and name in page
    answer = send(world, content=content, name=name, headers={"Accept": "application/json"})
    assert answer.status_code == 200 and name in answer.json()["problems"][0]


def test_a_file_that_is_too_large_is_refused(world, settings):
    settings.UPLOAD_BYTES = 2**20
    page = send(world, content=PDF + b"x" * 2**20, headers=HX).content.decode()
    assert "larger than 1 MB" in page and not Attachment.objects.exists()


def test_each_of_several_files_succeeds_or_is_refused_by_itself(world):
    files = [
        SimpleUploadedFile("a.txt", b"one"),
        SimpleUploadedFile("b.exe", b"MZ\0"),
        SimpleUploadedFile("c.txt", b"c"),
    ]
    response = world.client("duty").post(address("record-attach", world), {"file": files}, follow=True)
    assert set(Attachment.objects.values_list("name", flat=True)) == {"a.txt", "c.txt"}
    assert "b.exe" in response.content.decode()


def test_the_same_file_is_kept_once(world):
    send(world)
    page = send(world, name="again.pdf", headers=HX).content.decode()
    assert Attachment.objects.count() == 1 and "kept here already" in page


@pytest.mark.django_db(transaction=True)
def test_a_removed_file_can_be_brought_back(world):
    send(world)
    row = Attachment.objects.get()
    client = world.client("duty")
    page = client.post(reverse("attachment-remove", args=[row.pk]), headers=HX).content.decode()
    assert "Bring back" in page and client.get(reverse("attachment", args=[row.pk])).status_code == 404
    assert client.post(reverse("attachment-restore", args=[row.pk])).status_code == 302
    assert client.get(reverse("attachment", args=[row.pk])).status_code == 200
    verbs = list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["facility.attach", "facility.detach", "facility.reattach"]
    history = client.get(address("record-history", world)).content.decode()
    assert "File kept" in history and "File removed" in history


def test_files_follow_the_scope_of_their_record(world):
    other = world.elsewhere.facility
    send(world)
    mine = Attachment.objects.get()
    world.client("duty").post(
        address("record-attach", world, record=other), {"file": SimpleUploadedFile("o.txt", b"other")}
    )
    theirs = Attachment.objects.get(name="o.txt")
    district = world.client("district")
    assert district.get(reverse("attachment", args=[mine.pk])).status_code == 200
    for name in ("attachment-remove", "attachment-restore"):
        assert district.post(reverse(name, args=[theirs.pk])).status_code == 404
    assert district.get(reverse("attachment", args=[theirs.pk])).status_code == 404
    assert district.post(address("record-attach", world, record=other), {}).status_code == 404
    assert district.post(address("record-note", world, record=other), {"text": "x"}).status_code == 404
    assert district.post(address("record-tag", world, record=other), {"name": "x"}).status_code == 404


def test_a_file_of_what_is_no_register_is_not_given(world):
    row = Attachment.objects.create(
        name="x", media_type="text/plain", size=1, sha256="0" * 64, object_type="core.user", object_id="1"
    )
    assert world.client("duty").get(reverse("attachment", args=[row.pk])).status_code == 404


def test_an_enterprise_sees_its_own_files_and_none_of_the_bureaus_words(world, monkeypatch):
    register = manifest.register("facilities")
    send(world)
    annotations.write_note(world.users["duty"], register, world.facility, "suspicious")
    annotations.tag(world.users["duty"], register, world.facility, "watch")
    client = world.client("enterprise")
    page = client.get(address("record", world)).content.decode()
    assert "permit.pdf" not in page and "suspicious" not in page and "watch" not in page
    assert client.get(reverse("attachment", args=[Attachment.objects.get().pk])).status_code == 404
    assert client.post(address("record-note", world), {"text": "no"}).status_code == 403
    role = ROLES["enterprise"]  # an installation may let enterprises hand in files
    monkeypatch.setitem(
        ROLES, "enterprise", type(role)(role.key, role.label, role.permissions | {"record.annotate"}, False)
    )
    assert send(world, role="enterprise", content=b"%PDF-own", name="own.pdf").status_code == 302
    page = client.get(address("record", world)).content.decode()
    assert "own.pdf" in page and "permit.pdf" not in page
    assert client.post(address("record-attach", world, record=world.elsewhere.facility), {}).status_code == 404
    assert "own.pdf" in world.client("duty").get(address("record", world)).content.decode()


def test_notes_are_written_and_taken_back_by_their_author_only(world):
    duty, reviewer = world.client("duty"), world.client("reviewer")
    page = duty.post(address("record-note", world), {"text": "<b>look</b>\nhere"}, headers=HX).content.decode()
    assert "&lt;b&gt;look&lt;/b&gt;<br>here" in page
    note = Note.objects.get()
    assert reviewer.post(address("note-remove", world, note.pk)).status_code == 404
    page = duty.post(address("note-remove", world, note.pk), headers=HX).content.decode()
    assert "look" not in page and duty.post(address("note-remove", world, note.pk)).status_code == 404
    page = duty.post(address("record-note", world), {"text": "  "}, headers=HX).content.decode()
    assert 'role="alert"' in page
    long = "长" * 4001
    assert long in duty.post(address("record-note", world), {"text": long}, headers=HX).content.decode()  # not lost
    assert duty.post(address("record-note", world), {"text": "plain"}).status_code == 302


def test_tags_are_words_across_registers(world):
    duty = world.client("duty")
    page = duty.post(
        address("record-tag", world), {"name": " 重点  监管 ", "colour": "red"}, headers=HX
    ).content.decode()
    assert "重点 监管" in page and "is-red" in page
    duty.post(reverse("record-tag", args=["outlets", world.outlet.pk]), {"name": "重点 监管", "colour": "green"})
    tag = Tag.objects.get()  # one word, with its first colour
    assert (tag.colour, tag.taggings.count()) == ("red", 2)
    assert "重点 监管" in duty.get(address("record", world, key="outlets", record=world.outlet)).content.decode()
    assert 'role="alert"' in duty.post(address("record-tag", world), {"name": " "}, headers=HX).content.decode()
    assert (
        'role="alert"'
        in duty.post(address("record-tag", world), {"name": "x", "colour": "pink"}, headers=HX).content.decode()
    )
    duty.post(address("record-untag", world, tag.pk))
    assert Tag.objects.get().taggings.count() == 1
    duty.post(reverse("record-untag", args=["outlets", world.outlet.pk, tag.pk]))
    assert not Tag.objects.exists()  # no record bears it any more
    assert AuditEntry.objects.filter(verb="facility.untag").count() == 1
