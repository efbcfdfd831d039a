"""Why a device is silent or drifts: rules over what is known, each with its evidence and what to do next.

A rule is a function from :class:`~luming.telemetry.instruments.evidence.Evidence` to findings. The weight (0 to 100)
says how well the evidence points at the cause and ranks the findings; it is judgement, not measurement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import numpy as np
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from luming import hj212
from luming.telemetry import intake
from luming.telemetry.instruments import words
from luming.telemetry.instruments.evidence import Evidence, Values, gather
from luming.telemetry.instruments.models import Calibration, factor_name
from luming.telemetry.instruments.upkeep import record_url

CLOCK_SECONDS = 60.0
UNSTABLE = 6  # connections in a day from which the line is unstable
STUCK = 12  # equal values in a row from which an instrument is stuck
AREA, AREA_SHARE = 3, 0.5  # other devices, and share of them, that make an outage of the area
MARKED_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Proof:
    """A piece of evidence: a sentence and where it can be seen."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A likely cause with its evidence and what to do next."""

    key: str
    weight: int
    label: str
    evidence: Sequence[Proof]
    advice: str
    tone: str = "warning"


def diagnose(device: Any, now: datetime) -> list[Finding]:
    """Return what is likely wrong with a device, the likeliest first; nothing when nothing speaks for anything."""
    return findings(gather(device, now))


def findings(evidence: Evidence) -> list[Finding]:
    """Return what the evidence points at, the likeliest first."""
    found = [finding for rule in RULES for finding in rule(evidence)]
    return sorted(found, key=lambda finding: -finding.weight)


# ---- nothing comes ---------------------------------------------------------------------------------------------------


def out_of_service(seen: Evidence) -> Iterator[Finding]:
    """The register says that the device is switched off."""
    if seen.standing == "off":
        yield Finding(
            "off", 100, _("The device is out of service in the register"),
            [Proof(_("Its packets are held."), _device(seen))],
            _("Switch it on in the register of devices if it should measure."), "info",
        )  # fmt: skip


def never_connected(seen: Evidence) -> Iterator[Finding]:
    """Nothing was ever heard of it."""
    if seen.standing != "never":
        return
    proofs = [Proof(_("No packet with its MN was ever accepted."), _device(seen))]
    if seen.connections:
        proofs.append(Proof(_("It connected, though: see its connections."), _device(seen)))
    yield Finding(
        "never", 95, _("It has never been heard"), proofs,
        _("Check at the logger: the MN as registered, address and port of the platform, SIM card and network."),
        "danger",
    )  # fmt: skip


def maintenance_goes_on(seen: Evidence) -> Iterator[Finding]:
    """Somebody works on it."""
    if seen.is_quiet and seen.open_work is not None:
        work = seen.open_work
        yield Finding(
            "work", 90, _("Maintenance is going on"),
            [Proof(f"{work.get_kind_display()} · {_when(work.start)} · {work.performed_by}",
                   record_url("maintenance", work.pk))],
            _("Wait for its end, or close the entry of the log if the work is over."), "info",
        )  # fmt: skip


def area_is_out(seen: Evidence) -> Iterator[Finding]:
    """Others fell silent at the same time: at the site, or in the district."""
    if not seen.is_quiet or seen.spoke is None:
        return
    if seen.others >= AREA and seen.silent_together >= max(AREA, AREA_SHARE * seen.others):
        text = _("%(n)d of %(all)d other devices of the district fell silent within 10 minutes of it.")
        yield Finding(
            "area", 92, _("Power or network failed in the whole area"),
            [Proof(text % {"n": seen.silent_together, "all": seen.others}, _list("devices", problem="away"))],
            _("Ask the power supplier and the network operator first; nothing is to be done at the single device."),
            "danger",
        )  # fmt: skip
    elif seen.others_at_site and seen.silent_at_site == seen.others_at_site:
        text = _("All %(n)d other devices of the site fell silent within 10 minutes of it.")
        yield Finding(
            "site", 88, _("Power or network failed at the site"),
            [Proof(text % {"n": seen.silent_at_site}, _list("devices", problem="away"))],
            _("Ask the site for its power supply and its network before travelling there."), "danger",
        )  # fmt: skip


def power_failed(seen: Evidence) -> Iterator[Finding]:
    """The last thing that it told was a power failure."""
    for (subject, code), fact in seen.states.items():
        if code == "i12001" and fact.value == "6":
            weight = 93 if seen.is_quiet else 60
            yield Finding(
                "power", weight, _("Power failure"),
                [Proof(f"{factor_name(subject)}: {words.state(code, fact.value).label} · {_when(fact.at)}",
                       _packet(fact.packet_id))],
                _("Restore the power of the instrument; check fuse, supply and the battery of the logger."), "danger",
            )  # fmt: skip


def closed(seen: Evidence) -> Iterator[Finding]:
    """It is not connected: why the last connection ended, or that it does not come through."""
    if seen.standing != "offline":
        return
    last = next((row for row in seen.connections if row.closed_at is not None), None)
    reason = last.close_reason if last else ""
    proofs = [Proof(_("Last heard %(when)s.") % {"when": _when(seen.spoke)}, _device(seen))]
    if last is not None:
        proofs.append(Proof(
            _("The last connection ended %(when)s: %(reason)s.")
            % {"when": _when(last.closed_at), "reason": reason or _("the device closed it")}, _device(seen),
        ))  # fmt: skip
    if reason in ("too much garbage", "packet not completed in time"):
        yield Finding(
            "garbage", 78, _("The platform closed the connection: what came were no packets"), proofs,
            _("Check that the logger speaks HJ 212 to this port, and its serial lines for noise."),
        )  # fmt: skip
        return
    yield Finding(
        "disconnected", 60, _("The logger does not reach the platform"), proofs,
        _("Check power, SIM card and network at the logger; then address and port of the platform."), "danger",
    )  # fmt: skip


def unstable(seen: Evidence) -> Iterator[Finding]:
    """It connects again and again."""
    count = len(seen.connections)
    if count >= UNSTABLE:
        yield Finding(
            "unstable", 66 if seen.is_quiet else 48, _("The connection is unstable"),
            [Proof(_("%(n)d connections in the last 24 hours.") % {"n": count}, _device(seen))],
            _("Check the antenna and the signal, the data plan of the SIM card, and the time-out of the logger."),
        )  # fmt: skip


def connected_but_silent(seen: Evidence) -> Iterator[Finding]:
    """It is connected and says nothing."""
    if seen.standing == "silent" and seen.status is not None:
        yield Finding(
            "silent", 75, _("Connected, but it sends nothing"),
            [Proof(_("Connected since %(when)s.") % {"when": _when(seen.status.connected_at)}, _device(seen)),
             Proof(_("Last heard %(when)s.") % {"when": _when(seen.spoke)}, _device(seen))],
            _("Ask it for its time (1011): if it answers, switch real-time data on again (2011); if not, restart it."),
        )  # fmt: skip


def refused(seen: Evidence) -> Iterator[Finding]:
    """Its packets are not accepted."""
    for row in seen.refused[:3]:
        accepted_since = seen.spoke is not None and seen.standing == "online"
        weight = 55 if accepted_since else 86
        text = _("%(n)d packets in the last 24 hours: %(reason)s")
        verdict = {"verdict": row.verdict, "reason": row.reason}
        yield Finding(
            f"refused-{row.reason}", weight,
            _("Its packets are not accepted: %(reason)s") % {"reason": reason(row.reason)},
            [Proof(text % {"n": row.count, "reason": reason(row.reason)},
                   _list("packets", device=seen.device.pk, **verdict)),
             Proof(_("The newest one"), _packet(row.packet_id))],
            refusal_advice(row.reason), "danger" if weight > 80 else "warning",
        )  # fmt: skip


# ---- something is wrong with what comes ------------------------------------------------------------------------------


def clock_is_off(seen: Evidence) -> Iterator[Finding]:
    """Its clock differs from ours."""
    off = seen.status.clock_offset if seen.status else None
    if off is not None and abs(off) > CLOCK_SECONDS:
        yield Finding(
            "clock", 70 if abs(off) > 300 else 52, _("Its clock is off"),
            [Proof(_("%(seconds)s s against the platform's clock.") % {"seconds": f"{off:+.0f}"}, _device(seen))],
            _("Set its clock (1012); if it goes off again, change the battery of the logger."),
        )  # fmt: skip


def codes_unmapped(seen: Evidence) -> Iterator[Finding]:
    """It sends codes that nobody has mapped."""
    codes = seen.status.unmapped if seen.status else []
    if codes:
        yield Finding(
            "unmapped", 68, _("It sends codes that no factor is mapped to"),
            [Proof("、".join(codes[:8]), _device(seen))],
            _("Map the codes on the page of the device: the kept packets are read again."),
        )  # fmt: skip


def factors_missing(seen: Evidence) -> Iterator[Finding]:
    """Some factors stay away while others come."""
    newest = max((row.newest for row in seen.values if row.newest), default=None)
    if newest is None:
        return
    away = [
        row for row in seen.values if row.newest is None or newest - row.newest > timedelta(seconds=2 * row.seconds)
    ]
    if not away or len(away) == len(seen.values):
        return
    proofs = [
        Proof(
            _("%(factor)s: last value %(when)s")
            % {
                "factor": factor_name(row.factor),
                "when": _when(row.newest) if row.newest else _("more than 2 days ago"),
            },
            _values_url(seen, row.factor),
        )
        for row in away[:6]
    ]
    yield Finding(
        "partial", 65, _("Only some factors are missing"), proofs,
        _("Check the instrument of these factors and its line to the logger (mark B), then the logger's channels."),
    )  # fmt: skip


def stuck(seen: Evidence) -> Iterator[Finding]:
    """A factor does not move, unless all of them stand still, as those of a stopped plant do."""
    still = [row for row in seen.values if _is_stuck(row)]
    for row in still if len(still) < len(seen.values) or len(seen.values) == 1 else []:
        yield Finding(
            f"stuck-{row.factor}", 58, _("%(factor)s does not change") % {"factor": factor_name(row.factor)},
            [Proof(_("The last %(n)d hourly values are all %(value)s.")
                   % {"n": len(row.numbers[-STUCK:]), "value": f"{row.numbers[-1]:g}"}, _values_url(seen, row.factor))],
            _("Check the sampling line, the pump and the signal of the instrument; let it measure a standard."),
        )  # fmt: skip


def _is_stuck(row: Values) -> bool:
    last = row.numbers[-STUCK:]
    return len(last) >= STUCK and bool(np.all(last == last[0])) and last[0] != 0  # nothing is often rightly nothing


MARKED = {
    "D": ("fault", 64), "B": ("line", 63), "T": ("range", 50), "M": ("maintained", 46), "C": ("calibrated", 44),
}  # fmt: skip


def marked(seen: Evidence) -> Iterator[Finding]:
    """The device itself says by its marks what is wrong."""
    total: Counter[str] = Counter()
    for row in seen.values:
        total.update(row.marks)
    periods = sum(len(row.numbers) + sum(row.marks.values()) for row in seen.values)
    advice = {
        "D": _("Repair the instrument; until then measure by hand as the standard for its outlet asks."),
        "B": _("Check the line between the instrument and the logger."),
        "T": _("Check whether the range fits what is emitted; a second range may be needed."),
        "M": _("Look in the maintenance log; end the maintenance state at the logger when the work is over."),
        "C": _("Check that the calibration ended: valves and the state of the instrument."),
    }
    for letter, count in total.items():
        known = MARKED.get(letter[:1])
        if known is None or count < MARKED_SHARE * periods:
            continue
        yield Finding(
            f"mark-{known[0]}", known[1], _("It marks its values: %(mark)s") % {"mark": _mark(letter[:1])},
            [Proof(_("%(n)d of %(all)d hourly values in the last 24 hours carry the mark %(mark)s.")
                   % {"n": count, "all": periods, "mark": letter}, _values_url(seen))],
            advice[letter[:1]],
        )  # fmt: skip


def instrument_states(seen: Evidence) -> Iterator[Finding]:
    """An instrument or the logger reports a fault."""
    for (subject, code), fact in seen.states.items():
        if code in ("i12001", "i22001") and fact.value == "2":
            name = factor_name(subject) if subject else _("Logger")
            yield Finding(
                f"fault-{subject}", 72, _("%(name)s reports a fault") % {"name": name},
                [Proof(_when(fact.at), _packet(fact.packet_id))],
                _("Read the log of the instrument (i11001) and repair it."), "danger",
            )  # fmt: skip


# ---- it drifts -------------------------------------------------------------------------------------------------------


def drifting(seen: Evidence) -> Iterator[Finding]:
    """A drift crept or jumped; a jump together with another standard points at the standard."""
    for one in seen.drifts:
        last = one.last
        is_out = last.result == Calibration.Result.OUT and last.adjusted is None
        proofs = [
            Proof(
                f"{one.label} · {_when(last.performed_at)} · {words.drift_text(last)}",
                record_url("calibrations", last.pk),
            )
        ]
        if one.course.kind == "creeping":
            text = _("Over %(n)d calibrations it moved by %(change)s %(unit)s.")
            change = {"n": len(one.known), "change": f"{one.course.change:+.2f}", "unit": last.drift_unit}
            yield Finding(
                f"creeping-{one.factor}-{one.kind}", 74 if is_out else 50,
                _("%(what)s creeps: ageing or fouling") % {"what": one.label},
                [*proofs, Proof(text % change, _health(seen))],
                _("Clean optics, cell or electrode and exchange worn parts; then calibrate at more points."),
                "danger" if is_out else "warning",
            )  # fmt: skip
        elif one.course.kind == "jumped" and one.course.at is not None:
            yield from _jumped(seen, one, proofs, is_out)
        elif is_out:
            yield Finding(
                f"out-{one.factor}-{one.kind}", 71, _("%(what)s is out of control") % {"what": one.label}, proofs,
                _("Adjust it and calibrate again; the values since the last good calibration are in doubt."), "danger",
            )  # fmt: skip


def _jumped(seen: Evidence, one: Any, proofs: list[Proof], is_out: bool) -> Iterator[Finding]:
    known, at = one.known, one.course.at
    before, after = known[at - 1], known[at]
    proofs = [*proofs, Proof(
        _("Between %(first)s and %(then)s it jumped by %(change)s %(unit)s.")
        % {"first": _when(before.performed_at), "then": _when(after.performed_at), "unit": after.drift_unit,
           "change": f"{one.course.change:+.2f}"}, record_url("calibrations", after.pk),
    )]  # fmt: skip
    if before.supply_id and after.supply_id and before.supply_id != after.supply_id:
        yield Finding(
            f"standard-{one.factor}-{one.kind}", 76,
            _("%(what)s jumped when another standard was used") % {"what": one.label},
            [*proofs, Proof(_("Another cylinder or solution was used from then on."),
                            record_url("supplies", after.supply_id))],
            _("Check the certificate and the entered value of the new standard; repeat with a second one."),
        )  # fmt: skip
        return
    yield Finding(
        f"jumped-{one.factor}-{one.kind}", 73 if is_out else 54,
        _("%(what)s jumped: a part, a leak or a setting changed") % {"what": one.label}, proofs,
        _("Look in the log for what was done on these days; check for leaks and settings (slope, intercept, range)."),
        "danger" if is_out else "warning",
    )  # fmt: skip


def standards_expired(seen: Evidence) -> Iterator[Finding]:
    """Something that is in use has expired."""
    if seen.expired:
        yield Finding(
            "expired", 62 if any(one.course.kind in ("creeping", "jumped") for one in seen.drifts) else 45,
            _("Something in use has expired"),
            [Proof(f"{row} · {row.expires_on}", record_url("supplies", row.pk)) for row in seen.expired[:4]],
            _("Replace it, then calibrate; note the old one as used up."),
        )  # fmt: skip


RULES: tuple[Callable[[Evidence], Iterator[Finding]], ...] = (
    out_of_service, never_connected, maintenance_goes_on, area_is_out, power_failed, closed, unstable,
    connected_but_silent, refused, clock_is_off, codes_unmapped, factors_missing, stuck, marked, instrument_states,
    drifting, standards_expired,
)  # fmt: skip


# ---- words and addresses ---------------------------------------------------------------------------------------------


def reason(code: str) -> str:
    """Return the sentence of a reason code, without the figures of one packet."""
    at = 0 if (get_language() or "").startswith("zh") else 1
    if code in intake.HELD:
        return intake.HELD[code][at]
    found = hj212.REASONS.get(code)
    text = code if found is None else found.zh if at == 0 else found.en
    return text.replace("{0}", "…").replace("{1}", "…").replace("{2}", "…")


def refusal_advice(code: str) -> str:
    """Return what to do about packets that are refused for a reason."""
    known = {
        "password-wrong": _("Set the access password at the logger (1072) or in the register: they differ."),
        "address-not-allowed": _("Add the address to the allowed networks of the device if it is the site's own."),
        "system-wrong": _("Correct the system code (ST) at the logger or in the register."),
        "device-inactive": _("Switch the device on in the register, then release its packets."),
        "time-future": _("Set the clock of the logger (1012)."),
        "time-before-commissioning": _("Correct the day of commissioning in the register, or the clock of the logger."),
        "time-missing": _("The firmware of the logger leaves DataTime out: ask its manufacturer."),
    }
    if code in known:
        return known[code]
    if code.startswith("crc"):
        return _("Check the line for noise and the check code that the logger computes (HJ 212, annex A).")
    return _("Open the newest packet: it shows byte by byte what is wrong; give it to the manufacturer of the logger.")


def _mark(letter: str) -> str:
    found = hj212.FLAGS[letter]
    return found.name_zh if (get_language() or "").startswith("zh") else found.name_en


def _when(moment: datetime | None) -> str:
    return "—" if moment is None else f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"


def _device(seen: Evidence) -> str:
    return reverse("device", args=[seen.device.pk])


def _health(seen: Evidence) -> str:
    return reverse("device-health", args=[seen.device.pk])


def _packet(packet_id: int) -> str:
    return reverse("packet", args=[packet_id])


def _list(name: str, **query: Any) -> str:
    return f"{reverse(name)}?{urlencode(query)}"


def _values_url(seen: Evidence, factor: str = "") -> str:
    query = {"interval": "hour", "span": "7d"} | ({"factor": factor} if factor else {})
    return f"{reverse('place', args=[seen.device.place_id])}?{urlencode(query)}"
