"""Driving a real Chromium over the pages: sign in as a role, wait until drawn, ask axe; see tests/browser."""

import contextlib
from pathlib import Path

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
DESKTOP, PHONE = (1440, 900), (390, 844)


@contextlib.contextmanager
def opened(browser, live_server, world, role="duty", *, size=DESKTOP, language="en"):
    """Yield a page of a signed-in person and check at the end that nothing complained."""
    user = world.users[role]
    user.language = language
    user.save()
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        timezone_id="America/New_York",
        reduced_motion="reduce",
        has_touch=size == PHONE,
    )
    session = world.client(role).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    context.set_default_timeout(12_000)
    page = context.new_page()
    complaints = []
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: foreign(request.url, live_server.url) and complaints.append(request.url))
    yield page
    context.close()
    assert not complaints


def foreign(url, own):
    return not url.startswith((own, "blob:", "data:"))


def settle(page):
    if page.query_selector("luming-map"):
        page.wait_for_selector("luming-map[data-ready]", timeout=20_000)
    if page.query_selector("luming-chart"):
        page.wait_for_selector("luming-chart canvas", timeout=20_000)
        page.wait_for_selector("#values table")


def violations(page):
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("async (rules) => (await axe.run(document, rules)).violations", RULES)
    return [f"{item['id']}: {node['target']} {node['html'][:120]}" for item in found for node in item["nodes"]]


def report(wrong):
    """Return what is wrong with pages, a line each: pytest cuts a dictionary short."""
    return "\n" + "\n".join(f"{url}  {found}" for url, all_found in wrong.items() for found in all_found)
