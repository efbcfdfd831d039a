"""Every deviation that the library can report: one table of codes, and the record that points into a frame.

Severity `info` is no deviation; `warning` departs from the standard but nothing is lost; `error` means that something
could not be read. A `fatal` code rejects the frame in both modes; in strict mode every warning or error rejects it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

__all__ = ["REASONS", "Diagnostic", "Notes", "ReasonInfo", "Severity", "diagnose"]

Severity = Literal["info", "warning", "error"]

_MAX_NOTES = 200


class ReasonInfo(NamedTuple):
    """One row of the table. `zh` and `en` are sentences with `{0}`, `{1}` for the parameters."""

    severity: Severity
    fatal: bool
    zh: str
    en: str


def _info(zh: str, en: str) -> ReasonInfo:
    return ReasonInfo("info", False, zh, en)


def _warning(zh: str, en: str) -> ReasonInfo:
    return ReasonInfo("warning", False, zh, en)


def _error(zh: str, en: str) -> ReasonInfo:
    return ReasonInfo("error", False, zh, en)


def _fatal(zh: str, en: str) -> ReasonInfo:
    return ReasonInfo("error", True, zh, en)


REASONS: Mapping[str, ReasonInfo] = {
    # the byte stream (reasons of garbage frames)
    "stream.garbage": _fatal("报文之外的字节，共{0}字节", "{0} bytes that belong to no packet"),
    "stream.truncated": _fatal("报文不完整，后面已开始新报文", "the packet is cut off by the start of another"),
    "stream.too_long": _fatal("超过{0}字节仍未见报文结束标志", "no end of packet within {0} bytes"),
    "stream.unfinished": _fatal("连接关闭时报文尚未收完", "the connection closed before the packet was complete"),
    "stream.no_crlf": _info("报文后缺少回车换行", "CR LF is missing after the packet"),
    # the frame
    "frame.no_head": _fatal("不以“##”开头", "does not start with ##"),
    "frame.short": _fatal("只有{0}字节，不足一个报文", "only {0} bytes, too short for a packet"),
    "frame.tail": _warning("报文以{0}结尾，应为回车换行", "ends with {0} where CR LF belongs"),
    "length.not_digits": _error("长度“{0}”不是4位数字", "the length {0} is not four digits"),
    "length.mismatch": _error("声明长度{0}，实际{1}字节", "declares {0} bytes but has {1}"),
    "length.over_limit": _warning(
        "数据段{0}字节，超过标准的1024字节", "the data segment has {0} bytes, the standard allows 1024"
    ),
    "crc.not_hex": _fatal("校验码“{0}”不是4位十六进制数", "the check code {0} is not four hexadecimal digits"),
    "crc.mismatch": _fatal("校验码为{0}，按内容应为{1}", "the check code is {0}, the content gives {1}"),
    "crc.lower_case": _warning("校验码为小写", "the check code is in lower case"),
    "crc.modbus": _warning(
        "校验码按CRC-16/MODBUS计算（低字节在前），标准算法应为{0}",
        "the check code is CRC-16/MODBUS, low byte first; the standard gives {0}",
    ),
    # encryption
    "sm4.no_key": _fatal("数据区已加密，未提供密钥", "CP is encrypted and no key was given"),
    "sm4.failed": _fatal("数据区无法解密：{0}", "CP cannot be decrypted: {0}"),
    "sm4.decrypted": _info("数据区已用SM4解密", "CP was decrypted with SM4"),
    # the data segment
    "cp.missing": _fatal("没有CP字段", "there is no CP field"),
    "cp.delimiter": _warning("CP前后应各有“&&”", "CP must stand between two &&"),
    "cp.inner_delimiter": _warning("CP内部另有“&&”", "there is another && inside CP"),
    "cp.over_limit": _warning("CP有{0}字节，超过标准的950字节", "CP has {0} bytes, the standard allows 950"),
    "segment.empty_item": _warning("多余的分隔符", "a separator too many"),
    "separator.header": _warning("段首字段间应以“;”分隔", "header fields must be separated by ;"),
    "separator.item": _warning(
        "“{0}”的各值应写在同一项内、以“,”分隔；不同项目应以“;”分隔",
        "the values of {0} belong in one item, joined by comma; different items are separated by semicolon",
    ),
    "pair.no_equals": _error("“{0}”缺少“=”", "there is no = in {0}"),
    "name.case": _warning("字段名“{0}”应写作“{1}”", "the name {0} must be written {1}"),
    "name.space": _warning("“{0}”前后有空格", "there are spaces around {0}"),
    "name.invalid": _error("字段名“{0}”含有不允许的字符", "the name {0} has characters that are not allowed"),
    "text.gbk": _warning("文字为GBK编码，应为UTF-8", "text is GBK, it must be UTF-8"),
    "text.undecodable": _error("文字既非UTF-8也非GBK", "text is neither UTF-8 nor GBK"),
    "text.control": _warning("含有控制字符", "there are control characters"),
    "notes.more": _info("其余问题未列出", "further findings are not listed"),
    # header fields
    "field.missing": _fatal("缺少字段{0}", "the field {0} is missing"),
    "field.repeated": _warning("字段{0}重复", "the field {0} is repeated"),
    "field.conflict": _error("{0}重复且值不同，以先出现者为准", "{0} is repeated with another value; the first counts"),
    "field.order": _warning("字段{0}的位置不对", "the field {0} is out of place"),
    "field.unknown": _warning("标准没有字段{0}", "the standard has no field {0}"),
    "qn.missing": _warning("没有请求编码QN", "there is no QN"),
    "qn.invalid": _warning("QN“{0}”不是17位时间", "the QN {0} is not a time of 17 digits"),
    "st.unknown": _warning("未知系统编码{0}", "unknown system code {0}"),
    "st.edition": _warning("{1}没有系统编码{0}", "{1} has no system code {0}"),
    "st.interaction": _warning("命令{1}的系统编码应为91，实为{0}", "command {1} needs ST=91, not {0}"),
    "cn.invalid": _fatal("命令编码“{0}”不是4位数字", "the command code {0} is not four digits"),
    "cn.unknown": _warning("未知命令编码{0}", "unknown command code {0}"),
    "cn.edition": _warning("{1}没有命令{0}", "{1} has no command {0}"),
    "pw.missing": _warning("没有密码PW", "there is no PW"),
    "pw.length": _warning("密码长度为{0}，应为6", "the password has {0} characters, it must have 6"),
    "mn.invalid": _fatal("设备编码“{0}”含有不允许的字符或过长", "the MN {0} has characters not allowed or is too long"),
    "mn.format": _warning("设备编码“{0}”不合{1}的格式", "the MN {0} has not the form of {1}"),
    "flag.missing": _warning("没有Flag，按HJ/T 212-2005处理", "there is no Flag; read as HJ/T 212-2005"),
    "flag.invalid": _error("Flag“{0}”不是0至255的整数", "the Flag {0} is not a whole number of 0 to 255"),
    "flag.edition": _warning("Flag中的版本号{0}未知", "the edition number {0} in Flag is unknown"),
    "split.no_flag": _warning("有PNUM/PNO但Flag未置拆分位", "PNUM/PNO are given but Flag does not announce them"),
    "split.missing": _warning("Flag置有拆分位但没有PNUM/PNO", "Flag announces PNUM/PNO but they are missing"),
    "split.invalid": _error("包号PNO={1}、总包数PNUM={0}不成立", "PNO={1} of PNUM={0} cannot be"),
    "rf.edition": _warning("{0}没有RF字段", "{0} has no field RF"),
    "rf.invalid": _warning("RF只能为1，实为{0}", "RF can only be 1, not {0}"),
    # the content of CP
    "code.unknown": _info("登记表中没有编码{0}", "the code {0} is not in the registry"),
    "code.legacy": _info("{0}是HJ/T 212-2005的编码", "{0} is a code of HJ/T 212-2005"),
    "code.case": _warning("编码{0}应写作{1}", "the code {0} must be written {1}"),
    "suffix.unknown": _warning("标准没有{0}这样的后缀", "the standard has no suffix like that of {0}"),
    "number.invalid": _error("{0}的值“{1}”不是数", "the value of {0}, {1}, is no number"),
    "number.empty": _warning("{0}没有值", "{0} has no value"),
    "number.form": _warning("{0}的值“{1}”写法不规范", "the value of {0}, {1}, is written in an odd way"),
    "value.range": _warning("{0}的值“{1}”不在允许范围（{2}）", "the value of {0}, {1}, is outside {2}"),
    "mark.unknown": _warning("{0}的标记“{1}”未定义", "the mark of {0}, {1}, is not defined"),
    "time.invalid": _error("{0}的值“{1}”不是时间", "the value of {0}, {1}, is no time"),
    "time.form": _warning("{0}的值“{1}”应为14位数字", "the value of {0}, {1}, must have 14 digits"),
    "time.missing": _error("有数据但没有DataTime", "there are readings but no DataTime"),
    "time.several": _fatal(
        "一个报文内有不同的DataTime，无法判断数据属于哪一时刻",
        "one packet has different DataTime values, so that no value can be dated",
    ),
    # reassembly
    "split.timeout": _error("拆分包未在时限内收齐（{0}/{1}）", "not all parts came in time ({0} of {1})"),
    "split.pushed_out": _error(
        "等待中的拆分包过多，已放弃（{0}/{1}）", "too many split packets wait; given up ({0} of {1})"
    ),
}


class Diagnostic(NamedTuple):
    """One deviation: its code in `REASONS`, how grave it is, and where in the frame it stands (byte offset)."""

    code: str
    severity: Severity
    position: int | None = None
    parameters: tuple[str, ...] = ()

    @property
    def message_zh(self) -> str:
        return REASONS[self.code].zh.format(*self.parameters)

    @property
    def message_en(self) -> str:
        return REASONS[self.code].en.format(*self.parameters)


def _printable(value: object) -> str:
    """Shorten and make visible what came off the wire; parsers work on Latin-1 so that offsets are bytes."""
    text = str(value)
    if text.isascii() and text.isprintable() and len(text) <= 60:
        return text
    if not text.isascii():
        text = text.encode("latin-1", "replace").decode("utf-8", "replace")
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return text if len(text) <= 60 else text[:57] + "..."


def diagnose(code: str, position: int | None = None, *parameters: object) -> Diagnostic:
    """Make a diagnostic with the severity of the table."""
    return Diagnostic(code, REASONS[code].severity, position, tuple(map(_printable, parameters)))


class Notes:
    """Collects diagnostics; bounded, so that a hostile packet cannot make more findings than it is worth."""

    __slots__ = ("found", "reason")

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []
        self.reason: str | None = None  # the first fatal code

    @classmethod
    def of(cls, found: tuple[Diagnostic, ...]) -> Notes:
        notes = cls()
        notes.found.extend(found)
        return notes

    def add(self, code: str, position: int | None = None, *parameters: object) -> None:
        if self.reason is None and REASONS[code].fatal:
            self.reason = code
        if len(self.found) < _MAX_NOTES:
            self.found.append(diagnose(code, position, *parameters))
        elif len(self.found) == _MAX_NOTES:
            self.found.append(diagnose("notes.more"))
