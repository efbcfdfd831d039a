"""What is asked of plans, samples and results before they are stored; each function returns field → sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from luming.hj212 import find_factor
from luming.registry import units as registry_units
from luming.registry.models import Place
from luming.telemetry import units
from luming.telemetry.sampling import steps
from luming.telemetry.sampling.models import CustodyEvent, Sample, SampleResult

CLOCK = timedelta(minutes=5)  # how far a phone's clock may be ahead
Problems = dict[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A result as a person or a file gives it."""

    sample: Sample
    factor: str
    value: float | None
    unit: str
    analysed_at: datetime
    below_detection: bool = False
    detection_limit: float | None = None
    method: str = ""
    analyst: str = ""
    instrument: str = ""
    reason: str = ""
    withdrawn: bool = False


def known_factor(code: str) -> bool:
    """Tell whether something with this code is measured."""
    factor = find_factor(code)
    return factor is not None and factor.kind not in ("state", "log")


def plan(medium: str, factors: Sequence[str], places: Sequence[Place]) -> Problems:
    """Check what a plan's fields cannot check by themselves."""
    problems: Problems = {}
    if not places:
        problems["places"] = _("Choose at least one place.")
    elif other := [place for place in places if place.medium != medium]:
        problems["places"] = _("%(place)s has another medium: make a plan of its own for it.") % {"place": other[0]}
    return problems | factor_problems(factors)


def factor_problems(factors: Sequence[str]) -> Problems:
    """Check the factors of a plan or sample."""
    if not factors:
        return {"factors": _("Choose at least one factor.")}
    if unknown := [code for code in factors if not known_factor(code)]:
        return {"factors": _("There is no factor with the code %(code)s.") % {"code": unknown[0]}}
    return {}


def period(taken_from: datetime, taken_to: datetime) -> Problems:
    """Check the sampling period."""
    if taken_to < taken_from:
        return {"taken_to": _("The end lies before the beginning.")}
    if taken_to > timezone.now() + CLOCK:
        return {"taken_to": _("This time lies in the future.")}
    return {}


def step(sample: Sample, event: CustodyEvent, before: CustodyEvent | None) -> Problems:
    """Check a step of custody against where the sample stands."""
    if event.kind not in steps.NEXT[sample.state]:
        text = _("The sample is “%(state)s”: “%(step)s” cannot follow.")
        return {"kind": text % {"state": sample.get_state_display(), "step": event.get_kind_display()}}
    problems: Problems = {}
    if event.at > timezone.now() + CLOCK:
        problems["at"] = _("This time lies in the future.")
    elif before is not None and event.at < before.at:
        problems["at"] = _("The step before was at %(time)s: this one cannot be earlier.") % {
            "time": timezone.localtime(before.at).strftime("%Y-%m-%d %H:%M")
        }
    if event.kind in steps.EXPLAINED and not event.reason:
        problems["reason"] = _("Say why.")
    if event.kind == CustodyEvent.Kind.HANDED and not event.to_whom:
        problems["to_whom"] = _("Say to whom the sample was handed.")
    return problems


def result(entry: Entry, latest: SampleResult | None) -> Problems:
    """Check a result; ``latest`` is the revision that it would follow."""
    sample = entry.sample
    problems: Problems = {}
    if sample.state not in steps.ANALYSABLE or sample.taken_to is None:
        text = _("The sample is “%(state)s”: it has no results.")
        return {"sample": text % {"state": sample.get_state_display()}}
    if entry.factor not in sample.factors:
        problems["factor"] = _("This factor is not analysed of this sample.")
    if entry.analysed_at > timezone.now() + CLOCK:
        problems["analysed_at"] = _("This time lies in the future.")
    elif entry.analysed_at < sample.taken_from:
        problems["analysed_at"] = _("The sample had not been taken yet.")
    if entry.withdrawn:
        if latest is None:
            problems["value"] = _("There is no result to withdraw.")
        if not entry.reason:
            problems["reason"] = _("Say why the result is withdrawn.")
        return problems
    problems |= _figure(entry)
    if not entry.method:
        problems["method"] = _("Name the method standard.")
    if not entry.analyst:
        problems["analyst"] = _("Name the analyst.")
    if latest is not None and accepted(latest) and not entry.reason:
        problems["reason"] = _("An accepted result is corrected: say why.")
    return problems


def _figure(entry: Entry) -> Problems:
    problems: Problems = {}
    factor = find_factor(entry.factor)
    if entry.below_detection:
        if entry.value is not None:
            problems["value"] = _("Below detection there is no value, only the detection limit.")
        if entry.detection_limit is None or not entry.detection_limit > 0:
            problems["detection_limit"] = _("Below detection, the detection limit is needed.")
    elif entry.value is None or not math.isfinite(entry.value):
        problems["value"] = _("A value is missing.")
    elif entry.value < 0 and factor is not None and factor.kind == "pollutant":
        problems["value"] = _("A concentration is not negative; mark it as below detection.")
    elif factor is not None and factor.short == "ph" and not 0 <= entry.value <= 14:
        problems["value"] = _("pH lies between 0 and 14.")
    elif entry.detection_limit is not None and entry.value < entry.detection_limit:
        problems["value"] = _("The value is smaller than the detection limit; mark it as below detection.")
    try:
        units.scale(entry.unit, registry_units.default(entry.factor, entry.sample.place.medium))
    except ValueError:
        problems["unit"] = _("This unit does not fit the factor.")
    return problems


def accepted(latest: SampleResult) -> bool:
    """Tell whether a revision was accepted."""
    return getattr(getattr(latest, "review", None), "decision", "") == "accepted"


_COMPARED = (
    "value", "unit", "below_detection", "detection_limit", "withdrawn", "method", "analyst", "instrument",
    "analysed_at",
)  # fmt: skip


def is_same(entry: Entry, latest: SampleResult | None) -> bool:
    """Tell whether an entry says nothing new, so that the same file may be imported twice."""
    return latest is not None and all(getattr(entry, name) == getattr(latest, name) for name in _COMPARED)


def without(values: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return values without some names."""
    left = set(names)
    return {name: value for name, value in values.items() if name not in left}
