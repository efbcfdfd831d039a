"""Queries of each page, frozen in query_budgets.json: a page that asks more (a query in a loop) fails.

``UPDATE_QUERY_BUDGETS=1 pytest tests/web/test_budgets.py`` writes the present figures; review the difference.
"""

import json
import os
from pathlib import Path

from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from luming.registry.models import Device, Outlet
from luming.telemetry.models import Event

BUDGETS = Path(__file__).with_name("query_budgets.json")


def pages(world):
    hour = int(world.judgement.start.timestamp() * 1000)
    return {
        "home": reverse("home"),
        "home-summary": reverse("home-summary"),
        "map-layers": reverse("map-layers"),
        "places": reverse("places"),
        "place": reverse("place", args=[world.outlet.pk]),
        "place-now": reverse("place-now", args=[world.outlet.pk]),
        "place-chart": reverse("place-chart", args=[world.outlet.pk]),
        "place-values": reverse("place-values", args=[world.outlet.pk]),
        "value": reverse("value", args=[world.outlet.pk, world.series.pk, hour]),
        "judgement": reverse("judgement", args=[world.outlet.pk, world.judgement.pk]),
        "facility": reverse("facility", args=[world.facility.pk]),
        "file-outlets": reverse("file-outlets", args=["facility", world.facility.pk]),
        "file-timeline": reverse("file-timeline", args=["facility", world.facility.pk]),
        "file-map": reverse("file-map", args=["facility", world.facility.pk]),
        "region": reverse("region", args=["150203"]),
        "packets": reverse("packets"),
        "packet": reverse("packet", args=[world.packet]),
        "problems": reverse("problems"),
        "devices": reverse("devices"),
        "device": reverse("device", args=[world.device.pk]),
        "unregistered": reverse("unregistered"),
    }


def measure(world):
    found = {}
    client = world.client("duty")
    client.get("/account/")
    for name, url in pages(world).items():
        cache.clear()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(url).status_code == 200, name
        found[name] = len(queries)
    return found


def test_pages_keep_their_budgets(world):
    found = measure(world)
    if os.environ.get("UPDATE_QUERY_BUDGETS"):
        BUDGETS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    assert found == json.loads(BUDGETS.read_text(encoding="utf-8"))


def test_more_places_cost_no_more_queries(world):
    before = measure(world)
    for number in range(12):
        outlet = Outlet.objects.create(
            code=f"X{number}", name=f"X{number}", medium="gas", region=world.outlet.region, longitude=109.8,
            latitude=40.6, facility=world.facility, number=f"DA1{number:02}",
        )  # fmt: skip
        device = Device.objects.create(mn=f"X{number:023}", place=outlet, system="31")
        Event.objects.create(at=world.judgement.judged_at, kind="gap-found", device=device)
    after = measure(world)
    assert {name: count for name, count in after.items() if count != before[name]} == {}
