"""The list of a register, as a person and as a browser see it."""

import re
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.http import QueryDict
from luming_dummy.models import Well

from luming.core import annotations, manifest
from luming.core.models import SavedView, Tag
from luming.web.registers.listing import Listing

URL = "/registers/wells/"


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


def rows_of(response):
    return re.findall(r'<tr data-href="/registers/wells/(\d+)/"', response.content.decode())


def heads_of(response):
    table = response.content.decode().partition("<thead>")[2].partition("</thead>")[0]
    cells = re.findall(r"<th\b[^>]*scope[^>]*>(.*?)</th>", table, re.S)
    return [re.sub(r"<.*?>", "", cell).strip() for cell in cells]


def test_a_declaration_is_a_list(world, wells):
    response = world.client("duty").get(URL)
    assert heads_of(response) == ["Well name", "Well code", "Region", "Use", "Depth (m)", "Drilled on"]
    page = text_of(response)
    assert "<b>120</b> records" in page
    assert "W000" in page and "Kundulun" in page and "Supply" in page
    assert re.search(r"Mean</span> 65\.0 m", page)
    assert len(rows_of(response)) == 50


def test_columns_are_chosen_and_ordered(world, wells):
    response = world.client("duty").get(URL, {"columns": ["depth_m", "code", "nonsense"]})
    assert heads_of(response) == ["Depth (m)", "Well code"]
    assert heads_of(world.client("duty").get(URL, {"columns": "code,depth_m"})) == ["Well code", "Depth (m)"]


def test_a_heading_orders_up_and_down(world, wells):
    up = world.client("duty").get(URL, {"sort": "depth_m"})
    assert 'aria-sort="ascending"' in up.content.decode()
    assert "sort=-depth_m" in up.content.decode()
    down = world.client("duty").get(URL, {"sort": "-depth_m"})
    shallow, deep = (Well.objects.get(pk=rows_of(page)[0]).depth_m for page in (up, down))
    assert (shallow, deep) == (10, 120)


def test_an_order_that_is_none_is_left_out(world, wells):
    assert world.client("duty").get(URL, {"sort": "-remarks,nonsense"}).status_code == 200


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"region": "150203"}, 60),
        ({"region": ["150203", "150207"]}, 120),
        ({"use": "supply"}, 24),
        ({"is_sealed": "true"}, 12),
        ({"is_sealed": "false", "use": "supply"}, 12),
        ({"depth_m_min": "100"}, 30),
        ({"depth_m_min": "50", "depth_m_max": "60"}, 20),
        ({"drilled_on_after": "2003-01-01", "drilled_on_before": "2004-12-31"}, None),
        ({"q": "城东"}, 30),
        ({"q": "cdjcj"}, 30),
        ({"q": "W01"}, 10),
        ({"q": "井 W011"}, 1),
        ({"q": "没有"}, 0),
    ],
)
def test_filters_and_search_narrow(world, wells, query, count):
    response = world.client("duty").get(URL, query)
    if count is None:
        count = Well.objects.filter(drilled_on__year__in=[2003, 2004]).count()
    assert f"<b>{count}</b> records" in text_of(response)


def test_each_condition_is_a_chip_that_can_be_dropped(world, wells):
    query = {"region": ["150203", "150207"], "depth_m_min": "50", "q": "城东", "sort": "name"}
    page = world.client("duty").get(URL, query).content.decode().replace("&amp;", "&")
    found = re.findall(r'<a class="lm-chip" href="(.*?)".*?<b>(.*?)</b>', page)
    assert [text for _url, text in found] == ["Kundulun", "Jiuyuan", "≥ 50"]
    assert "region=150203" not in found[0][0] and "region=150207" in found[0][0] and "sort=name" in found[0][0]
    assert "depth_m" not in found[2][0] and "q=" in found[2][0]


@pytest.mark.parametrize(
    "query", [{"depth_m_min": "deep"}, {"drilled_on_after": "yesterday"}, {"use": "fishing"}, {"region": "999999"}]
)
def test_a_condition_that_cannot_be_read_is_said_and_finds_nothing(world, wells, query):
    page = text_of(world.client("duty").get(URL, query))
    assert "<b>0</b> records" in page and "is-wrong" in page and "Nothing found" in page


@pytest.mark.parametrize(
    "query",
    [
        {"depth_m_min": "1e400"}, {"depth_m_min": "NaN"}, {"q": "%_\\"}, {"columns": ","},
        {"sort": "-,,--name"}, {"view": "99999999999999999999"}, {"density": "<b>"}, {"q": "x" * 5000},
    ],
)  # fmt: skip
def test_nonsense_in_the_address_breaks_nothing(world, wells, query):
    assert world.client("duty").get(URL, query).status_code in (200, 302)


@pytest.mark.parametrize("query", [{"q": "\0"}, {"region": "\0"}])
def test_a_character_that_no_text_may_hold_is_refused_or_left_out(world, wells, query):
    client = world.client("duty")
    assert client.get(URL, query).status_code == 400
    assert client.post(f"{URL}export/", {"format": "csv", "query": urlencode(query)}).status_code == 200


def test_records_of_a_relation_are_found_by_typing(world):
    answer = world.client("duty").get("/registers/outlets/choices/facility/", {"q": "F1"}).json()
    assert answer == {"found": [{"value": str(world.facility.pk), "label": "工厂F1"}], "more": False}
    assert world.client("district").get("/registers/outlets/choices/facility/", {"q": "F2"}).json()["found"] == []
    assert world.client("duty").get("/registers/outlets/choices/medium/").status_code == 404
    page = world.client("duty").get("/registers/outlets/", {"facility": world.facility.pk})
    assert "<b>1</b> records" in text_of(page) and "Facility: <b>工厂F1</b>" in text_of(page)
    foreign = world.client("district").get("/registers/outlets/", {"facility": world.elsewhere.facility_id})
    assert "is-wrong" in text_of(foreign)


def test_a_part_is_only_the_part(world, wells):
    client = world.client("duty")
    rows = client.get(URL, {"q": "", "use": "supply"}, headers={"HX-Request": "true", "HX-Target": "rows"})
    assert b"<html" not in rows.content and b'id="list-form"' not in rows.content
    assert rows.headers["HX-Push-Url"] == "/registers/wells/?use=supply"  # without what was left empty
    body = client.get(URL, {"use": "supply"}, headers={"HX-Request": "true", "HX-Target": "register"})
    assert b"<html" not in body.content and b'id="list-form"' in body.content


def test_density_is_remembered(world, wells):
    client = world.client("duty")
    assert "is-compact" not in text_of(client.get(URL))
    assert "is-compact" in text_of(client.get(URL, {"density": "compact"}))
    client.cookies["luming_density"] = "compact"
    assert "is-compact" in text_of(client.get(URL))


def test_an_empty_register_says_what_to_do(world):
    page = text_of(world.client("registrar").get(URL))
    assert "There is no record yet" in page and "/registers/wells/new/" in page and "/registers/wells/import/" in page
    page = text_of(world.client("leader").get(URL))
    assert "There is no record yet" in page and "/registers/wells/new/" not in page


def test_lists_keep_to_scope_and_permission(world, wells):
    assert "<b>60</b> records" in text_of(world.client("district").get(URL))
    assert "<b>0</b> records" in text_of(world.client("enterprise").get(URL))
    assert world.client("system-admin").get(URL).status_code == 403
    assert world.client("leader").get("/registers/devices/").status_code == 403  # needs more than data.view
    assert world.client("duty").get("/registers/nonsense/").status_code == 404


def test_choosing_is_for_those_who_may_change(world, wells):
    assert b'name="pk"' in world.client("registrar").get(URL).content
    assert b'name="pk"' not in world.client("duty").get(URL).content


def test_every_register_is_in_the_menu_unless_it_says_no(world):
    page = world.client("duty").get(URL).content.decode()
    menu = page.partition('id="menu"')[2].partition("</aside>")[0]
    assert 'href="/registers/wells/"' in menu and 'href="/registers/facilities/"' in menu
    assert 'href="/registers/samples/"' not in menu
    assert re.search(r'href="/registers/wells/" aria-current="page"', menu)
    assert menu.count("aria-current") == 1


# ---- saved views ----------------------------------------------------------------------------------------------------

VIEWS = URL + "views/"


def save(client, name="supply wells", query="use=supply&sort=-depth_m&columns=code,depth_m", **more):
    return client.post(VIEWS, {"name": name, "query": query, **more})


def test_a_view_is_saved_opened_first_and_left(world, wells):
    client = world.client("duty")
    response = save(client, is_default="on")
    view = SavedView.objects.get()
    assert response.headers["Location"].endswith(f"&view={view.pk}")
    assert (view.is_default, view.is_shared, view.owner) == (True, False, world.users["duty"])
    opened = client.get(URL)
    assert opened.headers["Location"] == f"/registers/wells/?{view.query}&view={view.pk}"
    page = client.get(opened.headers["Location"])
    assert heads_of(page) == ["Well code", "Depth (m)"] and "<b>24</b> records" in text_of(page)
    assert heads_of(client.get(URL, {"view": ""}))[0] == "Well name"
    client.post(VIEWS, {"view": view.pk, "action": "not-first"})
    assert client.get(URL).status_code == 200


def test_one_view_is_opened_first(world, wells):
    save(world.client("duty"), "a", is_default="on")
    save(world.client("duty"), "b", is_default="on")
    assert SavedView.objects.get(is_default=True).name == "b"


def test_a_view_of_the_same_name_is_replaced(world, wells):
    save(world.client("duty"))
    save(world.client("duty"), query="use=monitoring")
    assert SavedView.objects.get().query == "use=monitoring"


def test_views_are_shared_inside_the_bureau(world, wells):
    save(world.client("duty"), is_shared="on")
    view = SavedView.objects.get()
    assert "supply wells" in text_of(world.client("registrar").get(URL))
    assert "supply wells" not in text_of(world.client("enterprise").get(URL))
    assert save(world.client("enterprise"), "mine", is_shared="on").status_code == 403
    assert world.client("registrar").post(VIEWS, {"view": view.pk, "action": "delete"}).status_code == 403
    world.client("duty").post(VIEWS, {"view": view.pk, "action": "unshare"})
    assert "supply wells" not in text_of(world.client("registrar").get(URL))
    assert world.client("registrar").post(VIEWS, {"view": view.pk, "action": "update"}).status_code == 404


def test_a_view_is_brought_up_to_date_and_deleted_with_audit(world, wells):
    from luming.core.models import AuditEntry

    client = world.client("duty")
    save(client)
    view = SavedView.objects.get()
    client.post(VIEWS, {"view": view.pk, "action": "update", "query": "?q=城东&at=abc"})
    view.refresh_from_db()
    assert view.query == "q=%E5%9F%8E%E4%B8%9C"
    client.post(VIEWS, {"view": view.pk, "action": "delete"})
    assert not SavedView.objects.exists()
    assert list(AuditEntry.objects.order_by("id").values_list("verb", flat=True)) == [
        "view.save", "view.save", "view.delete"
    ]  # fmt: skip


def test_a_view_needs_a_name(world, wells):
    page = world.client("duty").post(VIEWS, {"name": " ", "query": "use=supply"}, follow=True)
    assert "Give the view a name" in text_of(page) and not SavedView.objects.exists()


def test_a_list_filters_by_tags(world, wells):
    """Tags in use are offered; what bears all of the chosen ones is found; outsiders know of none."""
    register, registrar = manifest.register("wells"), world.users["registrar"]
    assert 'name="tag"' not in world.client("registrar").get("/registers/wells/").content.decode()
    for well in wells[:3]:
        annotations.tag(registrar, register, well, "待核实")
    both = annotations.tag(registrar, register, wells[0], "已封堵")
    cache.clear()
    pending = Tag.objects.get(name="待核实")
    page = world.client("registrar").get("/registers/wells/").content.decode()
    assert 'name="tag"' in page and "待核实" in page
    rows = Listing(register, registrar, QueryDict(f"tag={pending.pk}")).page().rows
    assert {row.pk for row in rows} == {well.pk for well in wells[:3]}
    rows = Listing(register, registrar, QueryDict(f"tag={pending.pk}&tag={both.pk}")).page().rows
    assert [row.pk for row in rows] == [wells[0].pk]
    facility = manifest.register("facilities")
    annotations.tag(registrar, facility, world.facility, "重点关注")
    cache.clear()
    assert "重点关注" not in world.client("enterprise").get("/registers/facilities/").content.decode()


@pytest.mark.parametrize("role", ["enterprise", "maintainer"])
@pytest.mark.parametrize("address", ["/registers/devices/?columns=mn,place,maintainer", "/registers/devices/{device}/"])
def test_outsiders_are_led_to_no_record_outside_their_scope(world, role, address):
    client, maintainer = world.client(role), world.device.maintainer
    page = client.get(address.format(device=world.device.pk)).content.decode()
    assert maintainer.name in page
    linked = set(re.findall(r'href="(/(?:registers/[a-z-]+|facilities|places|devices)/\d+/)"', page))
    assert linked and not [url for url in linked if client.get(url).status_code != 200]
    assert (f"/registers/organisations/{maintainer.pk}/" in linked) is (role == "maintainer")
