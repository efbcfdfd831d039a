"""The catalogue: every check by its code, and what runs them over a window."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from enum import IntEnum
from functools import cache, lru_cache
from importlib import import_module

import numpy as np

from luming.science.qc.arrays import Booleans
from luming.science.qc.model import Check, Parameter, Result, Results, Severity, Suspicion, Window

# The rooms of the catalogue, in the order of its pages.
_MODULES = ("general", "series", "timing", "air", "gas", "water", "device", "fraud")

# code → parameter → number, or code → factor → parameter → number for one factor alone.
Settings = Mapping[str, Mapping[str, "float | Mapping[str, float]"]]


class Quality(IntEnum):
    """Whether a value counts; the second axis of a verdict."""

    VALID = 1
    SUSPECT = 3  # kept out until a person has looked
    INVALID = 4
    MISSING = 9


class SettingsError(ValueError):
    """Settings that name no check or parameter, or leave its bounds; the message lists every fault."""


@cache
def catalogue() -> dict[str, Check]:
    """Return every check by code, ordered by family and subject."""
    checks: dict[str, Check] = {}
    for module in _MODULES:
        for check in import_module(f"luming.science.qc.{module}").CHECKS:
            if check.code in checks:
                raise ValueError(f"two checks have the code {check.code}")
            checks[check.code] = check
    return checks


@cache
def edition() -> str:
    """Return what names codes, defaults and dates of this catalogue: verdicts keep it. Stable between machines."""
    text = "\n".join(
        f"{check.code}|{check.severity}|{check.since}|{check.until}|"
        + ";".join(f"{p.name}={p.default!r}{sorted(p.by_factor.items())!r}" for p in check.parameters)
        for check in catalogue().values()
    )
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def run(
    window: Window,
    factors: Iterable[str] | None = None,
    codes: Iterable[str] | None = None,
    parameters: Settings | None = None,
) -> dict[str, dict[str, Results]]:
    """Run checks over a window and return factor → code → one :class:`Result` per row (int8), in the window's order.

    Without ``factors`` all of the window's, without ``codes`` all that apply; signals (FRAUD) are not run here but by
    :func:`suspicions`. Rows out of order are put in order for every check but those of the order itself.

    Raises
    ------
    SettingsError
        ``codes`` or ``parameters`` name what the catalogue does not have.
    """
    chosen = _chosen(codes, parameters, signal=False)
    order = _disorder(window)
    ordered = window if order is None else window.only(order)
    found: dict[str, dict[str, Results]] = {}
    with np.errstate(all="ignore"):  # infinite values compare as they should
        for factor in window.values if factors is None else factors:
            found[factor] = {}
            for check in chosen:
                seen = window if check.as_received else ordered
                if window.medium not in check.media or not check.applies(seen, factor):
                    continue
                results = check.run(seen, factor, **settled(check, factor, window.medium, parameters))
                results = _in_force(check, seen, results)
                if order is not None and not check.as_received:
                    results = _put_back(results, order)
                found[factor][check.code] = results
    return found


def suspicions(
    window: Window,
    factors: Iterable[str] | None = None,
    codes: Iterable[str] | None = None,
    parameters: Settings | None = None,
) -> list[Suspicion]:
    """Run the checks whose severity is ``signal`` over a window and return what they suspect; see :func:`run`."""
    order = _disorder(window)
    ordered = window if order is None else window.only(order)
    found: list[Suspicion] = []
    for factor in window.values if factors is None else factors:
        for check in _chosen(codes, parameters, signal=True):
            if window.medium in check.media and check.applies(ordered, factor):
                found += check.run(ordered, factor, **settled(check, factor, window.medium, parameters))
    return found


def settled(check: Check, factor: str, medium: str, settings: Settings | None = None) -> dict[str, float]:
    """Return the parameters of a check for a factor: the defaults, then what is set for all, then for this factor."""
    numbers = _defaults(check.code, factor, medium)
    given = settings.get(check.code) if settings else None
    if not given:
        return numbers.copy()
    numbers = numbers | {name: value for name, value in given.items() if not isinstance(value, Mapping)}
    own = given.get(factor)
    if isinstance(own, Mapping):
        numbers |= own
    return numbers


@lru_cache(maxsize=20_000)
def _defaults(code: str, factor: str, medium: str) -> dict[str, float]:
    return catalogue()[code].defaults(factor, medium)


def worst(results: Mapping[str, Results]) -> Results:
    """Return the gravest result per row over checks: fail, suspect, missing, pass, unknown (in that order).

    The order is QARTOD's but for missing, which here is the same in all checks; an empty mapping gives an empty array.
    """
    gravity = np.zeros(10, dtype=np.int8)
    for rank, result in enumerate((Result.UNKNOWN, Result.PASS, Result.MISSING, Result.SUSPECT, Result.FAIL)):
        gravity[result] = rank
    back = np.array([Result.UNKNOWN, Result.PASS, Result.MISSING, Result.SUSPECT, Result.FAIL], dtype=np.int8)
    if not results:
        return np.zeros(0, dtype=np.int8)
    ranks: Results = back[np.max(np.stack([gravity[column] for column in results.values()]), axis=0)]
    return ranks


def quality(results: Mapping[str, Results]) -> Results:
    """Return :class:`Quality` per row (int8) of one factor from the results of its checks and their severities.

    A FAIL of a check of severity ``invalid`` makes invalid; its SUSPECT, and SUSPECT or FAIL of a check of severity
    ``suspect``, make suspect; what informs or signals changes nothing. Missing is missing whatever else was said.
    """
    checks = catalogue()
    n = len(next(iter(results.values()), np.zeros(0)))
    found = np.full(n, Quality.VALID, dtype=np.int8)
    missing = np.zeros(n, dtype=np.bool_)
    for code, column in results.items():
        severity = checks[code].severity
        missing |= column == Result.MISSING
        if severity in (Severity.INVALID, Severity.SUSPECT):
            found[(found < Quality.SUSPECT) & ((column == Result.SUSPECT) | (column == Result.FAIL))] = Quality.SUSPECT
        if severity is Severity.INVALID:
            found[column == Result.FAIL] = Quality.INVALID
    found[missing] = Quality.MISSING
    return found


def refuse_bad_settings(settings: Settings) -> None:
    """Raise :class:`SettingsError` naming every unknown code or parameter and every number outside its bounds."""
    faults: list[str] = []
    for code, given in settings.items():
        check = catalogue().get(code)
        if check is None:
            faults.append(f"没有检查 {code} / there is no check {code}")
            continue
        known = {parameter.name: parameter for parameter in check.parameters}
        for name, value in given.items():
            for inner, number in value.items() if isinstance(value, Mapping) else [(name, value)]:
                faults += _faults(code, inner, number, known)
    if faults:
        raise SettingsError("\n".join(faults))


def _faults(code: str, name: str, number: object, known: Mapping[str, Parameter]) -> list[str]:
    parameter = known.get(name)
    if parameter is None:
        return [f"{code} 没有参数 {name}，有 {', '.join(known) or '无'} / {code} has no parameter {name}"]
    if not isinstance(number, int | float) or isinstance(number, bool):
        return [f"{code} {name} = {number!r} 不是数 / is not a number"]
    if number < parameter.minimum or number > parameter.maximum:
        return [f"{code} {name} = {number} 不在 {parameter.minimum}…{parameter.maximum} / is out of bounds"]
    return []


def _chosen(codes: Iterable[str] | None, parameters: Settings | None, signal: bool) -> list[Check]:
    if parameters:
        refuse_bad_settings(parameters)
    checks = catalogue()
    names = list(checks) if codes is None else list(codes)
    if unknown := [code for code in names if code not in checks]:
        raise SettingsError("\n".join(f"没有检查 {code} / there is no check {code}" for code in unknown))
    return [checks[code] for code in names if (checks[code].severity is Severity.SIGNAL) is signal]


def _disorder(window: Window) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]] | None:
    """Return the order that sorts the rows by time, or None where they are sorted."""
    if len(window) < 2 or bool((window.time[1:] >= window.time[:-1]).all()):
        return None
    return np.argsort(window.time, kind="stable")


def _in_force(check: Check, window: Window, results: Results) -> Results:
    """Take back what a check says of days on which its edition was not in force: unknown."""
    outside = window.once(("outside", check.since, check.until), lambda: _outside(window, check.since, check.until))
    if outside is None:
        return results
    return np.where(outside & (results != Result.MISSING), np.int8(Result.UNKNOWN), results)


def _outside(window: Window, since: date, until: date | None) -> Booleans | None:
    """Return which rows lie outside the days of an edition; None where none does."""
    outside: Booleans = window.time < _begin(since)
    if until is not None:
        outside |= window.time >= _begin(until)
    return outside if outside.any() else None


@lru_cache(maxsize=100)
def _begin(day: date) -> np.datetime64:
    """Return the instant at which a day begins in China; results from ``until`` on are of the next edition."""
    return np.datetime64(day.isoformat(), "s") - np.timedelta64(8, "h")


def _put_back(results: Results, order: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> Results:
    back = np.empty_like(results)
    back[order] = results
    return back


__all__ = ["Quality", "Settings", "SettingsError", "catalogue", "edition", "quality", "run", "suspicions", "worst"]
