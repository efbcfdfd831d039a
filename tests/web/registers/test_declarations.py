"""What follows from a declaration: kinds, labels, the catalogue, the description of fields, long and short searches."""

import re

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import QueryDict
from django.utils import translation
from luming_dummy.models import Sample, Well

from luming.core import manifest
from luming.core.registers import Column, Filter, Register
from luming.web.registers import catalogue, filters, searching
from luming.web.registers.columns import columns
from luming.web.registers.listing import Listing, default_sort, is_indexed


def described(key):
    return {item.name: item for item in catalogue.described(manifest.register(key))}


def test_kinds_labels_and_units_come_from_the_fields():
    found = columns(manifest.register("wells"))
    assert {name: column.kind for name, column in found.items()} == {
        "name": "text", "code": "text", "region": "record", "use": "choice", "depth_m": "number", "drilled_on": "date",
        "facility": "record", "diameter_mm": "integer", "level_m": "number", "checked_at": "moment",
        "is_sealed": "boolean", "contact": "text",
    }  # fmt: skip
    assert (found["depth_m"].label, found["depth_m"].unit) == ("Depth (m)", "m")
    assert (found["diameter_mm"].label, found["diameter_mm"].unit) == ("Diameter (mm)", "mm")


def test_related_records_are_ordered_by_what_people_see():
    found = columns(manifest.register("outlets"))
    assert found["region"].sort_keys == ("region_id",)  # by its code, which is its key
    assert found["facility"].sort_keys == ("facility__name",)
    assert columns(manifest.register("samples"))["well"].sort_keys == ("well__name",)


def test_the_kinds_of_filters():
    wells, outlets = manifest.register("wells"), manifest.register("outlets")
    kinds = {item.name: filters.kind_of(wells, item) for item in filters.declared_filters(wells)}
    assert kinds == {
        "region": "choice", "use": "choice", "depth_m": "range", "drilled_on": "range", "is_sealed": "boolean",
        "tag": "tag",
    }  # fmt: skip
    assert filters.kind_of(outlets, Filter("facility")) == "record"
    assert filters.kind_of(outlets, Filter("name")) == "text"


def test_a_filter_cannot_take_a_name_of_the_list():
    register = Register(key="x", model=Well, columns=["name"], filters=[Filter("sort", kind="text")])
    with pytest.raises(ImproperlyConfigured, match="cannot be named sort"):
        filters.declared_filters(register)
    register = Register(key="x", model=Well, columns=["name"], filters=[Filter("name", kind="magic")])
    with pytest.raises(ImproperlyConfigured, match="no known kind"):
        filters.filterset(register, None, QueryDict(), Well.objects.all())


def test_a_filter_may_bring_its_own_condition_and_choices(world, wells):
    register = Register(
        key="x", model=Well, columns=["name"],
        filters=[
            Filter("name", choices=lambda user: [("deep", "Deep"), ("flat", "Flat")],
                   apply=lambda rows, value: rows.filter(depth_m__gt=100) if "deep" in value else rows),
        ],
    )  # fmt: skip
    assert Listing(register, world.users["duty"], QueryDict("name=deep")).count == 20
    assert Listing(register, world.users["duty"], QueryDict("")).count == 120
    with translation.override("en"):
        wrong = Listing(register, world.users["duty"], QueryDict("name=odd"))
        assert wrong.count == 0 and "none of the choices" in wrong.chips[0].wrong


def test_annotations_are_columns(world, wells):
    from django.db.models import F

    register = Register(
        key="x", model=Well, columns=["name", Column("twice", "Twice", kind="number", decimals=0, total="maximum")],
        annotate=lambda rows, user: rows.annotate(twice=F("depth_m") * 2), sort=["-twice"],
    )  # fmt: skip
    shown = Listing(register, world.users["duty"], QueryDict())
    first = shown.page(7)
    assert [row.twice for row in first.rows] == [240.0] * 7
    assert [total.text for total in shown.totals] == ["240"]
    again = Listing(register, world.users["duty"], QueryDict(f"at={first.following}")).page(7)
    assert not {row.pk for row in first.rows} & {row.pk for row in again.rows}


def test_a_register_without_anything_but_columns(world, wells):
    register = Register(key="x", model=Sample, columns=["nitrate", "well__code"])
    shown = Listing(register, world.users["duty"], QueryDict("q=ignored"))
    assert shown.count == 1 and not shown.narrowed
    assert columns(register)["well__code"].text(columns(register)["well__code"].value(shown.page().rows[0])) == "W000"
    assert default_sort(register) == ["-taken_at"]


def test_the_catalogue_lists_what_one_may_open(world, wells):
    page = re.sub(r"\s+", " ", world.client("duty").get("/registers/").content.decode())
    assert re.search(r'href="/registers/wells/">Wells</a></h2><b class="lm-count">120</b>', page)
    assert "Brought up to date" in page and "Internal" in page
    page = world.client("leader").get("/registers/").content.decode()
    assert '/registers/devices/"' not in page and '/registers/facilities/"' in page


def test_fields_are_described(world):
    with translation.override("en"):
        found = described("wells")
    assert found["code"].is_key and found["code"].required and found["code"].bounds == "at most 20 characters"
    assert found["depth_m"].bounds == "0 – 5000" and found["depth_m"].unit == "m"
    assert found["use"].choices == ("Monitoring", "Supply") and not found["use"].required
    assert found["remarks"].editable  # in the form only
    assert described("outlets")["facility"].target.key == "facilities"
    assert not described("outlets")["medium"].editable
    page = world.client("duty").get("/registers/wells/schema/").content.decode()
    assert "/api/v1/registers/wells/" in page and "identifies the record" in page


# ---- broad searches -------------------------------------------------------------------------------------------------


def look(world, query):
    return Listing(manifest.register("wells"), world.users["duty"], QueryDict(query))


@pytest.mark.parametrize("query", ["q=监测井", "q=cdjcj", "q=w0", "q=城东 监测", "q=cdjcj&use=supply&sort=-name"])
@pytest.mark.parametrize("broad", [0, 5000])
def test_a_search_finds_the_same_in_every_way(world, wells, monkeypatch, query, broad):
    monkeypatch.setattr(searching, "BROAD", 5000)
    expected = sorted(look(world, query).found.values_list("pk", flat=True))
    assert expected
    monkeypatch.setattr(searching, "BROAD", broad)
    seen, cursor = [], ""
    while True:
        page = look(world, f"{query}&at={cursor}").page(7)
        seen += [row.pk for row in page.rows]
        if not (cursor := page.following):
            break
    assert sorted(seen) == expected and len(set(seen)) == len(seen)


def test_rows_of_a_slow_search_come_before_their_number(world, wells, monkeypatch):
    monkeypatch.setattr(searching, "BROAD", 3)
    client = world.client("duty")
    page = client.get("/registers/wells/", {"q": "w0"}).content.decode()
    assert "<b>…</b>" in page and 'hx-get="?q=w0&amp;figures=1"' in page and "W000" in page
    page = client.get("/registers/wells/", {"q": "w0", "figures": "1"}).content.decode()
    assert "<b>100</b>" in page and "figures" not in page.partition("<thead>")[2]


def test_what_has_an_index():
    wells = manifest.register("wells")
    assert all(is_indexed(wells, path) for path in ("pk", "id", "code", "name", "depth_m", "region_id"))
    assert not any(is_indexed(wells, path) for path in ("drilled_on", "facility__name", "nonsense"))
