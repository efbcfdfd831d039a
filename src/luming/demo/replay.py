"""``luming replay FILE.csv``: speak HJ 212 from a file, as the data logger of a station would."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from luming.demo import tables
from luming.demo.packets import CN
from luming.demo.tables import PERIODS, Table, TableError
from luming.hj212 import CHINA, Client, Edition, UploadError, format_time

MEDIA = {"22": "air", "21": "water", "23": "noise", "31": "gas", "32": "sewage"}  # HJ 212-2017 table 5
ATTEMPTS = 6  # to reach the gateway again, with growing pauses


@dataclass(slots=True)
class Target:
    """Whom the replay speaks for."""

    mn: str
    system: str
    password: str
    edition: Edition
    scales: dict[str, Decimal]  # code -> what brings the file's unit to the one the platform expects of this device


@dataclass(slots=True)
class Summary:
    """What was sent and what was acknowledged."""

    periods: int = 0
    empty: int = 0
    values: int = 0
    packets: int = 0
    acknowledged: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        rate = self.packets / self.seconds if self.seconds else 0.0
        return (
            f"{self.periods:,} periods ({self.empty:,} without any value, not sent), {self.values:,} values, "
            f"{self.packets:,} packets, {self.acknowledged:,} acknowledged in {self.seconds:.1f} s ({rate:,.0f}/s)\n"
            f"{self.periods:,} 个时段（{self.empty:,} 个无数据，未发送），{self.values:,} 个数值，"
            f"{self.packets:,} 个报文，已应答 {self.acknowledged:,} 个"
        )


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming replay``."""
    parser.add_argument("file", type=Path, help="CSV or CSV.gz with short factor names, or a PRSA file / 数据文件")
    parser.add_argument("--station", metavar="CODE", help="code of a registered place with a device / 点位编码")
    parser.add_argument("--mn", help="of a device that is not in this installation's register / 设备MN")
    parser.add_argument("--system", default="22", choices=sorted(MEDIA), help="ST, with --mn / 系统编码")
    parser.add_argument("--password", default="123456", help="PW, with --mn / 访问密码")
    parser.add_argument("--edition", type=int, default=2017, choices=(2005, 2017, 2025), help="with --mn / 协议版本")
    parser.add_argument("--host", default="127.0.0.1", help="of the gateway / 接收网关地址")
    parser.add_argument("--port", type=int, default=int(os.environ.get("LUMING_GATEWAY_PORT", "9212")))
    parser.add_argument(
        "--speed", type=float, default=0.0, help="times faster than real time; 0: as fast as it is acknowledged / 倍速"
    )
    parser.add_argument(
        "--in-flight",
        type=int,
        default=64,
        metavar="N",
        help="packets that wait for their 9014 at a time / 同时待应答报文数",
    )
    parser.add_argument("--interval", default="hour", choices=sorted(PERIODS), help="of the rows / 时段长度")
    parser.add_argument("--label", default="start", choices=("start", "end"), help="what “time” names / 时间标签")
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="HEADER=NAME",
        help="short name or HJ 212 code of a column / 列名映射",
    )
    parser.add_argument("--from", dest="first", type=_moment, metavar="TIME", help="first period / 起始时段")
    parser.add_argument("--to", dest="last", type=_moment, metavar="TIME", help="last period / 结束时段")
    parser.add_argument(
        "--check",
        action="store_true",
        help="then compare what is stored with the file (needs --station) / 核对入库结果",
    )
    parser.set_defaults(run=run)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=CHINA) if moment.tzinfo is None else moment


def run(args: argparse.Namespace) -> int:
    """Read the file, send it, say what came of it."""
    try:
        _check_arguments(args)
        names = dict(pair.split("=", 1) for pair in args.map)
        medium = _medium_of(args.station) if args.station else MEDIA[args.system]
        table = tables.read(
            args.file, medium, interval=args.interval, label=args.label, names=names, first=args.first, last=args.last
        )
        if not table.rows:
            raise TableError([f"{args.file}: no period to send / 没有可发送的时段"])
        target = _registered(args.station, table, args.interval) if args.station else _given(args)
    except (TableError, LookupError, OSError) as error:
        print(str(error).strip("'"), file=sys.stderr)
        return 2
    if table.ignored:
        print(f"not sent: {', '.join(table.ignored)} (no factor; use --map) / 未发送的列", file=sys.stderr)
    summary = Summary()
    try:
        asyncio.run(
            send(
                table,
                target,
                args.host,
                args.port,
                args.interval,
                summary,
                speed=args.speed,
                in_flight=args.in_flight,
                tell=_Progress(),
            )
        )
    except (UploadError, OSError) as error:
        print(f"\n{error}\nsent so far / 已发送：{summary}", file=sys.stderr)
        return 1
    print(f"\n{summary}")
    return _compare(args.station, table, target, args.interval) if args.check else 0


def _check_arguments(args: argparse.Namespace) -> None:
    if bool(args.station) == bool(args.mn):
        raise TableError(["give either --station CODE or --mn MN / 须指定 --station 或 --mn 之一"])
    if args.speed < 0 or args.in_flight < 1:
        raise TableError(["--speed is at least 0, --in-flight at least 1 / --speed 不小于0，--in-flight 不小于1"])
    if args.check and not args.station:
        raise TableError(["--check needs --station / --check 需要 --station"])
    if bad := [pair for pair in args.map if "=" not in pair]:
        raise TableError([f"--map {pair}: write HEADER=NAME / 应写作 列名=因子" for pair in bad])


def _given(args: argparse.Namespace) -> Target:
    edition = {2005: Edition.V2005, 2017: Edition.V2017, 2025: Edition.V2025}[args.edition]
    return Target(args.mn, args.system, args.password, edition, {})


# ---- sending -------------------------------------------------------------------------------------------------------


async def send(
    table: Table,
    target: Target,
    host: str,
    port: int,
    interval: str,
    summary: Summary,
    *,
    speed: float = 0.0,
    in_flight: int = 1,
    tell: Callable[[Summary, int, datetime], None] | None = None,
) -> None:
    """Send the periods and wait for the 9014 of each; ``in_flight`` packets may wait at a time.

    Raises
    ------
    UploadError, OSError
        The gateway cannot be reached or does not answer any more; ``summary`` says how far it came.
    """
    client = Client(
        host, port, mn=target.mn, st=target.system, pw=target.password, edition=target.edition, overtime=5.0
    )
    began, first = time.monotonic(), table.rows[0][0]
    together = 1 if speed else in_flight
    try:
        for i in range(0, len(table.rows), together):
            batch = table.rows[i : i + together]
            if speed:
                due = began + (batch[0][0] - first).total_seconds() / speed
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            full = [(start, values) for start, values in batch if values]
            contents = [content(start, values, target.scales) for start, values in full]
            await _upload(client, CN[interval], contents, summary)
            summary.periods += len(batch)
            summary.empty += len(batch) - len(full)
            summary.values += sum(len(values) for _start, values in full)
            summary.seconds = time.monotonic() - began
            if tell:
                tell(summary, len(table.rows), batch[-1][0])
    finally:
        await client.close()


def content(start: datetime, values: dict[str, Decimal], scales: dict[str, Decimal]) -> str:
    """Return the CP text of a period; numbers keep the decimals of the file."""
    items = [f"DataTime={format_time(start)}"]
    items += [f"{code}-Avg={value * scales.get(code, 1):f},{code}-Flag=N" for code, value in values.items()]
    return ";".join(items)


async def _upload(client: Client, cn: int, contents: list[str], summary: Summary) -> None:
    """Send packets and wait until all are acknowledged.

    After a lost connection those without an answer are sent again; the platform recognises what it had already.
    """
    waiting = contents
    for attempt in range(ATTEMPTS):
        try:
            if not client.connected:
                await client.connect()
            rf = client.edition is Edition.V2025
            summary.packets += len(waiting)
            answers = await asyncio.gather(*(client.upload(cn, cp, rf=rf) for cp in waiting), return_exceptions=True)
        except OSError as error:
            answers = [error] * len(waiting)
        problems = [answer for answer in answers if isinstance(answer, BaseException)]
        summary.acknowledged += len(answers) - len(problems)
        waiting = [cp for cp, answer in zip(waiting, answers, strict=True) if isinstance(answer, BaseException)]
        if not problems:
            return
        if attempt == ATTEMPTS - 1 or not isinstance(problems[0], OSError):
            raise problems[0]
        await asyncio.sleep(0.5 * 2**attempt)


class _Progress:
    """One line on standard error, once a second."""

    def __init__(self) -> None:
        self._told = 0.0

    def __call__(self, summary: Summary, total: int, start: datetime) -> None:
        if time.monotonic() - self._told >= 1 or summary.periods == total:
            self._told = time.monotonic()
            print(f"\r{summary.periods:,}/{total:,}  {start:%F %H:%M}", end="", file=sys.stderr, flush=True)


# ---- the register and the store ------------------------------------------------------------------------------------


def _django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
    import django

    django.setup()


def _device(code: str) -> Any:
    _django()
    from luming.registry.models import Device

    devices = list(Device.objects.filter(place__code=code, is_active=True).select_related("place"))
    if not devices:
        raise LookupError(f"no active device is registered at {code}: register one first / 该点位没有启用的设备")
    if len(devices) > 1:
        raise LookupError(f"{code} has {len(devices)} devices: name one with --mn / 该点位有多台设备，请用 --mn 指定")
    return devices[0]


def _medium_of(code: str) -> str:
    return str(_device(code).place.medium)


def _registered(code: str, table: Table, interval: str) -> Target:
    """Return the device of a place; series that the file needs are made, in the unit of the file.

    Raises
    ------
    LookupError
        No device, or the place was commissioned after the file begins: the gateway would hold its packets.
    """
    from luming.registry import actions
    from luming.registry.models import Series
    from luming.telemetry import units

    device = _device(code)
    begins = device.place.commissioned_at
    if begins and table.rows[0][0] < begins:
        raise LookupError(
            f"{code} was commissioned at {begins.astimezone(CHINA):%F %T}, the file begins at "
            f"{table.rows[0][0]:%F %T}: the gateway would hold these packets; correct the date, or use --from "
            "/ 数据早于点位投运时间"
        )
    scales = {}
    held = {series.factor: series for series in Series.objects.filter(place=device.place, interval=interval)}
    for column in table.columns:
        series = held.get(column.code)
        if series is None:
            seconds = int(PERIODS[interval] / timedelta(seconds=1))
            actions.create_series(
                None, place=device.place, factor=column.code, interval=interval, seconds=seconds, unit=column.unit,
                reason=f"replay of {code}",
            )  # fmt: skip
        elif series.unit != column.unit:
            try:
                scales[column.code] = Decimal(str(units.scale(column.unit, series.unit)))
            except ValueError as error:
                raise LookupError(f"{code} {column.code}: {error}") from error
    return Target(device.mn, device.system, device.password, Edition(device.edition), scales)


def _compare(code: str, table: Table, target: Target, interval: str) -> int:
    """Compare what is stored with the file, value for value and gap for gap; print the differences."""
    from luming.registry.models import Series
    from luming.telemetry import store

    series = {
        pk: factor
        for pk, factor in Series.objects.filter(place__code=code, interval=interval).values_list("pk", "factor")
        if factor in {column.code for column in table.columns}
    }
    first, last = table.rows[0][0], table.rows[-1][0] + timedelta(seconds=1)
    held = store.observations(list(series), first, last)
    stored = {
        (series[number], start): value
        for number, start, value in zip(
            held.series_id.tolist(),
            held.start.astype("datetime64[s]").astype(int).tolist(),
            held.value.tolist(),
            strict=True,
        )
    }
    sent = {
        (factor, int(start.timestamp())): float(value * target.scales.get(factor, 1))
        for start, values in table.rows
        for factor, value in values.items()
    }
    missing, unexpected = sent.keys() - stored.keys(), stored.keys() - sent.keys()
    different = {key for key in sent.keys() & stored.keys() if sent[key] != stored[key]}
    print(
        f"{len(sent):,} values in the file, {len(stored):,} stored: {len(missing):,} missing, {len(different):,} "
        f"different, {len(unexpected):,} that the file does not have\n"
        f"文件 {len(sent):,} 个数值，入库 {len(stored):,} 个：缺 {len(missing):,}，不同 {len(different):,}，"
        f"文件中没有 {len(unexpected):,}"
    )
    for kind, keys in (("missing", missing), ("different", different), ("unexpected", unexpected)):
        for factor, start in sorted(keys)[:10]:
            print(f"  {kind}: {factor} {datetime.fromtimestamp(start, CHINA):%F %H:%M}", file=sys.stderr)
    return 1 if missing or different or unexpected else 0
