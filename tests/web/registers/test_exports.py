"""What the list shows, as a file: columns, filters and order; large ones as long work."""

import csv
import io
import json
from datetime import date

import polars
import pytest
from luming_dummy.models import Well
from python_calamine import CalamineWorkbook

from luming.core import work
from luming.core.models import AuditEntry, Task
from luming.web.registers import exporting

URL = "/registers/wells/export/"
QUERY = "use=supply&sort=-depth_m,code&columns=code,use,depth_m,drilled_on,region,is_sealed"


def export(client, kind, query=QUERY):
    response = client.post(URL, {"format": kind, "query": query})
    assert response.status_code == 200
    assert response.headers["Content-Disposition"].endswith(f".{kind}")
    return response.getvalue() if response.streaming else response.content


@pytest.fixture
def expected(world, wells):
    return list(Well.objects.filter(use="supply").order_by("-depth_m", "code"))


def test_csv(world, expected):
    text = export(world.client("duty"), "csv").decode("utf-8-sig")
    head, *rows = csv.reader(io.StringIO(text))
    assert head == ["Well code", "Use", "Depth (m)", "Drilled on", "Region", "Sealed"]
    assert [row[0] for row in rows] == [well.code for well in expected]
    assert rows[0][1] == "Supply" and rows[0][2] == "120.0" and rows[0][4] in ("Kundulun", "Jiuyuan")
    assert {row[5] for row in rows} == {"Yes", "No"}
    assert {row[3] for row in rows} >= {""}


def test_excel(world, expected):
    book = CalamineWorkbook.from_filelike(io.BytesIO(export(world.client("duty"), "xlsx")))
    head, *rows = book.get_sheet_by_index(0).to_python()
    assert head[0] == "Well code" and len(rows) == len(expected)
    assert rows[0][2] == 120.0
    dated = next(row for row, well in zip(rows, expected, strict=True) if well.drilled_on)
    assert isinstance(dated[3], date)


def test_geojson(world, expected):
    found = json.loads(export(world.client("duty"), "geojson"))
    assert [feature["id"] for feature in found["features"]] == [well.pk for well in expected]
    first = found["features"][0]
    assert first["geometry"] == {"type": "Point", "coordinates": [expected[0].longitude, expected[0].latitude]}
    assert first["properties"]["code"] == expected[0].code and first["properties"]["depth_m"] == 120.0


def test_parquet(world, expected):
    frame = polars.read_parquet(io.BytesIO(export(world.client("duty"), "parquet")))
    assert frame.columns == ["code", "use", "depth_m", "drilled_on", "region", "is_sealed"]
    assert frame.schema["depth_m"] == polars.Float64 and frame.schema["drilled_on"] == polars.Date
    assert frame["code"].to_list() == [well.code for well in expected]
    assert frame["is_sealed"].to_list() == [well.is_sealed for well in expected]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "geojson", "parquet"])
def test_nothing_found_is_a_file_too(world, wells, kind):
    assert export(world.client("duty"), kind, "q=没有这样的")


def test_no_cell_is_run_as_a_formula(world, wells):
    Well.objects.filter(pk=wells[0].pk).update(name='=HYPERLINK("http://x")')
    assert "'=HYPERLINK" in export(world.client("duty"), "csv", "columns=name").decode()


def test_an_export_keeps_to_the_scope_and_is_written_down(world, wells):
    text = export(world.client("district"), "csv", "columns=code").decode("utf-8-sig")
    assert len(text.splitlines()) == 61
    entry = AuditEntry.objects.get(verb="wells.export")
    assert entry.actor == world.users["district"]
    assert entry.detail == {"register": "wells", "format": "csv", "rows": 60, "query": "columns=code"}


def test_only_registers_with_a_position_have_geojson(world):
    client = world.client("duty")
    assert client.post("/registers/limits/export/", {"format": "geojson"}).status_code == 404
    assert client.post("/registers/limits/export/", {"format": "csv"}).status_code == 200
    assert client.post(URL, {"format": "exe"}).status_code == 404


def test_a_large_export_is_long_work(world, wells, monkeypatch, django_capture_on_commit_callbacks):
    monkeypatch.setattr(exporting, "AT_ONCE", 100)
    response = world.client("duty").post(URL, {"format": "csv", "query": "sort=-name&columns=code"})
    assert (response.status_code, response.headers["Location"]) == (302, "/registers/wells/?sort=-name&columns=code")
    task = Task.objects.get()
    assert (task.owner, task.title) == (world.users["duty"], "Export of Wells (120 rows)")
    done = work.perform(task.pk)
    assert (done.state, done.message) == ("done", "")
    with done.file.open() as file:
        assert len(file.read().decode("utf-8-sig").splitlines()) == 121
    assert done.file_name.endswith(".csv")


def test_a_large_export_of_one_who_may_no_longer_look_fails(world, wells, monkeypatch):
    monkeypatch.setattr(exporting, "AT_ONCE", 100)
    world.client("duty").post(URL, {"format": "csv", "query": ""})
    world.users["duty"].role = "audit-admin"
    world.users["duty"].save()
    done = work.perform(Task.objects.get().pk)
    assert done.state == "failed" and "does not hold the permission" in done.message
