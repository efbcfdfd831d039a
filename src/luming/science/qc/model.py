"""What a check is, what it looks at and what it says: the types that every check of the catalogue shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import IntEnum, StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Results = NDArray[np.int8]


class Result(IntEnum):
    """What a check says of one value; the numbers are those of IOOS QARTOD, the most widely used set."""

    PASS = 1
    UNKNOWN = 2  # not applicable or not enough data to tell
    SUSPECT = 3
    FAIL = 4
    MISSING = 9


class Severity(StrEnum):
    """What follows when a check speaks, after the ladder of US EPA's ECMPS.

    ``invalid``: a FAIL makes the value invalid; a person may override it with a reason. ``suspect``: the value is kept
    out until a person has looked. ``inform``: the value counts; reviewers see the remark. ``signal``: a suspicion about
    a period, for a person; it changes no value's quality.
    """

    INVALID = "invalid"
    SUSPECT = "suspect"
    INFORM = "inform"
    SIGNAL = "signal"


class Mark(StrEnum):
    """How well the clause behind a check or a default is known."""

    VERIFIED = "verified"  # read in the official text
    SECONDARY = "secondary"  # read in another text that quotes it
    MEMORY = "memory"  # widely known, not read: editable configuration, shown as unverified
    METHOD = "method"  # a method of statistics or of this product, which no standard prescribes


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that steers a check: its default, unit and bounds."""

    name: str
    default: float
    unit: str
    zh: str
    en: str
    minimum: float = -np.inf
    maximum: float = np.inf
    # Defaults that differ by factor: short name of the glossary (pm25), or medium and name (gas:so2) → value.
    by_factor: Mapping[str, float] = field(default_factory=dict)

    def of(self, factor: str, medium: str = "") -> float:
        """Return the default for a factor; what is said of the factor in this medium comes first."""
        return self.by_factor.get(f"{medium}:{factor}", self.by_factor.get(factor, self.default))


@dataclass(frozen=True, slots=True)
class Span:
    """A period with a name, such as a mark of the plant, a calibration or a maintenance; both ends datetime64[s]."""

    kind: str  # stopped, starting, stopping, maintenance, calibration, fault, inspection, maintainer …
    start: np.datetime64
    end: np.datetime64
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The same factor at another station, on the same times (NaN where it has none)."""

    name: str
    values: Floats
    distance_km: float
    bearing_deg: float = np.nan  # from the station to the neighbour, clockwise from north


@dataclass(frozen=True)
class Window:
    """A stretch of one place's data that checks look at; arrays of one length n, ordered by time.

    ``time`` datetime64[s], UTC, start of each period; ``interval`` s; ``values`` short factor name → float64, NaN for
    none, in the glossary's units. The other figures of a factor are keyed alike and may be absent: ``minimum``,
    ``maximum``, ``converted`` (to the reference oxygen), ``amount`` (kg in the period), ``flags`` (marks of HJ 212 as
    text, "" for none). ``received`` datetime64[s] (NaT unknown). ``units`` short name → unit.
    """

    time: NDArray[np.datetime64]
    values: Mapping[str, Floats]
    interval: float = 3600.0
    medium: str = "air"  # air, water, noise, gas, sewage
    station: str = ""
    minimum: Mapping[str, Floats] = field(default_factory=dict)
    maximum: Mapping[str, Floats] = field(default_factory=dict)
    converted: Mapping[str, Floats] = field(default_factory=dict)
    amount: Mapping[str, Floats] = field(default_factory=dict)
    flags: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    received: NDArray[np.datetime64] | None = None
    range: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # of the instrument
    limit: Mapping[str, float] = field(default_factory=dict)  # upper limit of discharge in force
    reference_oxygen: float = np.nan  # %
    stopped: NDArray[np.bool_] | None = None  # the plant does not run
    spans: Sequence[Span] = ()
    neighbours: Mapping[str, Sequence[Neighbour]] = field(default_factory=dict)
    now: np.datetime64 | None = None

    def __len__(self) -> int:
        return len(self.time)

    def once(self, name: object, compute: Callable[[], Any]) -> Any:
        """Return what was computed for this window under a name, computing it at the first call; do not change it."""
        kept = self.__dict__.setdefault("_kept", {})  # not a field: a copy begins with none
        if name not in kept:
            kept[name] = compute()
        return kept[name]

    def only(self, selection: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Window:
        """Return the selected rows."""

        def cut(columns: Mapping[str, Any]) -> dict[str, Any]:
            return {name: column[selection] for name, column in columns.items()}

        return replace(
            self,
            time=self.time[selection],
            values=cut(self.values),
            minimum=cut(self.minimum),
            maximum=cut(self.maximum),
            converted=cut(self.converted),
            amount=cut(self.amount),
            flags=cut(self.flags),
            received=None if self.received is None else self.received[selection],
            stopped=None if self.stopped is None else self.stopped[selection],
            neighbours={
                name: [replace(other, values=other.values[selection]) for other in others]
                for name, others in self.neighbours.items()
            },
        )


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What a check of the FRAUD family found in a period: numbers and a picture for a person, never a verdict.

    ``picture`` is data for one chart: {"kind": "histogram" | "line" | "scatter" | "bars", "x": [...], "y": [...],
    "expected": [...] (optional), "marks": [{"x": …, "zh": …, "en": …}], "zh": axis titles …}. ``numbers`` are those of
    the test (statistic, p, n, effect) by name. ``zh`` and ``en`` say in a sentence what was seen.
    """

    code: str
    factor: str
    start: np.datetime64
    end: np.datetime64
    strength: float  # 0–1, how far beyond the threshold
    numbers: Mapping[str, float]
    picture: Mapping[str, Any]
    zh: str
    en: str


@dataclass(frozen=True)
class Check:
    """A check of the catalogue.

    ``run(window, factor, **parameters)`` returns one :class:`Result` per row (int8); a check with severity ``signal``
    returns a list of :class:`Suspicion` instead. It is pure: the same on the stream, in batch, on files and in tests.
    ``applies(window, factor)`` tells whether it has what it needs. ``reach`` is how many seconds of data before the
    first value of interest it must see to say the same on a window as on the whole series with its default parameters;
    ``needs`` says it for any parameters and interval, and how many seconds after the last value. Until what comes after
    is there, the check may say less of the last values than it will.
    """

    code: str  # GEN-RANGE, AIR-PM-ORDER, GAS-CONVERTED, WW-…, DEV-…, FRAUD-…
    zh: str
    en: str
    severity: Severity
    run: Callable[..., Any]
    applies: Callable[[Window, str], bool]
    media: frozenset[str]
    source: str  # standard, edition and clause, or the name of the method and its publication
    mark: Mark
    parameters: Sequence[Parameter] = ()
    reach: float = 0.0
    since: date = date(2000, 1, 1)  # first day of the edition
    until: date | None = None  # first day on which it is no longer in force
    explain_zh: str = ""  # what it finds, why that is wrong, what a reviewer should look at
    explain_en: str = ""
    as_received: bool = False  # wants the rows as they came, not in order of time
    # (parameters, interval in s) → seconds of data needed before and after; none: ``reach`` before, nothing after.
    reaches: Callable[[Mapping[str, float], float], tuple[float, float]] | None = None

    @property
    def family(self) -> str:
        """Return the part of the code before the first dash."""
        return self.code.partition("-")[0]

    def defaults(self, factor: str, medium: str = "") -> dict[str, float]:
        """Return the parameters of a factor by name."""
        return {parameter.name: parameter.of(factor, medium) for parameter in self.parameters}

    def needs(self, parameters: Mapping[str, float], interval: float) -> tuple[float, float]:
        """Return how many seconds of data before and after the values of interest the check must see."""
        return (self.reach, 0.0) if self.reaches is None else self.reaches(parameters, interval)
