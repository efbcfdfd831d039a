"""Permits, allowances and daily emissions: the figures, the verbs, and what the product shows of them."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from luming.core import manifest, memo, records
from luming.core.models import AuditEntry, Organisation, User
from luming.domains.permitting import accounts, actions, evaluate, file, home, layers, links, numbers, panels, words
from luming.domains.permitting.models import Allowance, EmissionDay, Permit
from luming.hj212 import FACTORS
from luming.registry.models import Facility, Outlet, Region, Series
from luming.standards.amounts import month_end
from luming.telemetry import judging
from luming.telemetry.models import Judgement

NUMBER = "91130200699229617X001P"  # the example of HJ 608-2017, annex A
START = datetime(2026, 11, 1, 2, tzinfo=UTC)  # 10 o'clock in the city
HOUR = timedelta(hours=1)
TODAY = timezone.localdate()

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def registrar(db):
    return User.objects.create_user("keeper", "x" * 12, name="档案员", role="registrar")


@pytest.fixture
def duty(db):
    return User.objects.create_user("duty", "x" * 12, name="值班员", role="duty")


def permit_values(facility, **changes):
    values = {
        "number": NUMBER, "facility": facility, "issued_by": "某市生态环境局", "issued_on": date(TODAY.year - 1, 1, 1),
        "valid_from": date(TODAY.year - 1, 1, 2), "valid_to": date(TODAY.year + 4, 1, 1),
    }  # fmt: skip
    return values | changes


@pytest.fixture
def permit(outlet):
    return actions.create_permit(None, **permit_values(outlet.facility))


def allow(permit, tonnes, **changes):
    values = {"permit": permit, "factor": "a21026", "year": TODAY.year, "tonnes": tonnes, "source": "副本 表3"}
    return actions.create_allowance(None, **(values | changes))


def emitted(outlet, factor, day, kilograms, present=24, expected=24):
    return EmissionDay.objects.create(
        outlet=outlet, factor=factor, day=day, amount_kg=kilograms, hours_present=present, hours_expected=expected,
        computed_at=timezone.now(), software="0",
    )  # fmt: skip


def figures(outlet, factor="a21026"):
    rows = EmissionDay.objects.filter(outlet=outlet, factor=factor).order_by("day")
    return [
        (row.day.isoformat(), row.amount_kg, row.left_out_kg, row.hours_present, row.hours_expected) for row in rows
    ]


# ---- days from hours -------------------------------------------------------------------------------------------------


def hour(record, outlet, start, kilograms, flag="N", factor="a21026"):
    record(outlet, start, {factor: 10.0}, amounts={factor: kilograms}, flag=flag)


def test_hours_become_days_and_no_judgement(outlet, record):
    for i in range(3):
        hour(record, outlet, START + i * HOUR, 1.1)
    hour(record, outlet, START + 14 * HOUR, 5.0)  # midnight in the city: the next day
    judging.judge_pending()
    assert figures(outlet) == [("2026-11-01", 3.3, 0, 3, 24), ("2026-11-02", 5.0, 0, 1, 24)]
    assert not Judgement.objects.filter(kind="emission-days").exists()
    assert EmissionDay.objects.first().software


def test_late_data_and_revisions_give_the_right_sum(outlet, record):
    hour(record, outlet, START, 1.0)
    judging.judge_pending()
    hour(record, outlet, START - 20 * HOUR, 4.0)  # the day before
    hour(record, outlet, START - HOUR, 2.0)
    hour(record, outlet, START, 7.0)  # the device corrects itself
    judging.judge_pending()
    assert figures(outlet) == [("2026-10-31", 4.0, 0, 1, 24), ("2026-11-01", 9.0, 0, 2, 24)]


def test_computing_again_changes_nothing(outlet, record):
    hour(record, outlet, START, 1.0)
    judging.judge_pending()
    before = list(EmissionDay.objects.values())
    assert evaluate.judge_hours({outlet.pk: [START]}, "hour") == []
    assert list(evaluate.recompute_between(date(2026, 10, 1), date(2026, 11, 2))) == [
        (date(2026, 10, 31), 0), (date(2026, 11, 2), 0),
    ]  # fmt: skip
    assert list(EmissionDay.objects.values()) == before


def test_a_day_is_mended_by_computing_it_again(outlet, record):
    hour(record, outlet, START, 1.0)
    judging.judge_pending()
    EmissionDay.objects.update(amount_kg=99)
    emitted(outlet, "a21002", date(2026, 11, 1), 5)  # a factor that is not measured any more
    assert sum(changed for _day, changed in evaluate.recompute_between(date(2026, 11, 1), date(2026, 11, 1))) == 2
    assert figures(outlet) == [("2026-11-01", 1.0, 0, 1, 24)]
    assert not EmissionDay.objects.filter(factor="a21002").exists()


def test_two_workers_with_hours_of_one_day_write_the_whole_day(outlet, record, monkeypatch):
    hour(record, outlet, START, 1.0)
    write, has_read, may_write = evaluate._write, threading.Event(), threading.Event()

    def slow(*args):
        monkeypatch.setattr(evaluate, "_write", write)
        has_read.set()
        may_write.wait(10)
        return write(*args)

    def work():
        evaluate.judge_hours({outlet.pk: [START]}, "hour")
        connection.close()

    monkeypatch.setattr(evaluate, "_write", slow)
    slower, faster = threading.Thread(target=work), threading.Thread(target=work)
    slower.start()
    assert has_read.wait(10)
    hour(record, outlet, START + HOUR, 2.0)
    faster.start()
    faster.join(0.5)  # it waits for the slower one; if it did not, its sum would be written over now
    may_write.set()
    slower.join(10)
    faster.join(10)
    assert figures(outlet) == [("2026-11-01", 3.0, 0, 2, 24)]


def test_marks_of_the_device(outlet, record):
    for i, flag in enumerate("NFDM"):
        hour(record, outlet, START + i * HOUR, 2.0, flag=flag)
    judging.judge_pending()
    assert figures(outlet) == [("2026-11-01", 2.0, 4.0, 1, 23)]


def test_amounts_in_grams_and_what_is_no_pollutant(outlet, record):
    gram = next(code for code, factor in FACTORS.items() if factor.amount_unit == "g")
    Series.objects.create(place=outlet, factor=gram, interval="hour", seconds=3600, unit="ng/m³")
    hour(record, outlet, START, 250.0, factor=gram)
    record(outlet, START, {"a19001": 12.0}, amounts={"a19001": 3.0})  # oxygen has no amount
    judging.judge_pending()
    assert figures(outlet, gram) == [("2026-11-01", 0.25, 0, 1, 24)]
    assert not EmissionDay.objects.filter(factor="a19001").exists()


def test_many_outlets_cost_no_more_queries(outlet, record, region):
    hour(record, outlet, START, 1.0)
    with CaptureQueriesContext(
        connection,
    ) as one:
        evaluate.judge_hours({outlet.pk: [START]}, "hour")
    others = [_outlet(outlet.facility, region, i) for i in range(8)]
    for other in others:
        hour(record, other, START, 1.0)
    with CaptureQueriesContext(connection) as many:
        evaluate.judge_hours({place.pk: [START] for place in (outlet, *others)}, "hour")
    assert EmissionDay.objects.count() == 9
    assert len(many) <= len(one) <= 6


def _outlet(facility, region, i):
    number = f"DA1{i:02}"
    made = Outlet.objects.create(
        code=f"{facility.code}-{number}", number=number, name=number, medium="gas", facility=facility, region=region,
        longitude=109.8, latitude=40.6,
    )  # fmt: skip
    Series.objects.create(place=made, factor="a21026", interval="hour", seconds=3600, unit="mg/m³")
    return made


def test_the_command_computes_again(outlet, record, capsys):
    from luming.cli import main

    hour(record, outlet, START, 1.0)
    assert main(["permitting", "recompute", "--from", "2026-11-01", "--to", "2026-11-01"]) == 0
    assert "1 figures changed" in capsys.readouterr().out
    assert figures(outlet) == [("2026-11-01", 1.0, 0, 1, 24)]
    assert main(["permitting", "recompute", "--from", "2026-11-02", "--to", "2026-11-01"]) == 1


# ---- numbers and verbs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        (NUMBER, True),
        ("91130200699229617X002P", True),
        ("911302006992296170001P", False),  # the check character of the credit code
        ("H9150200000000000m001P", True),  # a unit without a credit code
        ("91130200699229617X01P", None),
        ("91130200699229617X001p", None),
        ("", None),
    ],
)
def test_numbers(text, sound):
    number = numbers.read(text)
    assert (None if number is None else number.is_sound) == sound


def wrong_fields(verb, *args, **values):
    with pytest.raises(ValidationError) as caught:
        verb(*args, **values)
    return set(caught.value.message_dict)


def test_verbs_are_audited_and_kept_in_history(registrar, outlet):
    permit = actions.create_permit(registrar, reason="新发", **permit_values(outlet.facility))
    actions.change_permit(registrar, permit, reason="变更", issued_by="某省生态环境厅")
    actions.change_permit(registrar, permit, issued_by="某省生态环境厅")
    created, changed = AuditEntry.objects.filter(object_type="permitting.permit").order_by("id")
    assert (created.verb, created.reason, created.actor) == ("permit.create", "新发", registrar)
    assert changed.detail == {"changes": {"issued_by": ["某市生态环境局", "某省生态环境厅"]}}
    allowance = allow(permit, 100)
    actions.change_allowance(registrar, allowance, tonnes=90)
    actions.delete_allowance(registrar, allowance, reason="录错")
    from luming.core.history import event_models

    (history,) = event_models(Allowance)
    assert [(row.pgh_label, row.tonnes) for row in history.objects.order_by("pgh_id")] == [
        ("create", 100), ("change", 90), ("delete", 90),
    ]  # fmt: skip


def test_only_who_holds_the_permission(outlet, permit):
    allowance = allow(permit, 100)
    for role in ("duty", "enforcement", "leader", "enterprise", "system-admin"):
        user = User.objects.create_user(f"u-{role}", "x" * 12, name=role, role=role)
        with pytest.raises(PermissionDenied):
            actions.create_permit(user, **permit_values(outlet.facility))
        with pytest.raises(PermissionDenied):
            actions.change_allowance(user, allowance, tonnes=1)
        with pytest.raises(PermissionDenied):
            actions.delete_allowance(user, allowance)
        with pytest.raises(PermissionDenied):
            actions.end_permit(user, permit, "revoked", reason="x")


def test_scope_of_the_verbs(outlet, permit):
    elsewhere = User.objects.create_user("far", "x" * 12, name="远", role="registrar", region_codes=["150207"])
    allowance = allow(permit, 100)
    for verb, arguments in (
        (actions.change_permit, {"permit": permit, "note": "x"}),
        (actions.change_allowance, {"allowance": allowance, "tonnes": 1}),
        (actions.delete_allowance, {"allowance": allowance}),
        (actions.create_permit, permit_values(outlet.facility)),
    ):
        with pytest.raises(ObjectDoesNotExist):
            verb(elsewhere, **arguments)


def test_what_a_permit_must_be(outlet, permit):
    facility = outlet.facility
    assert wrong_fields(actions.create_permit, None, **permit_values(facility, number="123")) == {"number"}
    sound = permit_values(facility, number="911302006992296170001P")
    assert wrong_fields(actions.create_permit, None, **sound) == {"number"}
    assert wrong_fields(actions.create_permit, None, **permit_values(facility, valid_to=date(2020, 1, 1)))
    late = permit_values(facility, valid_from=date(TODAY.year + 1, 1, 1))
    assert wrong_fields(actions.create_permit, None, **late) == {"valid_from"}  # both would be in force
    assert wrong_fields(actions.change_permit, None, permit, number="91130200699229617X002P") == {"number"}
    actions.end_permit(None, permit, "cancelled", reason="搬迁")
    actions.create_permit(None, **late)


def test_a_permit_ends_with_a_reason(registrar, permit):
    assert wrong_fields(actions.end_permit, registrar, permit, "revoked", reason=" ") == {"reason"}
    assert wrong_fields(actions.end_permit, registrar, permit, "valid", reason="x") == {"status"}
    assert "1" in actions.end_permits(registrar, [permit], status="revoked", reason="处罚决定书")
    permit.refresh_from_db()
    assert permit.standing() == "revoked"
    assert wrong_fields(actions.end_permit, registrar, permit, "cancelled", reason="x") == {"status"}  # once only
    permit.refresh_from_db()
    assert permit.standing() == "revoked"


def test_what_an_allowance_must_be(outlet, permit, region):
    other = Facility.objects.create(name="乙厂", code="F9", region=region, longitude=109.8, latitude=40.6)
    foreign = _outlet(other, region, 1)
    values = {"permit": permit, "factor": "a21026", "year": TODAY.year, "tonnes": 10, "source": "副本"}
    for changes, field in (
        ({"factor": "a19001"}, "factor"),
        ({"outlet": foreign}, "outlet"),
        ({"year": TODAY.year + 9}, "year"),
        ({"tonnes": 0}, "tonnes"),
        ({"reported_tonnes": 5}, "__all__"),
        ({"reported_tonnes": 5, "reported_until": date(TODAY.year, 3, 30)}, "reported_until"),
        ({"reported_tonnes": 5, "reported_until": date(TODAY.year - 1, 12, 31)}, "reported_until"),
    ):
        assert wrong_fields(actions.create_allowance, None, **(values | changes)) == {field}, changes
    actions.create_allowance(None, **values)
    assert wrong_fields(actions.create_allowance, None, **values)  # twice the same


@pytest.mark.parametrize(
    ("days_left", "standing"), [(-1, "expired"), (0, "expiring"), (59, "expiring"), (60, "valid"), (400, "valid")]
)
def test_standing_of_a_permit(outlet, days_left, standing):
    permit = Permit(**permit_values(outlet.facility, valid_to=TODAY + timedelta(days=days_left)))
    assert permit.standing() == standing


# ---- through the engine of registers ---------------------------------------------------------------------------------


def test_the_registers_use_the_verbs(registrar, outlet):
    permits, allowances = manifest.register("permits"), manifest.register("allowances")
    values = {key: str(value) for key, value in permit_values(outlet.facility.pk).items()}
    permit = records.create(registrar, permits, values, "新发")
    assert AuditEntry.objects.get(object_type="permitting.permit").reason == "新发"
    with pytest.raises(ValidationError):
        records.create(registrar, permits, values | {"number": "123"})
    with pytest.raises(ValidationError):
        records.change(registrar, permits, permit, {"status": "revoked"})  # ends by the action only
    allowance = records.create(
        registrar, allowances,
        {"permit": permit.pk, "factor": "a21026", "year": TODAY.year, "tonnes": "12.5", "source": "副本"},
    )  # fmt: skip
    records.bulk_change(registrar, allowances, [allowance], {"verified": True}, "已核对")
    allowance.refresh_from_db()
    assert (allowance.tonnes, allowance.verified) == (12.5, True)
    records.delete(registrar, allowances, allowance, "录错")
    assert records.restore_deleted(registrar, allowances, allowance.pk).tonnes == 12.5
    (end,) = permits.actions
    assert end.applies(permit)
    end.run(registrar, [permit], reason="处罚决定书", status="revoked")
    permit.refresh_from_db()
    assert not end.applies(permit)


def test_permits_and_allowances_come_from_files(registrar, outlet):
    head = "facility,number,category,issued_by,issued_on,valid_from,valid_to"
    issued, begins, ends = f"{TODAY.year - 1}-01-01", f"{TODAY.year - 1}-01-02", f"{TODAY.year + 4}-01-01"
    line = f"{outlet.facility.code},{NUMBER},重点管理,某局,{issued},{begins},{ends}"
    assert imported(registrar, "permits", head, line) == (1, 0, [])
    assert imported(registrar, "permits", head, line) == (0, 1, [])
    head = "permit,outlet,factor,year,tonnes,source"
    lines = (f"{NUMBER},,二氧化硫,{TODAY.year},100,副本", f"{NUMBER},{outlet.code},a21026,{TODAY.year},60,副本")
    assert imported(registrar, "allowances", head, *lines) == (2, 0, [])
    assert imported(registrar, "allowances", head, *lines) == (0, 2, [])
    assert sorted(Allowance.objects.values_list("outlet__code", "tonnes"), key=str) == [
        (outlet.code, 60.0), (None, 100.0),
    ]  # fmt: skip
    new, _same, problems = imported(registrar, "allowances", head, f"{NUMBER},,SO3,{TODAY.year},1,副本")
    assert (new, len(problems)) == (0, 1)


def imported(user, key, *lines):
    from luming.web.registers import importing

    content = "\n".join(lines).encode()
    report = importing.run(user, manifest.register(key), content, "x.csv", reason="批量", apply=True)
    return len(report.new), report.unchanged, report.problems


def test_daily_emissions_are_not_made_or_changed_by_hand(registrar, outlet):
    day = emitted(outlet, "a21026", TODAY, 1)
    register = manifest.register("emission-days")
    with pytest.raises(PermissionDenied):
        records.create(registrar, register, {"outlet": outlet.pk, "factor": "a21026", "day": TODAY})
    with pytest.raises(ValidationError):
        records.change(registrar, register, day, {"amount_kg": 0})
    with pytest.raises(PermissionDenied):
        records.delete(registrar, register, day)


# ---- accounts --------------------------------------------------------------------------------------------------------

NOON = datetime(2026, 7, 2, 4, tzinfo=UTC)  # the middle of 2026


@pytest.fixture
def permit26(outlet):
    return actions.create_permit(
        None, **permit_values(outlet.facility, valid_from=date(2025, 1, 1), valid_to=date(2029, 12, 31))
    )


def test_an_account_with_golden_numbers(duty, outlet, permit26):
    allow(permit26, 100, year=2026)
    for month in range(1, 7):
        emitted(outlet, "a21026", date(2026, month, 10), 5000)
    emitted(outlet, "a21026", date(2025, 12, 31), 9000)  # last year
    emitted(outlet, "a21026", date(2026, 7, 1), 10_000, present=20, expected=22)
    (line,) = [line for line in accounts.of_facilities(duty, now=NOON)[outlet.facility_id] if line.factor == "a21026"]
    account = line.account
    assert (account.emitted, account.share, account.pace) == (40.0, 0.4, 0.5)
    assert account.coverage == pytest.approx((6 * 24 + 20) / (4380 - 2))
    assert account.projected is None  # of less than a week of hours
    assert [month.tonnes for month in line.months][-8:] == [9, 5, 5, 5, 5, 5, 5, 10]
    assert len(line.months) == 12


def test_reported_months_replace_monitored_ones(duty, outlet, permit26):
    allow(permit26, 100, year=2026, reported_tonnes=30, reported_until=date(2026, 3, 31))
    emitted(outlet, "a21026", date(2026, 3, 31), 999_000)
    emitted(outlet, "a21026", date(2026, 4, 1), 2000)
    line = accounts.of_facilities(duty, now=NOON)[outlet.facility_id][0]
    assert (line.account.reported, line.account.monitored, line.account.emitted) == (30.0, 2.0, 32.0)
    assert line.account.expected == 24 * (30 + 31 + 30 + 1) + 12
    row = panels.Row(line)
    assert row.reported_until == date(2026, 3, 31)
    assert "day_after=2026-04-01" in row.url or row.url == ""


def test_an_allowance_of_an_outlet_is_its_own_account(duty, outlet, permit26, region):
    other = _outlet(outlet.facility, region, 1)
    allow(permit26, 10, year=2026, outlet=other)
    allow(permit26, 100, year=2026)
    emitted(outlet, "a21026", date(2026, 5, 1), 5000)
    emitted(other, "a21026", date(2026, 5, 1), 11_000)
    whole, own = (
        line for line in accounts.of_facilities(duty, now=NOON)[outlet.facility_id] if line.factor == "a21026"
    )
    assert (whole.account.emitted, own.account.emitted) == (16.0, 11.0)
    assert (own.outlet_id, own.account.standing) == (other.pk, "over")
    assert [line.account.emitted for line in accounts.of_outlet(outlet.facility_id, other.pk, now=NOON)] == [11.0]
    assert accounts.worst([whole, own]) is own


def test_allowances_of_an_ended_permit_do_not_count(duty, outlet, permit26):
    allow(permit26, 100, year=2026)
    emitted(outlet, "a21026", date(2026, 5, 1), 5000)
    actions.end_permit(None, permit26, "revoked", reason="x")
    assert accounts.of_facilities(duty, now=NOON)[outlet.facility_id][0].account.standing == "none"


def test_scope_of_rows(outlet, permit, region):
    allowance = allow(permit, 100)
    day = emitted(outlet, "a21026", TODAY, 1)
    mine = Organisation.objects.create(name="示例钢铁", kind="enterprise")
    Facility.objects.update(organisation=mine)
    Region.objects.create(code="150207", name="九原区", level="district")
    sees = {
        "enterprise": {"organisation": mine}, "district": {"region_codes": ["150203"]}, "leader": {},
    }  # fmt: skip
    blind = {
        "maintainer": {"organisation": Organisation.objects.create(name="运维", kind="maintainer")},
        "enterprise": {"organisation": Organisation.objects.create(name="乙厂", kind="enterprise")},
        "district": {"region_codes": ["150207"]},
        "system-admin": {},
    }
    for i, (group, expected) in enumerate(((sees, 1), (blind, 0))):
        for role, values in group.items():
            user = User.objects.create_user(f"u{i}-{role}", "x" * 12, name=role, role=role, **values)
            for record in (permit, allowance, day):
                found = type(record).objects.visible_to(user).filter(pk=record.pk).count()
                assert found == expected, (role, record)
            assert len(accounts.of_facilities(user)) == expected


# ---- what the product shows ------------------------------------------------------------------------------------------


@pytest.fixture
def busy(outlet, permit):
    """A facility that is over one allowance, and has data of another factor without one."""
    allow(permit, 1.0)
    emitted(outlet, "a21026", TODAY.replace(month=1, day=1), 1500)
    emitted(outlet, "a34013", TODAY.replace(month=1, day=1), 10)
    return outlet.facility


def test_the_panel_of_a_facility(duty, busy, region):
    for i in range(11):
        _outlet(busy, region, i)
    with CaptureQueriesContext(connection) as queries:
        context = panels.facility_context(duty, busy)
        html = render_to_string("permitting/panel.html", {**context, "subject": busy, "user": duty})
    assert len(queries) <= 4
    assert NUMBER in html
    assert str(words.STANDINGS["over"].label) in html
    assert "150 %" in html
    assert "<svg" in html
    assert [row.line.factor for row in context["rows"]] == ["a21026", "a34013"]


def test_the_panel_of_an_outlet_and_of_nothing(duty, busy, region):
    outlet = busy.outlets.get(number="DA001")
    with CaptureQueriesContext(connection) as queries:
        context = panels.outlet_context(duty, outlet)
    assert len(queries) <= 4
    html = render_to_string("permitting/panel.html", {**context, "user": duty})
    assert str(words.STANDINGS["none"].label) in html  # the allowance is the facility's
    empty = Facility.objects.create(name="空", code="F0", region=region, longitude=109.8, latitude=40.6)
    html = render_to_string("permitting/panel.html", {**panels.facility_context(duty, empty), "user": duty})
    assert "lm-empty" in html
    silent = Outlet.objects.create(
        code="F0-DA001", number="DA001", name="x", medium="gas", facility=empty, region=region, longitude=1, latitude=1
    )
    assert panels.outlet_context(duty, silent) is None


def test_the_register_keeper_is_led_to_what_is_missing(registrar, duty, busy, permit):
    html = render_to_string("permitting/panel.html", {**panels.facility_context(registrar, busy)})
    assert links.new("allowances", permit=permit.pk, year=TODAY.year).replace("&", "&amp;") in html
    assert "enter_allowance" not in panels.facility_context(duty, busy)
    Allowance.objects.all().delete()
    Permit.objects.all().delete()
    memo.forget(registrar)
    html = render_to_string("permitting/panel.html", {**panels.facility_context(registrar, busy)})
    assert links.new("permits", facility=busy.pk) in html


def test_the_portal_shows_the_own_permit(busy, region):
    mine = Organisation.objects.create(name="示例钢铁", kind="enterprise")
    Facility.objects.create(name="别厂", code="F8", region=region, longitude=109.8, latitude=40.6)
    Facility.objects.filter(pk=busy.pk).update(organisation=mine)
    user = User.objects.create_user("own", "x" * 12, name="企", role="enterprise", organisation=mine)
    context = panels.portal_context(user)
    assert [entry["facility"] for entry in context["files"]] == [busy]
    html = render_to_string("permitting/portal.html", {**context, "user": user})
    assert NUMBER in html
    assert "别厂" not in html
    stranger = User.objects.create_user("other", "x" * 12, name="他", role="enterprise")
    assert panels.portal_context(stranger) is None


def test_timeline_risk_and_checks(duty, busy, permit):
    now = timezone.now()
    issued = list(file.moments(duty, busy, now, 10))
    assert [moment.at.astimezone(timezone.get_current_timezone()).date() for moment in issued] == [permit.issued_on]
    assert {finding.state for finding in file.permit_today(busy)} == {"good"}
    assert [reason.points for reason in file.risk(duty, busy)] == [file.OVER]
    Permit.objects.update(valid_to=TODAY - timedelta(days=3))
    assert [moment.tone for moment in file.moments(duty, busy, now, 10)] == ["danger", "info"]
    assert "bad" in {finding.state for finding in file.permit_today(busy)}
    memo.forget(duty)
    fresh = Facility.objects.get(pk=busy.pk)
    assert {reason.points for reason in file.risk(duty, fresh)} == {file.OVER, file.EXPIRED}
    Facility.objects.update(uscc="91350100M000100Y43")
    fresh = Facility.objects.get(pk=busy.pk)
    assert [finding.state for finding in file.permit_today(fresh)] == ["bad", "bad"]
    actions.end_permit(None, permit, "revoked", reason="处罚决定书")
    soon = timezone.now() + timedelta(seconds=1)
    told = list(file.moments(duty, busy, soon, 10))
    assert [moment.tone for moment in told] == ["danger", "info"] and NUMBER in told[0].label
    assert now < told[0].at < soon  # when it was entered
    assert list(file.moments(duty, busy, now, 10)) == told[1:]
    Allowance.objects.all().delete()
    Permit.objects.all().delete()
    memo.forget(duty)
    fresh = Facility.objects.get(pk=busy.pk)
    assert [reason.points for reason in file.risk(duty, fresh)] == [file.NO_PERMIT]
    assert [finding.state for finding in file.permit_today(fresh)] == ["warning"]


def test_home_names_permits_that_expire_and_allowances_that_do_not_last(registrar, busy, permit):
    since = timezone.now() - timedelta(days=1)
    assert list(home.permits_due(registrar, since)) == []
    Permit.objects.update(valid_to=TODAY + timedelta(days=60))
    assert list(home.permits_due(registrar, since)) == []
    Permit.objects.update(valid_to=TODAY + timedelta(days=59))
    assert len(home.permits_due(registrar, since)) == 1
    assert f"valid_to_before={TODAY + timedelta(days=59)}" in home.CONCERNS[0].url()  # the list shows the same ones
    Permit.objects.update(valid_to=TODAY + timedelta(days=20))
    (item,) = home.permits_due(registrar, since)
    assert (item.label, item.tone) == (busy.name, "warning")
    renewed = permit_values(busy, valid_from=TODAY + timedelta(days=21), valid_to=TODAY + timedelta(days=900))
    actions.create_permit(None, **renewed)
    assert list(home.permits_due(registrar, since)) == []
    (item,) = home.allowances_short(registrar, since)
    assert (item.tone, item.value) == ("danger", "150 %")


def test_the_cockpit_adds_the_city_up(duty, busy, region):
    with CaptureQueriesContext(connection) as queries:
        figure, *_others = [tile.figure(duty) for tile in home.TILES]
    assert len(queries) == 3
    assert (figure.value, figure.target, figure.good, figure.unit) == (1.5, 1.0, False, "t")
    assert figure.trend[0][0] < figure.trend[-1][0]
    assert home.city_figure("w01018")(duty) is None
    (line,) = [line for line in accounts.of_facilities(duty)[busy.pk] if line.factor == "a34013"]
    assert home.city_figure("a34013")(duty).target is None
    assert line.account.emitted == 0.01


def test_the_layer_colours_facilities(duty, busy, region):
    Facility.objects.create(name="空", code="F0", region=region, longitude=109.8, latitude=40.6)
    empty, over = sorted(layers.facilities(duty)["features"], key=lambda feature: feature["properties"]["code"])
    assert (over["properties"]["state"], over["properties"]["value"]) == ("allowance-over", 150.0)
    assert empty["properties"]["state"] == "allowance-none"
    assert {state for state, _label, _colour in layers.LEGEND} >= {"allowance-over", "allowance-none"}


def test_everything_hangs_on_the_manifest(busy, duty):
    keys = {register.key for register in manifest.registers()}
    assert {"permits", "allowances", "emission-days"} <= keys
    assert {panel.template for panel in manifest.panels("facility")} >= {"permitting/panel.html"}
    assert {panel.template for panel in manifest.panels("outlet")} >= {"permitting/panel.html"}
    assert "permits" in {source.key for source in manifest.timelines("facility")}
    assert "permit" in {trait.key for trait in manifest.traits("facility")}
    assert "permit" in {check.key for check in manifest.checks("facility")}
    assert {"permits-due", "allowances-short"} <= {concern.key for concern in manifest.concerns()}
    assert {"emission-so2", "emission-cod"} <= {tile.key for tile in manifest.tiles()}
    assert "allowances" in {layer.key for layer in manifest.layers()}
    assert "permit" in {section.key for section in manifest.portal_sections()}


def test_a_day_leads_to_the_hours_of_its_outlet(busy):
    day = EmissionDay.objects.filter(factor="a21026").get()
    assert f"/places/{day.outlet_id}/" in links.values(day)
    assert "column=amount" in links.values(day)
    assert month_end(TODAY) >= TODAY


def test_amounts_and_shares_are_written_for_people():
    assert [words.amount(value) for value in (1178.69, 100, 47.07, 1.5, 0.0314, 0)] == [
        "1,179", "100", "47.1", "1.50", "0.0314", "0",
    ]  # fmt: skip
    assert [words.per_cent(share) for share in (0.9996, 0.034, 1.5, None)] == ["99.9 %", "3.4 %", "150 %", "—"]
