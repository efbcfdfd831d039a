"""The import page: checked first, applied after, every problem shown."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from luming.core.models import AuditEntry, User
from luming.registry.models import Facility

GOOD = "编码,名称,行政区划,经度,纬度\nF900,示例水泥,150203,109.81,40.66\n"
BAD = "编码,名称,行政区划,经度,纬度\nF901,,150203,109.81,40.66\nF902,示例,999999,209,40\n"


@pytest.fixture
def keeper(world):
    return world.client("registrar")


def upload(client, text, name="排污单位.csv"):
    return client.post(reverse("import"), {"file": SimpleUploadedFile(name, text.encode())})


def token(response):
    return response.context["token"]


def test_check_then_apply(keeper):
    checked = upload(keeper, GOOD)
    assert checked.status_code == 200
    assert not Facility.objects.filter(code="F900").exists()  # checking changes nothing
    done = keeper.post(reverse("import-apply"), {"token": token(checked), "reason": "第一批"})
    assert done.status_code == 302
    assert Facility.objects.get(code="F900").name == "示例水泥"
    assert AuditEntry.objects.filter(verb="place.import", reason="第一批").exists()
    again = keeper.post(reverse("import-apply"), {"token": token(checked), "reason": "x"}, follow=True)
    assert "no longer there" in again.content.decode()
    assert "nothing to import" in upload(keeper, GOOD).content.decode()


def test_all_problems_at_once_and_as_csv(keeper):
    checked = upload(keeper, BAD)
    report = checked.context["report"]
    assert {problem.row for problem in report.problems} == {2, 3}
    assert len(report.problems) >= 3
    assert "Nothing is imported" in checked.content.decode()
    listed = keeper.post(reverse("import-errors"), {"token": token(checked)})
    assert listed.headers["Content-Type"].startswith("text/csv")
    assert len(listed.content.decode("utf-8-sig").strip().splitlines()) == 1 + len(report.problems)
    refused = keeper.post(reverse("import-apply"), {"token": token(checked), "reason": "anyway"})
    assert refused.status_code == 200
    assert not Facility.objects.filter(code="F902").exists()


def test_what_is_no_table_is_refused(keeper):
    assert "can be imported" in upload(keeper, "x", "notes.pdf").content.decode()
    assert "Choose a file first" in keeper.post(reverse("import")).content.decode()


def test_a_checked_file_is_its_users_only(keeper, world):
    checked = upload(keeper, GOOD)
    other = User.objects.create_user("u-registrar-2", "Luming-2026!", name="other", role="registrar")
    client = Client()
    client.force_login(other, backend="luming.web.auth.Backend")
    for stolen in (token(checked), "../../secrets.json/x", "0" * 64 + ".csv/x"):
        answer = client.post(reverse("import-apply"), {"token": stolen}, follow=True)
        assert answer.redirect_chain == [(reverse("import"), 302)]
    assert not Facility.objects.filter(code="F900").exists()


def test_the_template_is_a_workbook(keeper):
    answer = keeper.get(reverse("import-template"))
    assert answer.content[:2] == b"PK"
    assert upload(keeper, "no workbook", "luming-import.xlsx").context["report"].problems
