"""What the fleet's loggers send: CP texts of a block of data, whole frames, and how misbehaving loggers spoil them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from luming.demo.chance import Ints
from luming.demo.fleet import Factor, Logger
from luming.demo.generator import CHINA_SECONDS, FLAGS, Block
from luming.hj212 import Edition, crc16, crc16_modbus, make_flag

CN = {"realtime": 2011, "minute": 2051, "hour": 2061, "day": 2031}
INTERVALS = {cn: interval for interval, cn in CN.items()}
CLOCK_ERROR = -11 * 60  # seconds of the logger with the story "clock"
# A river station shows its five parameters in real time; the other analysers run every four hours.
_REALTIME_WATER = frozenset({"w01001", "w01009", "w01010", "w01014", "w01003"})


def reported(logger: Logger, interval: str) -> list[tuple[int, Factor, str]]:
    """Return (row in the block, factor, code of the series) of what a logger sends at an interval."""
    site = logger.site
    everything = [(row, factor, factor.code) for row, factor in enumerate(site.factors)]
    if interval == "realtime" and site.medium == "water":
        return [item for item in everything if item[2] in _REALTIME_WATER]
    if interval == "realtime" and site.medium == "noise":  # HJ 212-2017 table B.3: LA is the level at this moment
        row = site.row["Leq"]
        return [(row, site.factors[row], "LA")]
    return everything


def texts(logger: Logger, block: Block) -> list[str]:
    """Return the CP text of each period of a block: ``DataTime=…;code-Min=…,code-Avg=…,code-Flag=N``."""
    columns = [[f"DataTime={moment}" for moment in compact_times(block.starts)]]
    flags = np.array(list(FLAGS))
    for row, factor, code in reported(logger, block.interval):
        sent = code if code == "LA" else logger.sent_code(factor)
        pieces = _pieces(block, row, factor)
        template = ",".join([f"{sent}-{name}=%.{decimals}f" for name, _, decimals in pieces] + [f"{sent}-Flag=%s"])
        figures = [column.tolist() for _, column, _ in pieces]
        columns.append([template % row for row in zip(*figures, flags[block.flag[row]].tolist(), strict=True)])
    return [";".join(parts) for parts in zip(*columns, strict=True)]


def _pieces(block: Block, row: int, factor: Factor) -> list[tuple[str, np.ndarray, int]]:
    """Return (suffix, column, decimals) of what is sent of one factor; HJ 212-2017 table 4."""
    decimals = factor.decimals
    is_converted = block.converted.shape[1] > 0 and not np.isnan(block.converted[row]).all()
    if block.interval == "realtime":
        pieces = [("Rtd", block.value[row], decimals)]
        if is_converted:
            pieces.append(("ZsRtd", block.converted[row], decimals))
        return pieces
    if block.site.medium == "noise":
        pieces = [("Data", block.value[row], decimals)]
        if block.interval == "day" and factor.code == "Leq":
            pieces += [("DayData", block.day_level, 1), ("NightData", block.night_level, 1)]
        return pieces
    pieces = []
    if factor.amount_decimals is not None:
        pieces.append(("Cou", block.amount[row], factor.amount_decimals))
    pieces += [("Min", block.minimum[row], decimals), ("Avg", block.value[row], decimals)]
    pieces.append(("Max", block.maximum[row], decimals))
    if is_converted:
        pieces.append(("ZsMin", block.converted_minimum[row], decimals))
        pieces.append(("ZsAvg", block.converted[row], decimals))
        pieces.append(("ZsMax", block.converted_maximum[row], decimals))
    return pieces


def compact_times(seconds: Ints) -> list[str]:
    """Return ``YYYYMMDDhhmmss`` in China Standard Time of instants in seconds since 1970."""
    local = (np.asarray(seconds, dtype=np.int64) + CHINA_SECONDS).astype("datetime64[s]")
    table = str.maketrans("", "", "-:T")
    return [text.translate(table) for text in np.datetime_as_string(local).tolist()]


def frames(
    logger: Logger,
    interval: str,
    contents: Sequence[str],
    sent_at: Sequence[float],
    *,
    backfilled: Sequence[bool] | None = None,
) -> list[bytes]:
    """Return the frames of CP texts, asking for a reply, with the moment of sending (seconds since 1970) as QN."""
    edition = Edition(logger.edition)
    # HJ/T 212-2005 knows Flag too: 1 asks for a reply, and no version stands above it.
    head = (
        f";ST={logger.system};CN={CN[interval]};PW={logger.password};MN={logger.mn};"
        f"Flag={make_flag(edition, reply=True)};"
    )
    late = backfilled or [False] * len(contents)
    made = []
    # By hand, because a history has a hundred thousand of them; a test compares with luming.hj212.encode.
    for qn, cp, rf in zip(_qns(sent_at), contents, late, strict=True):
        mark = "RF=1;" if rf and edition is Edition.V2025 else ""
        segment = f"QN={qn}{head}{mark}CP=&&{cp}&&".encode()
        made.append(b"##%04d%s%04X\r\n" % (len(segment), segment, crc16(segment)))
    return [spoil(frame) for frame in made] if logger.site.story == "modbus" else made


def _qns(moments: Sequence[float]) -> list[str]:
    """Return the QN of instants in seconds since 1970."""
    local = np.floor((np.asarray(moments) + CHINA_SECONDS) * 1000 + 0.5).astype("datetime64[ms]")
    table = str.maketrans("", "", "-:T.")
    return [text.translate(table) for text in np.datetime_as_string(local).tolist()]


def qn_of(moment: float) -> str:
    """Return the QN of an instant in seconds since 1970."""
    return _qns([moment])[0]


def spoil(frame: bytes) -> bytes:
    """Replace the check code by CRC-16/MODBUS, low byte first, in lower case, as some loggers in the field send it."""
    segment = frame[6:-6]
    code = crc16_modbus(segment)
    return frame[:-6] + b"%02x%02x\r\n" % (code & 255, code >> 8)
