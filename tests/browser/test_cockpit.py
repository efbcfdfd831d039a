"""Home, cockpit, wall display and search in a real browser: sound, reachable by keyboard, traceable, lasting."""

import contextlib
import copy
import json
import random
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from driving import DESKTOP, PHONE, opened, report, settle, violations

from luming.core import manifest
from luming.core.manifest import Figure, Tile

WALL, WIDE_WALL = (1920, 1080), (3840, 1080)
WARM, CYCLES, SAMPLE = 70, 150, 5  # cycles of the wall: until the map is warm, then, and between two measures
GROWTH = 1_000_000  # bytes: measures of the same page differ by half of it; a chart left behind each cycle is 10 MB


def until(page, expression):
    """Wait until an expression holds; the page's policy forbids the waiting of the browser's own."""
    for _ in range(150):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(expression)


@contextlib.contextmanager
def plain(browser, live_server, world, role, size=WALL):
    """Yield a signed-in page that may complain: the network is cut on purpose."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce")
    session = world.client(role).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    yield context.new_page()
    context.close()


PAGES = {
    "duty": [
        "/",
        "/cockpit/",
        "/judgements/",
        "/completeness/",
        "/search/?q=F1",
        "/search/",
        "/search/?q=%E6%97%A0%E6%AD%A4",
    ],
    "registrar": ["/"],
    "leader": ["/cockpit/"],
    "publisher": ["/"],
    "maintainer": ["/"],
    "district": ["/"],
    "system-admin": ["/"],
    "security-admin": ["/"],
    "audit-admin": ["/"],
    "none": ["/"],
}


@pytest.mark.parametrize(("size", "language"), [(DESKTOP, "zh-hans"), (PHONE, "en")])
def test_pages_are_sound_and_accessible(browser, live_server, world, size, language):
    wrong = {}
    for role, urls in PAGES.items():
        with opened(browser, live_server, world, role, size=size, language=language) as page:
            for url in urls:
                page.goto(live_server.url + url)
                settle(page)
                found = violations(page)
                width = page.evaluate("document.documentElement.scrollWidth")
                if width > size[0]:
                    found.append(f"scrolls sideways: {width} px")
                if found:
                    wrong[f"{role} {url}"] = found
    assert not wrong, report(wrong)


def test_the_dark_look_is_accessible(browser, live_server, world):
    with opened(browser, live_server, world) as page:
        page.goto(live_server.url)
        page.evaluate("localStorage.setItem('luming-theme', 'dark')")
        for url in ("/", "/cockpit/", "/search/?q=F1"):
            page.goto(live_server.url + url)
            settle(page)
            assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
            assert not violations(page), url


@pytest.mark.parametrize("size", [WALL, WIDE_WALL, (1366, 768), PHONE])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_wall_fits_and_is_accessible(browser, live_server, world, size, language):
    with opened(browser, live_server, world, "leader", size=size, language=language) as page:
        page.goto(f"{live_server.url}/cockpit/wall/")
        until(page, "document.querySelectorAll('.wall-number').length > 4")
        page.wait_for_selector("luming-map[data-ready]", timeout=20_000)
        page.wait_for_selector(".wall-chart canvas")
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        if size != PHONE:
            assert page.evaluate("document.documentElement.scrollHeight") <= size[1]
        cut = page.evaluate(
            "[...document.querySelectorAll('.wall-panel')].filter((n) => n.scrollHeight > n.clientHeight + 2)"
            ".map((n) => n.textContent.slice(0, 40))"
        )
        assert not cut
        assert not violations(page)


def test_from_the_cockpit_to_the_packet_in_three_clicks(browser, live_server, world):
    with opened(browser, live_server, world) as page:
        page.goto(f"{live_server.url}/cockpit/")
        page.click("#tile-outlets-hours a.lm-number")
        page.wait_for_url("**/judgements/**")
        page.click("tbody tr a >> nth=0")
        page.wait_for_url("**/judgements/*/")
        page.click("main a[href^='/packets/'], main [data-drawer]")
        page.wait_for_selector("#drawer a[href^='/packets/'], .lm-packet")


def test_searching_by_keyboard(browser, live_server, world):
    with opened(browser, live_server, world) as page:
        page.goto(f"{live_server.url}/places/")
        settle(page)
        page.focus("main input[name=q]")
        page.keyboard.press("Control+k")
        assert page.evaluate("document.activeElement.id") == "search-text"
        page.keyboard.type(world.facility.name[-2:])
        until(page, "document.querySelectorAll('#search-options [role=option]').length > 1")
        first = page.get_attribute("#search-text", "aria-activedescendant")
        page.keyboard.press("ArrowDown")
        second = page.get_attribute("#search-text", "aria-activedescendant")
        assert first != second and page.get_attribute(f"#{second}", "aria-selected") == "true"
        page.keyboard.press("ArrowUp")
        assert page.get_attribute("#search-text", "aria-activedescendant") == first
        page.keyboard.press("ArrowUp")  # around
        assert page.get_attribute("#search-text", "aria-expanded") == "true"
        assert not violations(page)
        page.keyboard.press("Escape")
        assert not page.evaluate("document.getElementById('search').open")
        assert page.evaluate("document.activeElement.name") == "q"
        page.keyboard.press("Control+k")
        page.fill("#search-text", world.device.mn)
        until(page, f"document.querySelector('#search-options mark')?.textContent === '{world.device.mn}'")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{reverse('device', args=[world.device.pk])}")
        page.keyboard.press("/")
        until(page, "document.querySelector('#search-options [data-again]')")  # searched before
        page.click("[data-again]")
        until(page, "document.querySelector('#search-options mark')")
        page.keyboard.press("Control+Enter")
        page.wait_for_url("**/search/?q=*")


def test_who_types_faster_than_the_answer_gets_what_was_typed(browser, live_server, world):
    with opened(browser, live_server, world) as page:
        page.goto(f"{live_server.url}/places/")
        settle(page)
        page.keyboard.press("Control+k")
        page.fill("#search-text", world.facility.name)
        until(page, "document.querySelector('#search-options [aria-selected=true]')")
        page.route(f"**/search/find/?q={world.device.mn}", lambda route: None)  # an answer that takes its time
        page.fill("#search-text", world.device.mn)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/search/?q={world.device.mn}")


def test_searching_on_a_phone(browser, live_server, world):
    with opened(browser, live_server, world, size=PHONE) as page:
        page.goto(f"{live_server.url}/devices/")
        page.click(".lm-find.is-phone")
        page.fill("#search-text", "nothing like it")
        page.wait_for_selector(".lm-search-none b")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        assert not violations(page)
        page.click("[data-search-close]")
        assert not page.evaluate("document.getElementById('search').open")


def test_lists_of_home_stay_as_they_were_left(browser, live_server, world):
    from luming.registry.models import Device

    with opened(browser, live_server, world) as page:
        page.goto(live_server.url)
        settle(page)
        page.click("details[data-key=unregistered] > summary")
        assert not page.evaluate("document.querySelector('details[data-key=unregistered]').open")
        before = page.inner_text("#numbers")
        Device.objects.update(is_active=False)
        page.evaluate("document.body.dispatchEvent(new CustomEvent('luming:tick'))")
        for _ in range(100):
            if page.inner_text("#numbers") != before:
                break
            page.wait_for_timeout(100)
        assert page.inner_text("#numbers") != before
        assert not page.evaluate("document.querySelector('details[data-key=unregistered]').open")


# ---- the wall lasts


def varied(data, dice):
    """Return the figures of another moment: other values, longer and shorter trends, parts and lists."""
    made = copy.deepcopy(data)
    for group in (group for groups in made["zones"].values() for group in groups):
        for tile in group["tiles"]:
            tile["text"] = f"{dice.random() * 1000:.1f}"
            begin = 1_790_000_000_000 + dice.randrange(10**9)
            tile["trend"] = [[begin + i * 3_600_000, dice.random()] for i in range(dice.randrange(2, 60))]
            if tile.get("kind") != "number":
                tile["parts"] = [
                    [f"part {i}", dice.random(), "#1c7ed6", "/places/", 10] for i in range(dice.randrange(15))
                ]
    made["wrong"] = [
        {"kind": "k", "label": f"l{i}", "value": "v", "url": "/places/"} for i in range(dice.randrange(30))
    ]
    made["number"] = len(made["wrong"])
    return made


def measured(page, session, cycles):
    """Return the least heap, nodes and listeners of three moments from a cycle on: what is shown differs."""
    found = []
    for moment in range(3):
        looked(page, cycles + moment * SAMPLE)
        session.send("HeapProfiler.collectGarbage")
        metrics = {row["name"]: row["value"] for row in session.send("Performance.getMetrics")["metrics"]}
        found.append([metrics[name] for name in ("JSHeapUsedSize", "Nodes", "JSEventListeners")])
    return [min(column) for column in zip(*found, strict=True)]


def test_the_wall_does_not_grow(browser, live_server, world):
    """Many cycles of new figures, each with a turn of every list and chart: heap, nodes and listeners stay."""
    client, dice = world.client("leader"), random.Random(20261124)
    data = client.get(reverse("wall-data")).json()
    moments = [json.dumps(varied(data, dice)) for _ in range(40)]
    places = client.get(reverse("map-layers")).content.decode()
    with opened(browser, live_server, world, "leader", size=WALL) as page:

        def answer(pattern, body):
            page.route(pattern, lambda route: route.fulfill(status=200, content_type="application/json", body=body()))

        answer("**/cockpit/wall.json", lambda: dice.choice(moments))
        answer("**/map.json", lambda: places)
        page.goto(f"{live_server.url}/cockpit/wall/?tick=50&turn=50")
        page.wait_for_selector("luming-map[data-ready]", timeout=20_000)
        page.keyboard.press("p")  # the reader prefers calm; start the turning
        assert page.get_attribute("#wall-pause", "aria-pressed") == "false"
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        heap, nodes, listeners = measured(page, session, WARM)
        heap_after, nodes_after, listeners_after = measured(page, session, WARM + CYCLES)
        assert heap_after < heap + GROWTH, f"{heap / 1e6:.2f} MB -> {heap_after / 1e6:.2f} MB"
        assert nodes_after < nodes + 150, f"{nodes} -> {nodes_after} nodes"
        assert listeners_after < listeners + 20, f"{listeners} -> {listeners_after} listeners"
        assert page.evaluate("document.querySelectorAll('.wall-chart canvas').length") <= 8


def looked(page, cycles):
    for _ in range(3000):
        if page.evaluate("Number(document.getElementById('wall').dataset.looked || 0)") >= cycles:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"fewer than {cycles} cycles")


def test_the_wall_says_when_the_server_is_away_and_comes_back(browser, live_server, world):
    with plain(browser, live_server, world, "leader") as page:
        page.goto(f"{live_server.url}/cockpit/wall/?tick=100")
        looked(page, 2)
        page.route("**/cockpit/wall.json", lambda route: route.abort())
        until(page, "!document.getElementById('wall-trouble').hidden")
        assert "cannot be reached since" in page.inner_text("#wall-trouble")
        assert page.query_selector(".wall-number")  # the last figures stay
        page.unroute("**/cockpit/wall.json")
        until(page, "document.getElementById('wall-trouble').hidden")


def test_the_wall_says_when_the_session_is_over(browser, live_server, world):
    world.users["leader"].language = "en"
    world.users["leader"].save()
    with plain(browser, live_server, world, "leader") as page:
        page.goto(f"{live_server.url}/cockpit/wall/?tick=100")
        looked(page, 2)
        world.client("leader").logout()
        until(page, "!document.getElementById('wall-trouble').hidden")
        assert "session is over" in page.inner_text("#wall-trouble")
        page.click("#wall-trouble a")
        page.wait_for_url("**/sign-in/?next=/cockpit/wall/")


def test_the_wall_lives_with_a_tile_that_fails_and_ends_per_cent_at_a_hundred(
    browser, live_server, world, monkeypatch, caplog
):
    def broken(user):
        raise RuntimeError("no such table")

    def complete(shares):
        begin = timezone.now()
        trend = [(begin + timedelta(days=day), share) for day, share in enumerate(shares)]
        return lambda user: Figure(shares[-1], "/", unit="%", decimals=1, trend=trend)

    shares = {"air": [96.4, 97.1, 99.9], "water": [100.0, 100.0], "sources": [3.0, 5.0], "matters": [80.0, 120.0]}
    tiles = [Tile(f"share-{key}", key, key, complete(values)) for key, values in shares.items()]
    tiles += [Tile(f"broken-{kind}", kind, "air", broken, kind) for kind in ("parts", "list")]
    monkeypatch.setattr(manifest, "tiles", lambda: tiles)
    with opened(browser, live_server, world, "leader", size=WALL) as page:
        page.goto(f"{live_server.url}/cockpit/wall/")
        until(page, "document.querySelectorAll('.wall-chart canvas').length === 4")
        assert page.is_hidden("#wall-trouble")
        assert "could not be computed" in page.inner_text(".wall-panel[data-group=air]")
        ends = page.evaluate(
            "Object.fromEntries([...document.querySelectorAll('.wall-panel[data-group] .wall-chart')].map((node) =>"
            " [node.closest('[data-group]').dataset.group,"
            " echarts.getInstanceByDom(node).getModel().getComponent('yAxis').axis.scale.getExtent()[1]]))"
        )
        assert ends["air"] == ends["water"] == 100 and ends["sources"] < 10 and ends["matters"] >= 120
    caplog.clear()


def test_numbers_of_the_wall_lead_to_their_evidence(browser, live_server, world):
    with opened(browser, live_server, world, "leader", size=WALL) as page:
        page.goto(f"{live_server.url}/cockpit/wall/")
        page.click(".wall-panel[data-group=sources] .wall-number a >> nth=0")
        page.wait_for_url("**/places/?kind=outlet&state=exceeding")
        assert world.facility.name in page.inner_text("main")
