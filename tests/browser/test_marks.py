"""The pages of marks in a real browser: sound, accessible, and periods chosen by hand, by finger and by keyboard."""

import importlib.util
import os
from pathlib import Path

import pytest
from driving import DESKTOP, PHONE, opened, report, violations

from luming.telemetry.marks.models import Mark, MarkCode

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def marked(world):
    spec = importlib.util.spec_from_file_location("mark_tests", ROOT / "tests" / "web" / "marks" / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.furnish(world)


def settle(page):
    if page.query_selector("luming-chart"):
        page.wait_for_selector("luming-chart canvas", timeout=20_000)


def addresses(world, marked):
    return {
        "reviewer": {"list": "/marks/", "mark": f"/marks/{marked.against.pk}/", "figures": "/marks/figures/"},
        "enterprise": {"portal": "/portal/marks/", "outlet": f"/marks/outlets/{world.outlet.pk}/"},
    }


@pytest.mark.parametrize(("size", "language"), [(DESKTOP, "zh-hans"), (PHONE, "en")])
def test_pages_are_sound_and_accessible_in_both_looks(browser, live_server, world, marked, size, language):
    wrong = {}
    for role, pages in addresses(world, marked).items():
        with opened(browser, live_server, world, role, size=size, language=language) as page:
            for name, url in pages.items():
                page.goto(live_server.url + url)
                settle(page)
                found = violations(page)
                if folder := os.environ.get("LUMING_PICTURES"):  # to look at them
                    page.screenshot(path=f"{folder}/marks-{name}-{size[0]}-{language}.png", full_page=True)
                page.evaluate("document.documentElement.setAttribute('data-bs-theme', 'dark')")
                page.evaluate("document.dispatchEvent(new CustomEvent('luming:theme'))")
                page.wait_for_timeout(150)
                found += violations(page)
                width = page.evaluate("document.documentElement.scrollWidth")
                if width > size[0]:
                    found.append(f"scrolls sideways: {width} px")
                if found:
                    wrong[name] = found
    assert not wrong, report(wrong)


def test_a_period_is_marked_on_a_phone_by_finger(browser, live_server, world, marked):
    with opened(browser, live_server, world, "enterprise", size=PHONE) as page:
        page.goto(f"{live_server.url}/portal/marks/")
        page.click("a.lm-row:has-text('DA001'):not(:has-text('until')) >> nth=-1")
        page.tap("button.lm-mh.is-exceeding")
        page.locator("[data-said]", has_text="Chosen").wait_for()
        page.select_option("#code", label="Fault of plant or treatment")
        page.locator("#consequence", has_text="can be marked in time until").wait_for()
        page.fill("#explanation", "the fan failed")
        page.tap("button:has-text('Mark') >> nth=-1")
        page.locator(".alert", has_text="Periods marked: 1").wait_for()
    mark = Mark.objects.get(code=MarkCode.objects.get(code="fault"))
    assert (mark.start, mark.hours, mark.explanation) == (marked.hour, 1, "the fan failed")


def test_periods_are_chosen_by_keyboard_and_several_at_once(browser, live_server, world, marked):
    with opened(browser, live_server, world, "enterprise") as page:
        page.goto(f"{live_server.url}/marks/outlets/{world.outlet.pk}/?days=7")
        page.focus("button.lm-mh[tabindex='0']")
        for key in ("ArrowLeft", "ArrowLeft", "ArrowLeft", "Enter", "Shift+ArrowRight"):
            page.keyboard.press(key)
        assert page.locator("button.lm-mh.is-chosen").count() == 2
        page.click("[data-add]")
        assert page.locator("[data-row]").count() == 2
        page.focus("button.lm-mh[tabindex='0']")
        for key in ("ArrowUp", "ArrowDown", "ArrowDown", "Enter"):
            page.keyboard.press(key)
        assert page.locator("button.lm-mh.is-chosen").count() == 3
        page.select_option("#code", label="Fault of plant or treatment")
        page.fill("#explanation", "two faults")
        page.click("form button.btn-lg")
        page.locator(".alert", has_text="Periods marked: 2").wait_for()
    assert [row.hours for row in Mark.objects.filter(explanation="two faults").order_by("start")] == [1, 2]


def test_a_decision_needs_a_reason_to_refuse(browser, live_server, world, marked):
    with opened(browser, live_server, world, "reviewer") as page:
        page.goto(f"{live_server.url}/marks/{marked.against.pk}/")
        page.click("button:has-text('Refuse')")
        page.locator(".alert", has_text="Write why the mark is refused").wait_for()
        page.fill("#reason", "the device was normal")
        page.click("button:has-text('Refuse')")
        page.locator(".alert", has_text="The mark was refused").wait_for()
    assert Mark.objects.get(pk=marked.against.pk).reason == "the device was normal"
