"""What stands in CP: readings of factors and plain parameters (HJ 212-2017 6.3.3 and table 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from .codes import FLAGS, MARKS_2005
from .diagnostics import Notes
from .factors import canonical_code, find_factor, is_legacy
from .model import CHINA, NO_TEXT, Edition, Reading
from .times import parse_time

__all__ = ["NUMBER_FIELDS", "PLAIN_NUMBER", "Content", "parse_content", "readable"]

# suffix -> field of Reading
NUMBER_FIELDS: Mapping[str, str] = {
    "Rtd": "rtd",
    "Min": "minimum",
    "Avg": "average",
    "Max": "maximum",
    "ZsRtd": "zs_rtd",
    "ZsMin": "zs_minimum",
    "ZsAvg": "zs_average",
    "ZsMax": "zs_maximum",
    "Cou": "total",
    "Data": "data",
    "DayData": "day_data",
    "NightData": "night_data",
    "RT": "hours",
}
_TEXT_FIELDS = {
    "Flag": "flag",
    "EFlag": "eflag",
    "SampleTime": "sample_time",
    "Info": "info",
    "SN": "sn",
    "RS": "state",
}
_FIELDS = {**NUMBER_FIELDS, **_TEXT_FIELDS}
# Suffixes that go to `extra` and are in use since HJ 212-2025
_EXTRA_SUFFIXES = ("SampleRd", "StandardValue", "ResultType", "CompleteTime", "SampleType", "ValidNum", "TotalNum")
_SUFFIXES = {name.lower(): name for name in (*_FIELDS, *_EXTRA_SUFFIXES)}

# Plain fields: kind, lower bound, upper bound. `time` has 14 digits; `int` and `number` are bounded; the rest is text.
_PARAMETERS: dict[str, tuple[str, float, float]] = {
    "DataTime": ("time", 0, 0),
    "BeginTime": ("time", 0, 0),
    "EndTime": ("time", 0, 0),
    "SystemTime": ("time", 0, 0),
    "RestartTime": ("time", 0, 0),
    "SampleTime": ("time", 0, 0),
    "CompleteTime": ("time", 0, 0),
    "SKCreateTime": ("time", 0, 0),
    "AlarmTime": ("time", 0, 0),
    "QnRtn": ("int", 1, 999),
    "ExeRtn": ("int", 1, 999),
    "RtdInterval": ("int", 30, 3600),
    "MinInterval": ("int", 1, 30),
    "OverTime": ("int", 1, 99),
    "ReCount": ("int", 1, 99),
    "VaseNo": ("int", 1, 99),
    "Ctime": ("number", 0, 24),
    "Stime": ("number", 0, 120),
    "CstartTime": ("text", 0, 0),
    "PolId": ("text", 0, 0),
    "InfoId": ("text", 0, 0),
    "NewPW": ("text", 0, 0),
    "NewSK": ("text", 0, 0),
    "NewMN": ("text", 0, 0),
    "CalibrationType": ("int", 0, 1),
    "SampleType": ("text", 0, 0),
    "AlarmEvent": ("text", 0, 0),
    "AlarmType": ("text", 0, 0),
}
_PARAMETER_NAMES = {name.lower(): name for name in _PARAMETERS}

# A value that begins with // is a log and runs to the next // (HJ 212-2017 B.8); it may hold separators.
_TOKEN = re.compile(r"([^=;,]*)(?:(=)(//.*?//|[^;,]*))?(?:([;,])|\Z)", re.DOTALL)
_CODE = re.compile(r"[0-9A-Za-z_]{1,32}\Z")
PLAIN_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?\Z")
_ODD_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,2})?\Z")
_NUMBER_LIMIT = 1e15
_ODD_TIME = re.compile(r"[0-9]{4}([-/])[0-9]{2}\1[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}\Z")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Content(NamedTuple):
    """What one CP says."""

    data_time: datetime | None
    readings: tuple[Reading, ...]
    parameters: Mapping[str, str]


class _Draft:
    """A reading under construction."""

    __slots__ = ("extra", "item", "values")

    def __init__(self, code: str, item: int) -> None:
        self.values: dict[str, Any] = {"code": code}
        self.extra: dict[str, str] = {}
        self.item = item  # number of the item it stands in

    def finish(self) -> Reading:
        return Reading(**self.values, extra=MappingProxyType(self.extra) if self.extra else NO_TEXT)


def readable(latin: str, notes: Notes | None = None, place: int | None = None) -> str:
    """Text of bytes that were read as Latin-1: UTF-8, else GBK; control characters become U+FFFD."""
    if not latin.isascii():
        raw = latin.encode("latin-1")
        try:
            latin = raw.decode("utf-8")
        except UnicodeDecodeError:
            try:
                latin = raw.decode("gbk")
                finding = "text.gbk"
            except UnicodeDecodeError:
                latin = raw.decode("utf-8", "replace")
                finding = "text.undecodable"
            if notes is not None:
                notes.add(finding, place)
    if not latin.isprintable() and _CONTROL.search(latin):
        if notes is not None:
            notes.add("text.control", place)
        latin = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", latin)
    return latin


def parse_content(cp: str, offset: int, edition: Edition, notes: Notes) -> Content:
    """Read the text between the two `&&` (Latin-1); `offset` is its place in the frame."""
    return _Parser(offset, edition, notes).parse(cp)


class _Parser:
    """One pass over the pairs of a CP."""

    def __init__(self, offset: int, edition: Edition, notes: Notes) -> None:
        self.offset = offset
        self.edition = edition
        self.notes = notes
        self.drafts: dict[tuple[str | None, str], _Draft] = {}
        self.parameters: dict[str, str] = {}
        self.data_time: datetime | None = None
        self.item = 0
        self.item_owner: str | None = None  # the code or name that the current item is about
        self.instrument: str | None = None  # PolId that leads the current item

    def parse(self, cp: str) -> Content:
        position, end = 0, len(cp)
        while position < end:
            match = _TOKEN.match(cp, position)
            if match is None:  # a log in // followed by more text before the separator
                cut = min((at for at in (cp.find(mark, position) for mark in ";,") if at >= 0), default=end)
                self.notes.add("pair.no_equals", self.offset + position, cp[position:cut])
                position = cut + 1
                continue
            name, equals, value, separator = match.groups()
            self._pair(name, equals, value or "", self.offset + position)
            position = match.end()
            if separator and position == end:
                self.notes.add("segment.empty_item", self.offset + position - 1)
            if separator == ";":
                self.item += 1
                self.item_owner = self.instrument = None
        readings = tuple(draft.finish() for draft in self.drafts.values())
        if readings and self.data_time is None and "DataTime" not in self.parameters:
            self.notes.add("time.missing")
        return Content(self.data_time, readings, MappingProxyType(self.parameters) if self.parameters else NO_TEXT)

    def _pair(self, name: str, equals: str | None, value: str, place: int) -> None:
        if equals is None:
            if name.strip():
                self.notes.add("pair.no_equals", place, name)
                self.parameters.setdefault(readable(name.strip(), self.notes, place), "")
            else:
                self.notes.add("segment.empty_item", place)
            return
        if name != name.strip() or value != value.strip():
            self.notes.add("name.space", place, name.strip())
            name, value = name.strip(), value.strip()
        code, dash, suffix = name.rpartition("-")
        if not dash:
            self._parameter(name, value, place)
        elif _CODE.match(code):
            self._reading(code, suffix, value, place)
        else:
            self.notes.add("name.invalid", place, name)
            self._keep_parameter(readable(name), value, place)

    # plain parameters

    def _parameter(self, name: str, value: str, place: int) -> None:
        self._owner(name, place)
        canonical = _PARAMETER_NAMES.get(name.lower())
        if canonical is None:
            if not name or not name.isprintable() or not name.isascii():
                self.notes.add("name.invalid", place, name)
            else:
                self.notes.add("field.unknown", place, name)
            self._keep_parameter(readable(name), value, place)
            return
        if canonical != name:
            self.notes.add("name.case", place, name, canonical)
        if canonical == "PolId":
            self.instrument = value
        kind, low, high = _PARAMETERS[canonical]
        if canonical == "DataTime":
            self._data_time(value, place)
        else:
            if kind == "time" and value:
                self._time(canonical, value, place)
            elif kind != "text" and value:
                number = self._number(canonical, value, place)
                if number is not None and not (low <= number <= high and (kind == "number" or number == int(number))):
                    self.notes.add("value.range", place, canonical, value, f"{low:g}-{high:g}")
            self._keep_parameter(canonical, value, place)

    def _keep_parameter(self, name: str, value: str, place: int) -> None:
        text = readable(value, self.notes, place)
        if name not in self.parameters:
            self.parameters[name] = text
        elif name != "PolId":  # 3020 answers for several instruments in one packet
            self.notes.add("field.repeated" if self.parameters[name] == text else "field.conflict", place, name)

    def _data_time(self, value: str, place: int) -> None:
        moment = self._time("DataTime", value, place)
        if moment is None:
            self._keep_parameter("DataTime", value, place)
        elif self.data_time is None:
            self.data_time = moment
        else:
            self.notes.add("field.repeated" if moment == self.data_time else "time.several", place, "DataTime")

    # readings

    def _reading(self, code: str, suffix: str, value: str, place: int) -> None:
        canonical = _SUFFIXES.get(suffix.lower())
        if canonical is None:
            self.notes.add("suffix.unknown", place, f"{code}-{suffix}")
            canonical = readable(suffix)
        elif canonical != suffix:
            self.notes.add("name.case", place, f"{code}-{suffix}", f"{code}-{canonical}")
        draft = self._draft(code, place)
        field = _FIELDS.get(canonical)
        if field is None:
            self._keep_extra(draft, canonical, value, place)
            return
        name = f"{code}-{canonical}"
        parsed = self._value(field, name, value, place)
        if parsed is None:
            self._keep_extra(draft, canonical, value, place)
        elif field not in draft.values:
            draft.values[field] = parsed
        elif draft.values[field] == parsed:
            self.notes.add("field.repeated", place, name)
        else:
            self.notes.add("field.conflict", place, name)
            self._keep_extra(draft, canonical, value, place)

    def _draft(self, code: str, place: int) -> _Draft:
        draft = self.drafts.get((self.instrument, code))
        if draft is None:
            self._check_code(code, place)
            draft = self.drafts[self.instrument, code] = _Draft(code, self.item)
            if self.instrument is not None:
                draft.extra["PolId"] = readable(self.instrument)
            self._owner(code, place)
        elif draft.item != self.item:
            self.notes.add("separator.item", place, code)
            draft.item = self.item
            self.item_owner = code
        else:
            self._owner(code, place)
        return draft

    def _owner(self, name: str, place: int) -> None:
        """Two things in one item are a comma where a semicolon belongs (except after PolId)."""
        if self.item_owner is not None and self.item_owner != name and self.instrument is None:
            self.notes.add("separator.item", place, name)
        self.item_owner = name

    def _check_code(self, code: str, place: int) -> None:
        if find_factor(code) is not None:
            return
        canonical = canonical_code(code)
        if canonical is not None:
            self.notes.add("code.case", place, code, canonical)
        elif is_legacy(code):
            self.notes.add("code.legacy", place, code)
        else:
            self.notes.add("code.unknown", place, code)

    def _keep_extra(self, draft: _Draft, name: str, value: str, place: int) -> None:
        text = readable(value, self.notes, place)
        key, number = name, 2
        while key in draft.extra:
            if draft.extra[key] == text:
                return
            key, number = f"{name}#{number}", number + 1
        draft.extra[key] = text

    # values

    def _value(self, field: str, name: str, value: str, place: int) -> object:
        """The value for a field of Reading, or None if it cannot be read (a finding says why)."""
        if not value:
            self.notes.add("number.empty", place, name)
            return None
        if field == "flag":
            if value not in FLAGS and not (self.edition is Edition.V2005 and value in MARKS_2005):
                self.notes.add("mark.unknown", place, name, value)
            return readable(value, self.notes, place)
        if field in ("eflag", "info", "sn"):
            return readable(value, self.notes, place)
        if field == "sample_time":
            return self._time(name, value, place)
        number = self._number(name, value, place)
        if number is None:
            return None
        if field == "state":
            if number != int(number) or not 0 <= number <= 5:
                self.notes.add("value.range", place, name, value, "0-5")
            return int(number) if number == int(number) else None
        if field == "hours" and not 0 <= number <= 24:
            self.notes.add("value.range", place, name, value, "0-24")
        return number

    def _number(self, name: str, text: str, place: int) -> float | None:
        if PLAIN_NUMBER.match(text):
            return float(text)
        if _ODD_NUMBER.match(text):
            number = float(text)
            if abs(number) <= _NUMBER_LIMIT:
                self.notes.add("number.form", place, name, text)
                return number
        self.notes.add("number.invalid", place, name, text)
        return None

    def _time(self, name: str, text: str, place: int) -> datetime | None:
        moment, regular = parse_time(text)
        if moment is None and _ODD_TIME.match(text):
            try:
                moment = datetime.fromisoformat(text.replace("/", "-")).replace(tzinfo=CHINA)
            except ValueError:
                moment = None
        if moment is None:
            self.notes.add("time.invalid", place, name, text)
        elif not regular:
            self.notes.add("time.form", place, name, text)
        return moment
