"""Commands: every parameter is checked, every verb asks for its permission and leaves an audit row."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from luming.core.models import AuditEntry, User
from luming.hj212 import COMMANDS
from luming.registry.models import Device, Region, Station
from luming.telemetry import commanding
from luming.telemetry.commanding import OFFERS, clean_parameters, cp_text
from luming.telemetry.models import Command


@pytest.fixture
def device(db):
    region = Region.objects.create(code="150203", name="昆都仑区", level="district")
    station = Station.objects.create(
        code="S1", name="测试站", medium="air", region=region, longitude=109.8, latitude=40.6
    )
    return Device.objects.create(mn="010000A8900016F000169DC0", place=station, system="22", edition=1)


@pytest.fixture
def duty(db):
    return User.objects.create_user("duty", "x" * 12, name="值班员", role="duty")


def test_every_offer_is_a_command_of_the_standard_with_names_in_both_languages():
    for cn, offer in OFFERS.items():
        assert COMMANDS[cn].direction in ("down", "both"), cn
        assert offer.zh and offer.en
        assert all(field.zh and field.en for field in offer.fields)
        assert set(offer.editions) <= {int(edition) for edition in COMMANDS[cn].editions}, cn


@pytest.mark.parametrize(
    ("cn", "given", "cleaned"),
    [
        (1000, {"OverTime": 5, "ReCount": "3"}, {"OverTime": "5", "ReCount": "3"}),
        (1062, {"RtdInterval": 30}, {"RtdInterval": "30"}),
        (1064, {"MinInterval": 10}, {"MinInterval": "10"}),
        (1072, {"NewPW": "aB3456"}, {"NewPW": "aB3456"}),
        (
            2061,
            {"BeginTime": datetime(2026, 6, 1, tzinfo=UTC), "EndTime": "2026-06-01 10:00"},
            {"BeginTime": "20260601080000", "EndTime": "20260601100000"},
        ),
        (3011, {"PolId": "w01018", "CalibrationType": ""}, {"PolId": "w01018"}),
        (
            3016,
            {"PolId": "w01018", "CstartTime": "00:30", "Ctime": 24},
            {"PolId": "w01018", "CstartTime": "003000", "Ctime": "24"},
        ),
    ],
)
def test_parameters_are_cleaned(cn, given, cleaned):
    assert clean_parameters(cn, given) == cleaned


@pytest.mark.parametrize(
    ("cn", "given", "bad"),
    [
        (1000, {"OverTime": 0, "ReCount": 100}, {"OverTime", "ReCount"}),  # 0 < n ≤ 99, HJ 212-2017 table 4
        (1000, {"OverTime": 99.5}, {"OverTime", "ReCount"}),
        (1062, {"RtdInterval": 29}, {"RtdInterval"}),  # 30 to 3600 s
        (1062, {"RtdInterval": 3601}, {"RtdInterval"}),
        (1064, {"MinInterval": 7}, {"MinInterval"}),  # a divisor of the hour
        (1072, {"NewPW": "12345"}, {"NewPW"}),
        (1072, {"NewPW": "12&&56"}, {"NewPW"}),
        (2061, {"BeginTime": "yesterday", "EndTime": ""}, {"BeginTime", "EndTime"}),
        (2061, {"BeginTime": "20260602000000", "EndTime": "20260601000000"}, {"EndTime"}),
        (2051, {"BeginTime": "20260101000000", "EndTime": "20260601000000"}, {"EndTime"}),
        (3012, {"PolId": "w01018;CN=1"}, {"PolId"}),
        (3016, {"PolId": "w01018", "CstartTime": "25:00", "Ctime": 25}, {"CstartTime", "Ctime"}),
        (3021, {"PolId": "w01018", "InfoId": "i13004", "Info": "1&&;x"}, {"Info"}),
        (1061, {"Other": 1}, {"Other"}),
        (9011, {}, {"cn"}),
    ],
)
def test_every_wrong_parameter_is_named(cn, given, bad):
    with pytest.raises(ValidationError) as caught:
        clean_parameters(cn, given)
    assert set(caught.value.message_dict) == bad


def test_cp_is_written_as_the_annex_prints_it():
    now = datetime(2026, 6, 1, tzinfo=UTC)
    assert cp_text(1012, {}, now) == "SystemTime=20260601080000"
    assert cp_text(1012, {"PolId": "w01018"}, now) == "PolId=w01018;SystemTime=20260601080000"
    assert cp_text(3020, {"PolId": "w01018", "InfoId": "i11001", "BeginTime": "a", "EndTime": "b"}, now) == (
        "PolId=w01018,InfoId=i11001;BeginTime=a;EndTime=b"
    )
    assert cp_text(3021, {"PolId": "w01018", "InfoId": "i13004", "Info": "168.0"}, now) == (
        "PolId=w01018,InfoId=i13004;i13004-Info=168.0"
    )
    assert cp_text(1061, {}, now) == ""


def test_a_command_is_queued_with_its_audit_row(device, duty):
    command = commanding.request_command(duty, device, 1072, {"NewPW": "654321"}, "定期更换")
    assert (command.state, command.requested_by, command.parameters) == ("queued", duty, {"NewPW": "654321"})
    entry = AuditEntry.objects.get(verb="device.command")
    assert (entry.actor, entry.reason, entry.detail["parameters"]) == (duty, "定期更换", {"NewPW": "******"})


def test_permission_scope_edition_and_state_are_checked(device, duty):
    leader = User.objects.create_user("leader", "x" * 12, name="领导", role="leader")
    with pytest.raises(PermissionDenied):
        commanding.request_command(leader, device, 1061)
    elsewhere = User.objects.create_user("d", "x" * 12, name="分局", role="district", region_codes=["150221"])
    with pytest.raises(Device.DoesNotExist):
        commanding.request_command(elsewhere, device, 1061)
    with pytest.raises(ValidationError, match="3024"):
        commanding.request_command(duty, device, 3024, {"PolId": "w01018"})  # HJ 212-2025 only
    Device.objects.update(is_active=False)
    with pytest.raises(ValidationError):
        commanding.request_command(duty, device, 1061)
    assert not Command.objects.exists() and not AuditEntry.objects.exists()


def test_a_full_queue_is_refused(device, duty, monkeypatch):
    monkeypatch.setattr(commanding, "MAX_QUEUED", 2)
    for _ in range(2):
        commanding.request_command(duty, device, 1061)
    with pytest.raises(ValidationError):
        commanding.request_command(duty, device, 1061)


def test_only_what_was_not_sent_is_cancelled(device, duty):
    command = commanding.request_command(duty, device, 1061)
    assert commanding.cancel_command(duty, command, "误操作").state == "cancelled"
    assert AuditEntry.objects.filter(verb="device.cancel-command", reason="误操作").exists()
    with pytest.raises(ValidationError):
        commanding.cancel_command(duty, command)


def test_offers_follow_the_edition_of_the_device(device):
    assert 3024 not in {offer.cn for offer in commanding.offers_for(device)}
    device.edition = 2
    assert 3024 in {offer.cn for offer in commanding.offers_for(device)}
