"""Records in a real browser: files by button and by dropping, a box to type in, forms that are not lost, all pages."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.urls import reverse
from driving import DESKTOP, PHONE, opened, report, settle, violations
from luming_dummy.models import Sample, Well

from luming.core import annotations, manifest, records, versions
from luming.core.models import Attachment
from luming.registry.models import Facility

# Where to keep pictures of the pages, for people to look at.
GALLERY = os.environ.get("LUMING_GALLERY")


@pytest.fixture
def wells():
    return manifest.register("wells")


@pytest.fixture
def well(world, wells):
    keeper = world.users["registrar"]
    made = records.create(
        keeper,
        wells,
        {"code": "W1", "name": "一号井", "region": "150203", "depth_m": 12.5, "longitude": 109.8, "latitude": 40.6},
    )
    for day in range(1, 8):
        Sample.objects.create(well=made, taken_at=datetime(2026, 1, day, tzinfo=UTC), nitrate=day)
    records.change(keeper, wells, made, {"use": "supply", "facility": world.facility.pk, "depth_m": 20}, "重新测量")
    annotations.tag(keeper, wells, made, "重点监管", "red")
    annotations.tag(keeper, wells, made, "已核实", "green")
    annotations.write_note(keeper, wells, made, "井口已加盖，钥匙在门卫处。")
    return made


def address(name, *args):
    return reverse(name, args=args)


def pages(world, well):
    gone = Well.objects.create(
        code="W0", name="零号井", region=world.facility.region, depth_m=3, longitude=109.8, latitude=40.6
    )
    pk = gone.pk
    records.delete(world.users["registrar"], manifest.register("wells"), gone, "已填埋")
    first = versions.history(Well, well.pk)[-1].key
    return {
        "record": address("record", "wells", well.pk),
        "new": address("record-new", "wells"),
        "edit": address("record-edit", "wells", well.pk),
        "delete": address("record-delete", "wells", well.pk),
        "action": address("record-action", "wells", well.pk, "seal"),
        "history": address("record-history", "wells", well.pk),
        "compare": address("record-compare", "wells", well.pk),
        "restore": address("record-restore", "wells", well.pk) + f"?version={first}",
        "deleted": address("register-deleted", "wells"),
        "undelete": address("record-undelete", "wells", pk),
        "facility": address("record", "facilities", world.facility.pk),
        "device": address("record-edit", "devices", world.device.pk),
    }


@pytest.mark.parametrize(
    ("size", "language", "dark"), [(DESKTOP, "zh-hans", False), (PHONE, "en", False), (DESKTOP, "en", True)]
)
def test_every_page_of_records_is_sound_and_accessible(browser, live_server, world, well, size, language, dark):
    wrong = {}
    with opened(browser, live_server, world, "registrar", size=size, language=language) as page:
        page.goto(live_server.url + "/account/")
        page.evaluate(f"localStorage.setItem('luming-theme', '{'dark' if dark else 'light'}')")
        for name, url in pages(world, well).items():
            page.goto(live_server.url + url)
            settle(page)
            if page.query_selector("luming-position"):
                page.locator("luming-position").scroll_into_view_if_needed()
                page.wait_for_selector("luming-position[data-ready=yes]", timeout=20_000)
                page.evaluate("window.scrollTo(0, 0)")
            check(page, name, size, language, dark, wrong)
        many(page, live_server, world, lambda name: check(page, name, size, language, dark, wrong))
    assert not wrong, report(wrong)


def check(page, name, size, language, dark, wrong):
    found = violations(page)
    width = page.evaluate("document.documentElement.scrollWidth")
    if width > size[0]:
        found.append(f"scrolls sideways: {width} px")
    if found:
        wrong[name] = found
    if GALLERY:
        look = f"{'phone' if size == PHONE else 'desk'}-{language}{'-dark' if dark else ''}"
        page.screenshot(path=Path(GALLERY) / f"record-{name}-{look}.png", full_page=size == PHONE)


def many(page, live_server, world, look):
    """Go through a change of many: choose, preview, and what the list says afterwards."""
    page.goto(live_server.url + address("record", "wells", Well.objects.get(code="W1").pk))
    page.evaluate(
        """(url) => { const form = document.querySelector('#record-notes form'); form.reset(); form.noValidate = true;
            form.insertAdjacentHTML('beforeend', '<input name="all" value="1"><input name="query" value="">');
            form.action = url; HTMLFormElement.prototype.submit.call(form); }""",
        address("record-bulk", "wells"),
    )
    page.wait_for_selector("[data-bulk-field]")
    page.select_option("[name=use]", "monitoring")
    assert page.is_checked("input[name=field][value=use]")  # touching a field chooses it
    look("bulk")
    page.click(".lm-form-foot .btn-primary")
    page.wait_for_selector("button[value=apply]")
    look("preview")
    page.click("button[value=apply]")
    page.click(".alert a")
    page.wait_for_selector("h1")
    look("undo")
    page.click("main .btn-primary")
    page.wait_for_selector(".alert-success")


def test_files_are_chosen_dropped_refused_and_removed(browser, live_server, world, well, tmp_path):
    good, bad = tmp_path / "说明.txt", tmp_path / "evil.svg"
    good.write_text("说明")
    bad.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    with opened(browser, live_server, world, "registrar") as page:
        page.goto(live_server.url + address("record", "wells", well.pk))
        with page.expect_response(lambda answer: answer.request.method == "GET" and "documents" in answer.url):
            page.set_input_files("#record-file", str(good))
        page.wait_for_selector("#record-documents a:has-text('说明.txt')")
        page.evaluate(
            """() => { const transfer = new DataTransfer();
                transfer.items.add(new File(['a,b'], 'dropped.csv')); transfer.items.add(new File(['MZ'], 'no.exe'));
                const drop = new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true});
                document.querySelector('.lm-drop').dispatchEvent(drop); }"""
        )
        page.wait_for_selector("#record-documents a:has-text('dropped.csv')")
        page.wait_for_selector(".lm-sent.is-bad:has-text('no.exe')")
        assert not violations(page)
        page.click("#record-documents .lm-row:has-text('dropped.csv') button")
        page.wait_for_selector("#record-documents summary:has-text('Removed files')")
        page.click("#record-documents summary")
        page.click("#record-documents details button")
        page.wait_for_selector("#record-documents .lm-row a:has-text('dropped.csv')")
        with page.expect_download() as download:
            page.click("#record-documents a:has-text('说明.txt')")
        assert Path(download.value.path()).read_text() == "说明"
    assert set(Attachment.objects.values_list("name", flat=True)) == {"说明.txt", "dropped.csv"}


def test_notes_and_tags_change_in_place(browser, live_server, world, well):
    with opened(browser, live_server, world, "registrar") as page:
        page.goto(live_server.url + address("record", "wells", well.pk))
        page.fill("#record-note", "看过了")
        page.click("#record-notes .btn:has-text('Save')")
        page.wait_for_selector(".lm-note-row:has-text('看过了')")
        page.click(".lm-tag-add summary")
        page.fill("#record-tag", "新词")
        page.check(".lm-colours input[value=blue]", force=True)
        page.keyboard.press("Enter")
        page.wait_for_selector(".lm-word.is-blue:has-text('新词')")
        page.click(".lm-word:has-text('新词') button")
        page.wait_for_selector(".lm-word:has-text('新词')", state="detached")
        page.on("dialog", lambda dialog: dialog.accept())
        page.click(".lm-note-row:has-text('看过了') button")
        page.wait_for_selector(".lm-note-row:has-text('看过了')", state="detached")


def test_a_related_record_is_found_with_the_keyboard(browser, live_server, world):
    for number in range(40):
        Facility.objects.create(
            name=f"厂{number}", code=f"X{number}", region_id="150203", longitude=109.8, latitude=40.6
        )
    with opened(browser, live_server, world, "registrar") as page:
        page.goto(live_server.url + address("record-new", "outlets"))
        box = page.locator("luming-choice input[role=combobox]").first
        box.focus()
        box.fill("X1")
        page.wait_for_selector("[role=option]:has-text('厂1')")
        assert box.get_attribute("aria-expanded") == "true"
        page.keyboard.press("ArrowDown")
        active = page.locator(f"#{box.get_attribute('aria-activedescendant')}").get_attribute("data-label")
        assert not violations(page)
        page.keyboard.press("Enter")
        assert box.input_value() == active and box.get_attribute("aria-expanded") == "false"
        chosen = page.locator("luming-choice input[type=hidden]").first.input_value()
        assert Facility.objects.get(pk=chosen).name == active
        box.fill("nothing like it")
        page.wait_for_selector(".lm-options .is-said")
        page.keyboard.press("Escape")
        assert box.input_value() == active  # what was typed but not chosen is nothing
        box.fill("")
        page.keyboard.press("Tab")
        assert page.locator("luming-choice input[type=hidden]").first.input_value() == ""
        page.on("dialog", lambda dialog: dialog.accept())


def test_leaving_a_form_with_changes_warns(browser, live_server, world, well):
    with opened(browser, live_server, world, "registrar") as page:
        page.goto(live_server.url + address("record-edit", "wells", well.pk))
        page.click(".lm-form-foot .btn-link")  # nothing was changed: no question
        page.wait_for_url(lambda url: "edit" not in url)
        page.goto(live_server.url + address("record-edit", "wells", well.pk))
        page.fill("#id_contact", "王工")
        asked = []
        page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
        page.click(".lm-form-foot .btn-link", no_wait_after=True)
        page.wait_for_timeout(500)
        assert asked == ["beforeunload"] and page.input_value("#id_contact") == "王工"
        page.click(".lm-form-foot .btn-primary")
        page.wait_for_selector(".alert-success")
    well.refresh_from_db()
    assert well.contact == "王工"


def test_two_people_on_one_record(browser, live_server, world, well, wells):
    with opened(browser, live_server, world, "registrar") as page:
        page.goto(live_server.url + address("record-edit", "wells", well.pk))
        page.fill("#id_name", "我的名字")
        records.change(world.users["registrar"], wells, well, {"name": "他的名字", "remarks": "新"}, "另一个人")
        page.click(".lm-form-foot .btn-primary")
        page.wait_for_selector(".lm-choice")
        assert not violations(page)
        wrong = {}
        check(page, "clash", DESKTOP, "en", False, wrong)
        assert page.input_value("#id_name") == "我的名字" and page.input_value("#id_remarks") == "新"
        page.check("input[name=choose-name][value=mine]")
        page.click(".lm-form-foot .btn-primary")
        page.wait_for_selector(".alert-success")
    well.refresh_from_db()
    assert (well.name, well.remarks) == ("我的名字", "新")


def test_a_click_on_the_map_fills_the_position(browser, live_server, world, well):
    with opened(browser, live_server, world, "registrar") as page:
        page.goto(live_server.url + address("record-edit", "wells", well.pk))
        page.locator("luming-position").scroll_into_view_if_needed()
        page.wait_for_selector("luming-position[data-ready=yes]", timeout=20_000)
        page.wait_for_selector("luming-position .maplibregl-marker")
        box = page.locator("luming-position").bounding_box()
        page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.25 * box["height"])
        page.wait_for_function("document.getElementById('id_longitude').value !== '109.8'")
        assert 109.3 < float(page.input_value("#id_longitude")) < 109.8
        assert 40.6 < float(page.input_value("#id_latitude")) < 40.8
        page.click(".lm-form-foot .btn-primary")
        page.wait_for_selector(".alert-success")
    well.refresh_from_db()
    assert well.longitude < 109.8
