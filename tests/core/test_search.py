"""Search: Chinese, pinyin, initials and codes; one's own scope; the index follows every change of the tables."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from luming.core import search, search_upkeep
from luming.core.models import Organisation, SearchDirty, SearchEntry, User
from luming.core.pieces import haystack_of, lines_of, marked, needed_pieces, pattern, pieces_of, words_of
from luming.registry.models import Device, Facility, Outlet, Region, Station


@pytest.fixture
def city(db):
    city = Region.objects.create(code="150200", name="包头市", level="city")
    here = Region.objects.create(code="150203", name="昆都仑区", level="district", parent=city)
    there = Region.objects.create(code="150207", name="九原区", level="district", parent=city)
    owner = Organisation.objects.create(name="钢厂", kind="enterprise")
    steel = facility("F1", "包头钢铁（集团）有限责任公司", here, organisation=owner)
    power = facility("F2", "长城热电厂", there)
    for number, (owned, name) in enumerate([(steel, "焦化厂 3#炉"), (power, "1号锅炉")], 1):
        outlet = Outlet.objects.create(
            facility=owned, number=f"DA00{number}", code=f"{owned.code}-DA00{number}", name=name, medium="gas",
            region=owned.region, longitude=109.8, latitude=40.6,
        )  # fmt: skip
        Device.objects.create(mn=f"88888880000{number:03}ABCDEF0001", place=outlet, system="31")
    Station.objects.create(
        code="S1", name="青山宾馆", medium="air", region=here, longitude=109.9, latitude=40.6
    )  # fmt: skip
    users = {
        "duty": User.objects.create_user("d", role="duty", name="d"),
        "district": User.objects.create_user("j", role="district", name="j", region_codes=["150207"]),
        "enterprise": User.objects.create_user("e", role="enterprise", name="e", organisation=owner),
        "system-admin": User.objects.create_user("s", role="system-admin", name="s"),
    }
    return {"steel": steel, "power": power, "users": users, "here": here}


def facility(code, name, region, **more):
    return Facility.objects.create(code=code, name=name, region=region, longitude=109.8, latitude=40.6, **more)


def titles(user, text, limit=5):
    return [(group.register.key, hit.title) for group in search.find(user, text, limit) for hit in group.hits]


# ---- words and pieces


def test_lines_of_a_name():
    lines = lines_of(["包头·重工（集团）３号", "F-001"])
    assert lines[0] == "包头·重工(集团)3号"
    assert {"baotouzhonggongjituan3hao", "btzgjt3h", "btcgjt3h", "f-001", "f001"} <= set(lines)


@pytest.mark.parametrize(
    "word", ["包", "包头", "头重", "bt", "btzg", "zhonggong", "b", "f-0", "001", "团3号", "0%", "3号"]
)
def test_a_record_holds_the_pieces_of_every_word_in_it(word):
    lines = lines_of(["包头·重工（集团）３号", "F-001", "100% 回用"])
    assert word in haystack_of(lines)
    assert set(needed_pieces(word)) <= pieces_of(lines)


def test_words_are_compared_in_half_width_and_lower_case():
    assert words_of(" ＢａｏTou　 钢铁  钢铁") == ["baotou", "钢铁"]
    assert pattern("5%_") == r"%5\%\_%"


def test_pieces_fit_their_column():
    assert max(map(len, pieces_of(lines_of(["包头钢铁集团有限责任公司 boiler number 3 of the works"])))) <= 8


# ---- finding


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("包", ("facilities", "包头钢铁（集团）有限责任公司")),
        ("钢铁", ("facilities", "包头钢铁（集团）有限责任公司")),
        ("btgt", ("facilities", "包头钢铁（集团）有限责任公司")),
        ("baotou gang", ("facilities", "包头钢铁（集团）有限责任公司")),
        ("ccrd", ("facilities", "长城热电厂")),
        ("zcrd", ("facilities", "长城热电厂")),
        ("f2", ("facilities", "长城热电厂")),
        ("焦化 3#", ("outlets", "焦化厂 3#炉")),
        ("da002", ("outlets", "1号锅炉")),
        ("88888880000002ABCDEF0001", ("devices", "88888880000002ABCDEF0001")),
        ("002abcdef", ("devices", "88888880000002ABCDEF0001")),
        ("qs", ("stations", "青山宾馆")),
        ("Ｑｉｎｇｓｈａｎ", ("stations", "青山宾馆")),
    ],
)
def test_what_is_found(city, text, expected):
    assert expected in titles(city["users"]["duty"], text)


def test_nothing_is_found_of_nothing(city):
    duty = city["users"]["duty"]
    assert titles(duty, " ") == titles(duty, "没有这样的") == titles(duty, "zzzz") == titles(duty, "100%") == []


def test_a_device_is_found_by_the_name_of_its_place(city):
    hits = [hit for group in search.find(city["users"]["duty"], "焦化厂") for hit in group.hits]
    assert {type(hit.record) for hit in hits} == {Outlet, Device}
    device = next(hit for hit in hits if isinstance(hit.record, Device))
    assert device.texts == ("焦化厂 3#炉",)


def test_the_better_match_comes_first(city):
    facility("BTGT", "另一家", city["here"])
    facility("F9", "新包头钢铁", city["here"])
    found = [title for kind, title in titles(city["users"]["duty"], "btgt") if kind == "facilities"]
    assert found == ["另一家", "包头钢铁（集团）有限责任公司", "新包头钢铁"]  # code, beginning of the initials, inside


def test_people_find_what_they_may_see(city):
    users = city["users"]
    assert ("facilities", "长城热电厂") not in titles(users["enterprise"], "ccrd")
    assert ("facilities", "长城热电厂") in titles(users["district"], "ccrd")
    assert titles(users["district"], "钢铁") == titles(users["system-admin"], "钢铁") == []
    assert ("devices", "88888880000001ABCDEF0001") in titles(users["enterprise"], "88888880000")
    assert ("devices", "88888880000002ABCDEF0001") not in titles(users["enterprise"], "88888880000")


def test_a_narrow_scope_is_searched_when_others_crowd_it_out(city, monkeypatch):
    monkeypatch.setattr(search, "CANDIDATES", 5)
    for number in range(30):
        facility(f"N{number}", f"化工{number:02}", city["here"])
    far = facility("N99", "化工在九原的一家", Region.objects.get(code="150207"))
    assert titles(city["users"]["district"], "化工") == [("facilities", far.name)]
    group = search.find(city["users"]["duty"], "化工", 3)[0]
    assert len(group.hits) == 3 and group.more


def test_a_list_is_narrowed_by_words(city):
    duty = city["users"]["duty"]

    def codes(model, kind, text):
        return sorted(row.code for row in search.matching(model.objects.visible_to(duty), kind, text))

    assert codes(Facility, "facilities", "btgt") == ["F1"]
    assert codes(Facility, "facilities", "厂") == ["F2"]
    assert codes(Facility, "facilities", "") == codes(Facility, "facilities", "f") == ["F1", "F2"]
    assert codes(Outlet, "outlets", "包头 da001") == ["F1-DA001"]
    assert codes(Outlet, "outlets", "包头 da002") == []


# ---- upkeep


def test_the_index_follows_changes_of_any_path(city):
    duty, steel = city["users"]["duty"], city["steel"]
    assert titles(duty, "btgt")
    Facility.objects.filter(pk=steel.pk).update(name="鹿城特钢")
    assert SearchDirty.objects.filter(table="registry_facility", object_id=str(steel.pk)).exists()
    found = titles(duty, "lctg")
    assert ("facilities", "鹿城特钢") in found
    assert ("outlets", "焦化厂 3#炉") in found  # found by its facility's name
    assert not titles(duty, "btgt")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE registry_place SET name = '烧结机' WHERE code = 'F1-DA001'")
    assert {kind for kind, _title in titles(duty, "sjj")} == {"outlets", "devices"}


def test_what_is_deleted_leaves_the_index(city):
    duty = city["users"]["duty"]
    assert titles(duty, "青山")
    Station.objects.get(code="S1").delete()
    assert not titles(duty, "青山")
    assert not SearchEntry.objects.filter(kind="stations").exists()


def test_other_columns_wake_nothing(city):
    search_upkeep.refresh()
    Facility.objects.update(longitude=110.1, status="stopped")
    assert not SearchDirty.objects.exists()


def test_a_large_backlog_is_left_to_the_worker(city, monkeypatch):
    monkeypatch.setattr(search_upkeep, "SMALL", 3)
    search_upkeep.refresh()
    for number in range(5):
        facility(f"L{number}", f"大批导入{number}", city["here"])
    assert not titles(city["users"]["duty"], "大批导入")
    assert search_upkeep.refresh(2) == 2
    from luming.core import tasks

    assert tasks.index_changes(0) == 3
    assert len(titles(city["users"]["duty"], "大批导入", 9)) == 5


def test_rebuilding_gives_the_same_index(city):
    search_upkeep.refresh()

    def entries():
        return set(SearchEntry.objects.values_list("kind", "object_id", "title", "haystack"))

    before = entries()
    SearchEntry.objects.filter(kind="outlets").delete()
    SearchEntry.objects.create(kind="forgotten", object_id="1", title="x", haystack="x", tokens=[])
    counts = search_upkeep.rebuild()
    assert entries() == before
    assert (counts["facilities"], counts["outlets"], counts["devices"]) == (2, 2, 2)


def test_migrating_again_changes_nothing(city):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        search_upkeep.prepare()
    assert not [query["sql"] for query in queries if "TRIGGER " in query["sql"] or "COPY" in query["sql"]]


def test_a_lost_trigger_is_put_back_and_its_registers_indexed(city):
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER search_note ON registry_facility")
    fresh = facility("F7", "没有记下的厂", city["here"])
    assert not titles(city["users"]["duty"], fresh.name)
    search_upkeep.prepare()
    assert titles(city["users"]["duty"], fresh.name) == [("facilities", fresh.name)]


def test_the_queries_of_a_search_do_not_grow_with_what_is_found(city):
    duty = city["users"]["duty"]
    search_upkeep.refresh()

    def cost():
        with CaptureQueriesContext(connection) as queries:
            search.find(duty, "化工", 10)
        return len(queries)

    facility("C1", "化工一", city["here"])
    search_upkeep.refresh()
    before = cost()
    for number in range(9):
        facility(f"C2{number}", f"化工{number}", city["here"])
    search_upkeep.refresh()
    assert cost() == before


def test_the_command_finds_and_rebuilds(city, capsys):
    from luming import cli

    assert cli.main(["search", "find", "d", "ccrd"]) == 0
    assert "长城热电厂" in capsys.readouterr().out
    assert cli.main(["search", "find", "nobody", "x"]) == 2
    assert cli.main(["search", "rebuild", "facilities"]) == 0
    assert "facilities" in capsys.readouterr().out
    assert cli.main(["search", "rebuild", "nothing"]) == 2


def test_a_dummy_register_is_searched_like_any_other(city):
    from luming_dummy.models import Well

    Well.objects.create(
        code="W1", name="北梁监测井", region=city["here"], depth_m=30, longitude=109.8, latitude=40.6, contact="李工"
    )
    duty = city["users"]["duty"]
    assert ("wells", "北梁监测井") in titles(duty, "bljcj")
    assert ("wells", "北梁监测井") in titles(duty, "李工")


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("包头·长城钢铁", ["钢铁"], "包头·长城[钢铁]"),
        ("包头·长城钢铁", ["btcc"], "[包头]·[长城]钢铁"),
        ("包头·长城钢铁", ["gangt"], "包头·长城[钢铁]"),
        ("Ｄ厂 DA001", ["da0"], "Ｄ厂 [DA0]01"),
        ("包头", ["zzz"], "包头"),
        ("㎎/L 厂", ["c"], "㎎/L [厂]"),
        ("", ["a"], ""),
    ],
)
def test_what_was_found_is_marked(text, words, expected):
    assert "".join(f"[{part}]" if on else part for part, on in marked(text, words)) == expected
