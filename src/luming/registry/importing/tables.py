"""The tables that can be imported: their columns with Chinese and English headings, in the order of loading."""

# One column per line reads best here.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import models
from django.utils.translation import get_language

from luming.registry.importing import cells
from luming.registry.models import Device, Facility, FactorAlias, Interval, Limit, Medium, Outlet, Series, Station

Choices = Mapping[Any, tuple[str, ...]]  # stored value -> Chinese, English and further spellings


def english() -> bool:
    """Tell whether the reader's language is English."""
    return (get_language() or "").startswith("en")


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str  # of the model's field
    zh: str
    en: str
    parse: cells.Parser = cells.text
    required: bool = False
    example: Any = ""
    help_zh: str = ""
    help_en: str = ""
    choices: Choices | None = None
    also: tuple[str, ...] = ()  # further headings

    @property
    def label(self) -> str:
        """Return the heading in the reader's language."""
        return self.en if english() else self.zh

    @property
    def help(self) -> str:
        """Return the explanation in the reader's language."""
        return self.help_en if english() else self.help_zh


def chosen(name: str, zh: str, en: str, options: Choices, **more: Any) -> Column:
    """Return a column with few permitted values."""
    return Column(name, zh, en, cells.choice(options), choices=options, **more)


def folded(heading: str) -> str:
    """Return a heading without case, spaces, the mark of required columns and a unit in brackets."""
    return re.sub(r"[(（\[【].*?[)）\]】]|[\s*_＊:：]+", "", heading.lower())


@dataclass(frozen=True)
class Table:
    """A table of an import: one sheet of the workbook, one CSV file."""

    name: str
    zh: str
    en: str
    model: type[models.Model]
    key: tuple[str, ...]  # columns of the natural key
    columns: tuple[Column, ...] = field(repr=False)

    @property
    def label(self) -> str:
        """Return the name of the sheet in the reader's language."""
        return self.en if english() else self.zh

    @cached_property
    def by_heading(self) -> dict[str, Column]:
        """Return the columns by each way of writing their headings."""
        return {
            folded(heading): column
            for column in self.columns
            for heading in (column.name, column.zh, column.en, *column.also)
        }

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Return the columns by field name."""
        return {column.name: column for column in self.columns}


STATUSES: Choices = {
    "running": ("在产", "In operation", "运行", "正常"),
    "stopped": ("停产", "Stopped", "停运"),
    "closed": ("关闭", "Closed", "注销"),
}
MEDIA: Choices = {
    Medium.AIR: ("环境空气", "Ambient air", "空气", "大气"),
    Medium.WATER: ("地表水", "Surface water", "水"),
    Medium.NOISE: ("噪声", "Noise", "声环境"),
}
CONTROLS: Choices = {
    "national": ("国控", "National control"),
    "provincial": ("省控", "Provincial control", "区控"),
    "city": ("市控", "City control"),
    "other": ("其他", "Other"),
}
BODIES: Choices = {"river": ("河流", "River"), "lake": ("湖库", "Lake or reservoir", "湖泊", "水库")}
CLASSES: Choices = {
    1: ("Ⅰ类", "Class I", "Ⅰ", "I", "I类"),
    2: ("Ⅱ类", "Class II", "Ⅱ", "II", "II类"),
    3: ("Ⅲ类", "Class III", "Ⅲ", "III", "III类"),
    4: ("Ⅳ类", "Class IV", "Ⅳ", "IV", "IV类"),
    5: ("Ⅴ类", "Class V", "Ⅴ", "V", "V类"),
}
EDITIONS: Choices = {
    0: ("HJ/T 212-2005", "2005", "HJ212-2005"),
    1: ("HJ 212-2017", "2017", "HJ212-2017"),
    2: ("HJ 212-2025", "2025", "HJ212-2025"),
}
INTERVALS: Choices = {
    Interval.REALTIME: ("实时", "Real time", "2011"),
    Interval.MINUTE: ("分钟", "Minutes", "2051"),
    Interval.HOUR: ("小时", "Hour", "2061"),
    Interval.DAY: ("日", "Day", "2031"),
}
BASES: Choices = {"hour": ("小时均值", "Hourly mean", "小时"), "day": ("日均值", "Daily mean", "日")}
YES_NO: Choices = {True: ("是", "Yes"), False: ("否", "No")}

_REGION = ("区划代码或名称，如 150203 或 昆都仑区", "Code or name of a division, such as 150203")
_FACTOR = (
    "HJ 212 因子编码；也可写名称（二氧化硫）或简称（so2）",
    "Factor code of HJ 212; its name or short name (so2) will do",
)
_PLACE = ("监测点位编码，或 排污单位编码-排放口编号", "Code of a station, or FACILITY-NUMBER of an outlet")


def _truth(name: str, zh: str, en: str, **more: Any) -> Column:
    return Column(name, zh, en, cells.truth, choices=YES_NO, **more)


def _longitude(**more: Any) -> Column:
    help_zh, help_en = "十进制度，WGS-84 或 CGCS2000", "Decimal degrees, WGS-84 or CGCS2000"
    return Column(
        "longitude", "经度", "Longitude", cells.number, help_zh=help_zh, help_en=help_en, also=("lon",), **more
    )


def _latitude(**more: Any) -> Column:
    help_zh, help_en = "十进制度，WGS-84 或 CGCS2000", "Decimal degrees, WGS-84 or CGCS2000"
    return Column("latitude", "纬度", "Latitude", cells.number, help_zh=help_zh, help_en=help_en, also=("lat",), **more)


def _commissioned() -> Column:
    return Column(
        "commissioned_at", "投运时间", "Commissioned at", cells.instant, example="2026-01-01 00:00",
        help_zh="此前的数据视为调试数据，不入库", help_en="Data from before are held, not stored",
    )  # fmt: skip


TABLES: tuple[Table, ...] = (
    Table("facilities", "排污单位", "Facilities", Facility, ("code",), (
        Column("code", "编码", "Code", cells.code, True, "QY0001", "本单位自定，全市唯一，导入时的识别键", "The bureau's own, unique; what rows are recognised by", also=("单位编码", "facility code")),
        Column("name", "名称", "Name", cells.text, True, "示例热电厂", also=("单位名称",)),
        Column("uscc", "统一社会信用代码", "USCC", cells.code, False, "91350100M000100Y43", "18 位，校验码按 GB 32100 核对", "18 characters, checked by GB 32100"),
        Column("region", "所属区划", "Region", cells.text, True, "昆都仑区", *_REGION, also=("区划", "行政区划", "区域", "所属区域", "旗县区")),
        Column("industry", "行业", "Industry", cells.text, False, "火力发电"),
        Column("address", "地址", "Address", cells.text, False, "示例路 1 号"),
        _longitude(required=True, example=109.80),
        _latitude(required=True, example=40.66),
        chosen("status", "状态", "Status", STATUSES, example="在产"),
        Column("organisation", "组织机构", "Organisation", cells.text, False, "", "已登记的企业组织名称；企业用户据此看到本单位", "Name of a registered organisation whose people see this facility"),
    )),
    Table("outlets", "排放口", "Outlets", Outlet, ("facility", "number"), (
        Column("facility", "排污单位编码", "Facility code", cells.code, True, "QY0001", also=("单位编码",)),
        Column("number", "排放口编号", "Outlet number", cells.code, True, "DA001", "DA 废气、DW 废水加 3—5 位数字（HJ 608）", "DA (gas) or DW (water) and 3 to 5 digits (HJ 608)", also=("编号",)),
        Column("name", "名称", "Name", cells.text, True, "1 号锅炉烟囱", also=("排放口名称",)),
        Column("region", "所属区划", "Region", cells.text, False, "", "空则同排污单位", "Empty: that of the facility", also=("区划", "行政区划", "区域", "所属区域", "旗县区")),
        _longitude(example=109.801),
        _latitude(example=40.661),
        Column("process", "工艺", "Process", cells.text, False, "燃煤锅炉"),
        Column("height_m", "排气筒高度（m）", "Height (m)", cells.number, False, 120, also=("高度",)),
        Column("reference_oxygen", "基准氧含量（%）", "Reference oxygen (%)", cells.number, False, 6),
        _commissioned(),
        _truth("is_active", "启用", "Active", example="是"),
        Column("note", "备注", "Note"),
    )),
    Table("stations", "监测点位", "Stations", Station, ("code",), (
        Column("code", "编码", "Code", cells.code, True, "ST0001", also=("点位编码", "station code")),
        Column("name", "名称", "Name", cells.text, True, "示例空气站", also=("点位名称",)),
        chosen("medium", "要素", "Medium", MEDIA, required=True, example="环境空气"),
        Column("region", "所属区划", "Region", cells.text, True, "青山区", *_REGION, also=("区划", "行政区划", "区域", "所属区域", "旗县区")),
        _longitude(required=True, example=109.85),
        _latitude(required=True, example=40.68),
        chosen("control", "控制级别", "Control level", CONTROLS, example="市控"),
        Column("zone_class", "功能区类别", "Functional zone", cells.code, False, "II", "空气 I/II（GB 3095），噪声 0—4b（GB 3096）", "Air I/II (GB 3095), noise 0 to 4b (GB 3096)"),
        chosen("water_body", "水体类型", "Water body", BODIES, help_zh="仅地表水", help_en="Surface water only"),
        chosen("target_class", "目标水质", "Target class", CLASSES, help_zh="仅地表水", help_en="Surface water only"),
        _commissioned(),
        _truth("is_active", "启用", "Active", example="是"),
        Column("note", "备注", "Note"),
    )),
    Table("devices", "设备", "Devices", Device, ("mn",), (
        Column("mn", "MN", "MN", cells.code, True, "88888880000001ABCDEF0001", "设备唯一标识：24 位（2017、2025 版）或 14 位（2005 版）；请设为文本格式", "24 characters (2017, 2025) or 14 (2005); format the column as text", also=("设备唯一标识", "数采仪编码")),
        Column("place", "点位编码", "Place code", cells.code, True, "QY0001-DA001", *_PLACE, also=("点位",)),
        Column("name", "名称", "Name", cells.text, False, "1 号数采仪", also=("设备名称",)),
        Column("system", "系统编码（ST）", "System code (ST)", cells.code, False, "31", "空则按要素：空气 22、地表水 21、噪声 23、废气 31、废水 32", "Empty: by medium, air 22, water 21, noise 23, gas 31, waste water 32", also=("st", "系统编码")),
        Column("password", "访问密码（PW）", "Access password (PW)", cells.text, False, "123456", also=("pw", "访问密码")),
        chosen("edition", "协议版本", "Protocol edition", EDITIONS, example="HJ 212-2017"),
        Column("networks", "允许的地址", "Allowed networks", cells.words, False, "10.1.2.0/24", "多个用逗号分隔；空为不限", "Separated by commas; empty: any"),
        Column("realtime_seconds", "实时间隔（s）", "Real-time interval (s)", cells.whole, False, 60),
        Column("minute_interval", "分钟数据间隔（min）", "Minute-data interval (min)", cells.whole, False, 10),
        Column("overtime_seconds", "超时（s）", "Time-out (s)", cells.whole, False, 10),
        Column("resend_count", "重发次数", "Repeats", cells.whole, False, 3),
        Column("maintainer", "运维单位", "Maintainer", cells.text, False, "", "已登记的运维组织名称", "Name of a registered organisation"),
        _truth("is_active", "启用", "Active", example="是"),
    )),
    Table("series", "时序", "Series", Series, ("place", "factor", "interval"), (
        Column("place", "点位编码", "Place code", cells.code, True, "QY0001-DA001", *_PLACE, also=("点位",)),
        Column("factor", "因子", "Factor", cells.text, True, "a21026", *_FACTOR, also=("因子编码", "factor code")),
        chosen("interval", "数据周期", "Interval", INTERVALS, required=True, example="小时", also=("周期",)),
        Column("seconds", "应报间隔（s）", "Expected interval (s)", cells.whole, False, 3600, "空则实时 60、分钟 600、小时 3600、日 86400", "Empty: 60, 600, 3600 or 86400 by interval", also=("间隔",)),
        Column("unit", "单位", "Unit", cells.text, False, "mg/m³", "数采仪上报所用单位；空则为 HJ 212 规定的单位", "The unit the logger sends; empty: that of HJ 212"),
        _truth("expected", "应报", "Expected", help_zh="缺报是否算缺数", help_en="Whether a missing period is a gap", example="是"),
        Column("lower", "量程下限", "Instrument range from", cells.number, False, 0),
        Column("upper", "量程上限", "Instrument range to", cells.number, False, 500),
    )),
    Table("limits", "限值", "Limits", Limit, ("outlet", "factor", "basis", "effective_from"), (
        Column("outlet", "排放口编码", "Outlet code", cells.code, True, "QY0001-DA001", "排污单位编码-排放口编号", "FACILITY-NUMBER"),
        Column("factor", "因子", "Factor", cells.text, True, "a21026", *_FACTOR, also=("因子编码", "factor code")),
        chosen("basis", "评价时段", "Basis", BASES, example="小时均值"),
        _truth("converted", "按折算值", "Judges the converted value", example="是"),
        Column("upper", "上限", "Upper limit", cells.number, False, 35),
        Column("lower", "下限", "Lower limit", cells.number, False, ""),
        Column("unit", "单位", "Unit", cells.text, False, "mg/m³", "空则为 HJ 212 规定的单位", "Empty: that of HJ 212"),
        Column("source", "依据标准", "Source standard", cells.text, True, "排污许可证（示例）", also=("依据", "来源")),
        _truth("verified", "已核对", "Verified", help_zh="已与标准原文核对", help_en="Compared with the text itself", example="否"),
        Column("effective_from", "生效日期", "Effective from", cells.day, True, "2026-01-01"),
        Column("effective_to", "失效日期", "Effective to", cells.day, False, "", "最后一天；空为长期有效", "Last day; empty: until further notice"),
    )),
    Table("aliases", "因子对照", "Factor aliases", FactorAlias, ("place", "sent"), (
        Column("place", "点位编码", "Place code", cells.code, True, "QY0001-DA001", *_PLACE, also=("点位",)),
        Column("sent", "上报编码", "Code as sent", cells.code, True, "02", "该点位数采仪所发的编码", "What the logger of this place sends"),
        Column("factor", "因子", "Factor", cells.text, True, "a21026", *_FACTOR, also=("因子编码", "factor code")),
    )),
)  # fmt: skip

BY_NAME = {table.name: table for table in TABLES}
