"""`luming hj212 decode | encode | explain`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from .decoder import decode
from .encoder import encode, encode_packets, encode_readings
from .explain import explain
from .factors import find_factor
from .framing import Framer
from .model import CHINA, Decoded, Edition, Frame, Packet, Reading

__all__ = ["configure"]

_CHUNK = 1 << 16
_EDITIONS = {"2005": Edition.V2005, "2017": Edition.V2017, "2025": Edition.V2025}
_PLAIN = ("cn", "st", "mn", "pw", "qn", "flag", "cp", "pnum", "pno")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `luming hj212`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    text = "解码报文，每个报文输出一行JSON / decode packets to JSON lines"
    sub = actions.add_parser("decode", help=text, description=text)
    sub.add_argument("file", help="文件，或“-”表示标准输入 / a file, or - for standard input")
    sub.add_argument("--strict", action="store_true", help="严格按标准判定 / reject every departure from the standard")
    sub.add_argument("--key", type=_key, help="SM4密钥,32位十六进制 / SM4 key, 32 hexadecimal digits")
    sub.add_argument("--all", action="store_true", help="报文之外的字节也输出 / also print bytes that are no packet")
    sub.set_defaults(run=run_decode)

    text = "由参数或JSON行生成报文 / make packets from arguments or JSON lines"
    sub = actions.add_parser("encode", help=text, description=text)
    sub.add_argument("file", nargs="?", help="JSON行文件，或“-” / JSON lines, or -; or give the fields as arguments")
    for name in ("cn", "flag", "pnum", "pno"):
        sub.add_argument(f"--{name}", type=int)
    for name in ("st", "mn", "pw", "qn", "cp"):
        sub.add_argument(f"--{name}")
    sub.add_argument("--edition", choices=_EDITIONS, default="2017")
    sub.add_argument("--rf", action="store_true", help="补传 / back-filled data")
    sub.add_argument("--key", type=_key, help="SM4密钥,32位十六进制 / SM4 key, 32 hexadecimal digits")
    sub.set_defaults(run=run_encode)

    text = "逐段说明一个报文 / explain a packet piece by piece"
    sub = actions.add_parser("explain", help=text, description=text)
    sub.add_argument("packet", help="报文“##…”,或“-”表示标准输入 / the packet, or - for standard input")
    sub.set_defaults(run=run_explain)


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 16:
        raise argparse.ArgumentTypeError("密钥应为32位十六进制数 / the key must have 32 hexadecimal digits")
    return key


@contextmanager
def _open(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
    else:
        with Path(name).open("rb") as file:
            yield file


def run_decode(args: argparse.Namespace) -> int:
    """Print one JSON line per packet. Exit code 0: all accepted, 1: some rejected or none found, 2: no such file."""
    accepted = rejected = skipped = 0
    try:
        with _open(args.file) as stream:
            for frame in _frames(stream):
                if frame.kind == "garbage":
                    skipped += len(frame.data)
                    if args.all:
                        _print({"kind": "garbage", "reason": frame.reason, "bytes": frame.data.decode("latin-1")})
                    continue
                decoded = decode(frame.data, strict=args.strict, key=args.key)
                accepted += decoded.accepted
                rejected += not decoded.accepted
                _print(_as_json(frame, decoded))
    except OSError as error:
        print(f"无法读取{args.file} / cannot read {args.file}: {error.strerror}", file=sys.stderr)
        return 2
    zh = f"{accepted}个接受，{rejected}个拒绝，报文之外{skipped}字节"
    print(f"{zh} / {accepted} accepted, {rejected} rejected, {skipped} bytes outside packets", file=sys.stderr)
    return 0 if accepted and not rejected else 1


def _frames(stream: BinaryIO) -> Iterator[Frame]:
    framer = Framer()
    while chunk := stream.read(_CHUNK):
        yield from framer.feed(chunk)
    yield from framer.flush()


def _print(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False))


def _as_json(frame: Frame, decoded: Decoded) -> dict[str, Any]:
    line: dict[str, Any] = {"verdict": decoded.verdict, "reason": decoded.reason}
    if decoded.packet is not None:
        line |= _packet_json(decoded.packet)
    line["diagnostics"] = [
        {"code": d.code, "severity": d.severity, "position": d.position, "zh": d.message_zh, "en": d.message_en}
        for d in decoded.diagnostics
    ]
    line["raw"] = frame.data.decode("utf-8", "backslashreplace")
    return line


def _packet_json(packet: Packet) -> dict[str, Any]:
    fields = {name: getattr(packet, name) for name in _PLAIN}
    return {
        "edition": packet.edition.standard,
        "system": packet.system_name,
        "command": packet.command_name,
        "fields": {name: value for name, value in fields.items() if value is not None},
        "backfilled": packet.backfilled,
        "data_time": packet.data_time.isoformat() if packet.data_time else None,
        "observations": [_reading_json(reading) for reading in packet.readings],
        "parameters": dict(packet.parameters),
    }


def _reading_json(reading: Reading) -> dict[str, Any]:
    factor = find_factor(reading.code)
    line: dict[str, Any] = {"code": reading.code, "name": factor.name_zh if factor else None}
    for name, value in zip(Reading._fields[1:-1], reading[1:-1], strict=True):
        if value is not None:
            line[name] = value.isoformat() if isinstance(value, datetime) else value
    if reading.extra:
        line["extra"] = dict(reading.extra)
    return line


def run_encode(args: argparse.Namespace) -> int:
    """Write packets to standard output. Exit code 1 if a line could not be encoded (all such lines are reported)."""
    if args.file is None:
        if args.cn is None or not args.st or not args.mn:
            print("请给出--cn、--st和--mn，或JSON行文件 / give --cn, --st and --mn, or a file", file=sys.stderr)
            return 2
        row = {name: getattr(args, name) for name in _PLAIN} | {"edition": args.edition, "rf": args.rf}
        return _encode_rows([("", json.dumps(row))], args.key)
    try:
        with _open(args.file) as stream:
            rows = [(f"第{number}行 / line {number}: ", line.decode("utf-8")) for number, line in enumerate(stream, 1)]
    except (OSError, UnicodeDecodeError) as error:
        print(f"无法读取{args.file} / cannot read {args.file}: {error}", file=sys.stderr)
        return 2
    return _encode_rows(rows, args.key)


def _encode_rows(rows: list[tuple[str, str]], key: bytes | None) -> int:
    failed = 0
    for place, text in rows:
        if not text.strip():
            continue
        try:
            frames = _encode_row(json.loads(text), key)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            failed += 1
            reason = f"缺少 / missing {error}" if isinstance(error, KeyError) else str(error)
            print(f"{place}{reason}", file=sys.stderr)
            continue
        sys.stdout.buffer.write(b"".join(frames))
    sys.stdout.flush()
    return 1 if failed else 0


def _encode_row(row: dict[str, Any], key: bytes | None) -> list[bytes]:
    """The frames of one JSON object: the fields of `encode`, or what `luming hj212 decode` printed."""
    if not isinstance(row, dict):
        raise TypeError("一行应为一个JSON对象 / a line must be a JSON object")
    row = row | row.get("fields", {})
    values = {name: row[name] for name in _PLAIN if row.get(name) is not None}
    edition = _edition(row)
    rf = bool(row.get("rf") or row.get("backfilled"))
    if "cp" not in values:
        values["cp"] = _content(row)
    values["cn"], values["st"], values["mn"] = int(row["cn"]), str(row["st"]), str(row["mn"])
    if "pnum" in values or "pno" in values or ("flag" in values and len(values["cp"].encode()) <= 950):
        return [encode(**values, edition=edition, rf=rf, key=key)]
    flag = int(values.pop("flag", 0))
    return encode_packets(**values, reply=bool(flag & 1), edition=edition, rf=rf, key=key)


def _edition(row: dict[str, Any]) -> Edition:
    text = str(row.get("edition") or "2017")
    for year, edition in _EDITIONS.items():
        if year in text:
            return edition
    raise ValueError(f"不认识的标准版本{text} / unknown edition {text}")


def _content(row: dict[str, Any]) -> str:
    moment = row.get("data_time")
    if moment is None:
        return ""
    parsed = datetime.fromisoformat(moment)
    data_time = parsed if parsed.tzinfo else parsed.replace(tzinfo=CHINA)
    readings = []
    for observation in row.get("observations", ()):
        values = {name: value for name, value in observation.items() if name in Reading._fields}
        if "sample_time" in values:
            values["sample_time"] = datetime.fromisoformat(values["sample_time"])
        readings.append(Reading(**values))
    return encode_readings(data_time, readings, row.get("parameters"))


def run_explain(args: argparse.Namespace) -> int:
    """Print a packet piece by piece, then what departs from the standard. Exit code 1 if it is rejected."""
    frame = sys.stdin.buffer.read() if args.packet == "-" else args.packet.encode("utf-8", "surrogateescape")
    frame = frame.strip()
    for note in explain(frame):
        if note.label_en != "separator":
            print(f"{note.start:5d}-{note.end:<5d} {note.text}\n            {note.label_zh} / {note.label_en}")
    decoded = decode(frame)
    print()
    for finding in decoded.diagnostics:
        place = "" if finding.position is None else f"@{finding.position} "
        print(f"[{finding.severity}] {place}{finding.code}: {finding.message_zh} / {finding.message_en}")
    print("判定：接受 / accepted" if decoded.accepted else f"判定：拒绝（{decoded.reason}） / rejected")
    return 0 if decoded.accepted else 1
