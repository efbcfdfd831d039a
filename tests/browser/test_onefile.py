"""The pages of the file in a real browser: sound, accessible, easy to walk, at both widths and in both looks."""

from datetime import timedelta

import pytest
from django.utils import timezone
from driving import DESKTOP, PHONE, opened, report, violations

from luming.registry.models import Station
from luming.telemetry.models import Event, Judgement


def settle(page):
    """Wait for the map; a chart may have nothing to draw."""
    page.wait_for_selector("luming-map[data-ready]", timeout=20_000)


def until(page, expression):
    """Wait until an expression holds; the page's policy forbids the waiting of the browser's own."""
    for _ in range(80):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(expression)


@pytest.fixture
def pages(world):
    """Make a section and a past, and return the addresses of one page of every kind."""
    section = Station.objects.create(
        code="W1", name="断面一", medium="water", region=world.outlet.region, longitude=109.9, latitude=40.6,
        water_body="river", target_class=3,
    )  # fmt: skip
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    for age, klass in enumerate((3, 4, 2)):
        Judgement.objects.create(
            place=section, kind="water-class", start=hour - timedelta(hours=age), state=f"class-{klass}", value=klass,
            edition="GB 3838-2002", software="0",
        )  # fmt: skip
    Event.objects.bulk_create(
        Event(at=hour - timedelta(days=age), kind="connected", device=world.device) for age in range(50)
    )
    return {
        "facility": f"/facilities/{world.facility.pk}/",
        "outlet": f"/places/{world.outlet.pk}/",
        "station": f"/places/{world.station.pk}/",
        "section": f"/places/{section.pk}/",
        "region": "/regions/150203/",
    }


@pytest.mark.parametrize(("size", "language"), [(DESKTOP, "zh-hans"), (PHONE, "en")])
def test_pages_are_sound_and_accessible_in_both_looks(browser, live_server, world, pages, size, language):
    wrong = {}
    with opened(browser, live_server, world, size=size, language=language) as page:
        for name, url in pages.items():
            page.goto(live_server.url + url)
            settle(page)
            found = violations(page)
            page.evaluate("document.documentElement.setAttribute('data-bs-theme', 'dark')")
            page.evaluate("document.dispatchEvent(new CustomEvent('luming:theme'))")
            page.wait_for_timeout(200)
            found += violations(page)
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > size[0]:
                found.append(f"scrolls sideways: {width} px")
            if found:
                wrong[name] = found
    assert not wrong, report(wrong)


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_way_through_a_long_page(browser, live_server, world, pages, size):
    with opened(browser, live_server, world, size=size) as page:
        page.goto(live_server.url + pages["facility"])
        settle(page)
        page.click(".lm-sections a[href='#signals']")
        until(page, "document.querySelector('.lm-sections [aria-current]')?.hash === '#signals'")
        bar = page.evaluate("document.querySelector('luming-sections').getBoundingClientRect().bottom")
        top = page.evaluate("document.querySelector('#signals').getBoundingClientRect().top")
        assert 0 < bar <= top + 1  # the way stays in sight and covers nothing


def test_the_timeline_goes_back_and_keeps_to_one_source(browser, live_server, world, pages):
    with opened(browser, live_server, world) as page:
        page.goto(live_server.url + pages["facility"])
        page.locator("#timeline .lm-story > li").first.wait_for()
        before = page.locator("#timeline .lm-story > li").count()
        page.click(".lm-older a")
        until(page, f"document.querySelectorAll('#timeline .lm-story > li').length > {before}")
        page.click("#timeline .lm-source[href$='source=gaps']")
        until(page, "document.querySelector('#timeline .lm-source[aria-current]').href.endsWith('source=gaps')")
        assert page.locator("#timeline .lm-story > li").count() == 1


def test_neighbours_come_with_the_distance(browser, live_server, world, pages):
    with opened(browser, live_server, world) as page:
        page.goto(live_server.url + pages["facility"])
        settle(page)
        assert page.locator("#near [data-km]:visible").count() == 0 and page.locator("#near-none:visible").count() == 1
        page.click("luming-distance [data-km='10']")
        assert page.get_attribute("luming-distance [data-km='10']", "aria-pressed") == "true"
        assert page.locator("#near li:visible").count() == 1
        page.wait_for_selector("luming-map[data-ready]", timeout=20_000)
        assert "km=10" in page.get_attribute("luming-map", "data-layers")


def test_the_outlets_stay_up_to_date(browser, live_server, world, pages):
    with opened(browser, live_server, world) as page:
        page.goto(live_server.url + pages["facility"])
        settle(page)
        page.evaluate("window.neverReloaded = true")
        world.outlet.current.state = "stopped"
        world.outlet.current.save()
        page.evaluate("document.body.dispatchEvent(new CustomEvent('luming:tick'))")
        page.locator("#outlets .lm-state", has_text="Stopped").wait_for()
        assert page.evaluate("window.neverReloaded")
