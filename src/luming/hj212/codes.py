"""System codes (ST), command codes (CN), marks, device states and result codes.

Sources: HJ 212-2017 tables 5 to 9, read in the standard itself (`verified`). What only HJ 212-2025 or HJ/T 212-2005 has
is known from public implementations that quote them, and carries `verified=False`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from .model import Edition

__all__ = [
    "COMMANDS",
    "DEVICE_STATES",
    "EXE_RESULTS",
    "FLAGS",
    "MARKS_2005",
    "QN_RESULTS",
    "SYSTEMS",
    "Command",
    "Mark",
    "System",
]

_ALL = (Edition.V2005, Edition.V2017, Edition.V2025)
_SINCE_2017 = (Edition.V2017, Edition.V2025)
_SINCE_2025 = (Edition.V2025,)
_ONLY_2005 = (Edition.V2005,)


class System(NamedTuple):
    """One row of the table of system codes (ST)."""

    code: str
    name_zh: str
    name_en: str
    editions: tuple[Edition, ...]
    source: str
    verified: bool


class Command(NamedTuple):
    """One row of the table of command codes (CN)."""

    code: int
    name_zh: str
    name_en: str
    direction: Literal["down", "up", "both"]  # down: host to device
    type: Literal["request", "upload", "notice", "reply"]  # what the sender starts
    editions: tuple[Edition, ...]
    source: str
    verified: bool


class Mark(NamedTuple):
    """One data mark (xxxxxx-Flag)."""

    code: str
    name_zh: str
    name_en: str
    source: str
    verified: bool


def _systems() -> dict[str, System]:
    table5 = {
        "21": ("地表水质量监测", "surface water quality"),
        "22": ("空气质量监测", "air quality"),
        "23": ("声环境质量监测", "acoustic environment quality"),
        "24": ("地下水质量监测", "groundwater quality"),
        "25": ("土壤质量监测", "soil quality"),
        "26": ("海水质量监测", "sea water quality"),
        "27": ("挥发性有机物监测", "volatile organic compounds"),
        "31": ("大气环境污染源", "air pollution source"),
        "32": ("地表水体环境污染源", "surface water pollution source"),
        "33": ("地下水体环境污染源", "groundwater pollution source"),
        "34": ("海洋环境污染源", "marine pollution source"),
        "35": ("土壤环境污染源", "soil pollution source"),
        "36": ("声环境污染源", "noise source"),
        "37": ("振动环境污染源", "vibration source"),
        "38": ("放射性环境污染源", "radioactive source"),
        "39": ("工地扬尘污染源", "construction dust source"),
        "41": ("电磁环境污染源", "electromagnetic source"),
        "51": ("烟气排放过程监控", "flue gas process monitoring"),
        "52": ("污水排放过程监控", "waste water process monitoring"),
        "91": ("系统交互", "system interaction"),
    }
    systems = {code: System(code, zh, en, _ALL, "HJ 212-2017 表5", verified=True) for code, (zh, en) in table5.items()}
    for code, zh, en in (
        ("44", "用电监控", "electricity monitoring"),
        ("45", "关键生产工况监控", "key production conditions"),
    ):
        systems[code] = System(code, zh, en, _SINCE_2025, "HJ 212-2025", verified=False)
    return systems


_TABLE9: tuple[
    tuple[int, str, str, Literal["down", "up", "both"], Literal["request", "upload", "notice", "reply"]], ...
]
_TABLE9 = (
    (1000, "设置超时时间及重发次数", "set time-out and repeats", "down", "request"),
    (1011, "提取/上传现场机时间", "get/upload device time", "both", "request"),
    (1012, "设置现场机时间", "set device time", "down", "request"),
    (1013, "现场机时间校准请求", "device asks for time calibration", "up", "notice"),
    (1061, "提取/上传实时数据间隔", "get/upload real-time interval", "both", "request"),
    (1062, "设置实时数据间隔", "set real-time interval", "down", "request"),
    (1063, "提取/上传分钟数据间隔", "get/upload minute interval", "both", "request"),
    (1064, "设置分钟数据间隔", "set minute interval", "down", "request"),
    (1072, "设置现场机密码", "set device password", "down", "request"),
    (2011, "取/上传污染物实时数据", "get/upload real-time data", "both", "upload"),
    (2012, "停止察看污染物实时数据", "stop real-time data", "down", "notice"),
    (2021, "取/上传设备运行状态数据", "get/upload device states", "both", "upload"),
    (2022, "停止察看设备运行状态", "stop device states", "down", "notice"),
    (2031, "取/上传污染物日历史数据", "get/upload daily data", "both", "upload"),
    (2041, "取/上传设备运行时间日历史数据", "get/upload daily running hours", "both", "upload"),
    (2051, "取/上传污染物分钟数据", "get/upload minute data", "both", "upload"),
    (2061, "取/上传污染物小时数据", "get/upload hourly data", "both", "upload"),
    (2081, "上传数采仪开机时间", "upload logger start time", "up", "upload"),
    (3011, "零点校准量程校准", "zero and span calibration", "down", "request"),
    (3012, "即时采样", "sample now", "down", "request"),
    (3013, "启动清洗/反吹", "start cleaning or blow-back", "down", "request"),
    (3014, "比对采样", "comparison sampling", "down", "request"),
    (3015, "超标留样/上传超标留样信息", "retain sample on exceedance", "both", "request"),
    (3016, "设置采样时间周期", "set sampling period", "down", "request"),
    (3017, "提取/上传采样时间周期", "get/upload sampling period", "both", "request"),
    (3018, "提取/上传出样时间", "get/upload time to result", "both", "request"),
    (3019, "提取/上传设备唯一标识", "get/upload device identity", "both", "request"),
    (3020, "提取/上传现场机信息", "get/upload device information", "both", "request"),
    (3021, "设置现场机参数", "set device parameters", "down", "request"),
    (9011, "请求应答", "answer to request", "up", "reply"),
    (9012, "执行结果", "result of execution", "up", "reply"),
    (9013, "通知应答", "answer to notice", "both", "reply"),
    (9014, "数据应答", "answer to data", "both", "reply"),
)
_ADDED_2025: tuple[
    tuple[int, str, str, Literal["down", "up", "both"], Literal["request", "upload", "notice", "reply"]], ...
]
_ADDED_2025 = (
    (1001, "上传数采仪硬件序号", "upload logger hardware serials", "up", "upload"),
    (1002, "设置数采仪MN编码", "set the logger's MN", "down", "request"),
    (1014, "现场机获取/上位机下发新密钥", "get/issue a new key", "both", "request"),
    (2013, "上传原始监测数据", "upload raw monitoring data", "both", "upload"),
    (2052, "上传噪声单次测量数据", "upload single noise measurement", "both", "upload"),
    (2062, "上传自动标样核查（校准）数据", "upload automatic standard check data", "both", "upload"),
    (2111, "上传炉膛温度5分钟均值", "upload 5-minute furnace temperature", "both", "upload"),
    (3022, "下发即时留样任务", "order an immediate retained sample", "down", "request"),
    (3024, "启动标样核查", "start a standard check", "down", "request"),
    (9015, "心跳包", "heartbeat", "up", "notice"),
)
# Deleted by the 2017 edition; from memory of HJ/T 212-2005, so that old loggers are named, not judged.
_ONLY_IN_2005: tuple[
    tuple[int, str, str, Literal["down", "up", "both"], Literal["request", "upload", "notice", "reply"]], ...
]
_ONLY_IN_2005 = (
    (1021, "提取污染物报警门限值", "get alarm thresholds", "both", "request"),
    (1022, "设置污染物报警门限值", "set alarm thresholds", "down", "request"),
    (1031, "提取上位机地址", "get host address", "both", "request"),
    (1032, "设置上位机地址", "set host address", "down", "request"),
    (1041, "提取数据上报时间", "get reporting time", "both", "request"),
    (1042, "设置数据上报时间", "set reporting time", "down", "request"),
    (2071, "取污染物报警记录", "get alarm records", "both", "upload"),
    (2072, "上传报警事件", "upload alarm event", "up", "upload"),
)


def _commands() -> dict[int, Command]:
    groups = (
        (_TABLE9, _ALL, "HJ 212-2017 表9", True),
        (_ADDED_2025, _SINCE_2025, "HJ 212-2025", False),
        (_ONLY_IN_2005, _ONLY_2005, "HJ/T 212-2005", False),
    )
    return {
        row[0]: Command(*row, editions, source, verified) for rows, editions, source, verified in groups for row in rows
    }


SYSTEMS: Mapping[str, System] = _systems()
COMMANDS: Mapping[int, Command] = _commands()

FLAGS: Mapping[str, Mark] = {
    code: Mark(code, zh, en, "HJ 212-2017 表8", verified=True)
    for code, zh, en in (
        ("N", "在线监控（监测）仪器仪表工作正常", "normal"),
        ("F", "在线监控（监测）仪器仪表停运", "instrument stopped"),
        ("M", "在线监控（监测）仪器仪表处于维护期间产生的数据", "maintenance"),
        ("S", "手工输入的设定值", "set by hand"),
        ("D", "在线监控（监测）仪器仪表故障", "instrument fault"),
        ("C", "在线监控（监测）仪器仪表处于校准状态", "calibrating"),
        ("T", "在线监控（监测）仪器仪表采样数值超过测量上限", "above measuring range"),
        ("B", "在线监控（监测）仪器仪表与数采仪通讯异常", "no connection between instrument and logger"),
    )
}
# From memory of HJ/T 212-2005: P power failure; 0 to 3 alarm types.
MARKS_2005: Mapping[str, Mark] = {
    code: Mark(code, zh, en, "HJ/T 212-2005", verified=False)
    for code, zh, en in (
        ("P", "电源故障", "power failure"),
        ("0", "报警类型0", "alarm type 0"),
        ("1", "报警类型1", "alarm type 1"),
        ("2", "报警类型2", "alarm type 2"),
        ("3", "报警类型3", "alarm type 3"),
    )
}

# HJ 212-2017 table 4, SBxxx-RS
DEVICE_STATES: Mapping[int, tuple[str, str]] = {
    0: ("关闭", "off"),
    1: ("运行", "running"),
    2: ("校准", "calibrating"),
    3: ("维护", "maintenance"),
    4: ("报警", "alarm"),
    5: ("反吹", "blow-back"),
}

# HJ 212-2017 table 7
QN_RESULTS: Mapping[int, tuple[str, str]] = {
    1: ("准备执行请求", "ready"),
    2: ("请求被拒绝", "refused"),
    3: ("PW错误", "wrong PW"),
    4: ("MN错误", "wrong MN"),
    5: ("ST错误", "wrong ST"),
    6: ("Flag错误", "wrong Flag"),
    7: ("QN错误", "wrong QN"),
    8: ("CN错误", "wrong CN"),
    9: ("CRC校验错误", "wrong CRC"),
    100: ("未知错误", "unknown error"),
}

# HJ 212-2017 table 6
EXE_RESULTS: Mapping[int, tuple[str, str]] = {
    1: ("执行成功", "done"),
    2: ("执行失败，但不知道原因", "failed, cause unknown"),
    3: ("命令请求条件错误", "wrong conditions in the request"),
    4: ("通讯超时", "communication time-out"),
    5: ("系统繁忙不能执行", "busy"),
    6: ("系统故障", "system fault"),
    100: ("没有数据", "no data"),
}
