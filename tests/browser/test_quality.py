"""Data quality in a real browser: sound, accessible at both widths, a preview, a decision, points that do not count."""

from datetime import timedelta

import pytest
from access import quality as access
from django.db import transaction
from django.utils import timezone
from driving import DESKTOP, PHONE, opened, report, violations
from sent_series import Sender, lively

from luming.standards.edition import midnight
from luming.telemetry.quality import closing, running
from luming.telemetry.quality.models import SuspicionRecord

HOUR = timedelta(hours=1)


@pytest.fixture
def measured(world):
    """Three days of dust with a fault, their rates, a setting and a suspicion."""
    today = timezone.localdate()
    start = midnight(today - timedelta(days=3))
    values = lively(72, level=25.0, noise=2.0)
    values[30], values[50] = -40.0, 900.0
    sender = Sender()
    sender(world.series, values, start=start)
    sender.writer.close()
    with transaction.atomic():
        running.check({world.outlet.pk: [start + i * HOUR for i in range(72)]}, "hour")
    for day in closing.due(today, 3):
        closing.close(day)
    made = access.known(world, None, ("check-setting", "suspicion"))
    return {
        "catalogue": "/quality/",
        "check": "/quality/checks/GEN-SPIKE/",
        "fabrication": "/quality/checks/FRAUD-BUNCHING/",
        "setting": f"/quality/checks/GEN-NEGATIVE/set/?target=series:{world.series.pk}",
        "end": f"/quality/settings/{made['check-setting']}/end/",
        "suspicions": "/quality/suspicions/",
        "suspicion": f"/quality/suspicions/{made['suspicion']}/",
        "again": f"/places/{world.outlet.pk}/check-again/",
    }


@pytest.mark.parametrize(("size", "language"), [(DESKTOP, "zh-hans"), (PHONE, "en")])
def test_pages_are_sound_and_accessible(browser, live_server, world, measured, size, language):
    wrong = {}
    with opened(browser, live_server, world, "reviewer", size=size, language=language) as page:
        for name, url in measured.items():
            page.goto(live_server.url + url)
            if name == "suspicion":
                page.wait_for_selector("luming-suspicion[data-ready]")
            found = violations(page)
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                found.append("wider than the window")
            if found:
                wrong[name] = found
    assert not wrong, report(wrong)


def test_a_setting_is_tried_and_a_suspicion_decided(browser, live_server, world, measured):
    with opened(browser, live_server, world, "reviewer") as page:
        page.goto(live_server.url + measured["setting"])
        page.fill("input[name=p-tolerance]", "100")
        page.get_by_role("button", name="What would it change?").click()
        page.wait_for_selector("[data-preview]")
        assert "instead of 1" in page.inner_text("[data-preview]")
        assert page.input_value("input[name=p-tolerance]") in ("100", "100.0")
        page.goto(live_server.url + measured["suspicion"])
        page.fill("textarea[name=reason]", "looked at the raw packets")
        page.get_by_role("button", name="Take it up").click()
        page.wait_for_selector(".alert-success, [role=status], .lm-tag.is-info")
    assert SuspicionRecord.objects.get().state == "acknowledged"


def test_a_value_that_does_not_count_is_drawn_apart_and_explained(browser, live_server, world, measured):
    look = "span=custom&interval=hour&factor=a34013&column=value"
    day = (timezone.localdate() - timedelta(days=2)).isoformat()
    with opened(browser, live_server, world, "reviewer") as page:
        page.goto(f"{live_server.url}/places/{world.outlet.pk}/?{look}&from={day}&to={day}")
        page.wait_for_selector("luming-chart canvas")
        page.wait_for_selector("#values table .lm-tag")
        drawn = page.evaluate("document.querySelector('luming-chart').data.series[0].out.length")
        assert drawn == 1
        page.locator("#values tr", has_text="-40").locator(".lm-cell").first.click()
        page.wait_for_selector("#drawer-body >> text=GEN-NEGATIVE")
        assert "Invalid value" in page.inner_text("#drawer-body")
