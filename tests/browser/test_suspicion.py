"""The picture of a suspicion in a real browser: every kind is drawn, in both languages, light and dark, accessibly."""

import pytest
from django.template.loader import render_to_string
from django.utils import translation
from driving import DESKTOP, PHONE, opened, violations

from luming.science.qc.fraud import CHECKS, as_dict, synthetic

BY_CODE = {check.code: check for check in CHECKS}
WAYS = {
    "FRAUD-BUNCHING": ("stack", synthetic.cut, 0.9),
    "FRAUD-TRUNCATION": ("stack", synthetic.cap, 0.95),
    "FRAUD-DIGITS": ("stack", synthetic.prefer, 0.2),
    "FRAUD-REPEAT": ("stack", synthetic.paste, 72),
    "FRAUD-DAILY": ("stack", synthetic.replay, 0.01),
    "FRAUD-NOISE": ("stack", synthetic.smooth, 12),
    "FRAUD-CALIBRATION": ("calibrated", synthetic.deaf, 1.0),
    "FRAUD-LOAD": ("stack", synthetic.ignore_load, 42),
    "FRAUD-LEVEL": ("stack", synthetic.behave, 0.4),
}


@pytest.fixture(scope="module")
def found():
    suspicions = []
    for code, (kind, tamper, strength) in WAYS.items():
        window = tamper(synthetic.series(kind, 2), strength, 2)
        suspicions += [as_dict(one) for one in BY_CODE[code].run(window, "so2", **BY_CODE[code].defaults("so2"))]
    assert {one["picture"]["kind"] for one in suspicions} == {"histogram", "line", "scatter", "bars"}
    return suspicions


@pytest.mark.parametrize(("size", "language", "dark"), [
    (DESKTOP, "zh-hans", True), (PHONE, "en", False),
])  # fmt: skip
def test_every_kind_of_picture_is_drawn(browser, live_server, world, found, tmp_path, size, language, dark):
    with translation.override(language):
        parts = [render_to_string("web/quality/suspicion.html", {"suspicion": one}) for one in found]
    with opened(browser, live_server, world, size=size, language=language) as page:
        page.goto(f"{live_server.url}/account/")
        # Parts come like those that htmx swaps in: scripts of a fragment run, and the policy of the page holds.
        page.evaluate(
            """([html, dark]) => {
              if (dark) document.documentElement.setAttribute("data-bs-theme", "dark");
              const part = document.createRange().createContextualFragment(html);
              document.querySelector("#content").replaceChildren(part);
            }""",
            ["\n".join(["<h1>h</h1><h2>h</h2>", *parts]), dark],
        )
        page.wait_for_function(
            "count => document.querySelectorAll('luming-suspicion[data-ready] canvas').length === count", arg=len(found)
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        page.evaluate("document.querySelector('luming-suspicion details').open = true")
        page.wait_for_selector("luming-suspicion tbody tr")
        rows = page.evaluate("document.querySelectorAll('luming-suspicion tbody tr').length")
        assert rows == len(found[0]["picture"]["x"])
        assert not violations(page)
        for number, part in enumerate(page.query_selector_all("luming-suspicion")):
            assert part.query_selector("[role=img]").get_attribute("aria-label") == found[number][language[:2]]
        page.screenshot(path=tmp_path / f"{size[0]}-{language}.png", full_page=True)


INSERT = """html => document.querySelector("#content").replaceChildren(
  document.createRange().createContextualFragment(html))"""


def test_the_chart_follows_the_theme(browser, live_server, world, found):
    html = render_to_string("web/quality/suspicion.html", {"suspicion": found[0]})
    with opened(browser, live_server, world, language="en") as page:
        page.goto(f"{live_server.url}/account/")
        page.evaluate(INSERT, html)
        page.wait_for_selector("luming-suspicion[data-ready] canvas")
        page.evaluate("document.querySelector('luming-suspicion canvas').id = 'before'")
        page.click("header [data-theme-toggle]")
        page.wait_for_selector("luming-suspicion canvas:not(#before)")


def test_without_the_library_the_figures_stand(browser, live_server, world, found):
    with translation.override("en"):
        html = render_to_string("web/quality/suspicion.html", {"suspicion": found[0]})
    context = browser.new_context(locale="en")
    context.add_cookies(
        [{"name": "sessionid", "value": world.client("duty").cookies["sessionid"].value, "url": live_server.url}]
    )
    page = context.new_page()
    page.route("**/vendor/echarts/**", lambda route: route.abort())
    page.goto(f"{live_server.url}/account/")
    page.evaluate(INSERT, html)
    page.wait_for_selector("luming-suspicion .lm-message")
    assert "could not be loaded" in page.inner_text("luming-suspicion .lm-message")
    page.click("luming-suspicion summary")
    page.wait_for_selector("luming-suspicion tbody tr")
    context.close()
