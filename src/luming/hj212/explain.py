"""A packet annotated for a human: every byte of a frame, and what it is."""

from __future__ import annotations

import re
from typing import NamedTuple

from .codes import COMMANDS, DEVICE_STATES, EXE_RESULTS, FLAGS, MARKS_2005, QN_RESULTS, SYSTEMS
from .content import readable
from .crc import crc16, crc16_modbus
from .crypto import looks_printed
from .factors import find_factor, legacy_candidates
from .header import find_cp
from .model import Edition
from .times import parse_time

__all__ = ["Annotation", "explain"]

_HEAD = 6
_PIECE = re.compile(r"([;,]+)|([^=;,]*=//.*?//)(?=[;,]|\Z)|([^;,]+)", re.DOTALL)

_HEADER_LABELS = {
    "qn": ("请求编码", "request number"),
    "st": ("系统编码", "system code"),
    "cn": ("命令编码", "command code"),
    "pw": ("访问密码", "password"),
    "mn": ("设备唯一标识", "device identity"),
    "flag": ("拆分包及应答标志", "split and reply mark"),
    "pnum": ("总包数", "number of packets"),
    "pno": ("包号", "packet number"),
    "rf": ("补传标志", "back-fill mark"),
}
_SUFFIX_LABELS = {
    "rtd": ("实时值", "real-time value"),
    "min": ("最小值", "minimum"),
    "avg": ("平均值", "average"),
    "max": ("最大值", "maximum"),
    "zsrtd": ("折算实时值", "converted real-time value"),
    "zsmin": ("折算最小值", "converted minimum"),
    "zsavg": ("折算平均值", "converted average"),
    "zsmax": ("折算最大值", "converted maximum"),
    "cou": ("累计值", "amount"),
    "data": ("噪声监测值", "noise value"),
    "daydata": ("昼间值", "day value"),
    "nightdata": ("夜间值", "night value"),
    "flag": ("数据标记", "mark"),
    "eflag": ("设备标志（厂商自定）", "device mark of the maker"),
    "sampletime": ("采样时间", "sampling time"),
    "info": ("信息", "information"),
    "sn": ("设备序列号", "serial number"),
    "rs": ("运行状态", "running state"),
    "rt": ("运行小时数", "running hours"),
    "samplerd": ("标样测量值", "reading of the standard"),
    "standardvalue": ("标样标准值", "value of the standard"),
    "resulttype": ("结果类型", "kind of result"),
}
_PARAMETER_LABELS = {
    "datatime": ("数据时间", "data time"),
    "begintime": ("开始时间", "begin"),
    "endtime": ("结束时间", "end"),
    "systemtime": ("系统时间", "system time"),
    "restarttime": ("开机时间", "start of the logger"),
    "sampletime": ("采样时间", "sampling time"),
    "completetime": ("完成时间", "completion time"),
    "qnrtn": ("请求应答", "answer to request"),
    "exertn": ("执行结果", "result"),
    "rtdinterval": ("实时数据间隔（秒）", "real-time interval, s"),
    "mininterval": ("分钟数据间隔（分钟）", "minute interval, min"),
    "overtime": ("超时时间（秒）", "time-out, s"),
    "recount": ("重发次数", "repeats"),
    "polid": ("污染物编码", "factor code"),
    "infoid": ("信息编码", "information code"),
    "newpw": ("新密码", "new password"),
    "newsk": ("新密钥", "new key"),
    "skcreatetime": ("密钥生成时间", "creation of the key"),
    "vaseno": ("留样瓶编号", "bottle number"),
    "cstarttime": ("采样开始时间", "start of sampling"),
    "ctime": ("采样周期（小时）", "sampling period, h"),
    "stime": ("出样时间（分钟）", "time to result, min"),
    "calibrationtype": ("校准类型（0零点，1量程）", "calibration, 0 zero, 1 span"),
}


class Annotation(NamedTuple):
    """One piece of a frame: bytes [start, end), its text, and what it is. Pieces follow each other without gaps."""

    start: int
    end: int
    text: str
    label_zh: str
    label_en: str


class _Writer:
    """Collects annotations; pieces of no length are left out."""

    def __init__(self, frame: bytes) -> None:
        self.frame = frame
        self.notes: list[Annotation] = []

    def add(self, start: int, end: int, zh: str, en: str) -> None:
        if start < end:
            text = readable(self.frame[start:end].decode("latin-1"))
            self.notes.append(Annotation(start, end, text, zh, en))


def explain(frame: bytes) -> list[Annotation]:
    """Annotate a frame. Never raises; what is no packet is one piece that says so."""
    writer = _Writer(frame)
    body_end = len(frame.rstrip(b"\r\n"))
    if not frame.startswith(b"##") or body_end < _HEAD + 4:
        writer.add(0, len(frame), "不是HJ 212报文", "not an HJ 212 packet")
        return writer.notes
    segment = frame[_HEAD : body_end - 4]
    writer.add(0, 2, "包头", "head")
    declared = readable(frame[2:_HEAD].decode("latin-1"))
    fits = declared == f"{len(segment):04d}"
    writer.add(
        2,
        _HEAD,
        "数据段长度" + ("" if fits else f"，实际{len(segment)}"),
        "length of the data segment" + ("" if fits else f", in fact {len(segment)}"),
    )
    _segment(writer, segment.decode("latin-1"))
    zh, en = _check_code(frame[body_end - 4 : body_end], segment)
    writer.add(body_end - 4, body_end, zh, en)
    writer.add(body_end, len(frame), "包尾（回车换行）", "tail (CR LF)")
    return writer.notes


def _segment(writer: _Writer, text: str) -> None:
    found = find_cp(text)
    name_at, value_at = found if found else (len(text), len(text))
    edition = _edition(text[:name_at])
    for start, end, piece in _pieces(text[:name_at]):
        zh, en = _header_field(piece)
        writer.add(_HEAD + start, _HEAD + end, zh, en)
    if found is None:
        return
    opening = value_at + (2 if text.startswith("&&", value_at) else 0)
    closing = len(text) - (2 if text.endswith("&&") and len(text) - 2 >= opening else 0)
    writer.add(_HEAD + name_at, _HEAD + opening, "数据区开始", "data area begins")
    cp = text[opening:closing]
    if looks_printed(cp.encode("latin-1")):
        writer.add(_HEAD + opening, _HEAD + closing, "SM4密文", "SM4 cipher text")
    else:
        for start, end, piece in _pieces(cp):
            zh, en = _content_field(piece, edition)
            writer.add(_HEAD + opening + start, _HEAD + opening + end, zh, en)
    writer.add(_HEAD + closing, _HEAD + len(text), "数据区结束", "data area ends")


def _pieces(text: str) -> list[tuple[int, int, str]]:
    return [(match.start(), match.end(), match[0]) for match in _PIECE.finditer(text)]


def _edition(header: str) -> Edition:
    flag = re.search(r"flag=([0-9]{1,3})(?![0-9])", header, re.IGNORECASE)
    return Edition(min(int(flag[1]) >> 2, Edition.V2025)) if flag else Edition.V2005


def _header_field(piece: str) -> tuple[str, str]:
    name, equals, value = piece.partition("=")
    if piece.strip(";,") == "":
        return "分隔符", "separator"
    key, value = name.strip().lower(), value.strip()
    if not equals or key not in _HEADER_LABELS:
        return "未知字段", "unknown field"
    zh, en = _HEADER_LABELS[key]
    more_zh, more_en = _header_value(key, value)
    return zh + more_zh, en + more_en


def _header_value(key: str, value: str) -> tuple[str, str]:
    if key == "qn":
        return _time_text(value)
    if key == "st" and value in SYSTEMS:
        return f"：{SYSTEMS[value].name_zh}", f": {SYSTEMS[value].name_en}"
    if key == "cn" and value.isascii() and value.isdigit() and int(value[:9]) in COMMANDS:
        command = COMMANDS[int(value[:9])]
        return f"：{command.name_zh}", f": {command.name_en}"
    if key == "flag" and value.isascii() and value.isdigit() and len(value) <= 3:
        flag = int(value)
        standard = Edition(min(flag >> 2, Edition.V2025)).standard
        zh = f"：{standard}，{'需' if flag & 1 else '不需'}应答，{'有' if flag & 2 else '无'}拆分"
        en = f": {standard}, {'reply wanted' if flag & 1 else 'no reply'}, {'split' if flag & 2 else 'not split'}"
        return zh, en
    return "", ""


def _content_field(piece: str, edition: Edition) -> tuple[str, str]:
    if piece.strip(";,") == "":
        return "分隔符", "separator"
    name, equals, value = piece.partition("=")
    name, value = name.strip(), value.strip()
    if not equals:
        return "缺少“=”", "no ="
    code, dash, suffix = name.rpartition("-")
    if dash:
        return _reading_field(code, suffix.lower(), value, edition)
    label = _PARAMETER_LABELS.get(name.lower())
    if label is None:
        return "未知字段", "unknown field"
    more_zh, more_en = "", ""
    if name.lower().endswith("time") and len(value) == 14:
        more_zh, more_en = _time_text(value)
    table = {"qnrtn": QN_RESULTS, "exertn": EXE_RESULTS}.get(name.lower())
    if table is not None and re.fullmatch("[0-9]{1,3}", value) and int(value) in table:
        more_zh, more_en = f"：{table[int(value)][0]}", f": {table[int(value)][1]}"
    return label[0] + more_zh, label[1] + more_en


def _reading_field(code: str, suffix: str, value: str, edition: Edition) -> tuple[str, str]:
    factor = find_factor(code)
    if factor is None:
        factor = next((find_factor(candidate) for candidate in legacy_candidates(code)), None)
        old_zh, old_en = ("（旧编码）", " (old code)") if factor else ("", "")
    else:
        old_zh = old_en = ""
    shown = readable(code)
    name_zh = (factor.name_zh if factor else f"未知因子{shown}") + old_zh
    name_en = (factor.name_en if factor else f"unknown factor {shown}") + old_en
    if suffix in ("rs", "rt", "sn") and factor is None:
        name_zh, name_en = f"设备{shown}", f"device {shown}"
    label_zh, label_en = _SUFFIX_LABELS.get(suffix, ("未知项", "unknown item"))
    more_zh, more_en = _reading_value(suffix, value, edition)
    unit = ""
    if factor is not None and not more_zh:
        unit = factor.amount_unit if suffix == "cou" else factor.unit if suffix not in ("flag", "eflag", "sn") else ""
    unit = f" [{unit}]" if unit else ""
    return f"{name_zh} {label_zh}{more_zh}{unit}", f"{name_en}, {label_en}{more_en}{unit}"


def _reading_value(suffix: str, value: str, edition: Edition) -> tuple[str, str]:
    if suffix == "flag":
        mark = FLAGS.get(value) or (MARKS_2005.get(value) if edition is Edition.V2005 else None)
        return (f"：{mark.name_zh}", f": {mark.name_en}") if mark else ("：未定义", ": not defined")
    if suffix == "rs" and re.fullmatch("[0-5]", value):
        zh, en = DEVICE_STATES[int(value)]
        return f"：{zh}", f": {en}"
    if suffix == "sampletime":
        return _time_text(value)
    return "", ""


def _time_text(value: str) -> tuple[str, str]:
    moment, _ = parse_time(value)
    if moment is None:
        return "：不是时间", ": no time"
    text = moment.strftime("%Y-%m-%d %H:%M:%S") + (f".{value[14:]}" if len(value) == 17 else "")
    return f"：{text}", f": {text}"


def _check_code(sent: bytes, segment: bytes) -> tuple[str, str]:
    wanted = crc16(segment)
    modbus = crc16_modbus(segment)
    code = sent.decode("latin-1").upper()
    if code == f"{wanted:04X}":
        return "校验码，正确", "check code, right"
    if code == f"{(modbus & 0xFF) << 8 | modbus >> 8:04X}":
        return (
            f"校验码，为CRC-16/MODBUS（标准算法应为{wanted:04X}）",
            f"check code, CRC-16/MODBUS (should be {wanted:04X})",
        )
    return f"校验码，按明文应为{wanted:04X}", f"check code, the text as it stands gives {wanted:04X}"
