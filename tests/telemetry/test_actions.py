"""Adoption, release and mapping: kept packets are read again, and stay as they were."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from luming.core.models import AuditEntry, User
from luming.hj212 import encode, encode_packets, format_time
from luming.registry.models import Device, FactorAlias, Place, Series
from luming.telemetry import actions, rereading, store
from luming.telemetry.identity import id_floor
from luming.telemetry.models import DeviceStatus, Event, UnregisteredDevice

MN = "010000A8900016F000169DC9"
BEGIN = datetime(2025, 5, 31, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)
_sequence = count(1)

pytestmark = pytest.mark.usefixtures("empty_store")


@pytest.fixture
def registrar():
    return User.objects.create_user("registrar", "x" * 12, name="登记员", role="registrar")


@pytest.fixture
def duty():
    return User.objects.create_user("duty", "x" * 12, name="值班员", role="duty")


def frames(hour, cp="a34004-Avg={0},a34004-Flag=N;a21026-Avg={1}", values=(35, 8), **fields):
    start = BEGIN + hour * HOUR
    content = f"DataTime={format_time(start)};" + cp.format(*values)
    made = encode(
        **({"cn": 2061, "st": "22", "mn": MN, "pw": "abc123", "qn": "20250601010000000", "cp": content} | fields)
    )
    return [made.rstrip(b"\r\n")]


def keep(bodies, *, verdict="H", reason="mn-unknown", device=None, at=None, codes=()):
    """Keep packets as a gateway would."""
    at = at or BEGIN + 1000 * HOUR
    rows = [
        store.PacketRow(
            id_floor(at) + next(_sequence), at, "I", None, device and device.pk, MN, "10.0.0.1:1", "22", 2061, None,
            body, verdict, reason, list(codes),
        )
        for body in bodies
    ]  # fmt: skip
    with store.Writer() as writer:
        writer.write(rows, [])
    return [row.id for row in rows]


@pytest.fixture
def stranger():
    return UnregisteredDevice.objects.create(
        mn=MN, system="22", peer="10.0.0.1:1", first_seen_at=BEGIN, last_seen_at=BEGIN, packets=3
    )


def hours_of(place, factor="a34004"):
    series = Series.objects.get(place=place, factor=factor, interval="hour")
    return store.observations([series.pk], BEGIN, BEGIN + 5000 * HOUR)


# ---- adoption ------------------------------------------------------------------------------------------------------


def test_an_adopted_device_brings_its_kept_packets(registrar, stranger, make):
    ids = keep([frame for hour in range(3) for frame in frames(hour, values=(30 + hour, hour))])
    place = make.station()
    device = actions.adopt_device(registrar, MN, place, name="南门站", reason="装机单 12 号")
    assert (device.mn, device.system, device.password, device.edition) == (MN, "22", "abc123", 1)
    stranger.refresh_from_db()
    assert stranger.adopted_device == device
    found = hours_of(place)
    assert found.value.tolist() == [30.0, 31.0, 32.0] and found.flag.tolist() == ["N"] * 3
    assert found.packet_id.tolist() == ids
    record = store.packet(ids[0])
    assert (record.verdict, record.reason, record.device_id, record.new) == ("H", "mn-unknown", None, 0)
    [release] = record.releases
    assert (release.verb, release.new, release.by_id) == ("adopt", 2, registrar.pk)
    entry = AuditEntry.objects.get(verb="device.adopt")
    assert (entry.actor, entry.reason, entry.object_id) == (registrar, "装机单 12 号", str(device.pk))
    assert "abc123" not in str(entry.detail)
    assert Event.objects.filter(kind="device-adopted", device=device).count() == 1
    assert store.take_dirty(100) == [(place.pk, "hour", [BEGIN + hour * HOUR for hour in range(3)])]


def test_thousands_are_read_in_batches_the_rest_by_the_worker_and_nothing_twice(registrar, stranger, make, monkeypatch):
    monkeypatch.setattr(rereading, "BATCH", 50)
    monkeypatch.setattr(rereading, "_AT_ONCE", 100)
    keep([frame for hour in range(260) for frame in frames(hour)])
    place = make.station()
    device = actions.adopt_device(registrar, MN, place)
    assert len(hours_of(place)) == 100
    straggler = keep(frames(260))  # the gateway had not heard of the adoption yet
    assert rereading.read_adopted_job(device.pk, registrar.pk) == 161
    assert len(hours_of(place)) == 261 and store.packet(straggler[0]).is_released
    assert rereading.read_adopted_job(device.pk, registrar.pk) == 0
    assert rereading.read_adopted_job(10**6, None) == 0


def test_of_two_values_for_a_period_the_one_received_later_counts(registrar, stranger, make):
    keep([*frames(0, values=(1, 1)), *frames(0, values=(2, 1))])
    place = make.station()
    actions.adopt_device(registrar, MN, place)
    found = hours_of(place)
    assert (found.value.tolist(), found.revision.tolist()) == ([2.0], [1])


def test_parts_of_a_split_packet_share_their_time(registrar, stranger, make):
    whole = f"DataTime={format_time(BEGIN)};" + ";".join(
        f"a{21000 + i}-Avg={i},a{21000 + i}-Min=0.001" for i in range(80)
    )
    parts = encode_packets(cn=2061, st="22", mn=MN, pw="abc123", qn="20250601010000000", cp=whole)
    assert len(parts) > 1
    bodies = [part.rstrip(b"\r\n") for part in parts]
    timeless = encode(
        cn=2061, st="22", mn=MN, pw="abc123", qn="20250601010000000", cp="a34004-Avg=77", pnum=9, pno=1
    )  # a logger that gives the time in one part only
    keep([timeless.rstrip(b"\r\n"), *bodies])
    place = make.station()
    actions.adopt_device(registrar, MN, place)
    assert hours_of(place).value.tolist() == [77.0]
    assert hours_of(place, "a21026").value.tolist() == [26.0]


def test_what_cannot_be_read_after_adoption_stays_held(registrar, stranger, make):
    kept = keep([*frames(0, pw="000000"), *frames(1)])
    place = make.station()
    actions.adopt_device(registrar, MN, place)
    assert len(hours_of(place)) == 1
    assert [store.packet(packet_id).is_released for packet_id in kept] == [False, True]


def test_who_may_adopt_what(registrar, stranger, make):
    place = make.station()
    enforcement = User.objects.create_user("e", "x" * 12, name="执法", role="enforcement")
    with pytest.raises(PermissionDenied):
        actions.adopt_device(enforcement, MN, place)
    registrar.region_codes = ["150202"]
    registrar.save()
    with pytest.raises(Place.DoesNotExist):
        actions.adopt_device(registrar, MN, place)
    registrar.region_codes = []
    registrar.save()
    with pytest.raises(UnregisteredDevice.DoesNotExist):
        actions.adopt_device(registrar, "nobody", place)
    actions.adopt_device(registrar, MN, place)
    with pytest.raises(ValidationError, match=r"."):
        actions.adopt_device(registrar, MN, place)
    assert Device.objects.count() == AuditEntry.objects.count() == 1


def test_dismissal_needs_a_reason_and_is_no_end(registrar, stranger, make):
    keep(frames(0))
    with pytest.raises(ValidationError):
        actions.dismiss_unregistered(registrar, MN, "  ")
    assert actions.dismiss_unregistered(registrar, MN, "邻市设备").dismissed_reason == "邻市设备"
    assert AuditEntry.objects.get(verb="device.dismiss").reason == "邻市设备"
    place = make.station()
    actions.adopt_device(registrar, MN, place)
    stranger.refresh_from_db()
    assert stranger.dismissed_reason == "" and len(hours_of(place)) == 1
    with pytest.raises(ValidationError):
        actions.dismiss_unregistered(registrar, MN, "again")


# ---- release -------------------------------------------------------------------------------------------------------


@pytest.fixture
def device(make):
    return make.device(make.station(), mn=MN, password="secret")


def test_a_person_vouches_for_held_packets(duty, device):
    ids = keep([*frames(0), *frames(1)], reason="password-wrong", device=device)
    later = keep(frames(2), reason="password-wrong", device=device)
    outcome = actions.release_packets(duty, "现场核实密码未改", ids=ids)
    assert (outcome.released, outcome.written.new) == (2, 4)
    assert hours_of(device.place).packet_id.tolist() == ids
    assert [store.packet(packet_id).is_released for packet_id in ids + later] == [True, True, False]
    assert store.packet(ids[0]).releases[0].reason == "现场核实密码未改"
    entry = AuditEntry.objects.get(verb="packet.release")
    assert (entry.actor, entry.detail["packets"], entry.detail["new"]) == (duty, 2, 4)
    assert actions.release_packets(duty, "其余", device=device, held_for=["password-wrong"]).released == 1
    with pytest.raises(ValidationError):
        actions.release_packets(duty, "nothing left", device=device)


def test_packets_from_before_commissioning_or_with_another_system_code(duty, device):
    early = keep(frames(-24 * 400), reason="time-before-commissioning", device=device)
    other = keep(frames(1, st="31"), reason="system-wrong", device=device)
    assert actions.release_packets(duty, "ok", ids=early + other).released == 2


def test_what_has_no_period_cannot_be_released(duty, device):
    future = keep(frames(9000), reason="time-future", device=device)
    unknown = keep(frames(0))
    accepted = keep(frames(1), verdict="A", reason=None, device=device)
    with pytest.raises(ValidationError) as error:
        actions.release_packets(duty, "ok", ids=[*future, *unknown, *accepted, 5])
    assert len(error.value.messages) == 4
    with pytest.raises(ValidationError):
        actions.release_packets(duty, "ok", device=device, held_for=["time-future"])
    disguised = keep(frames(9000), reason="password-wrong", device=device)  # two things are wrong with it
    outcome = actions.release_packets(duty, "ok", ids=disguised)
    assert outcome.released == 0 and outcome.still_held == {"time-future": 1}
    assert not AuditEntry.objects.exists()


def test_who_may_release_what(duty, device):
    ids = keep(frames(0), reason="password-wrong", device=device)
    leader = User.objects.create_user("l", "x" * 12, name="领导", role="leader")
    with pytest.raises(PermissionDenied):
        actions.release_packets(leader, "ok", ids=ids)
    duty.region_codes = ["150202"]
    with pytest.raises(Device.DoesNotExist):
        actions.release_packets(duty, "ok", ids=ids)
    duty.region_codes = []
    with pytest.raises(ValidationError):
        actions.release_packets(duty, " ", ids=ids)
    with pytest.raises(ValidationError):
        actions.release_packets(duty, "ok", ids=ids, device=device)


# ---- mapping -------------------------------------------------------------------------------------------------------


def test_a_mapped_code_is_read_from_the_packets_that_carried_it(registrar, device):
    bodies = [frame for hour in range(3) for frame in frames(hour, "x99-Avg={0};a21026-Avg={1}", pw="secret")]
    keep(bodies, verdict="A", reason=None, device=device, codes=["codes-unmapped"])
    DeviceStatus.objects.create(device=device, unmapped=["x98", "x99"])
    actions.map_factor(registrar, device.place, "x99", "a34004", reason="厂家说明书")
    found = hours_of(device.place)
    assert found.value.tolist() == [35.0] * 3
    assert DeviceStatus.objects.get().unmapped == ["x98"]
    entry = AuditEntry.objects.get(verb="factor.map")
    assert (entry.detail["sent"], entry.detail["factor"], entry.detail["before"]) == ("x99", "a34004", None)
    assert rereading.read_mapped_job(device.pk, "x99", "a34004", False, None) == 0
    assert rereading.read_mapped_job(device.pk, "x99", "a21026", False, None) == 0  # it means something else by now


def test_a_corrected_mapping_reads_all_packets(registrar, device):
    FactorAlias.objects.create(place=device.place, sent="x99", factor="a21026")
    keep(frames(0, "x99-Avg={0}", pw="secret"), verdict="A", reason=None, device=device)
    actions.map_factor(registrar, device.place, "x99", "a34004")
    assert hours_of(device.place).value.tolist() == [35.0]


def test_only_factors_of_the_standard_can_be_meant(registrar, duty, device):
    with pytest.raises(ValidationError) as error:
        actions.map_factor(registrar, device.place, " ", "nonsense")
    assert set(error.value.message_dict) == {"sent", "factor"}
    with pytest.raises(PermissionDenied):
        actions.map_factor(duty, device.place, "x99", "a34004")
    registrar.region_codes = ["150202"]
    with pytest.raises(Place.DoesNotExist):
        actions.map_factor(registrar, device.place, "x99", "a34004")
