"""Queries of lists, frozen in query_budgets.json: more rows, columns or words cost no more of them.

``UPDATE_QUERY_BUDGETS=1 pytest tests/web/registers/test_budgets.py`` writes the present figures; review the difference.
"""

import json
import os
from pathlib import Path

from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from luming_dummy.models import Well

from luming.core import manifest
from luming.web.registers.columns import columns

BUDGETS = Path(__file__).with_name("query_budgets.json")
BAR = 12


def pages():
    found = {f"list of {register.key}": f"/registers/{register.key}/?view=" for register in manifest.registers()}
    every = ",".join(columns(manifest.register("wells")))
    return found | {
        "sorted": "/registers/wells/?sort=region,-drilled_on",
        "filtered": "/registers/wells/?region=150203&depth_m_min=20&is_sealed=false",
        "searched": "/registers/wells/?q=%E4%BA%95",
        "every column": f"/registers/wells/?columns={every}",
        "last page": "/registers/wells/?at=last",
        "outlets of a facility": "/registers/outlets/?q=F1",
        "catalogue": "/registers/",
        "fields": "/registers/wells/schema/",
        "interface, list": "/api/v1/registers/wells/",
        "interface, outlets": "/api/v1/registers/outlets/",
    }


def measure(world):
    found = {}
    client = world.client("registrar")
    for url in ("/account/", "/registers/wells/?q=w", "/registers/outlets/?q=w"):
        client.get(url)  # the first search after many changes indexes them
    for name, url in pages().items():
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200, name
        found[name] = sum("SAVEPOINT" not in query["sql"] for query in queries.captured_queries)
    return found


def test_lists_keep_their_budgets(world, wells):
    found = measure(world)
    if os.environ.get("UPDATE_QUERY_BUDGETS"):
        BUDGETS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    assert found == json.loads(BUDGETS.read_text(encoding="utf-8"))
    assert not {name: count for name, count in found.items() if count > BAR and name != "catalogue"}


def test_more_records_cost_no_more_queries(world, wells):
    Well.objects.filter(pk__in=[well.pk for well in wells[:110]]).delete()
    few = measure(world)
    Well.objects.bulk_create(
        Well(code=f"X{number}", name=f"井{number}", region_id="150203", facility_id=world.facility.pk,
             depth_m=1, longitude=110, latitude=40)
        for number in range(60)
    )  # fmt: skip
    many = measure(world)
    assert {name: count for name, count in many.items() if count != few[name]} == {}
