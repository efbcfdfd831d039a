"""The pages of devices' health in a real browser: sound, accessible, drawn, entered by hand on a phone."""

import importlib.util
import os
from pathlib import Path

import pytest
from driving import DESKTOP, PHONE, opened, report, violations

from luming.telemetry.instruments.models import Calibration

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def kept(world):
    spec = importlib.util.spec_from_file_location(
        "instrument_tests", ROOT / "tests" / "web" / "instruments" / "conftest.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.furnish(world)


def addresses(kept):
    device = kept.device.pk
    return {
        "list": "/devices/health/",
        "device": f"/devices/{device}/health/",
        "maintainers": "/devices/maintainers/",
        "calibrate": f"/devices/{device}/calibrate/",
        "maintain": f"/devices/{device}/maintain/",
    }


def settle(page):
    if page.query_selector("luming-drift"):
        page.wait_for_selector("luming-drift[data-ready] canvas", timeout=20_000)


@pytest.mark.parametrize(("size", "language"), [(DESKTOP, "zh-hans"), (PHONE, "en")])
def test_pages_are_sound_and_accessible_in_both_looks(browser, live_server, world, kept, size, language):
    wrong = {}
    with opened(browser, live_server, world, size=size, language=language) as page:
        for name, url in addresses(kept).items():
            page.goto(live_server.url + url)
            settle(page)
            found = violations(page)
            if folder := os.environ.get("LUMING_PICTURES"):  # to look at them
                page.screenshot(path=f"{folder}/{name}-{size[0]}-{language}.png", full_page=True)
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


def test_a_calibration_is_entered_on_a_phone(browser, live_server, world, kept):
    with opened(browser, live_server, world, "maintainer", size=PHONE) as page:
        page.goto(f"{live_server.url}/devices/{kept.device.pk}/health/")
        page.click("text=Enter a calibration")
        page.select_option("#id_instrument", str(kept.instrument.pk))
        page.select_option("#id_kind", "span")
        page.select_option("#id_supply", str(kept.gas.pk))
        page.fill("#id_response", "80.4")
        page.click("button:has-text('Save')")
        page.locator(".alert", has_text="Within limits").wait_for()
    row = Calibration.objects.first()
    assert (row.standard, row.response, row.result) == (80.0, 80.4, "ok")


def test_the_list_is_narrowed_while_one_looks(browser, live_server, world, kept):
    with opened(browser, live_server, world) as page:
        page.goto(f"{live_server.url}/devices/health/")
        assert page.locator("#rows tbody tr").count() == 2
        page.select_option("select[name=need]", "out")
        page.wait_for_url("**need=out**")
        page.locator("#rows tbody tr").nth(1).wait_for(state="detached")
        page.click("#rows thead a:has-text('Maintainer')")
        page.wait_for_url("**sort=maintainer**")
        assert page.locator("#rows tbody tr").count() == 1
