"""What a packet means: the verdict on it, and the observations it holds.

The gateway, the adoption of an unregistered device and the release of held packets share this module, so that a packet
means the same whenever it is read. :func:`interpret` is pure; what it must know about the device is in a
:class:`DeviceContext`, which :func:`load_contexts` makes from the register.

Verdicts: accepted (its observations are stored), held (kept until a person releases it), rejected (no packet by
HJ 212). Reasons of rejected packets are those of :mod:`luming.hj212`; the reasons of held ones are :data:`HELD`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.conf import settings
from django.db.models import QuerySet

from luming.core import vault
from luming.hj212 import CHINA, FACTORS, Decoded, Packet, Reading
from luming.registry import units
from luming.registry.models import Device, FactorAlias, Interval, Place, Series
from luming.telemetry.store import ObservationRow

ACCEPTED, HELD_VERDICT, REJECTED = "A", "H", "R"

# Why a packet is kept aside: code -> (Chinese, English).
HELD: dict[str, tuple[str, str]] = {
    "mn-unknown": ("MN 未登记", "the MN is not registered"),
    "device-inactive": ("设备已停用", "the device is out of service"),
    "address-not-allowed": ("来源地址不在设备允许的网段内", "the peer's address is not in the device's networks"),
    "password-wrong": ("访问密码 PW 与登记不符", "PW is not the registered password"),
    "system-wrong": ("系统编码 ST 与登记不符", "ST is not the registered system code"),
    "time-missing": ("数据报文没有可读的 DataTime", "a data packet without a readable DataTime"),
    "time-future": ("数据时间晚于接收时间", "the data time lies in the future"),
    "time-before-commissioning": ("数据时间早于点位投运时间", "the data time lies before the place's commissioning"),
    "not-read": ("解析时出错，仅保存原文", "reading it failed; its bytes were kept"),
    "not-stored": ("内容无法入库，仅保存原文", "its content could not be stored; its bytes were"),
}

# Remarks on packets whose verdict they do not change: code -> (Chinese, English).
REMARKS: dict[str, tuple[str, str]] = {
    "clock-off": ("现场机时钟偏差超限", "the device's clock is off by more than the bound"),
    "codes-unmapped": ("含未映射的因子编码", "it holds factor codes that nobody has mapped"),
    "time-not-aligned": ("数据时间未对齐周期起点", "the data time is not the start of a period"),
    "part": ("分包之一，自身不含 DataTime", "a part of a split packet without a DataTime of its own"),
}

# HJ 212-2017 table 9; DataTime is the start of the period, for 2011 the instant (table 4).
REALTIME, MINUTE, HOUR, DAY = (interval.value for interval in Interval)
INTERVALS: dict[int, str] = {2011: REALTIME, 2051: MINUTE, 2061: HOUR, 2031: DAY}

# A logger at an outlet also sends process data (51, 52; HJ 212-2017 table 5) and, by HJ 212-2025, power (44) and
# key production conditions (45).
ALONGSIDE: dict[str, frozenset[str]] = {"31": frozenset({"51", "44", "45"}), "32": frozenset({"52", "44", "45"})}
INTERACTION = "91"  # HJ 212-2017 table 5: answers carry it instead of the system of the device

MAX_FLAG = 8  # characters kept of a mark; the whole text stays in the packet


@dataclass(frozen=True, slots=True)
class DeviceContext:
    """What must be known of a device to read its packets.

    ``series`` maps (factor, interval) to (series id, seconds); ``aliases`` maps a code as sent to its factor.
    """

    device_id: int
    place_id: int
    mn: str
    password: str
    system: str
    edition: int = 1
    is_active: bool = True
    series: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    commissioned_at: datetime | None = None
    sm4_key: bytes | None = None
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    realtime_seconds: int = 60
    minute_interval: int = 10
    overtime_seconds: int = 10
    resend_count: int = 3
    clock_tolerance: float = 300.0  # seconds

    def allows(self, address: str) -> bool:
        """Tell whether a peer address may speak for this device; without networks every address may."""
        if not self.networks:
            return True
        try:
            peer = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(peer, ipaddress.IPv6Address) and peer.ipv4_mapped:
            peer = peer.ipv4_mapped
        return any(peer in network for network in self.networks)

    def seconds_of(self, interval: str) -> int:
        """Return how long a period of a new series lasts."""
        return {REALTIME: self.realtime_seconds, MINUTE: self.minute_interval * 60, HOUR: 3600, DAY: 86400}[interval]


@dataclass(slots=True)
class Intake:
    """What a packet came to.

    ``missing`` are the (factor, interval) pairs that have no series yet: make them with :func:`create_series` and
    interpret again. ``clock_offset`` is the device's clock minus ours in seconds.
    """

    verdict: str
    reason: str | None = None
    codes: list[str] = field(default_factory=list)
    observations: list[ObservationRow] = field(default_factory=list)
    unmapped: list[str] = field(default_factory=list)
    missing: set[tuple[str, str]] = field(default_factory=set)
    clock_offset: float | None = None
    data_time: datetime | None = None


def interpret(
    decoded: Decoded,
    context: DeviceContext | None,
    received_at: datetime,
    *,
    packet_id: int = 0,
    address: str | None = None,
) -> Intake:
    """Judge one packet and read its observations.

    Parameters
    ----------
    context : of the device with the packet's MN; None when no register knows it.
    received_at : UTC.
    packet_id : goes into the observations.
    address : of the peer; None when it need not be checked (a person releases a held packet).
    """
    codes = [diagnostic.code for diagnostic in decoded.diagnostics]
    packet = decoded.packet
    if packet is None or not decoded.accepted:
        return Intake(REJECTED, decoded.reason, codes)
    data_time = _in_utc(packet.data_time)
    if context is None:
        return Intake(HELD_VERDICT, "mn-unknown", codes, data_time=data_time)
    intake = Intake(ACCEPTED, None, codes, data_time=data_time, clock_offset=_clock_offset(packet, received_at))
    if intake.clock_offset is not None and abs(intake.clock_offset) > context.clock_tolerance:
        codes.append("clock-off")
    intake.reason = _reason_to_hold(packet, context, received_at, data_time, address)
    if intake.reason:
        intake.verdict = HELD_VERDICT
        return intake
    interval = INTERVALS.get(packet.cn)
    if interval and data_time is None:
        codes.append("part")
    elif interval and data_time:
        _observe(packet.readings, context, interval, data_time, packet_id, intake)
    return intake


def _in_utc(moment: datetime | None) -> datetime | None:
    if moment is None or moment.year <= 1:  # the first hours of year 1 in China have no UTC
        return None
    return moment.astimezone(UTC)


def _clock_offset(packet: Packet, received_at: datetime) -> float | None:
    """QN is the moment of sending (HJ 212-2017 table 3); a re-sent old packet keeps its old QN and tells nothing."""
    if packet.backfilled or packet.cn >= 9000:  # answers repeat the QN of the request
        return None
    sent_at = packet.qn_time
    return (sent_at - received_at).total_seconds() if sent_at else None


def _reason_to_hold(
    packet: Packet, context: DeviceContext, received_at: datetime, data_time: datetime | None, address: str | None
) -> str | None:
    if not context.is_active:
        return "device-inactive"
    if address is not None and not context.allows(address):
        return "address-not-allowed"
    if packet.pw != context.password:
        return "password-wrong"
    if packet.st not in (context.system, INTERACTION) and packet.st not in ALONGSIDE.get(context.system, ()):
        return "system-wrong"
    if packet.cn not in INTERVALS:
        return None
    if data_time is None:  # of a split packet only one part carries DataTime
        return None if packet.is_split else "time-missing"
    if (data_time - received_at).total_seconds() > context.clock_tolerance:
        return "time-future"
    if context.commissioned_at and data_time < context.commissioned_at:
        return "time-before-commissioning"
    return None


def period_start(moment: datetime, interval: str) -> datetime:
    """Return the start of the period that holds an instant (UTC); days begin at midnight of China Standard Time."""
    if interval == REALTIME:
        return moment
    if interval == MINUTE:
        return moment.replace(second=0, microsecond=0)
    if interval == HOUR:
        return moment.replace(minute=0, second=0, microsecond=0)
    local = moment.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
    return local.astimezone(UTC)


def factor_of(sent: str, context: DeviceContext) -> str | None:
    """Return the factor of a code as sent: by the place's aliases, else by the standard's own codes."""
    if alias := context.aliases.get(sent):
        return alias
    if sent in FACTORS:
        return sent
    return _FOLDED.get(sent.lower())


# Loggers change the case of codes; no two codes differ by case alone.
_FOLDED: dict[str, str] = {}


def _fold_factors() -> None:
    for code in FACTORS:
        _FOLDED.setdefault(code.lower(), code)


_fold_factors()


def _observe(
    readings: Iterable[Reading],
    context: DeviceContext,
    interval: str,
    data_time: datetime,
    packet_id: int,
    intake: Intake,
) -> None:
    """Turn readings into observations; the last of several readings of one factor wins, as on paper.

    2011 carries Rtd and ZsRtd; the others Avg, Min, Max, ZsAvg and Cou (HJ 212-2017 table 4); noise carries Data.
    This is the busiest loop of the gateway: readings are unpacked as plain tuples, which is four times as fast as
    asking each of its fields.
    """
    start = period_start(data_time, interval)
    if start != data_time:
        intake.codes.append("time-not-aligned")
    place_id, find = context.place_id, _finder(context, interval, intake)
    realtime = interval == REALTIME
    rows: dict[int, ObservationRow] = {}
    for reading in readings:
        (sent, rtd, low, mean, high, zs_rtd, _zs_low, zs_mean, _zs_high, amount, noise, by_day, by_night, flag) = (
            reading[:14]
        )
        if realtime:
            value, converted = rtd if rtd is not None else mean, zs_rtd if zs_rtd is not None else zs_mean
        else:
            value, converted = mean if mean is not None else rtd, zs_mean
        if value is None:
            value = noise
        if flag is not None:
            flag = flag[:MAX_FLAG]
        if not (value is converted is amount is low is high is None) and (series_id := find(sent)):
            rows[series_id] = _row(
                ObservationRow,
                (series_id, place_id, interval, start, value, low, high, converted, amount, flag, packet_id),
            )
        if by_day is not None or by_night is not None:
            for factor, level in _day_and_night(sent, by_day, by_night):
                if level is not None and (series_id := find(factor)):
                    rows[series_id] = ObservationRow(
                        series_id, place_id, interval, start, level, None, None, None, None, flag, packet_id
                    )
    intake.observations = list(rows.values())
    if intake.unmapped:
        intake.codes.append("codes-unmapped")


_row = tuple.__new__  # a named tuple's own constructor takes twice as long


def _day_and_night(sent: str, by_day: float | None, by_night: float | None) -> tuple[tuple[str, float | None], ...]:
    """Return what DayData and NightData of Leq are: the factors Ld and Ln (HJ 212-2017 B.3, GB 3096-2008 3.5)."""
    return (("Ld", by_day), ("Ln", by_night)) if sent == "Leq" else ()


def _finder(context: DeviceContext, interval: str, intake: Intake) -> Callable[[str], int]:
    """Return the function from a code as sent to its series id; it notes what is missing or unmapped, and returns 0."""
    series, aliases = context.series, context.aliases

    def find(sent: str) -> int:
        found = series.get((sent, interval))
        if found is not None and sent not in aliases:
            return found[0]
        factor = factor_of(sent, context)
        if factor is None:
            if sent not in intake.unmapped:
                intake.unmapped.append(sent)
            return 0
        found = series.get((factor, interval))
        if found is None:
            intake.missing.add((factor, interval))
            return 0
        return found[0]

    return find


# ---- from the register ---------------------------------------------------------------------------------------------


def load_contexts(devices: QuerySet[Device] | None = None) -> dict[str, DeviceContext]:
    """Return the contexts of devices by MN (all devices by default), in three queries."""
    wanted = (Device.objects.all() if devices is None else devices).select_related("place")
    found = list(wanted)
    series: dict[int, dict[tuple[str, str], tuple[int, int]]] = {}
    aliases: dict[int, dict[str, str]] = {}
    series_rows, alias_rows = Series.objects.all(), FactorAlias.objects.all()
    if devices is not None:
        places = {device.place_id for device in found}
        series_rows, alias_rows = series_rows.filter(place__in=places), alias_rows.filter(place__in=places)
    for place_id, factor, interval, pk, seconds in series_rows.values_list(
        "place_id", "factor", "interval", "pk", "seconds"
    ).iterator(5000):
        series.setdefault(place_id, {})[factor, interval] = (pk, seconds)
    for place_id, sent, factor in alias_rows.values_list("place_id", "sent", "factor"):
        aliases.setdefault(place_id, {})[sent] = factor
    return {
        device.mn: _context(device, series.setdefault(device.place_id, {}), aliases.get(device.place_id, {}))
        for device in found
    }


def context_of(device: Device) -> DeviceContext:
    """Return the context of one device."""
    return load_contexts(Device.objects.filter(pk=device.pk))[device.mn]


def _context(device: Device, series: dict[tuple[str, str], tuple[int, int]], aliases: dict[str, str]) -> DeviceContext:
    return DeviceContext(
        device_id=device.pk,
        place_id=device.place_id,
        mn=device.mn,
        password=device.password,
        system=device.system,
        edition=device.edition,
        is_active=device.is_active and device.place.is_active,
        series=series,
        aliases=aliases,
        commissioned_at=device.place.commissioned_at,
        sm4_key=vault.unseal(device.sm4_key) if device.sm4_key else None,
        networks=tuple(ipaddress.ip_network(item) for item in device.networks),
        realtime_seconds=device.realtime_seconds,
        minute_interval=device.minute_interval,
        overtime_seconds=device.overtime_seconds,
        resend_count=device.resend_count,
        clock_tolerance=float(settings.GATEWAY_CLOCK_TOLERANCE_SECONDS),
    )


def create_series(context: DeviceContext, missing: Iterable[tuple[str, str]]) -> None:
    """Make the series that a packet needs and enter them in the context.

    The unit is that of the factor's other series at the place. Else it is the one the standard prints, but for ambient
    air the one of GB 3095 (:func:`luming.registry.units.default`). It is a default that a person corrects.
    """
    medium = Place.objects.values_list("medium", flat=True).get(pk=context.place_id)
    for factor, interval in sorted(missing):
        sibling = Series.objects.filter(place_id=context.place_id, factor=factor).exclude(unit="").first()
        unit = sibling.unit if sibling else units.default(factor, medium)
        series, _created = Series.objects.get_or_create(
            place_id=context.place_id,
            factor=factor,
            interval=interval,
            defaults={"seconds": context.seconds_of(interval), "unit": unit},
        )
        context.series[factor, interval] = (series.pk, series.seconds)
