"""Evidence in a real browser: every page sound and accessible, from a figure to a sheet that the public verifies."""

import os
from pathlib import Path

import pytest
from django.urls import reverse
from driving import DESKTOP, PHONE, opened, report, settle, violations
from statistic_rows import row

from luming.telemetry import store
from luming.telemetry.evidence import actions, closing
from luming.telemetry.evidence.models import EvidenceSheet

# Where to keep pictures of the pages, for people to look at.
GALLERY = os.environ.get("LUMING_GALLERY")


@pytest.fixture
def proved(world):
    """A statistic, a verdict with a check that spoke, closed days and a sheet."""
    found = row(world.outlet, "a34013", "2026-05-01", 8.0, unit="mg/m³")
    found.save()
    verdict = store.VerdictRow(
        world.series.pk, world.judgement.start, 0, store.Origin.MEASURED, store.Quality.INVALID, "checks", "1",
        checks=["GEN-RANGE:4"], reason="out of range",
    )  # fmt: skip
    store.write_verdicts([verdict])
    list(closing.close_days())
    sheet = actions.issue_sheet(world.users["reviewer"], "judgement", str(world.judgement.pk), "行政处罚案卷")
    return found, sheet


def pages(world, statistic, sheet):
    start = int(world.judgement.start.timestamp() * 1000)
    return {
        "judgement": reverse("evidence-judgement", args=[world.judgement.pk]),
        "statistic": reverse("evidence-statistic", args=[statistic.pk]),
        "value": reverse("evidence-value", args=[world.series.pk, start]),
        "packet": reverse("evidence-packet", args=[world.packet]),
        "sheets": reverse("evidence-sheets"),
        "none": reverse("evidence-sheets") + "?q=00000",
        "sheet": reverse("evidence-sheet", args=[sheet.code]),
        "days": reverse("evidence-days"),
        "verify": reverse("verify") + "?lang=LANG",
        "unknown": reverse("verify") + "?code=abc&lang=LANG",
        "verified": reverse("verify-sheet", args=[sheet.code]) + "?lang=LANG",
    }


@pytest.mark.parametrize(("size", "language"), [(DESKTOP, "zh-hans"), (PHONE, "en")])
def test_every_page_of_evidence_is_sound_and_accessible(browser, live_server, world, proved, size, language):
    wrong = {}
    with opened(browser, live_server, world, "reviewer", size=size, language=language) as page:
        for name, url in pages(world, *proved).items():
            page.goto(live_server.url + url.replace("LANG", language[:2]))
            settle(page)
            found = violations(page)
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > size[0]:
                found.append(f"scrolls sideways: {width} px")
            if found:
                wrong[name] = found
            if GALLERY:
                look = f"{'phone' if size == PHONE else 'desk'}-{language}"
                page.screenshot(path=Path(GALLERY) / f"evidence-{name}-{look}.png", full_page=True)
    assert not wrong, report(wrong)


def test_from_a_judgement_to_a_sheet_that_anyone_verifies(browser, live_server, world):
    with opened(browser, live_server, world, "enforcement", language="zh-hans") as page:
        page.goto(live_server.url + reverse("judgement", args=[world.outlet.pk, world.judgement.pk]))
        page.click("a[href*='/evidence/judgements/']")
        page.fill("[name=purpose]", "案卷 2026-17")
        page.press("[name=purpose]", "Enter")
        page.wait_for_selector(".alert-success")
        code = EvidenceSheet.objects.get().grouped
        page.goto(live_server.url + reverse("verify") + "?lang=zh")
        page.fill("#code", code.lower())
        page.press("#code", "Enter")
        page.wait_for_selector(".alert-success")
        assert code in page.inner_text("main")
