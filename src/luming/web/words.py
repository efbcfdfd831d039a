"""The words and colours of states, reasons and events, for pages and charts alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from luming import hj212
from luming.core import manifest
from luming.telemetry import intake, store


@dataclass(frozen=True, slots=True)
class Word:
    """A label with the colour of its dot (a CSS colour)."""

    label: Any
    colour: str


NO_DATA = Word(gettext_lazy("No data"), "#868e96")


def state(key: str | None) -> Word:
    """Return the word of a place's state, from the legends of the domains' map layers."""
    for layer in manifest.layers():
        for name, label, colour in layer.legend:
            if name == key:
                return Word(label, colour)
    return NO_DATA if key in (None, "", "no-data") else Word(key, NO_DATA.colour)


def chinese() -> bool:
    """Tell whether the page is in Chinese."""
    return (get_language() or "").startswith("zh")


def factor_name(code: str) -> str:
    """Return the name of a factor in the page's language; an unknown code stays a code."""
    factor = hj212.FACTORS.get(code)
    if factor is None:
        return code
    return (factor.name_zh if chinese() else factor.name_en) or code


def factor_amount_unit(code: str) -> str:
    """Return the unit of a factor's amount per period (Cou), empty when it has none."""
    factor = hj212.FACTORS.get(code)
    return factor.amount_unit if factor else ""


def system_name(code: str) -> str:
    """Return the name of a system code (ST)."""
    system = hj212.SYSTEMS.get(code)
    return "" if system is None else (system.name_zh if chinese() else system.name_en)


def command_name(code: int) -> str:
    """Return the name of a command code (CN)."""
    command = hj212.COMMANDS.get(code)
    return "" if command is None else (command.name_zh if chinese() else command.name_en)


def flag_name(code: str | None) -> str:
    """Return what a device's mark of a value says; I is not the device's, but the verdict of a check or a person."""
    if code == store.INVALID_LETTER:
        return _("Does not count by its verdict")
    mark = hj212.FLAGS.get(code or "")
    return (code or "") if mark is None else (mark.name_zh if chinese() else mark.name_en)


def result_name(table: Any, code: int | None) -> str:
    """Return the words of QnRtn or ExeRtn (``hj212.QN_RESULTS``, ``hj212.EXE_RESULTS``)."""
    if code is None:
        return ""
    words = table.get(code)
    return str(code) if words is None else f"{code} {words[0] if chinese() else words[1]}"


VERDICTS: dict[str, Word] = {
    "A": Word(gettext_lazy("Accepted"), "#2fb344"),
    "H": Word(gettext_lazy("Held"), "#f59f00"),
    "R": Word(gettext_lazy("Rejected"), "#d63939"),
}


def reason(code: str | None) -> str:
    """Return the sentence of a reason or diagnostic code, without the figures of one packet."""
    if not code:
        return ""
    own = intake.HELD.get(code) or intake.REMARKS.get(code)
    if own is not None:
        return own[0] if chinese() else own[1][:1].upper() + own[1][1:]
    info = hj212.REASONS.get(code)
    if info is None:
        return code
    return re.sub(r"\{\d\}", "…", info.zh if chinese() else info.en[:1].upper() + info.en[1:])


CONNECTED: dict[str, Word] = {
    "online": Word(gettext_lazy("On line"), "#2fb344"),
    "silent": Word(gettext_lazy("Connected but silent"), "#f59f00"),
    "offline": Word(gettext_lazy("Disconnected"), "#d63939"),
    "never": Word(gettext_lazy("Never seen"), "#929dab"),
    "off": Word(gettext_lazy("Switched off"), "#929dab"),
}

SEVERITIES = {0: "info", 1: "warning", 2: "danger"}


def event_sentence(kind: str, detail: dict[str, Any]) -> str:
    """Return what an event says, in the page's language."""
    if kind == "state":
        to, before = state(detail.get("to")).label, detail.get("from")
        if before is None:
            return _("State: %(to)s") % {"to": to}
        return _("From %(before)s to %(to)s") % {"before": state(before).label, "to": to}
    words = EVENTS.get(kind)
    return kind if words is None else str(words)


EVENTS: dict[str, Any] = {
    "connected": gettext_lazy("The device connected"),
    "disconnected": gettext_lazy("The device disconnected"),
    "unregistered": gettext_lazy("An unregistered device speaks"),
    "device-adopted": gettext_lazy("A device was adopted"),
    "clock": gettext_lazy("The device's clock is off"),
    "clock-right": gettext_lazy("The device's clock is right again"),
    "rejected": gettext_lazy("Several packets in a row were not accepted"),
    "connection-limit": gettext_lazy("The limit of connections is reached"),
    "gap-found": gettext_lazy("Data is missing"),
    "gap-filled": gettext_lazy("Missing data was filled in"),
    "gap-given-up": gettext_lazy("Missing data could not be filled in"),
    "review-overdue": gettext_lazy("Data was not reviewed in time"),
}

CLOSE_REASONS: dict[str, Any] = {
    "gateway stopped": gettext_lazy("The gateway stopped"),
    "gateway-lost": gettext_lazy("The gateway failed"),
    "too much garbage": gettext_lazy("Too many bytes that are no packets"),
    "packet not completed in time": gettext_lazy("A packet was not completed in time"),
    "idle": gettext_lazy("Nothing was sent for too long"),
}
