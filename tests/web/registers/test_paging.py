"""Pages by key: every row once, in order, forwards and backwards, whatever is missing or the same."""

import pytest
from django.http import QueryDict

from luming.core import manifest
from luming.web.registers import paging
from luming.web.registers.listing import Listing

ORDERS = ["", "name", "-name", "region,-depth_m", "-drilled_on", "drilled_on", "use,drilled_on,-name", "-depth_m"]


def look(world, query="", role="duty"):
    return Listing(manifest.register("wells"), world.users[role], QueryDict(query))


@pytest.mark.parametrize("order", ORDERS)
def test_pages_are_the_list_in_pieces(world, wells, order):
    whole = [row.pk for row in look(world, f"sort={order}").ordered]
    assert len(whole) == len(wells) == len(set(whole))
    seen, cursor, pages = [], "", []
    while True:
        page = look(world, f"sort={order}&at={cursor}").page(17)
        assert page.first == len(seen) + 1
        seen += [row.pk for row in page.rows]
        pages.append((page, [row.pk for row in page.rows]))
        cursor = page.following
        if not cursor:
            break
    assert seen == whole
    back = []
    for page, _rows in reversed(pages[1:]):
        found = look(world, f"sort={order}&at={page.preceding}").page(17)
        back.append([row.pk for row in found.rows])
    assert back[::-1] == [rows for _page, rows in pages[:-1]]


@pytest.mark.parametrize("order", ORDERS)
def test_the_last_page_is_the_end_of_the_list(world, wells, order):
    whole = [row.pk for row in look(world, f"sort={order}").ordered]
    page = look(world, f"sort={order}&at=last").page(17)
    assert [row.pk for row in page.rows] == whole[-17:]
    assert not page.following
    before = look(world, f"sort={order}&at={page.preceding}").page(17)
    assert [row.pk for row in before.rows] == whole[-34:-17]
    after = look(world, f"sort={order}&at={before.following}").page(17)
    assert [row.pk for row in after.rows] == whole[-17:]


def test_empty_values_come_last_in_both_directions(world, wells):
    for order in ("drilled_on", "-drilled_on"):
        days = [row.drilled_on for row in look(world, f"sort={order}").ordered]
        assert None not in days[:80] and set(days[80:]) == {None}


def test_rows_that_come_or_go_do_not_repeat_others(world, wells):
    first = look(world, "sort=name").page(20)
    first.rows[5].delete()
    second = look(world, f"sort=name&at={first.following}").page(20)
    assert not {row.pk for row in first.rows} & {row.pk for row in second.rows}


def test_a_page_back_at_the_beginning_is_whole(world, wells):
    second = look(world, f"at={look(world).page(20).following}").page(20)
    wells[0].delete()
    wells[1].delete()
    found = look(world, f"at={second.preceding}").page(20)
    assert len(found.rows) == 20 and found.first == 1 and not found.preceding


def test_no_page_is_counted_off(world, wells, django_assert_num_queries):
    cursor = look(world, "sort=name").page(20).following
    with django_assert_num_queries(3) as queries:  # the choices of the filter of regions, the keys, the rows
        look(world, f"sort=name&at={cursor}").page(20)
    assert not any("OFFSET" in query["sql"] for query in queries.captured_queries)


@pytest.mark.parametrize(
    "cursor", ["x", "eyJ9", "WyJhIl0", "WyJhIiwxLCJcdTAwMDAiLDFd", "WyJhIiwxLFtdLDFd", "中", "last2"]
)
def test_a_cursor_that_is_none_begins_anew(world, wells, cursor):
    with pytest.raises(paging.CursorError):
        look(world, f"at={cursor}").page(20)
    response = world.client("duty").get("/registers/wells/", {"at": cursor, "sort": "name"})
    assert (response.status_code, response.headers["Location"]) == (302, "/registers/wells/?sort=name")


def test_a_cursor_of_another_order_begins_anew(world, wells):
    cursor = look(world, "sort=name").page(20).following
    response = world.client("duty").get("/registers/wells/", {"at": cursor, "sort": "region,drilled_on"})
    assert response.status_code == 302
