"""Pages of records: every register opens; forms keep what was typed; two people who edit at once; many at once."""

import dataclasses
import re
from datetime import UTC, date, datetime

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from luming_dummy.models import Sample, Well

from luming.core import manifest, records, versions
from luming.core.models import AuditEntry, User
from luming.registry.models import Facility, Outlet, Place

pytestmark = pytest.mark.django_db(transaction=True)
KEYS = [register.key for register in manifest.registers()]


def text(response, status=200):
    assert response.status_code == status, response.content.decode()[:2000]
    return response.content.decode()


def url(name, *args, **query):
    address = reverse(name, args=args)
    return address + ("?" + "&".join(f"{key}={value}" for key, value in query.items()) if query else "")


@pytest.fixture
def wells():
    return manifest.register("wells")


@pytest.fixture
def well(world, wells):
    return records.create(
        world.users["registrar"],
        wells,
        {"code": "W1", "name": "一号井", "region": "150203", "depth_m": 12.5, "longitude": 109.8, "latitude": 40.6},
        "first",
    )


def typed(record, **more):
    """Return what the form of a well sends when it is saved as it was opened, with some fields changed."""
    return {
        "name": record.name, "use": record.use, "facility": "", "contact": record.contact, "depth_m": record.depth_m,
        "diameter_mm": "", "drilled_on": "", "region": record.region_id, "longitude": record.longitude,
        "latitude": record.latitude, "level_m": "", "checked_at": "", "remarks": "", "reason": "",
        "version": versions.current_key(Well, record.pk),
    } | more  # fmt: skip


# What a constraint asks for beyond the columns that must hold something.
AT_LEAST = {"sampling.SampleResult": {"value": 1.0}}


def any_record(model, world, known=None):
    """Make a record of a model that the small city has none of, with something in every column that needs it."""
    known = known or {
        Facility: world.facility, Outlet: world.outlet, Place: world.outlet.place_ptr, User: world.users["duty"],
    }  # fmt: skip
    if model in known:
        return known[model]
    values = {}
    for column in model._meta.concrete_fields:
        if column.primary_key or column.null or column.has_default() or column.blank:
            continue
        if column.is_relation:
            values[column.name] = any_record(column.related_model, world, known)
        elif column.choices:
            values[column.name] = column.flatchoices[0][0]
        elif isinstance(column, models.DateTimeField):
            values[column.name] = datetime(2026, 1, 1, len(values), tzinfo=UTC)  # what ends later stands later
        elif isinstance(column, models.DateField):
            values[column.name] = date(2026, 1, 1)
        elif isinstance(column, models.BinaryField):
            values[column.name] = b"x"
        else:
            values[column.name] = "x" if isinstance(column, models.CharField | models.TextField) else 1
    made = known[model] = model.objects.create(**values | AT_LEAST.get(model._meta.label, {}))
    for relation in model._meta.many_to_many:
        if relation.related_model is Place:  # the scope may go through it
            getattr(made, relation.name).add(known[Place])
    return made


@pytest.mark.parametrize("key", KEYS)
def test_every_register_opens_all_pages_of_a_record(world, well, key):
    Sample.objects.create(well=well, taken_at=datetime(2026, 1, 1, tzinfo=UTC))
    register = manifest.register(key)
    user = next(user for user in world.users.values() if user.may(register.edit) and user.may(register.view))
    client = world.client(user.role)
    if register.add:
        text(client.get(url("record-new", key)))
    text(client.get(url("register-deleted", key)))
    row = register.model.objects.visible_to(user).first()
    if row is None:
        made = any_record(register.model, world)
        row = register.model.objects.visible_to(user).get(pk=made.pk)
    for name in ("record", "record-edit", "record-history"):
        text(client.get(url(name, key, row.pk)))
    if versions.history(register.model, row.pk):
        text(client.get(url("record-compare", key, row.pk)))
    if register.delete:
        text(client.get(url("record-delete", key, row.pk)))
    if register.bulk:
        text(client.post(url("record-bulk", key), {"pk": row.pk}))


def test_saving_a_form_as_it_was_opened_changes_nothing(world, well):
    """For every register: what the form shows is what it reads back."""
    client = world.client("registrar")
    for key in KEYS:
        register = manifest.register(key)
        user = world.users["registrar"]
        row = register.model.objects.visible_to(user).first() if user.may(register.edit) else None
        if row is None:
            continue
        form = client.get(url("record-edit", key, row.pk)).context["form"]
        sent = {}
        for name in form.fields:
            value = form[name].value()
            widget = form.fields[name].widget
            shown = widget.format_value(value) if hasattr(widget, "format_value") else value
            shown = form.fields[name].prepare_value(shown)
            if widget.__class__.__name__ == "CheckboxInput":
                sent |= {name: "on"} if value else {}
            else:
                sent[name] = (
                    shown[0] if isinstance(shown, list) and len(shown) == 1 else ("" if shown in (None, []) else shown)
                )
        before = AuditEntry.objects.count()
        response = client.post(url("record-edit", key, row.pk), sent)
        assert response.status_code == 302, (key, response.context["form"].errors)
        assert AuditEntry.objects.count() == before, key


def test_a_record_shows_its_fields_relations_and_changes(world, well, wells):
    for day in range(1, 8):
        Sample.objects.create(well=well, taken_at=datetime(2026, 1, day, tzinfo=UTC), nitrate=day)
    records.change(world.users["registrar"], wells, well, {"use": "supply"}, "drunk by cows")
    page = text(world.client("registrar").get(url("record", "wells", well.pk)))
    for part in ("一号井", "12.5", "Kundulun", "Samples", "drunk by cows", "Monitoring", "Supply"):
        assert part in page, part
    assert f"/registers/samples/?well={well.pk}" in page and f"/registers/samples/new/?well={well.pk}" in page
    assert page.count('data-href="/registers/samples/') == 5
    leader = text(world.client("leader").get(url("record", "wells", well.pk)))
    assert url("record-edit", "wells", well.pk) not in leader and "Write a remark" not in leader


def test_neighbours_follow_the_registers_order(world, well, wells):
    for code in ("W0", "W2"):
        records.create(world.users["registrar"], wells, {
            "code": code, "name": code, "region": "150203", "depth_m": 1, "longitude": 109.8, "latitude": 40.6
        })  # fmt: skip
    response = world.client("registrar").get(url("record", "wells", well.pk))
    assert [str(response.context[name]) for name in ("before", "after")] == ["W0", "W2"]
    last = world.client("registrar").get(url("record", "wells", response.context["after"].pk))
    assert (str(last.context["before"]), last.context["after"]) == ("一号井", None)


def test_more_related_records_cost_no_more_queries(world, well):
    client = world.client("registrar")
    client.get(url("record", "wells", well.pk))

    def cost():
        with CaptureQueriesContext(connection) as queries:
            text(client.get(url("record", "wells", well.pk)))
        return len(queries)

    Sample.objects.create(well=well, taken_at=datetime(2026, 1, 1, tzinfo=UTC))
    few = cost()
    for day in range(2, 20):
        Sample.objects.create(well=well, taken_at=datetime(2026, 1, day, tzinfo=UTC))
    assert cost() <= few + 1  # the count of what is not shown
    assert few <= 26


@pytest.mark.parametrize("name", ["record", "record-edit", "record-history", "record-delete", "record-attach"])
def test_out_of_scope_there_is_no_record(world, wells, name):
    other = records.create(
        world.users["registrar"],
        wells,
        {"code": "W9", "name": "九", "region": "150207", "depth_m": 1, "longitude": 109.9, "latitude": 40.6},
    )
    world.users["registrar"].region_codes = ["150203"]
    world.users["registrar"].save()
    client = world.client("registrar")
    assert client.get(url(name, "wells", other.pk)).status_code == 404
    for wrong in ("999999", "x" * 30, "9" * 30, "1.5"):
        assert client.get(url(name, "wells", wrong)).status_code == 404
    assert client.get(url(name, "nothing", other.pk)).status_code == 404
    page = text(client.post(url("record-bulk", "wells"), {"pk": other.pk}, follow=True))
    assert "No record is chosen" in page


def test_a_new_record_and_another(world):
    client = world.client("registrar")
    sent = {"code": "W7", "name": "七", "use": "supply", "region": "150203", "depth_m": "7", "longitude": "109.8",
            "latitude": "40.6", "then": "another"}  # fmt: skip
    response = client.post(url("record-new", "wells", use="supply"), sent)
    assert (response.status_code, response.headers["Location"]) == (302, "/registers/wells/new/?use=supply")
    made = Well.objects.get(code="W7")
    assert made.use == "supply"
    again = client.post(url("record-new", "wells"), sent | {"name": "not lost"})
    page = text(again)
    assert "not lost" in page and "already exists" in page and 'aria-invalid="true"' in page
    assert client.post(url("record-new", "wells"), {}).status_code == 200


def test_a_form_is_prefilled_from_where_it_was_opened(world, well):
    form = world.client("registrar").get(url("record-new", "samples", well=well.pk)).context["form"]
    assert form["well"].value() == str(well.pk)


def test_an_outlet_takes_what_follows_from_its_facility(world):
    client = world.client("registrar")
    sent = {"facility": world.facility.pk, "number": "DW001", "name": "总排口", "region": "150203",
            "longitude": "109.8", "latitude": "40.6", "is_active": "on"}  # fmt: skip
    assert client.post(url("record-new", "outlets"), sent).status_code == 302
    made = Outlet.objects.get(number="DW001")
    assert (made.code, made.medium) == ("F1-DW001", "sewage")
    response = client.post(url("record-new", "outlets"), sent | {"number": "XX1"})
    assert "Such as DA001" in text(response)


def test_what_identifies_is_shown_and_not_asked(world, well):
    response = world.client("registrar").get(url("record-edit", "wells", well.pk))
    assert "code" not in response.context["form"].fields and ">W1<" in text(response)


def test_secrets_are_neither_shown_nor_emptied(world):
    world.device.password = "sesame"
    world.device.save()
    client = world.client("registrar")
    for name in ("record", "record-edit", "record-history", "record-compare"):
        page = text(client.get(url(name, "devices", world.device.pk)))
        assert "sesame" not in page, name
    form = client.get(url("record-edit", "devices", world.device.pk)).context["form"]
    sent = {name: form[name].value() or "" for name in form.fields} | {"networks": "10.0.0.0/8\n", "is_active": "on"}
    response = client.post(url("record-edit", "devices", world.device.pk), sent | {"password": ""})
    assert response.status_code == 302, response.context["form"].errors
    world.device.refresh_from_db()
    assert (world.device.password, world.device.networks) == ("sesame", ["10.0.0.0/8"])
    client.post(url("record-edit", "devices", world.device.pk), sent | {
        "password": "opened", "version": versions.current_key(type(world.device), world.device.pk)
    })  # fmt: skip
    world.device.refresh_from_db()
    assert world.device.password == "opened"
    page = text(client.get(url("record-history", "devices", world.device.pk)))
    assert "changed, not shown" in page and "opened" not in page


# ---- two people at once ---------------------------------------------------------------------------------------------


def test_who_edits_what_somebody_changed_chooses_and_loses_nothing(world, well, wells):
    client = world.client("registrar")
    mine = typed(well, name="mine", contact="王工", reason="because")
    records.change(world.users["registrar"], wells, well, {"name": "theirs", "depth_m": 20.0}, "measured")
    response = client.post(url("record-edit", "wells", well.pk), mine)
    page = text(response)
    clashes = {clash.name: clash for clash in response.context["clashes"]}
    assert set(clashes) == {"name", "depth_m"} and "measured" in page
    assert (clashes["name"].before, clashes["name"].theirs, clashes["name"].mine) == ("一号井", "theirs", "mine")
    assert clashes["depth_m"].mine == ""  # only they changed it
    form = response.context["form"]
    assert (form["name"].value(), form["contact"].value(), form["depth_m"].value()) == ("mine", "王工", 20.0)
    assert form["reason"].value() == "because"
    again = mine | {"depth_m": "20.0", "version": form["version"].value(), "choose-name": "theirs"}
    assert client.post(url("record-edit", "wells", well.pk), again).status_code == 302
    well.refresh_from_db()
    assert (well.name, well.contact, well.depth_m) == ("theirs", "王工", 20.0)


def test_mine_may_win(world, well, wells):
    client = world.client("registrar")
    mine = typed(well, name="mine")
    records.change(world.users["registrar"], wells, well, {"name": "theirs"})
    form = client.post(url("record-edit", "wells", well.pk), mine).context["form"]
    sent = mine | {"version": form["version"].value(), "choose-name": "mine"}
    assert client.post(url("record-edit", "wells", well.pk), sent).status_code == 302
    well.refresh_from_db()
    assert well.name == "mine"


# ---- many at once ---------------------------------------------------------------------------------------------------


def several(world, wells, count=4):
    return [
        records.create(world.users["registrar"], wells, {
            "code": f"M{number}", "name": f"M{number}", "region": "150203", "depth_m": 1, "longitude": 109.8,
            "latitude": 40.6,
        })
        for number in range(count)
    ]  # fmt: skip


def test_many_are_changed_after_a_look_and_taken_back(world, wells):
    rows = several(world, wells)
    client, address = world.client("registrar"), url("record-bulk", "wells")
    chosen = {"pk": [row.pk for row in rows]}
    assert "4</b> records" in text(client.post(address, chosen))
    step = {"pks": ",".join(str(row.pk) for row in rows), "field": ["use", "is_sealed"], "use": "supply",
            "is_sealed": "true", "reason": "all of them"}  # fmt: skip
    assert "at least one field" in text(client.post(address, step | {"step": "preview", "field": []}))
    preview = client.post(address, step | {"step": "preview"})
    page = text(preview)
    assert "4</b> records will change" in page and "Monitoring" in page and "Supply" in page
    assert not Well.objects.filter(use="supply").exists()
    assert "all of them" in text(client.post(address, step | {"step": "back"}))
    assert text(client.post(address, step | {"step": "apply", "counted": "3"}))  # others than were looked at
    assert not Well.objects.filter(use="supply").exists()
    done = client.post(address, step | {"step": "apply", "counted": "4"}, follow=True)
    assert Well.objects.filter(use="supply", is_sealed=True).count() == 4
    undo = re.search(r'href="?\'?(/registers/wells/bulk/undo/[^"\']+)', text(done))[1].replace("&amp;", "&")
    assert "all of them" in text(client.get(undo))
    assert "4 records have their former values again" in text(client.post(undo, {"reason": "no"}, follow=True))
    assert not Well.objects.filter(use="supply").exists()
    assert AuditEntry.objects.filter(verb="well.change", reason="no").count() == 4


def test_a_relation_is_given_to_many_and_told_by_name(world):
    client, address = world.client("registrar"), url("record-bulk", "facilities")
    step = {"pks": f"{world.facility.pk},{world.elsewhere.facility.pk}", "field": ["region", "status"],
            "region": "150207", "status": "stopped"}  # fmt: skip
    page = text(client.post(address, step | {"step": "preview"}))
    assert "2</b> records will change" in page and "Kundulun" in page and "Jiuyuan" in page
    assert client.post(address, step | {"step": "apply", "counted": "2"}).status_code == 302
    assert set(Facility.objects.values_list("region_id", "status")) == {("150207", "stopped")}
    assert AuditEntry.objects.filter(verb="facility.change").count() == 2
    world.users["registrar"].region_codes = ["150203"]
    world.users["registrar"].save()
    assert "No record is chosen" in text(client.post(address, step | {"step": "preview"}, follow=True))


def test_who_may_only_act_on_many_is_offered_no_fields(world, wells, monkeypatch):
    rows = several(world, wells, 2)
    action = dataclasses.replace(wells.actions[0], permission="record.annotate")
    monkeypatch.setitem(wells.__dict__, "actions", [action])
    page = text(world.client("duty").post(url("record-bulk", "wells"), {"pk": rows[0].pk}))
    assert 'value="seal"' in page and 'name="field"' not in page and 'value="delete"' not in page
    step = {"pks": rows[0].pk, "field": "use", "use": "supply", "step": "preview"}
    assert "at least one field" in text(world.client("duty").post(url("record-bulk", "wells"), step))
    assert world.client("duty").post(url("record-bulk", "wells"), step | {"do": "delete"}).status_code == 403


def test_all_that_a_list_finds_may_be_meant(world, wells):
    several(world, wells)
    Well.objects.filter(code="M3").update(use="supply")
    page = text(world.client("registrar").post(url("record-bulk", "wells"), {"all": "1", "query": "use=monitoring"}))
    assert "3</b> records" in page and 'name="query" value="use=monitoring"' in page


def test_a_change_of_many_says_every_record_that_refuses(world, wells):
    rows = several(world, wells)
    Well.objects.filter(pk__in=[rows[0].pk, rows[1].pk]).update(depth_m=-1)
    step = {"pks": ",".join(str(row.pk) for row in rows), "field": "use", "use": "supply", "step": "preview"}
    page = text(world.client("registrar").post(url("record-bulk", "wells"), step))
    assert "(2)" in page and ">M0</a>" in page and ">M1</a>" in page and ">M2</a>" not in page


def test_many_are_deleted_and_listed(world, wells):
    rows = several(world, wells)
    client, address = world.client("registrar"), url("record-bulk", "wells")
    step = {"do": "delete", "pks": ",".join(str(row.pk) for row in rows)}
    assert "Delete these records?" in text(client.post(address, step))
    client.post(address, step | {"confirmed": "1", "counted": "4", "reason": "filled in"})
    assert not Well.objects.exists()
    page = text(client.get(url("register-deleted", "wells")))
    assert page.count("filled in") == 4
    text(client.get(url("record-history", "wells", rows[0].pk)))
    assert "Bring back" in text(client.get(url("record-undelete", "wells", rows[0].pk)))
    assert client.post(url("record-undelete", "wells", rows[0].pk), {"reason": "no"}).status_code == 302
    assert Well.objects.get().pk == rows[0].pk


# ---- actions, deletion, typing --------------------------------------------------------------------------------------


def test_an_action_asks_runs_and_offers_the_way_back(world, well):
    client, address = world.client("registrar"), url("record-action", "wells", well.pk, "seal")
    assert "Nobody draws water" in text(client.get(address))
    assert "is only 12.5 m deep" in text(client.post(address, {"depth_m": "50"}))
    page = text(client.post(address, {"depth_m": "5", "reason": "dry"}, follow=True))
    assert "1 sealed." in page and url("record-action", "wells", well.pk, "open") in page
    assert client.get(address).status_code == 404  # it is sealed now
    assert client.get(url("record-action", "wells", well.pk, "nothing")).status_code == 404


def test_an_action_on_many_takes_those_that_fit(world, wells):
    rows = several(world, wells, 3)
    Well.objects.filter(pk=rows[0].pk).update(is_sealed=True)
    client, address = world.client("registrar"), url("record-bulk", "wells")
    sent = {"do": "seal", "pk": [row.pk for row in rows]}
    offered = text(client.post(address, sent | {"do": ""}))
    assert 'name="do" value="seal"' in offered and 'name="do" value="delete"' in offered
    assert "2</b> records" in text(client.post(address, sent))
    page = text(client.post(address, sent | {"confirmed": "1", "depth_m": "1"}, follow=True))
    assert "2 sealed." in page and Well.objects.filter(is_sealed=True).count() == 3


def test_deleting_asks_precisely_and_can_be_undone(world, well):
    Sample.objects.create(well=well, taken_at=datetime(2026, 1, 1, tzinfo=UTC))
    client = world.client("registrar")
    page = text(client.get(url("record-delete", "wells", well.pk)))
    assert "deleted with it" in page and "Samples</b>: 1" in page
    page = text(client.post(url("record-delete", "wells", well.pk), {"reason": "x"}, follow=True))
    assert url("record-undelete", "wells", well.pk) in page
    assert client.get(url("record-delete", "facilities", world.facility.pk)).status_code == 403


def test_related_records_are_found_by_typing_within_the_scope(world):
    world.users["registrar"].region_codes = ["150203"]
    world.users["registrar"].save()
    client = world.client("registrar")
    found = client.get(url("record-options", "outlets", "facility", q="工厂")).json()
    assert [choice["label"] for choice in found["choices"]] == ["工厂F1"] and found["choices"][0]["hint"] == "F1"
    assert client.get(url("record-options", "outlets", "number")).status_code == 404
    assert client.get(url("record-options", "devices", "place", q="F1-DA")).json()["choices"]
    response = client.post(url("record-new", "outlets"), {"facility": Facility.objects.get(code="F2").pk})
    assert "no such record in your data scope" in text(response)


def test_many_related_records_become_a_box_to_type_in(world):
    for number in range(40):
        Facility.objects.create(
            name=f"厂{number}", code=f"X{number}", region_id="150203", longitude=109.8, latitude=40.6
        )
    page = text(world.client("registrar").get(url("record-new", "outlets", facility=world.facility.pk)))
    assert "<luming-choice" in page and 'role="combobox"' in page and "厂39" not in page and "工厂F1" in page


# ---- history --------------------------------------------------------------------------------------------------------


def test_history_tells_in_words_and_marks_what_was_written_past_the_program(world, well, wells):
    registrar = world.users["registrar"]
    first = versions.current_key(Well, well.pk)
    records.change(registrar, wells, well, {"use": "supply", "facility": world.facility.pk}, "sold")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE dummy_well SET depth_m = 99 WHERE id = %s", [well.pk])
    client = world.client("registrar")
    page = text(client.get(url("record-history", "wells", well.pk)))
    for part in ("Supply", "Monitoring", "工厂F1", "sold", "past the program", "99", "3 versions"):
        assert part in page, part
    response = client.get(url("record-compare", "wells", well.pk, a=versions.current_key(Well, well.pk), b=first))
    different = {line.name: (line.former, line.value) for line in response.context["lines"] if line.differs}
    assert different == {
        "use": ("Monitoring", "Supply"),
        "facility_id": ("—", "工厂F1"),
        "depth_m": ("12.5", "99"),
    } or different == {"use": ("Monitoring", "Supply"), "facility_id": ("—", "工厂F1"), "depth_m": ("12.5", "99.0")}
    page = text(client.get(url("record-restore", "wells", well.pk, version=first)))
    assert "12.5" in page and "Supply" in page
    assert client.post(url("record-restore", "wells", well.pk, version=first), {}).status_code == 200
    client.post(url("record-restore", "wells", well.pk, version=first), {"reason": "wrong well"})
    well.refresh_from_db()
    assert (well.use, well.facility, well.depth_m) == ("monitoring", None, 12.5)
    assert "nothing to restore" in text(client.get(url("record-restore", "wells", well.pk, version=first)))
    assert client.get(url("record-restore", "wells", well.pk, version="0")).status_code == 302


def test_names_outside_the_scope_are_not_told(world, well, wells):
    other = Facility.objects.get(code="F2")
    records.change(world.users["registrar"], wells, well, {"facility": other.pk})
    records.change(world.users["registrar"], wells, well, {"facility": None})
    page = text(world.client("district").get(url("record-history", "wells", well.pk)))
    assert other.name not in page and f"#{other.pk}" in page
    assert other.name in text(world.client("duty").get(url("record-history", "wells", well.pk)))


def test_an_enterprise_does_not_read_who_changed_what(world):
    client = world.client("enterprise")
    page = text(client.get(url("record", "facilities", world.facility.pk)))
    assert "Latest changes" not in page
    for name in ("record-history", "record-compare"):
        assert client.get(url(name, "facilities", world.facility.pk)).status_code == 403
    assert client.get(url("register-deleted", "facilities")).status_code == 403


def test_a_district_lists_what_was_deleted_in_it(world, wells):
    rows = several(world, wells, 2)
    Well.objects.filter(pk=rows[1].pk).update(region_id="150207")
    records.bulk_delete(world.users["registrar"], wells, rows, "both")
    page = text(world.client("district").get(url("register-deleted", "wells")))
    assert ">M0</a>" in page and ">M1</a>" not in page
    assert world.client("district").get(url("record-history", "wells", rows[0].pk)).status_code == 200
    assert world.client("district").get(url("record-history", "wells", rows[1].pk)).status_code == 404
    assert world.client("district").get(url("record-undelete", "wells", rows[0].pk)).status_code == 403
