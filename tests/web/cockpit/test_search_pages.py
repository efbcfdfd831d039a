"""The search dialog and its page: groups, marks, links, scope."""

from django.urls import reverse
from luming_dummy.models import Well

from luming.core.models import Attachment


def found(world, role, text, name="search-find", **headers):
    response = world.client(role).get(reverse(name), {"q": text}, **headers)
    assert response.status_code == 200
    return response.content.decode()


def attach(record, kind, name, **more):
    return Attachment.objects.create(
        object_type=kind, object_id=str(record.pk), name=name, category="permit", file="x", size=1,
        media_type="application/pdf", sha256="0" * 64, **more,
    )  # fmt: skip


def test_records_are_grouped_and_link_to_their_pages(world):
    page = found(world, "duty", world.facility.name)
    assert f'href="{reverse("facility", args=[world.facility.pk])}"' in page
    assert 'role="option"' in page and "<mark>" in page and "Facilities" in page
    page = found(world, "duty", world.device.mn[:12])
    assert f'href="{reverse("device", args=[world.device.pk])}"' in page


def test_pages_of_the_menu_are_found_in_both_languages(world):
    for text in ("audit", "审计"):
        assert reverse("audit") in found(world, "audit-admin", text)
    assert reverse("packets") in found(world, "duty", "packets")
    assert reverse("packets") in found(world, "duty", "报文")
    assert reverse("packets") in found(world, "duty", "bw")
    assert reverse("audit") not in found(world, "duty", "audit")


def test_documents_are_found_where_their_record_is_visible(world):
    attach(world.facility, "registry.facility", "排污许可证正本.pdf")
    attach(world.facility, "registry.facility", "排污许可证旧本.pdf", removed_at="2026-01-01T00:00Z")
    for role in ("duty", "district", "enterprise"):
        page = found(world, role, "xkz")
        assert "正本" in page and "旧本" not in page and reverse("facility", args=[world.facility.pk]) in page
    world.users["district"].region_codes = ["150207"]
    world.users["district"].save()
    assert "正本" not in found(world, "district", "许可证")
    assert "正本" not in found(world, "system-admin", "许可证")


def test_what_a_domain_finds_is_a_group_of_its_own(world):
    Well.objects.create(
        code="W1", name="Well one", region=world.outlet.region, depth_m=3, longitude=109.8, latitude=40.6, contact="Li"
    )
    assert "Well contacts" in found(world, "duty", "Li")
    assert "Well contacts" not in found(world, "enterprise", "Li")


def test_nothing_found_says_what_to_do(world):
    assert "Nothing was found" in found(world, "duty", "不存在的东西")
    assert found(world, "duty", "").strip() == ""
    assert "What are you looking for?" in found(world, "duty", "", "search")
    assert "Nothing was found" in found(world, "duty", "不存在的东西", "search")


def test_the_page_shows_the_same_and_leads_to_the_lists(world):
    page = found(world, "duty", world.facility.name, "search")
    assert reverse("facility", args=[world.facility.pk]) in page


def test_what_is_typed_is_never_taken_for_markup(world):
    for name in ("search", "search-find"):
        page = found(world, "duty", "<script>alert(1)</script>", name)
        assert "<script>alert" not in page


def test_every_page_has_the_search_and_a_button_for_phones(world):
    page = world.client("system-admin").get(reverse("users")).content.decode()
    assert 'id="search"' in page and page.count("data-search ") == 2


def test_help_pages_are_found_by_their_titles(world):
    for text in ("how search works", "search works"):
        assert reverse("help", args=["explanation/search"]) in found(world, "duty", text)
    assert reverse("help", args=["help/cockpit"]) in found(world, "duty", "jsc")  # 驾驶舱
