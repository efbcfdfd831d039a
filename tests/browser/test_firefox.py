"""The main pages in Firefox: drawn, no complaint, no sideways scrolling."""

import firefox
import pytest

ONE_MAP_DRAWN = "document.querySelector('luming-onemap[data-ready]')"
MAP_DRAWN = "document.querySelector('luming-map[data-ready], luming-map .lm-message')"

pytestmark = pytest.mark.skipif(firefox.path() is None, reason="no Firefox (Debian: apt install firefox-esr)")


def test_pages_work_in_firefox(live_server, world):
    outlet = world.outlet.pk
    session = world.client("duty").cookies["sessionid"].value
    pages = [
        "/", "/places/", f"/places/{outlet}/?interval=hour", f"/facilities/{world.facility.pk}/",
        f"/packets/{world.packet}/", f"/devices/{world.device.pk}/", "/map/", "/cockpit/", "/registers/facilities/",
        f"/registers/facilities/{world.facility.pk}/", f"/regions/{world.outlet.region_id}/", "/search/?q=F1",
        "/public/zh/",
    ]  # fmt: skip
    with firefox.started() as tab:
        tab.cookie("sessionid", session, "localhost")
        wrong = {}
        for width, height in ((1440, 900), (390, 844)):
            tab.size(width, height)
            for url in pages:
                tab.open(live_server.url + url)
                tab.until("document.querySelector('main')")
                tab.until(
                    "!document.querySelector('luming-onemap') || document.querySelector('luming-onemap[data-ready]')"
                )
                tab.until("!document.querySelector('luming-chart') || document.querySelector('luming-chart canvas')")
                tab.until(f"!document.querySelector('luming-map') || {MAP_DRAWN}")
                if tab.evaluate("document.documentElement.scrollWidth") > width:
                    wrong[url, width] = "scrolls sideways"
        assert not wrong
        assert not tab.complaints
