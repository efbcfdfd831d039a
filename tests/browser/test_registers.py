"""Lists of registers in a real browser: keyboard, filters, columns by drag and key, views, choosing, phone, dark."""

import os
from datetime import date
from pathlib import Path

import pytest
from driving import DESKTOP, PHONE, opened, report, violations
from luming_dummy.models import Well

from luming.core.models import SavedView

GALLERY = os.environ.get("LUMING_GALLERY")  # where to keep pictures of the pages, for people to look at
URL = "/registers/wells/"


@pytest.fixture
def wells(world):
    return Well.objects.bulk_create(
        Well(
            code=f"W{number:03}", name=["河西水源井", "城东监测井", "昆河观测井"][number % 3],
            region_id="150203" if number % 2 else "150207", use="supply" if number % 5 == 0 else "monitoring",
            depth_m=10.0 * (number % 12) + 10, drilled_on=date(2000 + number % 7, 1, 1) if number % 3 else None,
            longitude=109.8, latitude=40.6, is_sealed=number % 10 == 0,
        )
        for number in range(120)
    )  # fmt: skip


def count(page):
    return page.inner_text(".lm-found > b")


def heads(page):
    return [text.strip() for text in page.locator("#register thead th[scope]").all_inner_texts()]


@pytest.mark.parametrize(
    ("size", "language", "dark"), [(DESKTOP, "zh-hans", False), (PHONE, "en", False), (DESKTOP, "en", True)]
)
def test_every_list_is_sound_and_accessible(browser, live_server, world, wells, size, language, dark):
    wrong = {}
    pages = {
        "list": URL + "?region=150203&depth_m_min=20", "none": URL + "?q=zzz", "empty": "/registers/samples/",
        "facilities": "/registers/facilities/", "limits": "/registers/limits/", "catalogue": "/registers/",
        "fields": URL + "schema/", "import": URL + "import/",
    }  # fmt: skip
    with opened(browser, live_server, world, "registrar", size=size, language=language) as page:
        page.goto(live_server.url + "/account/")
        page.evaluate(f"localStorage.setItem('luming-theme', '{'dark' if dark else 'light'}')")
        page.evaluate("localStorage.setItem('luming-filters-open', '1')")
        for name, url in pages.items():
            page.goto(live_server.url + url)
            if name == "list":
                page.locator("#register input[name=pk]").nth(1).check()
            found = violations(page)
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > size[0]:
                found.append(f"scrolls sideways: {width} px")
            if found:
                wrong[name] = found
            if GALLERY:
                look = f"{'phone' if size == PHONE else 'desk'}-{language}{'-dark' if dark else ''}"
                page.screenshot(path=Path(GALLERY) / f"register-{name}-{look}.png", full_page=size == PHONE)
    assert not wrong, report(wrong)


def test_a_list_is_worked_with_by_keyboard(browser, live_server, world, wells):
    with opened(browser, live_server, world, "registrar") as page:
        page.goto(live_server.url + URL)
        page.keyboard.press("/")
        page.keyboard.type("cdjcj")
        page.wait_for_url("**/?q=cdjcj")
        page.wait_for_selector(".lm-found > b:text-is('40')")
        page.keyboard.press("ArrowDown")
        first = page.evaluate("document.activeElement.dataset.href")
        page.keyboard.press("j")
        second = page.evaluate("document.activeElement.dataset.href")
        page.keyboard.press("k")
        assert page.evaluate("document.activeElement.dataset.href") == first != second
        page.keyboard.press("x")
        assert page.inner_text("[data-chosen-count]") == "1"
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{second}")


def test_pages_turn_and_the_browser_goes_back(browser, live_server, world, wells):
    with opened(browser, live_server, world, "registrar") as page:
        page.goto(live_server.url + URL + "?sort=-drilled_on")
        page.wait_for_selector("#register a[rel=next]")
        page.keyboard.press("n")
        page.wait_for_selector(".lm-pages:has-text('51–100')")
        page.click("#register thead a[data-sort=name]")
        page.wait_for_url("**/?sort=name")
        page.click("#register thead a[data-sort=depth_m]", modifiers=["Shift"])
        page.wait_for_url("**/?sort=name%2Cdepth_m")
        page.go_back()
        page.wait_for_url("**/?sort=name")
        page.wait_for_selector("aside .nav-link")  # the page as a whole, with its menu
        assert count(page) == "120"


def test_filters_are_set_and_dropped(browser, live_server, world, wells):
    with opened(browser, live_server, world, "registrar") as page:
        page.goto(live_server.url + URL)
        page.click("[data-bs-target='#filters']")
        page.click("#filters .lm-pick >> nth=0")
        page.locator("#filters .lm-pick[open] input[type=checkbox]").nth(1).check()  # the first is the whole city
        page.wait_for_selector(".lm-found > b:text-is('60')")
        page.keyboard.press("Escape")
        page.fill("input[name=depth_m_min]", "100")
        page.locator("input[name=depth_m_min]").blur()
        page.wait_for_selector(".lm-found a.lm-chip >> nth=1")
        narrowed = int(count(page))
        assert 0 < narrowed < 60
        page.locator(".lm-found a.lm-chip").first.click()
        page.wait_for_selector(f".lm-found > b:not(:text-is('{narrowed}'))")
        assert page.locator("#filters").is_visible()  # stays open
        assert page.input_value("input[name=depth_m_min]") == "100"
        page.goto(live_server.url + "/registers/outlets/")
        page.fill("luming-picker > input", "F1")
        page.wait_for_selector(".lm-offers [data-value]")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_selector(".lm-found > b:text-is('1')")
        assert f"facility={world.facility.pk}" in page.url


def test_columns_are_chosen_and_ordered_by_drag_and_by_key(browser, live_server, world, wells):
    with opened(browser, live_server, world, "registrar") as page:
        page.goto(live_server.url + URL)
        before = heads(page)
        page.click("[data-bs-target='#columns']")
        page.wait_for_selector("#columns.show")
        page.locator("[data-order] li").nth(0).locator("[data-move='1']").press("Enter")
        page.locator("[data-order] li").nth(2).locator("input").uncheck()
        page.drag_and_drop(
            "[data-order] li:nth-child(5)", "[data-order] li:nth-child(1)", target_position={"x": 5, "y": 2}
        )
        page.click("#columns .btn-primary")
        page.wait_for_url("**columns=**")
        after = heads(page)
        assert after[0] == before[4] and after[1:3] == [before[1], before[0]] and before[2] not in after
        page.click("#register [data-density]")
        page.reload()
        assert "is-compact" in page.get_attribute("#register .lm-table", "class")


def test_a_view_is_saved_and_all_that_is_found_is_chosen(browser, live_server, world, wells):
    with opened(browser, live_server, world, "registrar") as page:
        page.goto(live_server.url + URL + "?use=monitoring&sort=-depth_m")
        page.click(".lm-tools .dropdown-toggle >> nth=0")
        page.click("[data-bs-target='#save-view']")
        page.fill("#view-name", "监测井")
        page.check("[name=is_default]")
        page.click("#save-view .btn-primary")
        page.wait_for_selector(".alert-success")
        view = SavedView.objects.get()
        assert (view.query, view.is_default) == ("use=monitoring&sort=-depth_m", True)
        page.goto(live_server.url + URL)
        assert f"view={view.pk}" in page.url and count(page) == "96"
        page.click("[data-choose-page]")
        page.click("[data-choose-all]")
        assert page.inner_text("[data-chosen-count]") == "96"
        page.click("#chosen .btn-primary")
        page.wait_for_url("**/registers/wells/bulk/")
        assert "96" in page.inner_text("main")
