"""What loggers of the fleet tell of their instruments (演示数据): standard checks and states, as packets.

Loggers of HJ 212-2025 send the result of their automatic standard check every morning (2062); loggers since 2017 tell
the state and the range of each instrument once (3020). The packets are real ones in the store, so that a calibration
on a page leads to its packet; the worker reads them like any others.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from luming.demo.chance import key_of, uniform
from luming.demo.fleet import Fleet, Logger, rows
from luming.demo.packets import compact_times, qn_of
from luming.hj212 import decode, encode, make_flag
from luming.registry.models import Device
from luming.telemetry import store
from luming.telemetry.identity import EPOCH, claim_node
from luming.telemetry.instruments.models import Calibration, DeviceFact

CHECKED = frozenset({"gas", "sewage", "water"})
DAYS = 14
NODE = 254  # preferred: live gateways count from 0, the history takes the last
ERROR = 4.0  # per cent of the standard
_CHECK, _INFORMATION = 2062, 3020


def send(fleet: Fleet, now: datetime, days: int = DAYS) -> int:
    """Store the packets of so many days unless some were read before; return how many were stored."""
    if DeviceFact.objects.filter(device__is_demo=True).exists():
        return 0
    if Calibration.objects.filter(device__is_demo=True, packet_id__isnull=False).exists():
        return 0
    devices = dict(Device.objects.filter(is_demo=True).values_list("mn", "pk"))
    with store.Writer() as locks:
        node = claim_node(locks.connect(), preferred=NODE)
        packets = [
            _row(logger, devices[logger.mn], cn, cp, moment, node << 14 | number)
            for number, logger in enumerate(fleet.registered)
            if logger.mn in devices
            for cn, cp, moment in _told(logger, now, days)
        ]
        return store.bulk_load(packets, []).packets


def _told(logger: Logger, now: datetime, days: int) -> Iterator[tuple[int, str, datetime]]:
    """Yield (CN, CP, moment) of what a logger tells."""
    kinds = [row for row in rows("instruments.csv") if row["medium"] == logger.site.medium]
    kinds = [row for row in kinds if row["factor"] in logger.site.row]
    if logger.edition == 0 or not kinds:
        return
    morning = now.replace(minute=0, second=0, microsecond=0)
    parts = [f"PolId={row['factor']},i12001-Info=0,i13001-Info=0~{row['upper']}{row['unit']}" for row in kinds]
    yield _INFORMATION, ";".join([f"DataTime={_compact(morning)}", *parts]), morning
    if logger.edition < 2 or logger.site.medium not in CHECKED:
        return
    for back in range(1, days + 1):
        moment = morning - timedelta(days=back, minutes=-12)
        values = [_check(logger, row, back) for row in kinds if "span" in row["works"] or "check" in row["works"]]
        yield _CHECK, ";".join([f"DataTime={_compact(moment)}", *values]), moment


def _check(logger: Logger, row: dict[str, str], back: int) -> str:
    standard = float(row["standard"])
    error = ERROR / 100 * (2 * float(uniform(key_of(logger.mn, "told", row["factor"]), np.array([back]))[0]) - 1)
    code = row["factor"]
    return f"{code}-SampleRd={standard * (1 + error):.3f},{code}-StandardValue={standard:g},{code}-Flag=C"


def _compact(moment: datetime) -> str:
    return str(compact_times(np.array([int(moment.timestamp())]))[0])


def _row(logger: Logger, device_id: int, cn: int, cp: str, moment: datetime, low: int) -> store.PacketRow:
    """Return a packet as if the gateway had received it a second after it was sent."""
    qn = qn_of(moment.timestamp())
    flag = make_flag(logger.edition, reply=True)  # type: ignore[arg-type]
    body = encode(cn=cn, st=logger.system, mn=logger.mn, pw=logger.password, qn=qn, flag=flag, cp=cp)[:-2]
    received = moment + timedelta(seconds=1)
    packet_id = ((received - EPOCH) // timedelta(milliseconds=1)) << 22 | low
    codes = [found.code for found in decode(body).diagnostics]
    return store.PacketRow(
        packet_id, received, "I", None, device_id, logger.mn, f"192.0.2.{low % 200 + 1}:20000", logger.system, cn, qn,
        body, "A", None, codes,
    )  # fmt: skip
