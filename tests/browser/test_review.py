"""The reviewers' workbench in a real browser: by keyboard alone, by touch, with a colleague, and for everyone."""

import importlib.util
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from driving import DESKTOP, PHONE, opened, report, violations

from luming.registry.models import Series
from luming.telemetry.review import actions, asking, presence, queue, seen
from luming.telemetry.review.models import Draft, Review, ReviewDay

GALLERY = os.environ.get("LUMING_GALLERY")
FIXTURES = Path(__file__).resolve().parents[1] / "web" / "review" / "conftest.py"


@pytest.fixture
def review(world):
    spec = importlib.util.spec_from_file_location("review_fixtures", FIXTURES)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.prepare(world)
    clean = found.date - timedelta(days=1)
    for one in world.outlet.series.filter(interval="hour"):
        found.send(one, [5.0 + hour / 10 for hour in range(24)], clean)
    queue.fill(clean)
    found.clean = ReviewDay.objects.select_related("place__station").get(place=world.outlet, day=clean)
    return found


def address(review, day=None):
    return reverse("review-day", args=[review.world.outlet.pk, (day or review.date).isoformat()])


def ready(page, key=None):
    wanted = f"[data-ready='{key}']" if key else "[data-ready]"
    page.wait_for_selector(f"luming-review{wanted}")
    page.wait_for_selector(".lm-review-chart canvas")


def said(page, text):
    page.wait_for_function("text => document.querySelector('[data-slot=said]').textContent.includes(text)", arg=text)


def test_a_day_is_reviewed_with_keys_alone(browser, live_server, review):
    with opened(browser, live_server, review.world, "reviewer") as page:
        page.goto(live_server.url + address(review))
        ready(page)
        cell = page.locator("td[tabindex='0']")
        assert cell.get_attribute("data-r") == "5", "the first doubtful value has the focus"
        page.keyboard.press("i")
        page.keyboard.press("2")  # calibration
        said(page, "Draft kept")
        assert Draft.objects.get().code.code == "calibration"
        page.keyboard.press("u")
        said(page, "taken back")
        page.keyboard.press("Shift+ArrowDown")
        page.keyboard.press("Shift+ArrowDown")
        page.keyboard.press("x")
        page.keyboard.press("a")
        page.keyboard.press("1")
        said(page, "Draft kept")
        assert Draft.objects.count() == 2 and page.locator("td.has-draft").count() == 6
        page.keyboard.press("Home")
        page.keyboard.press("r")
        page.keyboard.type("4.75")
        page.keyboard.press("Enter")
        page.keyboard.press("2")
        said(page, "Draft kept")
        assert Draft.objects.get(value=4.75).start == review.at(0)
        page.keyboard.press("?")
        page.wait_for_selector("dialog[open]")
        page.keyboard.press("Escape")
        page.keyboard.press("Control+Enter")
        ready(page, f"{review.world.outlet.pk}/{review.clean.day.isoformat()}")
        said(page, "Signed")
        assert page.url.endswith(address(review, review.clean.day)), "without loading the page"
        assert Review.objects.get().decisions.count() == 3
        page.keyboard.press("Control+Enter")  # a clean day: one chord
        page.wait_for_url("**/review/")
        assert Review.objects.count() == 2
        page.go_back()
        page.wait_for_selector("luming-review[data-ready]")


def test_words_are_kept_and_letters_in_fields_are_letters(browser, live_server, review):
    with opened(browser, live_server, review.world, "reviewer") as page:
        page.goto(live_server.url + address(review))
        ready(page)
        page.keyboard.press("q")
        page.keyboard.press("4")  # other: wants words
        page.keyboard.type("why a quirk?")
        page.reload()
        ready(page)
        page.keyboard.press("q")
        assert page.input_value("#review-reason") == "why a quirk?", "what was typed is not lost"
        page.keyboard.press("4")
        said(page, "Draft kept")
        assert Draft.objects.get().reason == "why a quirk?"


def test_chart_and_table_choose_the_same(browser, live_server, review):
    with opened(browser, live_server, review.world, "reviewer") as page:
        page.goto(live_server.url + address(review))
        ready(page)
        box = page.locator(".lm-review-chart canvas").first.bounding_box()
        page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + 60)
        row = int(page.locator("td[tabindex='0']").get_attribute("data-r"))
        assert 10 <= row <= 13
        page.locator("[data-do=extend]").click()
        page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + 60)
        assert page.locator("td[aria-selected=true]").count() >= 5
        page.locator("[data-toggle=around]").check()
        with page.expect_response("**/neighbours.json") as answer:
            page.locator("[data-toggle=neighbours]").check()
        assert answer.value.ok and answer.value.json()["names"]


def test_changes_and_colleagues_are_told(browser, live_server, review):
    # the browser itself complains of the answer 409, which is what is tested
    with pytest.raises(AssertionError) as found, opened(browser, live_server, review.world, "reviewer") as page:
        page.goto(live_server.url + address(review))
        ready(page)
        presence.touch(review.world.users["duty"], review.day)
        page.evaluate("document.body.dispatchEvent(new CustomEvent('luming:tick'))")
        page.wait_for_selector("[data-slot=here] .alert")
        page.keyboard.press("a")
        page.keyboard.press("1")
        said(page, "Draft kept")
        review.send(review.series, [9.9], review.date, first=7)
        with page.expect_response("**/submit/") as answer:
            page.evaluate("document.querySelector('[data-do=submit]').click()")
        assert answer.value.status == 409
        page.wait_for_selector("td.is-new")
        assert "changed" in page.inner_text("[data-slot=problem]")
    assert found.traceback[-1].path.name == "driving.py", "nothing but the browser's own complaint"


def test_a_phone_decides_by_touch(browser, live_server, review):
    minute = Series.objects.create(
        place=review.world.outlet, factor="a34013", interval="minute", seconds=600, unit="mg/m³"
    )
    review.send(minute, [1.0, 2.0, 3.0], review.date, first=36, interval_seconds=600)
    with opened(browser, live_server, review.world, "reviewer", size=PHONE) as page:
        page.goto(live_server.url + address(review))
        ready(page)
        page.locator("td[data-r='5'][data-c='0']").tap()
        page.locator("[data-do=extend]").tap()
        page.locator("td[data-r='6'][data-c='0']").tap()
        page.locator("[data-action=invalid]").tap()
        page.locator("[data-code]").first.tap()
        said(page, "Draft kept")
        draft = Draft.objects.get()
        assert (draft.start, draft.end) == (review.at(5), review.at(7))
        page.locator("[data-do=minutes]").tap()
        page.wait_for_function("() => document.querySelectorAll('.lm-grid tbody tr').length === 3")
        page.locator("[data-do=minutes]").tap()
        page.locator("[data-step]").first.tap()
        said(page, "taken back")


def pages(review):
    day = review.day
    reviewer = review.world.users["reviewer"]
    actions.save_draft(
        reviewer, review.clean, [review.series.pk], review.clean.start, review.clean.start + timedelta(hours=2), "ask",
        review.code("mark-missing"),
    )  # fmt: skip
    signed = actions.submit(reviewer, review.clean, seen.look_at_day(review.clean).fingerprint())
    actions.save_draft(reviewer, day, [review.series.pk], review.at(1), review.at(3), "invalid", review.code("power"))
    presence.touch(review.world.users["duty"], day)
    asking.ask(reviewer, day, review.series, review.at(3), review.at(5), "请说明该时段生产与治理设施运行状况")
    return {
        "queue": reverse("review-queue"),
        "quiet": reverse("review-queue") + "?view=quiet",
        "desk": address(review),
        "signature": reverse("review-signature", args=[signed.pk]) + "?check=1",
        "reasons": reverse("register", args=["review-reasons"]),
    }


@pytest.mark.parametrize(
    ("size", "language", "dark"), [(DESKTOP, "zh-hans", False), (PHONE, "en", False), (DESKTOP, "en", True)]
)
def test_every_page_is_sound_and_accessible(browser, live_server, review, size, language, dark):
    wrong = {}
    found = pages(review)
    with opened(browser, live_server, review.world, "reviewer", size=size, language=language) as page:
        page.goto(live_server.url + "/account/")
        page.evaluate(f"localStorage.setItem('luming-theme', '{'dark' if dark else 'light'}')")
        for name, url in found.items():
            page.goto(live_server.url + url)
            if name == "desk":
                ready(page)
                page.wait_for_selector("[data-slot=here] .alert")
                page.keyboard.press("i")
            check(page, name, size, language, dark, wrong)
    with opened(browser, live_server, review.world, "enterprise", size=size, language=language) as page:
        number = review.world.outlet.questions.order_by("pk").first().pk
        for name, url in {
            "portal": reverse("portal"),
            "questions": reverse("portal-section", args=["questions"]),
            "question": reverse("portal-item", args=["questions", str(number)]),
        }.items():
            page.goto(live_server.url + url)
            check(page, name, size, language, dark, wrong)
    assert not wrong, report(wrong)


def check(page, name, size, language, dark, wrong):
    found = violations(page)
    width = page.evaluate("document.documentElement.scrollWidth")
    if width > size[0]:
        found.append(f"scrolls sideways: {width} px")
    if found:
        wrong[name] = found
    if GALLERY:
        look = f"{'phone' if size == PHONE else 'desk'}-{language}{'-dark' if dark else ''}"
        page.screenshot(path=Path(GALLERY) / f"review-{name}-{look}.png", full_page=True)
