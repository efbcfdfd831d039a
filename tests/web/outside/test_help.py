"""The help panel: every page it names exists in both languages, and is shown safely."""

import pytest
from django.test import RequestFactory
from django.urls import get_resolver
from django.utils import translation

from luming.core import installation, manifest
from luming.web import helping


def test_every_mapped_page_exists_in_both_languages():
    names = {*helping.PAGES.values(), helping.DEFAULT}
    assert names <= set(helping.TITLES)
    for name in helping.TITLES:
        for language in ("zh", "en"):
            path = installation.CHECKOUT / "docs" / "help" / f"{name}.{language}.md"
            body = path.read_text(encoding="utf-8")
            assert body.startswith("# ") and len(body) > 110, path
            chinese = sum("\u4e00" <= letter <= "\u9fff" for letter in body)
            assert (chinese > 60) == (language == "zh"), path


def test_every_mapped_address_exists():
    known = {pattern.name for pattern in get_resolver().url_patterns}
    assert set(helping.PAGES) <= known


def test_the_help_of_registers_exists():
    for register in manifest.registers():
        assert not register.help or helping.source(register.help), register.key


@pytest.mark.django_db
def test_links_of_the_pages_lead_to_pages():
    for name in helping.TITLES:
        for language in ("zh-hans", "en"):
            with translation.override(language):
                html = helping.rendered(helping.source(f"help/{name}"), f"help/{name}")
                for target in html.split('href="')[1:]:
                    address = target.split('"')[0]
                    assert address.startswith("/help/") and helping.source(address[6:-1]), (name, address)


def test_markdown_is_shown_without_html(tmp_path):
    page = tmp_path / "x.md"
    page.write_text(
        "# T\n\n<script>alert(1)</script> [a](javascript:alert(1)) ![p](https://x.example/p.png) <b>b</b>\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n[n](next.en.md) [o](https://example.org/)\n",
        encoding="utf-8",
    )
    html = helping.rendered(page, "help/x")
    assert "<script" not in html and 'href="javascript' not in html and "<img" not in html and "<b>" not in html
    assert '<table class="table table-sm">' in html and 'href="/help/help/next/"' in html


def test_the_panel_opens_the_page_of_the_page(world):
    client = world.client("duty")
    assert 'href="/help/help/place/"' in client.get(f"/places/{world.outlet.pk}/").content.decode()
    part = client.get("/help/help/place/", headers={"HX-Request": "true"}).content.decode()
    assert "A station or an outlet" in part and "<html" not in part
    assert "<html" in client.get("/help/help/place/").content.decode()
    for wrong in ("nothing", "help/nothing", "../pyproject", "help/../../x", "/etc/passwd"):
        assert client.get(f"/help/{wrong}/").status_code == 404, wrong


def test_a_register_has_its_own_page_where_it_is_in_the_readers_language(world):
    world.users["registrar"].language = "en"
    world.users["registrar"].save()
    client = world.client("registrar")
    assert 'href="/help/how-to/import-places/"' in client.get("/registers/facilities/").content.decode()
    world.users["registrar"].language = "zh-hans"
    world.users["registrar"].save()
    page = client.get("/registers/facilities/").content.decode()
    expected = (
        "how-to/import-places" if (installation.CHECKOUT / "docs/zh/how-to/import-places.md").exists() else "help/list"
    )
    assert f'href="/help/{expected}/"' in page


def test_it_says_so_when_the_documentation_did_not_come_along(world, monkeypatch):
    monkeypatch.setattr(helping, "folder", lambda: None)
    page = world.client("duty").get("/help/help/place/")
    assert page.status_code == 200 and "without its documentation" in page.content.decode()


def test_a_page_without_a_help_page_of_its_own_has_that_of_home():
    request = RequestFactory().get("/")
    request.resolver_match = None
    assert helping.page_of(request) == "help/home"
