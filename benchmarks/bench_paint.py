"""How soon a person sees a page: largest contentful paint in Chromium, over a running demonstration.

``luming demo`` in one terminal, then ``python -m benchmarks.bench_paint --user duty --password …``. Each page is opened
``--rounds`` times in a fresh tab of one browser (static files in its cache after the first round, which is printed
apart). Software rendering, so the figures of maps are worse than on anyone's desk.
"""

import argparse
import json
import os
import platform
import shutil
import statistics

from playwright.sync_api import Page, sync_playwright

PAINT = """() => new Promise((resolve) => {
  let last = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => (last = entry.startTime)))
    .observe({ type: "largest-contentful-paint", buffered: true });
  setTimeout(() => resolve(last), 700);
})"""


def paint(page: Page, url: str) -> float:
    """Open a page; return its largest contentful paint in milliseconds."""
    page.goto(url)
    page.wait_for_load_state("networkidle")
    return float(page.evaluate(PAINT))


def main() -> None:
    """Sign in, open the pages, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--user", default="duty")
    parser.add_argument("--password", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, {args.rounds} rounds, {args.url}")
    with sync_playwright() as driver:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
        page = context.new_page()
        page.goto(args.url + "/sign-in/")
        page.fill("#id_username", args.user)
        page.fill("#id_password", args.password)
        page.click("main form .btn-primary")
        page.wait_for_selector("#content")
        pages = {"home": "/", "list": "/registers/outlets/", "map": "/map/", "cockpit": "/cockpit/"}
        page.goto(args.url + pages["list"])
        pages["outlet"] = str(page.get_attribute("main a[href^='/places/']", "href"))
        page.goto(args.url + "/registers/facilities/")
        pages["facility"] = str(page.get_attribute("main a[href^='/facilities/']", "href"))
        page.close()
        found = {}
        for name, address in pages.items():
            times = []
            for _round in range(args.rounds):
                page = context.new_page()
                times.append(paint(page, args.url + address))
                page.close()
            found[name] = times
            print(
                f"{name:10} first {times[0]:6.0f} ms   median {statistics.median(times):6.0f}   most {max(times):6.0f}"
            )
        print(json.dumps(found))
        browser.close()


if __name__ == "__main__":
    main()
