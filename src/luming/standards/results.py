"""What a statistic says of itself: value, counts, rule, whether it is valid and why not, and which rows it used."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from luming.standards.periods import Instants, IntArray, Interval
from luming.standards.rounding import as_float, round_half_even
from luming.standards.validity import Rule

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_NOISE_PLACES = 9  # what lies beyond is the noise of binary sums, which must not decide a tie


class Reason(IntEnum):
    """Why a statistic is not valid."""

    VALID = 0
    NO_VALUES = 1
    TOO_FEW = 2
    MONTH_TOO_FEW = 3
    NO_RULE = 4
    NO_WEIGHT = 5

    @property
    def text(self) -> str:
        """The reason in words, in English."""
        return REASON_NAMES[self]


REASON_NAMES = (
    "valid",
    "no value counts",
    "too few values",
    "too few days in a month",
    "no validity rule in force",
    "no flow to weigh with",
)
REASON_NAMES_ZH = (
    "有效",
    "无可用数据",
    "有效数据个数不足",
    "某月有效日数不足",
    "无适用的有效性规定",
    "无流量，无法加权",
)


@dataclass(frozen=True, slots=True)
class Statistics:
    """Statistics of g periods, sorted by series and time; the last two fields are of the n input rows.

    ``value``: unrounded, NaN where nothing takes part; given also where not valid. ``rounded``: by GB/T 8170 to
    ``decimals``. ``count``: rows that take part; ``expected``: rows the whole period holds; ``required``: rows it needs
    (0 where no rule says). ``rule``: position in ``rules``, -1 for none. ``reason``: a :class:`Reason`. ``weight``: the
    sum of the weights (flow) where the method weighs, else the count.
    ``used``: which rows took part. ``position``: the period of each row, -1 outside the span.
    """

    interval: Interval
    method: str
    decimals: int
    series: IntArray
    start: Instants
    end: Instants
    value: FloatArray
    rounded: FloatArray
    valid: BoolArray
    count: IntArray
    expected: IntArray
    required: IntArray
    rule: NDArray[np.int16]
    reason: NDArray[np.int8]
    weight: FloatArray
    rules: tuple[Rule, ...]
    used: BoolArray = field(repr=False)
    position: IntArray = field(repr=False)

    def __len__(self) -> int:
        return len(self.value)

    @property
    def valid_value(self) -> FloatArray:
        """``value`` where valid, NaN elsewhere."""
        return np.where(self.valid, self.value, np.nan)

    def rule_of(self, row: int) -> Rule | None:
        """Return the rule that judged a period."""
        return self.rules[self.rule[row]] if self.rule[row] >= 0 else None

    def reason_text(self, row: int) -> str:
        """Return why a period is not valid, in English; ``REASON_NAMES_ZH`` has the Chinese."""
        return Reason(int(self.reason[row])).text

    def inputs_of(self, row: int) -> IntArray:
        """Return which input rows took part in a period, in the order given."""
        return np.nonzero(self.used & (self.position == row))[0]


def rounded(value: ArrayLike, decimals: int, *, keep_digit: bool = False) -> FloatArray:
    """Round by GB/T 8170, without the noise of binary sums deciding a tie: 61.49999999999999 is 61.5.

    ``keep_digit``: what would become 0 keeps one significant digit (surface water, 总站水字〔2018〕87号) [secondary].

    >>> rounded([sum([0.1] * 3) / 2, 61.49999999999999], 1).tolist(), rounded([61.49999999999999], 0).tolist()
    ([0.2, 61.5], [62.0])
    >>> rounded([0.00042, 0.006, 0.0], 2, keep_digit=True).tolist()
    [0.0004, 0.01, 0.0]
    """
    values = np.atleast_1d(as_float(value))
    clean = round_half_even(values, max(decimals, 0) + _NOISE_PLACES)
    shown = np.atleast_1d(np.asarray(round_half_even(clean, decimals)))
    if keep_digit:
        for row in np.nonzero((shown == 0) & (values != 0))[0].tolist():
            places = -math.floor(math.log10(abs(values[row])))
            shown[row] = round_half_even(float(values[row]), places)
    return shown
