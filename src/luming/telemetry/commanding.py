"""Commands to devices: which there are, what their parameters may be, and the verbs that queue and cancel them.

A queued :class:`~luming.telemetry.models.Command` is taken by whichever gateway process holds the device's connection
(``luming.telemetry.gateway.dialogue``), sent, repeated and followed to its end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from luming.core import audit
from luming.core.models import User
from luming.hj212 import CHINA, COMMANDS, format_time, parse_time
from luming.registry.models import Device
from luming.telemetry.models import Command, Gap

CHANNEL = "luming_command"  # NOTIFY: the payload is the device's id
LIFETIME = timedelta(minutes=30)  # how long a command waits for its device unless told otherwise
MAX_QUEUED = 50  # per device: whoever needs more has a mistake to correct first
SECRET_PARAMETERS = frozenset({"NewPW"})
OPEN = (Command.State.QUEUED, Command.State.SENT, Command.State.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter of a command.

    ``kind`` is integer, choice, moment (an instant), clock (a time of day) or text.
    """

    name: str  # as in CP
    kind: str
    zh: str
    en: str
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[tuple[str, str, str], ...] = ()  # (value, Chinese, English)
    pattern: str = ""
    required: bool = True
    zh_help: str = ""
    en_help: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A command that a person may send."""

    cn: int
    fields: tuple[Field, ...] = ()
    max_days: int = 0  # longest span of BeginTime … EndTime
    zh_help: str = ""
    en_help: str = ""
    editions: tuple[int, ...] = (0, 1, 2)

    @property
    def zh(self) -> str:
        """Return the Chinese name."""
        return COMMANDS[self.cn].name_zh

    @property
    def en(self) -> str:
        """Return the English name."""
        return COMMANDS[self.cn].name_en

    @property
    def kind(self) -> str:
        """Return ``notice`` (answered by 9013) or ``request`` (9011, data, 9012)."""
        return "notice" if COMMANDS[self.cn].type == "notice" else "request"


_CODE = r"[A-Za-z0-9]{3,12}"
_FACTOR = Field(
    "PolId", "text", "因子编码", "Factor code", pattern=_CODE, zh_help="如 w01018", en_help="such as w01018"
)
_FACTOR_MAYBE = Field(
    "PolId", "text", "因子编码", "Factor code", pattern=_CODE, required=False,
    zh_help="不填则对数采仪本身", en_help="empty: the logger itself",
)  # fmt: skip
_BEGIN = Field("BeginTime", "moment", "开始时间", "From")
_END = Field("EndTime", "moment", "结束时间", "To")
_MINUTES = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)  # HJ 212-2017 table 4: MinInterval


def _history(cn: int, max_days: int, editions: tuple[int, ...] = (0, 1, 2)) -> Offer:
    return Offer(
        cn, (_BEGIN, _END), max_days, "收到的数据按正常上传入库", "what comes back is stored like live data", editions
    )


# HJ 212-2017 table 9 and annex C; the bounds are those of table 4. Those of HJ 212-2025 alone: annex C tables C27,
# C39, C60 to C62 as quoted by public implementations (unverified, as in luming.hj212.COMMANDS).
OFFERS: dict[int, Offer] = {
    offer.cn: offer
    for offer in (
        Offer(1011, (_FACTOR_MAYBE,)),
        Offer(1012, (_FACTOR_MAYBE,), zh_help="发送时取平台当前时间", en_help="sets the platform's time at sending"),
        Offer(
            1000,
            (
                Field("OverTime", "integer", "超时时间（秒）", "Time-out (s)", 1, 99),
                Field("ReCount", "integer", "重发次数", "Repeats", 1, 99),
            ),
        ),
        Offer(1061),
        Offer(1062, (Field("RtdInterval", "integer", "实时数据间隔（秒）", "Real-time interval (s)", 30, 3600),)),
        Offer(1063),
        Offer(
            1064,
            (
                Field(
                    "MinInterval", "choice", "分钟数据间隔（分钟）", "Minute-data interval (min)",
                    choices=tuple((str(value), str(value), str(value)) for value in _MINUTES),
                ),
            ),
        ),
        Offer(
            1072,
            (
                Field(
                    "NewPW", "text", "新密码", "New password", pattern=r"[A-Za-z0-9]{6}",
                    zh_help="6 位字母或数字", en_help="six letters or digits",
                ),
            ),
            zh_help="成功后平台登记的密码一并更新", en_help="the register is updated when it succeeds",
        ),
        Offer(2011),
        Offer(2012),
        Offer(2021),
        Offer(2022),
        _history(2031, 1100),
        _history(2041, 1100),
        _history(2051, 8),
        _history(2061, 93),
        _history(2013, 31, (2,)),
        _history(2062, 93, (2,)),
        Offer(
            3011,
            (
                _FACTOR,
                Field(
                    "CalibrationType", "choice", "校准类型（2025 版）", "Calibration (2025 edition)", required=False,
                    choices=(("0", "零点", "zero"), ("1", "量程", "span")),
                ),
            ),
        ),
        Offer(3012, (_FACTOR,)),
        Offer(3013, (_FACTOR,)),
        Offer(3014, (_FACTOR,)),
        Offer(3015),
        Offer(
            3016,
            (
                _FACTOR,
                Field(
                    "CstartTime", "clock", "采样起始时间", "Sampling starts at",
                    zh_help="如 00:30:00", en_help="such as 00:30:00",
                ),
                Field("Ctime", "integer", "采样周期（小时）", "Sampling period (h)", 1, 24),
            ),
        ),
        Offer(3017, (_FACTOR,)),
        Offer(3018, (_FACTOR,)),
        Offer(3019, (_FACTOR,)),
        Offer(
            3020,
            (
                _FACTOR_MAYBE,
                Field(
                    "InfoId", "text", "信息编码", "Information code", pattern=_CODE,
                    zh_help="如 i11001 日志、i12001 状态", en_help="i11001 log, i12001 state …",
                ),
                Field("BeginTime", "moment", "开始时间（仅日志）", "From (logs only)", required=False),
                Field("EndTime", "moment", "结束时间（仅日志）", "To (logs only)", required=False),
            ),
            max_days=93,
        ),
        Offer(
            3021,
            (
                _FACTOR,
                Field(
                    "InfoId", "text", "参数编码", "Parameter code", pattern=_CODE,
                    zh_help="如 i13004 消解温度", en_help="such as i13004",
                ),
                Field("Info", "text", "参数值", "Value", pattern=r"[^&;,=\s]{1,32}"),
            ),
        ),
        Offer(3022, (_FACTOR,), editions=(2,)),
        Offer(3024, (_FACTOR,), editions=(2,)),
    )
}  # fmt: skip


def offers_for(device: Device) -> list[Offer]:
    """Return the commands that the device's edition knows, in the order of the table."""
    return [offer for offer in OFFERS.values() if device.edition in offer.editions]


def clean_parameters(cn: int, parameters: Mapping[str, Any]) -> dict[str, str]:
    """Check the parameters of a command and return them as they go into CP.

    Raises
    ------
    ValidationError
        With every bad field and what it may be.
    """
    offer = OFFERS.get(cn)
    if offer is None:
        raise ValidationError({"cn": _("%(cn)s is not a command that can be sent.") % {"cn": cn}})
    known = {field.name for field in offer.fields}
    problems: dict[str, str] = {
        str(name): _("The command %(cn)s has no such parameter.") % {"cn": cn}
        for name in parameters
        if name not in known
    }
    cleaned: dict[str, str] = {}
    for field in offer.fields:
        value = parameters.get(field.name)
        if value is None or str(value).strip() == "":
            if field.required:
                problems[field.name] = _("This is needed.")
            continue
        try:
            cleaned[field.name] = _CLEANERS[field.kind](field, value)
        except ValueError as error:
            problems[field.name] = str(error)
    if not problems:
        problems = _span_problems(offer, cleaned)
    if problems:
        raise ValidationError(problems)
    return cleaned


def _integer(field: Field, value: Any) -> str:
    try:
        number = int(str(value).strip())
    except ValueError:
        number = None
    if number is None or not (field.minimum or 0) <= number <= (field.maximum or 10**9):
        raise ValueError(_("A whole number from %(low)s to %(high)s.") % {"low": field.minimum, "high": field.maximum})
    return str(number)


def _choice(field: Field, value: Any) -> str:
    allowed = [choice[0] for choice in field.choices]
    if str(value).strip() not in allowed:
        raise ValueError(_("One of: %(values)s.") % {"values": ", ".join(allowed)})
    return str(value).strip()


def _moment(_field: Field, value: Any) -> str:
    moment = value if isinstance(value, datetime) else parse_time(str(value))[0]
    if moment is None:
        try:
            moment = parse_datetime(str(value).strip())
        except ValueError:  # well formed, but no such day
            moment = None
    if moment is None:
        raise ValueError(_("A time such as 2026-06-01 08:00."))
    return format_time(moment if moment.tzinfo else moment.replace(tzinfo=CHINA))


def _clock(_field: Field, value: Any) -> str:
    match = re.fullmatch(r"([01]\d|2[0-3]):?([0-5]\d)(?::?([0-5]\d))?", str(value).strip())
    if match is None:
        raise ValueError(_("A time of day such as 00:30:00."))
    return "".join(part or "00" for part in match.groups())


def _text(field: Field, value: Any) -> str:
    text = str(value).strip()
    if not re.fullmatch(field.pattern, text):
        raise ValueError(_("“%(value)s” does not have the form that is wanted here.") % {"value": text[:40]})
    return text


_CLEANERS = {"integer": _integer, "choice": _choice, "moment": _moment, "clock": _clock, "text": _text}


def _span_problems(offer: Offer, cleaned: Mapping[str, str]) -> dict[str, str]:
    if "BeginTime" not in cleaned or "EndTime" not in cleaned:
        return {}
    begin, end = parse_time(cleaned["BeginTime"])[0], parse_time(cleaned["EndTime"])[0]
    if begin is None or end is None or end < begin:
        return {"EndTime": _("The end lies before the beginning.")}
    if end - begin > timedelta(days=offer.max_days):
        return {"EndTime": _("At most %(days)s days at a time.") % {"days": offer.max_days}}
    return {}


def cp_text(cn: int, parameters: Mapping[str, str], now: datetime) -> str:
    """Return the CP of a command: PolId and InfoId of one item are joined by a comma (annex C), items by semicolons.

    1012 carries the time of sending; the value of 3021 is named after its InfoId.
    """
    values = dict(parameters)
    items = [",".join(f"{name}={values.pop(name)}" for name in ("PolId", "InfoId") if name in values)]
    if cn == 1012:
        values["SystemTime"] = format_time(now)
    if "Info" in values:
        values[f"{parameters['InfoId']}-Info"] = values.pop("Info")
    items += [f"{name}={value}" for name, value in values.items()]
    return ";".join(item for item in items if item)


def request_command(
    user: User | None,
    device: Device,
    cn: int,
    parameters: Mapping[str, Any] | None = None,
    reason: str = "",
    *,
    lifetime: timedelta = LIFETIME,
    gap: Gap | None = None,
) -> Command:
    """Queue a command for a device.

    Parameters
    ----------
    parameters : CP names and values; text, numbers and datetimes are accepted.
    lifetime : how long it may wait for the device to be connected.

    Raises
    ------
    PermissionDenied
        The role does not hold ``device.command``.
    Device.DoesNotExist
        The device is outside the user's data scope.
    ValidationError
        A parameter is wrong, the edition does not know the command, or the device's queue is full.
    """
    audit.require(user, "device.command")
    if user is not None and not Device.objects.visible_to(user).filter(pk=device.pk).exists():
        raise Device.DoesNotExist
    cleaned = clean_parameters(cn, parameters or {})
    if device.edition not in OFFERS[cn].editions:
        raise ValidationError(
            {"cn": _("The device's edition of HJ 212 does not know the command %(cn)s.") % {"cn": cn}}
        )
    with transaction.atomic():
        locked = Device.objects.select_for_update(of=("self",)).get(pk=device.pk)
        if not locked.is_active:
            raise ValidationError({"device": _("The device is out of service.")})
        if Command.objects.filter(device=locked, state__in=OPEN).count() >= MAX_QUEUED:
            raise ValidationError({"device": _("%(n)s commands wait for this device already.") % {"n": MAX_QUEUED}})
        command = Command.objects.create(
            device=locked,
            cn=cn,
            parameters=cleaned,
            requested_by=user,
            reason=reason,
            expires_at=timezone.now() + lifetime,
            gap=gap,
        )
        audit.record(
            user, "device.command", locked, reason=reason, cn=cn, command=command.pk, parameters=redact(cleaned)
        )
        announce([locked.pk])
    return command


def cancel_command(user: User | None, command: Command, reason: str = "") -> Command:
    """Take back a command that has not been sent.

    Raises
    ------
    ValidationError
        It was sent already, or it has ended.
    """
    audit.require(user, "device.command")
    if user is not None and not Command.objects.visible_to(user).filter(pk=command.pk).exists():
        raise Command.DoesNotExist
    with transaction.atomic():
        locked = Command.objects.select_for_update(of=("self",)).select_related("device").get(pk=command.pk)
        if locked.state != Command.State.QUEUED:
            raise ValidationError({"state": _("Only a command that has not been sent can be cancelled.")})
        locked.state, locked.finished_at, locked.problem = Command.State.CANCELLED, timezone.now(), reason[:200]
        locked.save(update_fields=["state", "finished_at", "problem"])
        audit.record(user, "device.cancel-command", locked.device, reason=reason, cn=locked.cn, command=locked.pk)
    return locked


def redact(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters without their secrets, for logs and pages."""
    return {name: "******" if name in SECRET_PARAMETERS else value for name, value in parameters.items()}


def announce(device_ids: Sequence[int]) -> None:
    """Tell the gateways, when the transaction commits, that commands wait for these devices."""
    with connection.cursor() as cursor:
        for device_id in device_ids:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(device_id)])
