"""What pages weigh: the first one at most 900 kB compressed, later ones 150 kB beyond what the browser holds already.

Measured on the bytes of the real answers, compressed here as the product's server compresses them (Brotli for static
files, gzip for pages), because the tests' server sends them as they are.
"""

import gzip

import brotli
from django.urls import reverse
from driving import opened, settle

FIRST, LATER = 900_000, 150_000


def weigh(page, url, held):
    """Open a page and return the compressed bytes of what the browser did not hold; note what it holds now."""
    seen = []
    page.on("response", seen.append)
    page.goto(url)
    settle(page)
    page.wait_for_load_state("networkidle")
    page.remove_listener("response", seen.append)
    total = 0
    for response in seen:
        address = response.url.split("#")[0]
        if address in held or response.status != 200 or address.startswith(("blob:", "data:")):
            continue
        body = response.body()
        if "/static/" in address:
            held.add(address)
            total += len(brotli.compress(body, quality=9))
        else:
            total += len(gzip.compress(body, 6))
    return total


def test_pages_are_light(browser, live_server, world):
    with opened(browser, live_server, world) as page:
        held = set()
        weights = {"home": weigh(page, live_server.url + reverse("home"), held)}
        later = {
            "places": reverse("places"),
            "facilities": reverse("register", args=["facilities"]),
            "facility": reverse("facility", args=[world.facility.pk]),
            "outlet": reverse("place", args=[world.outlet.pk]),
            "map": reverse("map"),
            "cockpit": reverse("cockpit"),
        }
        for name, url in later.items():
            weights[name] = weigh(page, live_server.url + url, held)
        print({name: f"{weight / 1000:.0f} kB" for name, weight in weights.items()})
        assert weights.pop("home") <= FIRST
        assert {name: weight for name, weight in weights.items() if weight > LATER} == {}
