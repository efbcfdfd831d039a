"""Take the pictures of docs/screenshots from a running demonstration.

``luming demo`` in one terminal, then ``python tools/screenshots.py --user duty --password …``. Needs Chromium.
"""

import argparse
import os
import re
import shutil
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
OUTLETS = "/places/?kind=outlet&state=exceeding"


def settle(page: Page) -> None:
    """Wait until the map or chart of a page is drawn."""
    page.wait_for_load_state("networkidle")
    if page.query_selector("luming-map"):
        page.wait_for_selector("luming-map[data-ready]", timeout=30_000)
    if page.query_selector("luming-chart"):
        page.wait_for_selector("luming-chart canvas", timeout=30_000)
    page.wait_for_timeout(1500)


def first_link(page: Page, pattern: str) -> str:
    """Return the first link of a page that looks like the pattern."""
    for link in page.eval_on_selector_all("main a[href]", "links => links.map(link => link.getAttribute('href'))"):
        if re.fullmatch(pattern, link):
            return str(link)
    raise SystemExit(f"{page.url} has no link like {pattern}")


def shoot(page: Page, base: str, name: str, path: str) -> None:
    """Open a page and keep its picture."""
    page.goto(base + path)
    settle(page)
    page.screenshot(path=FOLDER / f"{name}.png")
    print(name, page.title(), (FOLDER / f"{name}.png").stat().st_size // 1000, "kB")


def find(page: Page, base: str) -> dict[str, str]:
    """Return addresses of examples worth showing."""
    found = {}
    page.goto(base + OUTLETS)
    if not page.query_selector("tr[data-href]"):
        page.goto(base + "/places/?kind=outlet&medium=gas")
    found["outlet"] = first_link(page, r"/places/\d+/")
    page.goto(base + found["outlet"])
    found["device"] = first_link(page, r"/devices/\d+/")
    found["judgement"] = first_link(page, r"/places/\d+/judgements/\d+/")
    return found


def main() -> None:
    """Sign in, find examples, take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--user", default="duty")
    parser.add_argument("--password", required=True)
    args = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_context(viewport=DESKTOP, locale="zh-CN").new_page()
        page.set_viewport_size({"width": 1200, "height": 750})  # its gradient compresses badly
        shoot(page, args.url, "sign-in", "/sign-in/")
        page.set_viewport_size(DESKTOP)
        page.fill("#id_username", args.user)
        page.fill("#id_password", args.password)
        page.click("main form .btn-primary")
        page.wait_for_selector("#content")
        examples = find(page, args.url)
        shoot(page, args.url, "home", "/")
        shoot(page, args.url, "places", "/places/")
        shoot(page, args.url, "outlet", examples["outlet"] + "?span=7d")
        page.click("#now .lm-cell >> nth=1")
        page.wait_for_selector("#drawer-body .card")
        page.wait_for_timeout(600)
        page.screenshot(path=FOLDER / "value.png")
        examples["packet"] = str(page.get_attribute("#drawer-body a.btn-primary", "href"))
        for name in ("packet", "judgement", "device"):
            shoot(page, args.url, name, examples[name])
        shoot(page, args.url, "problems", "/packets/problems/")
        shoot(page, args.url, "unregistered", "/unregistered/")
        page.click("header [data-theme-toggle]")
        shoot(page, args.url, "home-dark", "/")
        page.click("header [data-theme-toggle]")
        page.set_viewport_size(PHONE)
        shoot(page, args.url, "phone-home", "/")
        shoot(page, args.url, "phone-outlet", examples["outlet"] + "?span=7d#chart")
        browser.close()


if __name__ == "__main__":
    main()
