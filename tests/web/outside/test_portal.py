"""The enterprises' portal: an own menu, an own scope."""

import re

import pytest
from django.core.cache import cache
from django.urls import reverse

from luming.core.models import Attachment, Organisation


def text(response):
    return response.content.decode()


def test_an_enterprise_begins_in_its_portal(world):
    client = world.client("enterprise")
    assert client.get("/").headers["Location"] == "/portal/"
    page = text(client.get("/portal/"))
    assert "甲厂" in page and world.facility.name in page and reverse("place", args=[world.outlet.pk]) in page
    assert world.elsewhere.code not in page and reverse("place", args=[world.elsewhere.pk]) not in page


def test_its_menu_is_its_own_everywhere(world):
    page = text(world.client("enterprise").get(reverse("place", args=[world.outlet.pk])))
    menu = page.split("<main", 1)[0]
    assert "/portal/transmission/" in menu and 'href="/places/"' not in menu and 'href="/packets/"' not in menu
    officer = text(world.client("duty").get("/places/"))
    assert "/portal/" not in officer


def test_gaps_and_held_data_are_told_with_their_reasons(world):
    page = text(world.client("enterprise").get("/portal/transmission/"))
    assert "Connected but silent" in page and "Held" in page
    assert "/packets/" not in page.split("<main", 1)[1]  # an enterprise opens no packets
    maintainer = text(world.client("maintainer").get("/portal/transmission/"))
    assert world.outlet.name in maintainer and world.elsewhere.name not in maintainer


def test_documents_of_others_are_not_there(world):
    mine = {"object_type": "registry.facility", "media_type": "text/plain", "size": 3, "sha256": "0" * 64}
    Attachment.objects.create(name="mine.txt", object_id=str(world.facility.pk), **mine)
    Attachment.objects.create(name="other.txt", object_id=str(world.elsewhere.facility_id), **mine)
    page = text(world.client("enterprise").get("/portal/documents/"))
    assert "mine.txt" in page and "other.txt" not in page
    assert "mine.txt" in text(world.client("enterprise").get("/portal/"))


def test_without_an_organisation_it_says_what_to_do(world):
    world.users["enterprise"].organisation = None
    world.users["enterprise"].save()
    page = text(world.client("enterprise").get("/portal/"))
    assert "Ask the security administrator" in page and "No place is yours yet" in page
    assert text(world.client("enterprise").get("/portal/transmission/"))


def test_a_third_partys_section_appears_when_it_has_something(world):
    page = text(world.client("enterprise").get("/portal/"))
    assert "visits of 甲厂" in page and "/portal/dummy-visits/" in page
    assert "甲厂 1" in text(world.client("enterprise").get("/portal/dummy-visits/1/"))
    assert world.client("enterprise").get("/portal/dummy-visits/2/").status_code == 404
    assert world.client("enterprise").get("/portal/outlets/").status_code == 404  # it has no page of its own
    assert world.client("enterprise").get("/portal/nothing/").status_code == 404


def test_the_portal_costs_a_fixed_number_of_queries(world, django_assert_max_num_queries):
    client = world.client("enterprise")
    client.get("/portal/")
    cache.clear()
    with django_assert_max_num_queries(32):
        client.get("/portal/")


def test_what_is_not_of_the_organisation_stays_out(world):
    other = Organisation.objects.create(name="乙厂", kind="enterprise")
    world.users["enterprise"].organisation = other
    world.users["enterprise"].save()
    page = text(world.client("enterprise").get("/portal/"))
    assert "乙厂" in page and world.facility.name not in page


@pytest.mark.parametrize("role", ["enterprise", "maintainer"])
def test_every_entry_of_the_menu_opens_for_its_reader(world, role):
    client = world.client(role)
    menu = client.get("/portal/").content.decode().partition("</aside>")[0]
    linked = set(re.findall(r'href="(/portal/[a-z-]+/)"', menu))
    assert linked and {url: client.get(url).status_code for url in linked} == dict.fromkeys(linked, 200)
    assert ("/portal/marks/" in linked) is (role == "enterprise")
