"""Sampling in a real browser: every page sound and accessible, custody in two taps, results by keyboard."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone
from driving import DESKTOP, PHONE, opened, report, settle, violations

from luming.core.models import User
from luming.telemetry.sampling import actions
from luming.telemetry.sampling.models import Sample, SampleResult

# Where to keep pictures of the pages, for people to look at.
GALLERY = os.environ.get("LUMING_GALLERY")


def entry(sample, factor, value, **fields):
    values = {"unit": "mg/m³", "analysed_at": sample.taken_to, "method": "HJ 836-2017", "analyst": "检测员"}
    return actions.Entry(sample, factor, value, **(values | fields))


@pytest.fixture
def rounds(world):
    """A plan with a sample that is compared, one whose results wait, one on its way, and one to be taken."""
    duty, reviewer = world.users["duty"], world.users["reviewer"]
    second = User.objects.create_user("u-second", "Luming-2026!", name="second", role="reviewer")
    today = timezone.localdate()
    plan = actions.create_plan(
        duty, places=[world.outlet], name="废气手工比对监测", medium="gas", factors=["a34013", "a21026"],
        purpose="comparison", frequency="month", starts_on=today, blanks=1, parallels=2, standards="HJ/T 397-2007",
        responsible=duty,
    )  # fmt: skip
    made = actions.issue(duty, plan, today)
    end = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    for number, sample in enumerate(made[:3]):
        start = end - timedelta(hours=2 + 3 * number)
        actions.take(
            duty, sample, taken_from=start, taken_to=start + timedelta(hours=2), samplers="张三、李四",
            weather="晴 西北风", flow="负荷 85 %", longitude=109.8123, latitude=40.6001, accuracy_m=6.0,
        )  # fmt: skip
    actions.record_custody(duty, made[0], "handed", to_whom="收样室", temperature_c=4)
    actions.record_custody(reviewer, made[0], "received", from_whom="张三", temperature_c=5.2)
    actions.record_custody(duty, made[2], "handed", to_whom="司机", temperature_c=4)
    fresh = [Sample.objects.get(pk=sample.pk) for sample in made]
    results = actions.enter_results(reviewer, [entry(fresh[0], "a34013", 6.5), entry(fresh[0], "a21026", 40.0)])
    for result in results:
        seen = actions.seen_hash(result, Sample.objects.get(pk=fresh[0].pk))
        actions.review(second, result, "accepted", seen=seen, reason="复核原始记录")
    actions.enter_results(second, [entry(fresh[1], "a34013", 6.1), entry(fresh[1], "a21026", 7.0)])
    return plan, [Sample.objects.get(pk=sample.pk) for sample in made]


def pages(world, plan, made):
    return {
        "desk": reverse("sampling"),
        "moving": reverse("sampling") + "?tab=moving",
        "plan": reverse("sampling-plan", args=[plan.pk]),
        "plan-new": reverse("sampling-plan-new") + f"?place={world.outlet.pk}",
        "plan-edit": reverse("sampling-plan-edit", args=[plan.pk]),
        "new": reverse("sample-new") + f"?place={world.outlet.pk}",
        "sample": reverse("sample", args=[made[0].pk]),
        "take": reverse("sample-take", args=[made[3].pk]),
        "custody": reverse("sample-custody", args=[made[2].pk]),
        "step": reverse("sample-custody", args=[made[2].pk]) + "?step=received",
        "results": reverse("sample-results"),
        "import": reverse("sample-results-import"),
        "review": reverse("sample-review"),
        "comparisons": reverse("sample-comparisons"),
        "chart": reverse("sample-comparisons") + f"?place={world.outlet.pk}",
        "place": reverse("place", args=[world.outlet.pk]),
    }


@pytest.mark.parametrize(("size", "language"), [(DESKTOP, "zh-hans"), (PHONE, "en")])
def test_every_page_of_sampling_is_sound_and_accessible(browser, live_server, world, rounds, size, language):
    wrong = {}
    with opened(browser, live_server, world, "reviewer", size=size, language=language) as page:
        for name, url in pages(world, *rounds).items():
            page.goto(live_server.url + url)
            settle(page)
            if page.query_selector("luming-comparisons"):
                page.wait_for_selector("luming-comparisons[data-ready=yes] canvas", timeout=20_000)
            found = violations(page)
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > size[0]:
                found.append(f"scrolls sideways: {width} px")
            if found:
                wrong[name] = found
            if GALLERY:
                look = f"{'phone' if size == PHONE else 'desk'}-{language}"
                page.screenshot(path=Path(GALLERY) / f"sampling-{name}-{look}.png", full_page=True)
    assert not wrong, report(wrong)


def test_from_the_label_two_taps_sign_a_step(browser, live_server, world, rounds):
    _plan, made = rounds
    with opened(browser, live_server, world, "duty", size=PHONE, language="zh-hans") as page:
        page.goto(live_server.url + reverse("sample-scan", args=[made[2].number]))
        page.click(".lm-choices .btn-primary")  # the usual next step
        page.click(".lm-sign .btn-primary")
        page.wait_for_selector(".lm-custody")
        assert page.locator(".lm-custody li").count() == 3
    made[2].refresh_from_db()
    assert made[2].state == "received"


def test_the_phone_adds_its_position_when_asked(browser, live_server, world, rounds):
    _plan, made = rounds
    with opened(browser, live_server, world, "duty", size=PHONE) as page:
        page.add_init_script(
            "navigator.geolocation.getCurrentPosition = (good) =>"
            " good({ coords: { longitude: 109.8123456, latitude: 40.6, accuracy: 7.4 } });"
        )
        page.goto(live_server.url + reverse("sample-take", args=[made[3].pk]))
        assert page.input_value("[name=longitude]") == ""  # nothing before the person asks for it
        page.click("luming-whereabouts button")
        page.wait_for_function("document.querySelector('[name=longitude]').value !== ''")
        page.click(".lm-sign .btn-primary")
        page.wait_for_selector(".lm-custody")
    made[3].refresh_from_db()
    assert (made[3].state, made[3].longitude, made[3].accuracy_m) == ("taken", 109.812346, 7.4)


def test_results_are_typed_by_keyboard_alone(browser, live_server, world, rounds):
    _plan, made = rounds
    with opened(browser, live_server, world, "reviewer") as page:
        page.goto(live_server.url + reverse("sample-results") + f"?sample={made[2].pk}")
        page.fill("#analyst", "检测员")
        page.focus("[data-column=value]")
        page.keyboard.type("5.5")
        page.keyboard.press("Enter")
        page.keyboard.type("3L")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")  # below the last row: the button
        page.keyboard.press("Enter")
        page.wait_for_selector(".alert-success")
    assert SampleResult.objects.filter(sample=made[2]).count() == 2
    assert SampleResult.objects.get(sample=made[2], factor="a21026").detection_limit == 3.0
