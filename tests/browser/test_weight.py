"""What pages weigh: the first one at most 900 kB compressed, later ones 150 kB beyond what the browser holds already.

Measured on the bytes of the real answers, compressed here as the product's server compresses them (Brotli for static
files, gzip for pages), because the tests' server sends them as they are.
"""

import gzip
from pathlib import Path
from urllib.parse import urlsplit

import brotli
from django.contrib.staticfiles import finders
from django.urls import reverse
from driving import opened, settle

FIRST, LATER = 900_000, 150_000


def weigh(page, client, url, held):
    """Open a page and return the compressed bytes of what the browser did not hold; note what it holds now."""
    asked = []

    def listen(request):  # Playwright takes no built-in function
        asked.append(request.url.split("#")[0])

    page.on("request", listen)
    page.goto(url)
    settle(page)
    page.wait_for_load_state("networkidle")
    page.remove_listener("request", listen)
    new = [address for address in asked if address.startswith("http") and address not in held]
    held.update(address for address in new if "/static/" in address)
    return sum(compressed(client, address) for address in dict.fromkeys(new))


def compressed(client, address):
    """Return the compressed size of an answer."""
    parts = urlsplit(address)
    if parts.path.startswith("/static/"):
        return len(brotli.compress(Path(finders.find(parts.path.removeprefix("/static/"))).read_bytes(), quality=9))
    answer = client.get(f"{parts.path}?{parts.query}")
    return len(gzip.compress(b"".join(answer.streaming_content) if answer.streaming else answer.content, 6))


def test_pages_are_light(browser, live_server, world):
    with opened(browser, live_server, world) as page:
        held = set()
        weights = {"home": weigh(page, world.client("duty"), live_server.url + reverse("home"), held)}
        later = {
            "places": reverse("places"),
            "facilities": reverse("register", args=["facilities"]),
            "facility": reverse("facility", args=[world.facility.pk]),
            "outlet": reverse("place", args=[world.outlet.pk]),
            "map": reverse("map"),
            "cockpit": reverse("cockpit"),
        }
        for name, url in later.items():
            weights[name] = weigh(page, world.client("duty"), live_server.url + url, held)
        print({name: f"{weight / 1000:.0f} kB" for name, weight in weights.items()})
        assert weights.pop("home") <= FIRST
        assert {name: weight for name, weight in weights.items() if weight > LATER} == {}
