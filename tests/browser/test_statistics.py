"""Statistics in a real browser: the chart, the way from a bar to its packets, past moments, small screens."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from driving import DESKTOP, PHONE, opened, report, violations
from statistic_rows import days_before, row, save_days

from luming.registry.models import Series
from luming.telemetry.statistics import queue, recomputing
from luming.telemetry.statistics.models import Statistic


@pytest.fixture
def city(world):
    """Give the station ten days, one of them not valid, and compute the outlet's days from its hours."""
    for factor, unit in {"a34004": "µg/m³", "a05024": "µg/m³"}.items():
        Series.objects.get_or_create(
            place=world.station, factor=factor, interval="hour", defaults={"seconds": 3600, "unit": unit}
        )
    days = days_before(timezone.now(), 10)
    save_days(world.station, days[:-1])
    row(world.station, "a34004", days[-1], 99.0, valid=False).save()
    hour = world.judgement.start
    queue.mark_span([world.outlet.pk], hour - timedelta(hours=30), hour + timedelta(hours=1))
    recomputing.recompute_pending(now=timezone.now() + timedelta(days=2))
    return world


def drawn(page):
    page.wait_for_selector("luming-statistics canvas, luming-statistics svg")


def test_from_a_chart_to_the_packet(browser, live_server, city):
    with opened(browser, live_server, city, "reviewer") as page:
        day = timezone.localtime(city.judgement.start) - timedelta(days=1)
        query = f"?factor=a34013&measure=mean&from={day:%Y-%m-%d}&to={day:%Y-%m-%d}"
        page.goto(live_server.url + reverse("place-statistics", args=[city.outlet.pk]) + query)
        drawn(page)
        box = page.query_selector("luming-statistics canvas").bounding_box()
        page.mouse.click(box["x"] + 52 + (box["width"] - 64) / 2, box["y"] + 118)  # the only bar, near its foot
        page.wait_for_url("**/statistics/*/")
        assert page.get_by_text("comes out the same").count() == 1
        page.click("main table a[href*='/packets/'] >> nth=0")
        page.wait_for_url("**/packets/*/")


def test_pages_are_fit_for_people_and_screens(browser, live_server, city):
    found = Statistic.objects.filter(place=city.outlet, factor="a34013", measure="mean", kind="day").latest("start")
    urls = [
        reverse("statistics"),
        reverse("statistics") + "?medium=gas&kind=month",
        reverse("statistics-rates"),
        reverse("place-statistics", args=[city.station.pk]) + "?as_of=2026-01-01T00:00",
        reverse("statistic", args=[found.pk]),
    ]
    wrong = {}
    for size, language in ((DESKTOP, "en"), (PHONE, "zh-hans")):
        with opened(browser, live_server, city, "reviewer", size=size, language=language) as page:
            for url in urls:
                page.goto(live_server.url + url)
                if page.query_selector("luming-statistics"):
                    drawn(page)
                complaints = violations(page)
                width = page.evaluate("document.documentElement.scrollWidth")
                if width > size[0]:
                    complaints.append(f"{width} px wide")
                if complaints:
                    wrong[f"{url} {size[0]}"] = complaints
    assert not wrong, report(wrong)
