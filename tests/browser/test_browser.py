"""The pages in a real browser: no errors, no sideways scrolling, accessible, live, two clicks to the packet."""

from datetime import timedelta

import pytest
from django.urls import reverse
from driving import DESKTOP, PHONE, opened, report, settle, violations

from luming.telemetry import store
from luming.telemetry.identity import PacketIds


def addresses(world):
    outlet, device = world.outlet.pk, world.device.pk
    return {
        "duty": [
            "/", "/places/", f"/places/{outlet}/?interval=hour", f"/places/{outlet}/judgements/{world.judgement.pk}/",
            f"/facilities/{world.facility.pk}/", "/packets/", f"/packets/{world.packet}/", f"/packets/{world.held}/",
            "/packets/problems/", "/devices/", f"/devices/{device}/", "/unregistered/",
            "/unregistered/adopt/?mn=010000A8900016F0001699FF", "/account/", "/account/password/",
        ],
        "registrar": ["/import/"],
        "system-admin": ["/users/", "/users/new/", "/system/"],
        "security-admin": ["/roles/", f"/roles/{world.users['none'].pk}/"],
        "audit-admin": ["/audit/"],
    }  # fmt: skip


@pytest.mark.parametrize(("size", "language"), [(DESKTOP, "zh-hans"), (PHONE, "en")])
def test_every_page_is_sound_and_accessible(browser, live_server, world, size, language):
    wrong = {}
    for role, urls in addresses(world).items():
        with opened(browser, live_server, world, role, size=size, language=language) as page:
            for url in urls:
                page.goto(live_server.url + url)
                settle(page)
                found = violations(page)
                width = page.evaluate("document.documentElement.scrollWidth")
                if width > size[0]:
                    found.append(f"scrolls sideways: {width} px")
                if found:
                    wrong[url] = found
    assert not wrong, report(wrong)


@pytest.mark.parametrize(("size", "language"), [(PHONE, "zh-hans"), (DESKTOP, "en")])
def test_pages_fit_in_the_other_language(browser, live_server, world, size, language):
    with opened(browser, live_server, world, size=size, language=language) as page:
        for url in addresses(world)["duty"][:8]:
            page.goto(live_server.url + url)
            settle(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], url


def test_the_dark_look_is_accessible(browser, live_server, world):
    with opened(browser, live_server, world) as page:
        page.goto(f"{live_server.url}/places/{world.outlet.pk}/?interval=hour")
        settle(page)
        page.click("header [data-theme-toggle]")
        assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
        page.wait_for_timeout(300)
        assert not violations(page)
        page.goto(f"{live_server.url}/")
        assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
        settle(page)
        assert not violations(page)


def test_the_sign_in_page(browser, live_server, world):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{live_server.url}/places/")
    assert not violations(page)
    page.fill("#id_username", "u-duty")
    page.fill("#id_password", "Luming-2026!")
    page.click("main form .btn-primary")
    page.wait_for_url("**/places/")
    page.click(".navbar-toggler")
    page.wait_for_selector("#menu.show")
    page.click("#menu a[href='/devices/']")
    page.wait_for_url("**/devices/")
    context.close()


def until(page, expression):
    """Wait until an expression holds; the page's policy forbids the waiting of the browser's own."""
    for _ in range(80):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(expression)


def newest_packet(world):
    return store.history(world.series.pk, world.judgement.start)[-1].packet_id


def test_two_clicks_from_a_chart_to_the_packet(browser, live_server, world):
    with opened(browser, live_server, world) as page:
        page.goto(f"{live_server.url}/places/{world.outlet.pk}/?interval=hour&factor=a34013")
        settle(page)
        x, y = page.evaluate(
            """() => {
                const element = document.querySelector("luming-chart");
                const one = element.shown[0], last = one.t.length - 1;
                const point = [one.t[last] + element.data.offset, one.v[last]];
                const [x, y] = element.chart.convertToPixel({ gridIndex: 0 }, point);
                element.area.scrollIntoView({ block: "center" });
                const box = element.area.getBoundingClientRect();
                return [box.left + x, box.top + y];
            }"""
        )
        page.mouse.click(x, y)  # first
        page.wait_for_selector("#drawer.show #drawer-body a.btn-primary")
        assert not violations(page)
        page.click("#drawer-body a.btn-primary >> nth=0")  # second
        page.wait_for_url(f"**/packets/{newest_packet(world)}/")
        assert "##" in page.inner_text(".lm-packet >> nth=0")


def test_two_clicks_from_a_table_and_three_from_a_judgement(browser, live_server, world):
    with opened(browser, live_server, world) as page:
        page.goto(f"{live_server.url}/places/{world.outlet.pk}/?interval=hour&factor=a34013")
        page.wait_for_selector("#values .lm-cell")
        page.click("#values .lm-cell >> nth=0")
        page.click("#drawer-body a.btn-primary >> nth=0")
        page.wait_for_url(f"**/packets/{newest_packet(world)}/")
        page.goto(f"{live_server.url}/places/{world.outlet.pk}/")
        page.click("a[href*='/judgements/']")
        page.click(".lm-cell >> nth=0")
        page.click("#drawer-body a.btn-primary >> nth=0")
        page.wait_for_url("**/packets/**")


def test_values_appear_without_reload(browser, live_server, world, page_tests):
    with opened(browser, live_server, world) as page:
        page.goto(f"{live_server.url}/places/{world.outlet.pk}/?interval=hour&factor=a34013")
        settle(page)
        page.evaluate("window.neverReloaded = true")
        assert page.locator("#now .lm-cell", has_text="77.7").count() == 0
        start = world.judgement.start + timedelta(hours=1)
        packet = store.PacketRow(
            PacketIds(10).next(page_tests.NOW), page_tests.NOW, "I", None, world.device.pk, world.device.mn, "", "31",
            2061, None, page_tests.hour_packet(world.device.mn, start, 77.7), "A",
        )  # fmt: skip
        row = store.ObservationRow(
            world.series.pk, world.outlet.pk, "hour", start, 77.7, 77.0, 78.0, 77.7, None, "N", packet.id
        )
        with store.Writer() as writer:
            writer.write([packet], [row])
        page.evaluate("document.body.dispatchEvent(new CustomEvent('luming:tick'))")  # what the shell does every 10 s
        page.locator("#now .lm-cell", has_text="77.7").wait_for()
        until(page, "document.querySelector('luming-chart').shown[0].v.at(-1) === 77.7")
        assert page.evaluate("window.neverReloaded")


def test_nothing_is_asked_for_while_the_page_is_hidden(browser, live_server, world):
    with opened(browser, live_server, world) as page:
        page.goto(f"{live_server.url}/places/")
        settle(page)
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        hide = (
            "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
            " document.dispatchEvent(new Event('visibilitychange'))"
        )
        page.evaluate(hide % "true")
        page.wait_for_timeout(200)
        assert not asked
        page.evaluate(hide % "false")
        page.wait_for_timeout(500)
        assert asked


def test_times_are_the_citys_in_any_zone(browser, live_server, world):
    """The browser lives in New York; hour labels and the axis are Beijing's."""
    with opened(browser, live_server, world) as page:
        page.goto(f"{live_server.url}/places/{world.outlet.pk}/?interval=hour&factor=a34013")
        settle(page)
        local = world.judgement.start + timedelta(hours=8)
        expected = f"{local:%m-%d %H:%M}"
        assert expected in page.inner_text("#now")
        head = page.evaluate(
            "() => { const c = document.querySelector('luming-chart'); const s = c.shown[0];"
            " return c.span(s.t.at(-1) + c.data.offset, 3600); }"
        )
        assert head.startswith(expected)


def test_a_command_is_sent_from_the_drawer(browser, live_server, world):
    with opened(browser, live_server, world) as page:
        page.goto(f"{live_server.url}/devices/{world.device.pk}/")
        page.click(f"[data-drawer='{reverse('device-command', args=[world.device.pk, 1062])}']")
        page.fill("#p-RtdInterval", "60")
        assert not violations(page)
        page.fill("#p-reason", "test")
        page.check("input[name=confirm]")
        page.click("#drawer-body button[type=submit]")
        page.wait_for_selector(".alert-success")
        assert "1062" in page.inner_text("#commands")


def test_pieces_of_a_packet_say_what_they_are(browser, live_server, world):
    with opened(browser, live_server, world, size=PHONE, language="zh-hans") as page:
        page.goto(f"{live_server.url}/packets/{world.packet}/")
        settle(page)
        page.tap(".lm-piece >> nth=1")
        label = page.get_attribute(".lm-piece >> nth=1", "data-label")
        assert page.inner_text("#piece-label") == label and label


def test_search_filters_as_one_types(browser, live_server, world):
    with opened(browser, live_server, world) as page:
        page.goto(f"{live_server.url}/places/")
        settle(page)
        page.type("input[name=q]", "F2")
        until(page, "!document.querySelector('#rows').innerText.includes('F1')")
        assert "F2" in page.inner_text("#rows") and "q=F2" in page.url
        page.evaluate("document.body.dispatchEvent(new CustomEvent('luming:tick'))")
        page.wait_for_timeout(600)
        assert "F1" not in page.inner_text("#rows")  # a tick keeps the filter
