"""Take the pictures of docs/screenshots and of the gallery from a running demonstration on this machine.

``luming demo`` in one terminal, then ``python tools/screenshots.py`` (with the same ``LUMING_DATA``). Needs Chromium.
It opens a session for each role in the demonstration's database, so that no password is asked for. ``--only NAME``
takes some of them; ``--check`` opens every page in every look and keeps no picture: it lists what complains.
"""

import argparse
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
DESKTOP, PHONE, WALL, WIDE = (1440, 900), (390, 844), (1920, 1080), (3840, 1080)
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@dataclass(frozen=True)
class Shot:
    """One picture: who opens what, how large, and what is done before it is taken."""

    name: str
    role: str
    path: str
    size: tuple[int, int] = DESKTOP
    language: str = "zh-hans"
    dark: bool = False
    act: Callable[[Page], object] | None = None

    @property
    def file(self) -> Path:
        """Return where the picture is kept."""
        return FOLDER / f"{self.name}.jpg"


def examples() -> dict[str, str]:
    """Return addresses of records worth showing, from the demonstration's database."""
    from luming.registry.models import Device, Facility, Outlet, Station
    from luming.telemetry import store
    from luming.telemetry.models import Judgement
    from luming.telemetry.review.models import ReviewDay
    from luming.telemetry.statistics.models import Statistic

    facility = Facility.objects.get(code="DEMO-F01")
    outlet = Outlet.objects.filter(facility=facility).order_by("code")[0]
    device = Device.objects.get(place=outlet)
    exceeding = Judgement.objects.filter(place=outlet, state="exceeding").order_by("-start")[0]
    station = Station.objects.get(code="DEMO-A01")
    waiting = ReviewDay.objects.filter(state__in=ReviewDay.WAITING, suspect__gt=0).order_by("-importance")[0]
    day = Statistic.objects.filter(place=station, kind="day", measure="mean", valid=True).order_by("-start")[0]
    return {
        "review-day": f"/review/{waiting.place_id}/{waiting.day:%F}/",
        "statistics": f"/places/{station.pk}/statistics/",
        "statistic": f"/statistics/{day.pk}/",
        "marks": f"/marks/outlets/{outlet.pk}/",
        "health": f"/devices/{device.pk}/health/",
        "evidence": f"/evidence/judgements/{exceeding.pk}/",
        "facility": f"/facilities/{facility.pk}/",
        "record": f"/registers/facilities/{facility.pk}/",
        "outlet": f"/places/{outlet.pk}/?span=7d",
        "judgement": f"/places/{outlet.pk}/judgements/{exceeding.pk}/",
        "station": f"/places/{Station.objects.get(code='DEMO-A01').pk}/?span=7d",
        "section": f"/places/{Station.objects.filter(medium='water', is_demo=True).order_by('code')[0].pk}/?span=30d",
        "device": f"/devices/{device.pk}/",
        "packet": f"/packets/{store.packets(device_ids=[device.pk], verdicts=['A'], limit=1)[0].id}/",
    }


def find(page: Page) -> None:
    """Open the search and type initials."""
    page.keyboard.press("Control+k")
    page.wait_for_selector("dialog[open] input")
    page.keyboard.type("ysgt")
    page.wait_for_timeout(900)


def show_value(page: Page) -> None:
    """Open the drawer of a value."""
    page.click(".lm-cell >> nth=1")
    page.wait_for_selector("#drawer-body .card")


def shots() -> Iterator[Shot]:
    """Yield every picture."""
    at = examples()
    yield Shot("sign-in", "", "/sign-in/", (1200, 750))
    yield Shot("home", "duty", "/")
    yield Shot("cockpit", "leader", "/cockpit/")
    yield Shot("wall", "leader", "/cockpit/wall/", WALL)
    yield Shot("wall-wide", "leader", "/cockpit/wall/", WIDE)
    yield Shot("map", "duty", "/map/")
    yield Shot("search", "duty", "/", act=find)
    yield Shot("facility", "duty", at["facility"])
    yield Shot("outlet", "duty", at["outlet"])
    yield Shot("value", "duty", at["outlet"], act=show_value)
    yield Shot("station", "duty", at["station"])
    yield Shot("section", "duty", at["section"])
    yield Shot("region", "duty", "/regions/150203/")
    yield Shot("packet", "duty", at["packet"])
    yield Shot("judgement", "duty", at["judgement"])
    yield Shot("device", "duty", at["device"])
    yield Shot("review", "reviewer", "/review/")
    yield Shot("review-day", "reviewer", at["review-day"])
    yield Shot("checks", "reviewer", "/quality/")
    yield Shot("check", "reviewer", "/quality/checks/GEN-STUCK/")
    yield Shot("statistics", "duty", at["statistics"])
    yield Shot("statistic", "duty", at["statistic"])
    yield Shot("device-health", "duty", at["health"])
    yield Shot("maintainers", "duty", "/devices/maintainers/")
    yield Shot("sampling", "reviewer", "/sampling/")
    yield Shot("marks", "enterprise", at["marks"])
    yield Shot("evidence", "duty", at["evidence"])
    yield Shot("integrity", "duty", "/evidence/days/")
    yield Shot("problems", "duty", "/packets/problems/")
    yield Shot("unregistered", "duty", "/unregistered/")
    yield Shot("places", "duty", "/places/")
    yield Shot("registers", "registrar", "/registers/")
    yield Shot("list", "registrar", "/registers/outlets/")
    yield Shot("permits", "registrar", "/registers/permits/")
    yield Shot("record", "registrar", at["record"])
    yield Shot("edit", "registrar", at["record"] + "edit/")
    yield Shot("history", "registrar", at["record"] + "history/")
    yield Shot("schema", "registrar", "/registers/outlets/schema/")
    yield Shot("import", "registrar", "/registers/facilities/import/")
    yield Shot("announcements", "publisher", "/registers/announcements/")
    yield Shot("portal", "enterprise", "/portal/")
    yield Shot("public", "", "/public/zh/")
    yield Shot("system", "system-admin", "/system/")
    yield Shot("account", "duty", "/account/")
    yield Shot("home-dark", "duty", "/", dark=True)
    yield Shot("facility-dark", "duty", at["facility"], dark=True)
    yield Shot("home-en", "duty", "/", language="en")
    yield Shot("facility-en", "duty", at["facility"], language="en")
    yield Shot("list-en", "registrar", "/registers/outlets/", language="en")
    yield Shot("public-en", "", "/public/en/", language="en")
    for name, role, path in (
        ("home", "duty", "/"), ("map", "duty", "/map/"), ("facility", "duty", at["facility"]),
        ("outlet", "duty", at["outlet"]), ("list", "registrar", "/registers/outlets/"),
        ("record", "registrar", at["record"]), ("cockpit", "leader", "/cockpit/"), ("portal", "enterprise", "/portal/"),
        ("public", "", "/public/zh/"), ("review", "reviewer", at["review-day"]), ("marks", "enterprise", at["marks"]),
        ("sampling", "duty", "/sampling/"),
    ):  # fmt: skip
        yield Shot(f"phone-{name}", role, path, PHONE)


def cookies(base: str, shot: Shot) -> list[dict[str, str]]:
    """Return the cookies of a role's session, opened in the database."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from luming.core.models import User

    found = [{"name": settings.LANGUAGE_COOKIE_NAME, "value": shot.language, "url": base}]
    if shot.role:
        user = User.objects.get(username=shot.role)
        User.objects.filter(pk=user.pk).update(must_change_password=False, language=shot.language)
        session = SessionStore()
        session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), "luming.web.auth.Backend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        found.append({"name": settings.SESSION_COOKIE_NAME, "value": session.session_key, "url": base})
    return found


def settle(page: Page) -> None:
    """Wait until the map or chart of a page is drawn."""
    page.wait_for_load_state("networkidle")
    if page.query_selector("luming-map"):
        page.wait_for_selector("luming-map[data-ready]", timeout=30_000)
    if page.query_selector("luming-chart"):
        page.wait_for_selector("luming-chart canvas, luming-chart .lm-message", timeout=30_000)
    page.wait_for_timeout(1500)


def take(browser: Browser, base: str, shot: Shot, keep: bool = True) -> list[str]:
    """Open a page, keep its picture, return what it complains about."""
    width, height = shot.size
    scheme = "dark" if shot.dark else "light"
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="zh-CN", color_scheme=scheme, has_touch=shot.size == PHONE
    )
    context.add_cookies(cookies(base, shot))
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: message.type == "error" and said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    answer = page.goto(base + shot.path)
    if answer is None or answer.status != 200:
        said.append(f"status {answer and answer.status}")
    settle(page)
    if page.evaluate("document.documentElement.scrollWidth") > width:
        said.append("scrolls sideways")
    if shot.act:
        shot.act(page)
        page.wait_for_timeout(600)
    if keep:
        page.screenshot(path=shot.file, type="jpeg", quality=80)
    context.close()
    return said


def looks(shot: Shot) -> Iterator[Shot]:
    """Yield a page at desktop and phone width, in both languages, light and dark."""
    for size in (DESKTOP, PHONE):
        for language in ("zh-hans", "en"):
            for dark in (False, True):
                yield Shot(shot.name, shot.role, shot.path, size, language, dark)


def main() -> int:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright runs a loop in this thread
    import django

    django.setup()
    FOLDER.mkdir(parents=True, exist_ok=True)
    wrong = 0
    chosen = [shot for shot in shots() if not args.only or shot.name in args.only]
    with sync_playwright() as driver:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        wanted = [look for shot in chosen for look in looks(shot)] if args.check else chosen
        for shot in wanted:
            said = take(browser, args.url, shot, keep=not args.check)
            wrong += bool(said)
            what = f"{shot.size[0]} {shot.language}{' dark' if shot.dark else ''}"
            if said or not args.check:
                size = "" if args.check else f"{shot.file.stat().st_size // 1000} kB"
                print(f"{shot.name:16} {what:16} {size:>8}  {'; '.join(said)}", flush=True)
        browser.close()
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
