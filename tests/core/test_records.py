"""Verbs on records of any register, tried on the ledgers of the dummy domain and on outlets (two tables)."""

import threading
from datetime import UTC, datetime

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, connections
from django.utils import translation
from luming_dummy.models import Sample, Well

from luming.core import manifest, records, versions
from luming.core.dependants import dependants
from luming.core.models import AuditEntry, Tag, Tagging, User
from luming.registry.models import Facility, Outlet, Region, Station

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture
def city():
    region = Region.objects.create(code="150200", name="包头市", level="city")
    Region.objects.create(code="150203", name="昆都仑区", level="district", parent=region)
    Region.objects.create(code="150207", name="九原区", level="district", parent=region)
    return region


@pytest.fixture
def keeper(city):
    return User.objects.create(username="keeper", name="管理员", role="registrar")


@pytest.fixture
def district_keeper(city):
    return User.objects.create(username="d", name="分局", role="registrar", region_codes=["150203"])


@pytest.fixture
def wells():
    return manifest.register("wells")


def values(code="W1", **more):
    return {
        "code": code,
        "name": f"井{code}",
        "region": "150203",
        "depth_m": "12.5",
        "longitude": 109.8,
        "latitude": 40.6,
    } | more


def make(user, register, code="W1", **more):
    return records.create(user, register, values(code, **more))


def outlet(keeper):
    outlets, facilities = manifest.register("outlets"), manifest.register("facilities")
    facility = records.create(
        keeper, facilities, {"name": "厂", "code": "F1", "region": "150203", "longitude": 109.8, "latitude": 40.6}
    )
    return outlets, records.create(
        keeper, outlets, {"facility": facility, "number": "DA001", "name": "一号", "region": "150203", "height_m": 30.0}
    )


def test_create_writes_the_record_and_who_made_it(keeper, wells):
    well = make(keeper, wells)
    assert (well.depth_m, well.region_id) == (12.5, "150203")
    row = AuditEntry.objects.get(verb="well.create")
    assert (row.actor, row.object_id, row.detail["values"]["code"]) == (keeper, str(well.pk), "W1")


def test_create_says_all_that_is_wrong_by_field(keeper, wells):
    with pytest.raises(ValidationError) as caught:
        records.create(keeper, wells, {"code": "W1", "region": "999999", "depth_m": "deep", "colour": "red"})
    assert set(caught.value.message_dict) == {"region", "depth_m", "colour"}
    with pytest.raises(ValidationError) as caught:
        records.create(keeper, wells, {"code": "W1", "region": "150203", "depth_m": -1})
    assert {"name", "depth_m", "longitude", "latitude"} <= set(caught.value.message_dict)
    assert not Well.objects.exists() and not AuditEntry.objects.exists()


def test_without_the_permission_nothing_happens(wells, keeper):
    well = make(keeper, wells)
    duty = User.objects.create(username="duty", role="duty")
    for act in (
        lambda: records.create(duty, wells, values("W2")),
        lambda: records.change(duty, wells, well, {"name": "x"}),
        lambda: records.delete(duty, wells, well),
        lambda: records.bulk_change(duty, wells, [well], {"use": "supply"}),
        lambda: records.bulk_delete(duty, wells, [well]),
        lambda: records.restore_deleted(duty, wells, well.pk),
    ):
        with pytest.raises(PermissionDenied):
            act()


def test_nobody_moves_a_record_out_of_their_scope(keeper, district_keeper, wells):
    mine, other = make(keeper, wells), make(keeper, wells, "W2", region="150207")
    with pytest.raises(Well.DoesNotExist):
        records.change(district_keeper, wells, other, {"name": "x"})
    with pytest.raises(ValidationError, match="scope"):
        records.change(district_keeper, wells, mine, {"region": Region.objects.get(code="150207")})
    with pytest.raises(ValidationError, match="scope"):
        records.create(district_keeper, wells, values("W3", region=Region.objects.get(code="150207")))
    with pytest.raises(Well.DoesNotExist):
        records.bulk_change(district_keeper, wells, [mine, other], {"use": "supply"})
    mine.refresh_from_db()
    assert (mine.region_id, mine.use, Well.objects.count()) == ("150203", "monitoring", 2)


def test_change_records_from_what_to_what(keeper, wells):
    well = make(keeper, wells)
    records.change(keeper, wells, well, {"level_m": "3.50", "use": "supply", "name": well.name}, "measured")
    row = AuditEntry.objects.get(verb="well.change")
    assert row.detail == {"changes": {"level_m": [None, "3.5"], "use": ["monitoring", "supply"]}}
    assert row.reason == "measured"
    records.change(keeper, wells, well, {"level_m": "3.5"})  # the same number changes nothing
    assert AuditEntry.objects.filter(verb="well.change").count() == 1


def test_what_identifies_a_record_cannot_be_changed(keeper, wells):
    well = make(keeper, wells)
    with pytest.raises(ValidationError) as caught:
        records.change(keeper, wells, well, {"code": "W9"})
    assert "code" in caught.value.message_dict
    records.change(keeper, wells, well, {"code": "W1", "name": "new"})  # as it is, it may be sent along
    well.refresh_from_db()
    assert well.name == "new"


def test_a_register_may_demand_a_reason(keeper, wells, monkeypatch):
    well = make(keeper, wells)
    monkeypatch.setitem(wells.__dict__, "explained", True)
    with pytest.raises(ValidationError) as caught:
        records.change(keeper, wells, well, {"name": "x"}, "  ")
    assert "reason" in caught.value.message_dict
    records.change(keeper, wells, well, {"name": "x"}, "because")


def test_a_form_that_is_too_old_is_refused(keeper, wells):
    well = make(keeper, wells)
    opened = versions.current_key(Well, well.pk)
    records.change(keeper, wells, well, {"name": "first"}, version=opened)
    with pytest.raises(records.ConflictError) as caught:
        records.change(keeper, wells, well, {"name": "second"}, version=opened)
    assert caught.value.version == versions.current_key(Well, well.pk) != opened
    assert versions.snapshot(Well, well.pk, opened)["name"] == "井W1"


def test_of_two_edits_at_once_one_wins_and_the_other_hears_of_it(keeper, wells):
    well = make(keeper, wells)
    opened = versions.current_key(Well, well.pk)
    outcomes, start = [], threading.Barrier(2)

    def edit(name):
        try:
            start.wait(10)
            records.change(keeper, wells, well, {"name": name}, version=opened)
            outcomes.append(name)
        except records.ConflictError:
            outcomes.append("conflict")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=edit, args=[name]) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    well.refresh_from_db()
    assert sorted(outcomes) == sorted([well.name, "conflict"])


def test_the_same_key_twice_at_once_is_said_and_not_an_error(keeper, wells, monkeypatch):
    make(keeper, wells)
    monkeypatch.setattr(Well, "full_clean", lambda self, *args, **kwargs: None)  # checked a moment too early
    with pytest.raises(ValidationError, match="same key"):
        make(keeper, wells)


def test_delete_keeps_it_in_the_history_and_brings_it_back(keeper, wells):
    well = make(keeper, wells, contact="王工")
    samples = [Sample.objects.create(well=well, taken_at=datetime(2026, day, 1, tzinfo=UTC)) for day in (1, 2)]
    [hanging] = dependants(well)
    assert (hanging.model, hanging.count, hanging.effect) == (Sample, 2, "delete")
    pk = well.pk
    records.delete(keeper, wells, well, "filled in")
    assert not Well.objects.exists() and not Sample.objects.exists()
    assert [row.pgh_obj_id for row in versions.deleted(Well, 10)] == [pk]
    back = records.restore_deleted(keeper, wells, pk, "a mistake")
    assert (back.pk, back.contact, back.depth_m) == (pk, "王工", 12.5)
    assert set(Sample.objects.values_list("pk", flat=True)) == {sample.pk for sample in samples}
    assert [entry.label for entry in versions.history(Well, pk)] == ["create", "delete", "create"]
    assert AuditEntry.objects.get(verb="well.restore").detail["restored_with_it"] == 2
    assert not versions.deleted(Well, 10)
    with pytest.raises(Well.DoesNotExist):
        records.restore_deleted(keeper, wells, pk)


def test_a_record_whose_key_is_taken_is_not_brought_back(keeper, wells):
    well = make(keeper, wells)
    pk = well.pk
    records.delete(keeper, wells, well)
    make(keeper, wells)
    with pytest.raises(ValidationError):
        records.restore_deleted(keeper, wells, pk)


def test_what_went_with_its_owner_needs_the_owner_first(keeper, wells):
    samples, well = manifest.register("samples"), make(keeper, wells)
    sample = records.create(keeper, samples, {"well": well.pk, "taken_at": "2026-01-01T00:00:00+00:00"})
    pk = sample.pk
    records.delete(keeper, wells, well)
    with pytest.raises(ValidationError) as caught:
        records.restore_deleted(keeper, samples, pk)
    assert "well" in caught.value.message_dict


def test_deleted_records_have_a_scope_too(keeper, district_keeper, wells):
    mine, other = make(keeper, wells), make(keeper, wells, "W2", region="150207")
    keys = [mine.pk, other.pk]
    records.bulk_delete(keeper, wells, [mine, other], "test")
    known = versions.last_values(Well, keys)
    assert [records.sees_deleted(district_keeper, wells, known[key]) for key in keys] == [True, False]
    assert [records.sees_deleted(keeper, wells, known[key]) for key in keys] == [True, True]
    assert not Well.objects.exists()  # looking leaves nothing behind
    with pytest.raises(Well.DoesNotExist):
        records.restore_deleted(district_keeper, wells, keys[1])


def test_what_protects_a_record_is_named(keeper):
    _outlets, row = outlet(keeper)
    facilities = manifest.register("facilities")
    with pytest.raises(PermissionDenied):  # the register of facilities deletes nothing
        records.delete(keeper, facilities, row.facility)
    assert any(entry.effect == "protect" and entry.model is Outlet for entry in dependants(row.facility))


# ---- many records ---------------------------------------------------------------------------------------------------


def test_bulk_change_writes_one_row_each_and_can_be_taken_back(keeper, wells):
    rows = [make(keeper, wells, f"W{number}", use="supply" if number == 3 else "monitoring") for number in range(5)]
    dry = records.bulk_change(keeper, wells, rows, {"use": "supply"}, dry_run=True)
    assert (dry.changed, dry.unchanged, Well.objects.filter(use="supply").count()) == (4, 1, 1)
    outcome = records.bulk_change(keeper, wells, rows, {"use": "supply", "contact": "甲"}, "new use")
    assert (outcome.changed, outcome.unchanged) == (5, 0)
    audited = records.changed_in(wells, outcome.batch)
    assert len(audited) == 5 and {row.reason for row in audited} == {"new use"}
    records.change(keeper, wells, rows[0], {"contact": "乙"})  # changed again by somebody
    undone = records.undo_bulk(keeper, wells, outcome.batch, "wrong")
    assert (undone.changed, list(undone.skipped)) == (4, [rows[0].name])
    assert Well.objects.filter(use="supply").count() == 2  # the one that was so before, and the one changed again
    assert Well.objects.get(code="W0").contact == "乙"


def test_bulk_change_is_all_or_nothing_and_says_everything(keeper, wells, monkeypatch):
    rows = [make(keeper, wells, f"W{number}") for number in range(3)]
    Well.objects.filter(pk__in=[rows[0].pk, rows[2].pk]).update(depth_m=-5)  # wrong since before
    with pytest.raises(records.ProblemsError) as caught:
        records.bulk_change(keeper, wells, rows, {"use": "supply"})
    assert [problem.record.pk for problem in caught.value.problems] == [rows[0].pk, rows[2].pk]
    assert {problem.field for problem in caught.value.problems} == {"depth_m"}
    assert not Well.objects.filter(use="supply").exists()
    assert not AuditEntry.objects.filter(verb="well.change").exists()


def test_only_declared_fields_are_changed_for_many(keeper, wells):
    with pytest.raises(ValidationError) as caught:
        records.bulk_change(keeper, wells, [make(keeper, wells)], {"name": "all alike"})
    assert "name" in caught.value.message_dict


def test_bulk_change_calls_the_registers_own_verb(keeper):
    outlets, row = outlet(keeper)
    outcome = records.bulk_change(keeper, outlets, [row], {"process": "烧结"})
    audited = AuditEntry.objects.get(verb="outlet.change")
    assert audited.detail["changes"] == {"process": ["", "烧结"]}
    assert records.undo_bulk(keeper, outlets, outcome.batch).changed == 1


def test_bulk_change_costs_few_queries_per_record(keeper, wells, django_assert_max_num_queries):
    rows = [make(keeper, wells, f"W{number:02}") for number in range(20)]
    with django_assert_max_num_queries(20 + 12):
        records.bulk_change(keeper, wells, rows, {"use": "supply"})


def test_what_only_the_database_refuses_is_said_by_record(keeper, wells, monkeypatch):
    rows = [make(keeper, wells, f"W{number}") for number in range(2)]
    monkeypatch.setattr(Well, "full_clean", lambda self, *args, **kwargs: None)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE dummy_well ADD CONSTRAINT sober CHECK (contact <> 'x')")
    try:
        with pytest.raises(records.ProblemsError) as caught:
            records.bulk_change(keeper, wells, rows, {"contact": "x"})
        assert caught.value.problems[0].record.pk == rows[0].pk
        assert not Well.objects.filter(contact="x").exists()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE dummy_well DROP CONSTRAINT sober")


# ---- history --------------------------------------------------------------------------------------------------------


def test_history_holds_what_was_written_past_the_verbs(keeper, wells):
    well = make(keeper, wells)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE dummy_well SET depth_m = 99 WHERE id = %s", [well.pk])
    newest, first = versions.history(Well, well.pk)
    assert (newest.label, newest.is_recorded, newest.changes) == ("change", False, {"depth_m": (12.5, 99.0)})
    assert first.is_recorded and first.entries[0].actor == keeper


def test_an_outlet_is_one_record_in_two_tables(keeper):
    outlets, row = outlet(keeper)
    first = versions.current_key(Outlet, row.pk)
    records.change(keeper, outlets, row, {"name": "二号"}, "place only")
    records.change(keeper, outlets, row, {"height_m": 45.0}, "outlet only")
    records.change(keeper, outlets, row, {"name": "三号", "height_m": 60.0}, "both")
    both, *_middle, made = versions.history(Outlet, row.pk)
    assert (both.changes, made.label) == ({"name": ("二号", "三号"), "height_m": (45.0, 60.0)}, "create")
    assert len(versions.history(Outlet, row.pk)) == 4 and made.key == first
    records.restore(keeper, outlets, row, first, "as it was")
    row = Outlet.objects.get(pk=row.pk)
    assert (row.name, row.height_m, row.number) == ("一号", 30.0, "DA001")
    assert AuditEntry.objects.filter(verb="outlet.change").latest("pk").reason == "as it was"


def test_restoring_brings_back_related_records_and_leaves_what_is_fixed(keeper, wells):
    facility = Facility.objects.create(name="厂", code="F1", region_id="150203", longitude=109.8, latitude=40.6)
    well = make(keeper, wells, facility=facility.pk, drilled_on="2020-02-03")
    first = versions.current_key(Well, well.pk)
    records.change(keeper, wells, well, {"facility": None, "drilled_on": None, "is_sealed": True})
    Well.objects.filter(pk=well.pk).update(code="W1-renamed")  # past the verbs
    records.restore(keeper, wells, well, first, "back")
    well.refresh_from_db()
    assert (well.facility_id, str(well.drilled_on), well.is_sealed) == (facility.pk, "2020-02-03", False)
    assert well.code == "W1-renamed"
    with pytest.raises(ValidationError):
        records.restore(keeper, wells, well, "0", "no such version")


def test_secrets_are_in_no_version_and_not_in_the_audit_trail(keeper):
    devices = manifest.register("devices")
    _outlets, row = outlet(keeper)
    device = records.create(keeper, devices, {"mn": "A" * 24, "place": row.pk, "system": "31", "password": "sesame1"})
    records.change(keeper, devices, device, {"password": "sesame2"})
    told = versions.history(type(device), device.pk)
    assert "sesame" not in repr([(entry.values, entry.changes) for entry in told])
    assert "sesame" not in repr(list(AuditEntry.objects.values_list("detail", flat=True)))


def test_a_record_older_than_its_history_keeps_what_is_known(keeper):
    stations = manifest.register("stations")
    row = records.create(
        keeper, stations,
        {"code": "S1", "name": "站", "medium": "air", "region": "150203", "longitude": 109.8, "latitude": 40.6},
    )  # fmt: skip
    with connection.cursor() as cursor:  # as if it had been there before the history
        cursor.execute("TRUNCATE registry_placeevent, registry_stationevent")
    assert versions.history(Station, row.pk) == []
    records.change(keeper, stations, row, {"name": "新站"})
    [told] = versions.history(Station, row.pk)
    assert told.changes == {"name": ("站", "新站")}  # the former name from the audit trail
    assert told.values["control"] == "city"  # of the table that has no history, what it holds now


def test_tagged_narrows_a_queryset(keeper, wells):
    rows = [make(keeper, wells, f"W{number}") for number in range(3)]
    tags = [Tag.objects.create(name=name) for name in ("甲", "乙")]
    for row, tag in ((rows[0], tags[0]), (rows[0], tags[1]), (rows[1], tags[0])):
        Tagging.objects.create(object_type=wells.object_type, object_id=str(row.pk), tag=tag)
    both = records.tagged(Well.objects.all(), wells, [tag.pk for tag in tags])
    assert list(both) == [rows[0]] and records.tagged(Well.objects.all(), wells, [tags[0].pk]).count() == 2
    outlets, row = outlet(keeper)
    Tagging.objects.create(object_type=outlets.object_type, object_id=str(row.pk), tag=tags[0])
    assert list(records.tagged(Outlet.objects.all(), outlets, [tags[0].pk])) == [row]
