"""Public site, portal, health, second factor, help and first run in a real browser."""

import pytest
from django.core.cache import cache
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice
from driving import DESKTOP, PHONE, opened, report, settle, violations

from luming.core import setup_token
from luming.core.models import User
from luming.core.roles import ADMINISTRATORS
from luming.domains.disclosure import actions as disclosure

PASSWORD = "Deer-in-the-grass-7"
PAGES = {
    "duty": ["/public/zh/", "/public/en/air/", "/public/en/air/S1/", "/public/zh/air/S1/30/", "/public/zh/water/",
             "/public/en/about/", "/public/zh/announcements/", "/account/", "/account/second-factor/",
             "/help/help/place/"],
    "enterprise": ["/portal/", "/portal/transmission/", "/portal/documents/", "/portal/announcements/"],
    "system-admin": ["/system/", "/setup/stations/", "/setup/gateway/", "/setup/backup/", "/setup/summary/"],
    "publisher": ["/registers/announcements/"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("size", "language", "look"), [(DESKTOP, "zh-hans", "light"), (PHONE, "en", "dark"), (PHONE, "zh-hans", "light")]
)
def test_pages_are_sound_and_accessible(browser, live_server, world, size, language, look):
    disclosure.publish(None, disclosure.write(None, title="沙尘提示", kind="warning", body="一\n\n二"))
    wrong = {}
    for role, urls in PAGES.items():
        with opened(browser, live_server, world, role, size=size, language=language) as page:
            page.goto(live_server.url + urls[0])
            page.evaluate(f"localStorage.setItem('luming-theme', '{look}')")
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


def test_the_public_site_is_walked_through_without_an_account(browser, live_server, world):
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(f"{live_server.url}/public/")
    page.click(f".lm-site-list a:has-text('{world.station.name}')")
    page.wait_for_url("**/public/zh/air/S1/")
    assert page.locator(".lm-site-chart rect").count() == 1
    page.click("text=30 天")
    page.wait_for_url("**/public/zh/air/S1/30/")
    with page.expect_download() as download:
        page.click("a:has-text('CSV')")
    assert download.value.suggested_filename == "S1-30d.csv"
    page.click("[data-site-theme]")
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    page.click("a[lang=en]")
    page.wait_for_url("**/public/en/air/S1/30/")
    assert not context.cookies()
    context.close()


def test_help_opens_beside_the_page_and_leaves_by_keyboard(browser, live_server, world):
    with opened(browser, live_server, world) as page:
        page.goto(live_server.url + reverse("packets"))
        page.focus(".lm-help-button")
        page.keyboard.press("Enter")
        page.wait_for_selector("#help-text h1")
        assert page.inner_text("#help-text h1") == "Packets"
        assert not violations(page)
        page.click("#help .lm-help-list a:has-text('Devices')")
        page.wait_for_selector("#help-text h1:has-text('Devices')")
        assert page.url.endswith("/packets/")
        page.keyboard.press("Escape")
        page.wait_for_selector("#help", state="hidden")


def code_of(user):
    TOTPDevice.objects.filter(user=user).update(last_t=-1, throttling_failure_count=0)
    return f"{totp(TOTPDevice.objects.get(user=user).bin_key):06d}"


def sign_in(page, live_server, user, password):
    page.goto(f"{live_server.url}/sign-in/")
    page.fill("#id_username", user.username)
    page.fill("#id_password", password)
    page.click("main button.btn-primary")


def test_an_administrator_enrols_and_signs_in_with_the_code(browser, live_server, world, settings):
    settings.SECOND_FACTOR = "admins"
    user = world.users["system-admin"]
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, live_server, user, "Luming-2026!")
    page.wait_for_url("**/account/second-factor/**")
    assert page.locator("img[alt]").evaluate("(image) => image.naturalWidth") > 100  # the policy lets it be shown
    page.fill("#id_code", code_of(user))
    page.click("main button.btn-primary")
    assert page.locator("main li.col-6").count() == 10
    assert not violations(page)
    context.clear_cookies()
    sign_in(page, live_server, user, "Luming-2026!")
    page.wait_for_url("**/account/code/**")
    assert not violations(page)
    page.fill("#id_code", code_of(user))
    page.click("main button.btn-primary")
    page.goto(f"{live_server.url}/users/")
    assert page.url.endswith("/users/")
    context.close()


def test_the_first_run_from_the_token_to_the_checklist(browser, live_server, transactional_db, tmp_path, monkeypatch):
    monkeypatch.setenv("LUMING_DATA", str(tmp_path / "data"))
    cache.clear()
    context = browser.new_context(locale="zh-CN", viewport={"width": PHONE[0], "height": PHONE[1]})
    page = context.new_page()
    page.goto(live_server.url)
    assert page.url.endswith("/setup/") and not violations(page)
    page.fill("#id_token", setup_token.current())
    page.click("main button.btn-primary")
    assert not violations(page)
    page.click("main button.btn-primary")  # the city
    page.wait_for_url("**/setup/administrators/")
    assert not violations(page)
    for role in ADMINISTRATORS:
        page.fill(f"[name={role}-name]", role)
    page.click("main button.btn-primary")
    password = page.locator("td.fs-3").first.inner_text()
    assert not violations(page) and page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.click("main a.btn-primary")
    user = User.objects.get(role="system-admin")
    page.fill("#id_username", user.username)
    page.fill("#id_password", password)
    page.click("main button.btn-primary")
    page.wait_for_url("**/account/password/")
    for name, value in (("old", password), ("new", PASSWORD), ("again", PASSWORD)):
        page.fill(f"[name={name}]", value)
    page.click("main button.btn-primary")
    page.goto(f"{live_server.url}/setup/")
    for address in ("stations", "gateway", "backup"):
        assert page.url.endswith(f"/setup/{address}/") and not violations(page)
        if address == "backup":
            page.fill("[name=folder]", str(tmp_path / "backups"))
        page.click("main button.btn-primary")
    assert page.url.endswith("/setup/summary/") and not violations(page)
    assert page.locator(".list-group .text-success").count() == 5
    context.close()
