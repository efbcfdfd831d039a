"""The verbs on places: permission, scope, rules, and an audit row with from and to."""

from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError

from luming.core.models import AuditEntry, User
from luming.registry import actions
from luming.registry.models import Device, Facility, Limit, Outlet, Series
from luming.registry.queries import limits_in_force, place_limits, series_of

MN = "88888880000001ABCDEF0001"


def wrong_fields(verb, *args, **values):
    with pytest.raises(ValidationError) as caught:
        verb(*args, **values)
    return set(caught.value.message_dict)


def test_create_and_change_are_audited_from_to(registrar, baotou):
    plant = actions.create_facility(
        registrar, code="QY1", name="某厂", region_id="150203", longitude=109.7, latitude=40.6, reason="新建"
    )
    actions.change_facility(registrar, plant, name="某某厂", address="", reason="更名")
    created, changed = AuditEntry.objects.filter(object_type="registry.facility").order_by("id")
    assert (created.verb, created.reason, created.actor) == ("facility.create", "新建", registrar)
    assert created.detail["values"]["name"] == "某厂"
    assert changed.detail == {"changes": {"name": ["某厂", "某某厂"]}}
    actions.change_facility(registrar, plant, name="某某厂")
    assert AuditEntry.objects.filter(verb="facility.change").count() == 1  # nothing changed, nothing to record


def test_without_permission_nothing_happens(plant, db):
    for role in ("duty", "leader", "system-admin", "enterprise"):
        user = User.objects.create_user(f"u-{role}", "x" * 12, name=role, role=role, organisation=plant.organisation)
        with pytest.raises(PermissionDenied):
            actions.change_facility(user, plant, name="改")
        with pytest.raises(PermissionDenied):
            actions.create_outlet(user, facility=plant, number="DA009", name="改")


def test_scope_holds_on_create_on_change_and_on_moving_away(district_registrar, plant, baotou):
    values = {"code": "QY2", "name": "某厂", "longitude": 110.0, "latitude": 40.6}
    with pytest.raises(ObjectDoesNotExist):
        actions.create_facility(district_registrar, region_id="150202", **values)
    with pytest.raises(ObjectDoesNotExist):
        actions.change_facility(district_registrar, plant, region_id="150202")
    plant.refresh_from_db()
    assert plant.region_id == "150203"
    other = actions.create_facility(None, region_id="150202", **values)
    with pytest.raises(ObjectDoesNotExist):
        actions.change_facility(district_registrar, other, name="改")
    with pytest.raises(ObjectDoesNotExist):
        actions.create_outlet(district_registrar, facility=other, number="DA001", name="某口")


def test_outlet_follows_its_number_and_facility(plant):
    outlet = actions.create_outlet(None, facility=plant, number="DW001", name="总排口")
    assert (outlet.code, outlet.medium, outlet.region_id, outlet.kind) == ("QY0001-DW001", "sewage", "150203", "outlet")
    assert wrong_fields(actions.create_outlet, None, facility=plant, number="DX1", name="某口") >= {"number"}
    assert wrong_fields(actions.create_outlet, None, facility=plant, number="DA002", name="x", medium="sewage") == {
        "medium"
    }
    assert wrong_fields(actions.create_outlet, None, facility=plant, number="DW001", name="总排口") >= {"code"}
    assert Outlet.objects.count() == 1


def test_what_identifies_a_record_stays(stack, plant):
    assert wrong_fields(actions.change_outlet, None, stack, number="DA002") == {"number"}
    assert wrong_fields(actions.change_facility, None, plant, code="X") == {"code"}


def test_uscc_is_checked(baotou):
    values = {"name": "某厂", "region_id": "150203", "longitude": 109.7, "latitude": 40.6}
    assert wrong_fields(actions.create_facility, None, code="Q1", uscc="91350100M000100Y44", **values) == {"uscc"}
    actions.create_facility(None, code="Q1", uscc="91350100M000100Y43", **values)
    assert Facility.objects.get(code="Q1").uscc == "91350100M000100Y43"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"mn": "12345"}, "mn"),
        ({"mn": "88888880000001ABCDEF-001"}, "mn"),
        ({"system": "99"}, "system"),
        ({"networks": ["10.0.0.300"]}, "networks"),
    ],
)
def test_device_rules(stack, values, field):
    assert wrong_fields(actions.create_device, None, **({"mn": MN, "place": stack, "system": "31"} | values)) == {field}
    assert not Device.objects.exists()


def test_secrets_of_a_device_never_reach_the_audit_trail(stack, registrar):
    device = actions.create_device(registrar, mn=MN, place=stack, system="31", password="hush-hush")
    device = actions.change_device(registrar, device, password="hush-2")
    device = actions.set_device_key(registrar, device, bytes(range(16)))
    from luming.core import vault

    assert vault.unseal(device.sm4_key) == bytes(range(16))
    text = str(list(AuditEntry.objects.values_list("detail", flat=True)))
    assert "hush" not in text and device.sm4_key not in text
    assert AuditEntry.objects.filter(detail__changes={"password": "changed"}).exists()
    assert wrong_fields(actions.set_device_key, None, device, b"short") == {"sm4_key"}
    assert actions.set_device_key(None, device, None).sm4_key == ""


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"factor": "a99999"}, "factor"),
        ({"unit": "mg/m3"}, "unit"),
        ({"unit": "furlong"}, "unit"),
        ({"seconds": 600}, "seconds"),
        ({"interval": "minute", "seconds": 420}, "seconds"),
        ({"interval": "realtime", "seconds": 7200}, "seconds"),
        ({"lower": 10, "upper": 5}, "upper"),
    ],
)
def test_series_rules(stack, values, field):
    good = {"place": stack, "factor": "a21026", "interval": "hour", "seconds": 3600, "unit": "mg/m³"}
    assert wrong_fields(actions.create_series, None, **(good | values)) == {field}
    series = actions.create_series(None, **good)
    assert series_of([stack.pk], "hour") == {stack.pk: {"a21026": series}}
    assert series_of([stack.pk]) == {stack.pk: {"a21026/hour": series}}
    assert wrong_fields(actions.change_series, None, series, interval="day") == {"interval"}


def limit(stack, **values):
    good = {
        "outlet": stack, "factor": "a21026", "upper": 35, "unit": "mg/m³", "source": "许可证",
        "effective_from": date(2026, 1, 1),
    }  # fmt: skip
    return actions.create_limit(None, **(good | values))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"upper": None}, "upper"),
        ({"upper": 6, "lower": 9}, "upper"),
        ({"effective_to": date(2025, 12, 31)}, "effective_to"),
        ({"factor": "so2"}, "factor"),
    ],
)
def test_limit_rules(stack, values, field):
    assert field in wrong_fields(limit, stack, **values) or wrong_fields(limit, stack, **values) == {"__all__"}
    assert not Limit.objects.exists()


def test_limits_of_one_factor_do_not_overlap(stack):
    first = limit(stack, effective_to=date(2026, 6, 30))
    assert wrong_fields(limit, stack, effective_from=date(2026, 6, 30)) == {"effective_from"}
    assert wrong_fields(limit, stack, effective_from=date(2025, 1, 1)) == {"effective_from"}
    second = limit(stack, effective_from=date(2026, 7, 1), upper=30)
    limit(stack, effective_from=date(2026, 6, 1), factor="a34013")  # another factor is another matter
    limit(stack, effective_from=date(2026, 6, 1), basis="day")
    assert wrong_fields(actions.change_limit, None, first, effective_to=None) == {"effective_from"}
    actions.change_limit(None, first, effective_to=date(2026, 5, 31))
    assert AuditEntry.objects.get(verb="limit.change").detail["changes"] == {
        "effective_to": ["2026-06-30", "2026-05-31"]
    }
    hourly = [item for item in place_limits(stack, "a21026", date(2026, 7, 1)) if item.basis == "hour"]
    assert hourly == [second]


def test_limits_in_force_count_days_of_the_city(stack):
    first = limit(stack, effective_to=date(2026, 6, 30))
    second = limit(stack, effective_from=date(2026, 7, 1))
    # 2026-06-30 16:00 UTC is midnight of 1 July in Baotou.
    assert place_limits(stack, "a21026", datetime(2026, 6, 30, 15, 59, 59, tzinfo=UTC)) == [first]
    assert place_limits(stack.pk, "a21026", datetime(2026, 6, 30, 16, 0, tzinfo=UTC)) == [second]
    assert place_limits(stack, "a21026", date(2025, 12, 31)) == []
    assert limits_in_force([stack.pk], date(2026, 7, 1)) == {stack.pk: [second]}


def test_station_rules(baotou):
    good = {"code": "S1", "name": "某站", "region_id": "150203", "longitude": 109.7, "latitude": 40.6}
    assert wrong_fields(actions.create_station, None, medium="gas", **good) == {"medium"}
    assert wrong_fields(actions.create_station, None, medium="air", target_class=3, **good) == {"water_body"}
    assert wrong_fields(actions.create_station, None, medium="air", **(good | {"latitude": 99})) == {"latitude"}
    station = actions.create_station(None, medium="water", water_body="river", target_class=3, **good)
    assert actions.change_station(None, station, target_class=2).target_class == 2
    assert Series.objects.count() == 0
