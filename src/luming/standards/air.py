"""Air quality index by HJ 633-2012 and HJ 633-2026 (环境空气质量指数（AQI）技术规定).

The concentration is rounded first (GB/T 8170: CO to 0.1 mg/m³, the others to 1 µg/m³), so it can take only a few
thousand values; the index of each is computed once with whole numbers and then looked up. That is exact (rounding up
never meets a binary 100.0000001) and fast.

What the two editions share and where they differ:

* Breakpoints: 2012 table 1, 2026 table 3. Only PM10 (150 → 120) and PM2.5 (75 → 60) at IAQI 100 differ.
* SO2 1 h above 800 and O3 8 h above 800 µg/m³: 2026 fixes the IAQI at 200 and 300 (notes b, c); 2012 gives no IAQI for
  that indicator and uses the SO2 24-h mean and the O3 1-h mean instead.
* Hourly PM10 and PM2.5 are judged with the daily breakpoints in both editions. 2012 also lists 24-h sliding means and
  the 8-h sliding O3 mean for the real-time report: give them as ``pm10_24h``, ``pm25_24h``, ``o3_8h``, ``so2_24h`` and
  they are used for 2012 rows (see :func:`aqi`).
* Missing pollutants: 2026 publishes an AQI above 100 anyway and otherwise says NA; 2012 has no such rule, so its AQI is
  the largest of the IAQI that there are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from luming.standards._tables import read_csv, read_toml
from luming.standards.edition import CITY_ZONE
from luming.standards.rounding import as_float, scaled_half_even

Period = Literal["hour", "day"]
IntArray = NDArray[np.int16]

FACTORS = ("so2", "no2", "co", "o3", "pm10", "pm25")
"""Short names in the order of HJ 633 table 3; ties of the primary pollutant are listed in this order."""

EDITIONS = ("2012", "2026")
CHANGE = np.datetime64("2026-03-01T00:00:00")
"""First city-local instant judged by HJ 633-2026 (preface of HJ 633-2026)."""

DECIMALS = {"so2": 0, "no2": 0, "co": 1, "o3": 0, "pm10": 0, "pm25": 0}
"""Places kept of a concentration before its index is computed (HJ 633-2026, 4.2-5.3): CO mg/m³, others µg/m³."""

_AVERAGING = {
    "hour": {"so2": "1h", "no2": "1h", "co": "1h", "o3": "1h", "pm10": "24h", "pm25": "24h"},
    "day": {"so2": "24h", "no2": "24h", "co": "24h", "o3": "8h", "pm10": "24h", "pm25": "24h"},
}
# Indicators that HJ 633-2012 counts besides the six columns; 2026 removed them.
_EXTRA_2012 = {
    "hour": {
        "so2_24h": ("so2", "24h"),
        "o3_8h": ("o3", "8h"),
        "pm10_24h": ("pm10", "24h"),
        "pm25_24h": ("pm25", "24h"),
    },
    "day": {"o3_1h": ("o3", "1h")},
}
_GRID = (0, 50, 100, 150, 200, 300, 400, 500)
_MISSING = -1
_BLOCK = 1 << 15  # rows looked up at a time, so that the working arrays stay in the processor's cache


@dataclass(frozen=True)
class AqiResult:
    """AQI of n rows.

    ``index``: int16, the AQI, -1 where it is not given (NA). ``level``: int8, 1..6, 0 where NA. ``primary_code``:
    uint8, bit i set when ``FACTORS[i]`` is a primary pollutant. ``indices``: int16 IAQI per factor, -1 where missing.
    """

    index: IntArray
    level: NDArray[np.int8]
    primary_code: NDArray[np.uint8]
    indices: Mapping[str, IntArray] = field(repr=False)

    @cached_property
    def aqi(self) -> NDArray[np.float64]:
        """AQI as float64, NaN where it is not given."""
        return _with_nan(self.index)

    @cached_property
    def primary(self) -> NDArray[Any]:
        """Primary pollutants as text joined with ``+``; empty where AQI ≤ 50 or NA."""
        return np.asarray(PRIMARY_NAMES, dtype=object)[self.primary_code]

    @cached_property
    def iaqi(self) -> dict[str, NDArray[np.float64]]:
        """IAQI per factor as float64, NaN where missing."""
        return {factor: _with_nan(index) for factor, index in self.indices.items()}


@dataclass(frozen=True)
class Level:
    """One AQI level with its names, colour, range and what is said to people (HJ 633-2026 table 1)."""

    level: int
    low: int
    high: int
    name_zh: str
    name_en: str
    colour_zh: str
    rgb: tuple[int, int, int]
    health_zh: str
    health_en: str
    advice_zh: str
    advice_en: str
    text_verified: bool

    @property
    def hex(self) -> str:
        """Colour as ``#rrggbb``."""
        return "#{:02x}{:02x}{:02x}".format(*self.rgb)


def _load_levels() -> dict[int, Level]:
    table = read_toml("air_levels.toml")
    levels = [
        Level(**(row | {"rgb": tuple(row["rgb"]), "text_verified": table["text_verified"]})) for row in table["levels"]
    ]
    return {level.level: level for level in levels}


LEVELS: dict[str, dict[int, Level]] = {name: _load_levels() for name in EDITIONS}
"""``LEVELS[edition][level]``; ranges, names and colours are the same in both editions."""

SENSITIVE_GROUPS: dict[str, dict[str, list[str]]] = read_toml("air_levels.toml")["sensitive_groups"]
"""``SENSITIVE_GROUPS[factor]['zh'|'en']``: who is sensitive to a pollutant (HJ 633-2026 table 2)."""

PRIMARY_NAMES = tuple("+".join(f for i, f in enumerate(FACTORS) if code >> i & 1) for code in range(1 << len(FACTORS)))
"""Text of each ``primary_code``."""


def iaqi(factor: str, concentration: ArrayLike, *, period: Period = "hour", edition: str) -> NDArray[np.float64]:
    """Individual air quality index (HJ 633-2026, 4.2, formula 1; HJ 633-2012, 4.2.1).

    ``IAQI = (IAQI_hi - IAQI_lo) / (BP_hi - BP_lo) × (C - BP_lo) + IAQI_lo``, rounded up to a whole number; C is rounded
    first (GB/T 8170).

    Parameters
    ----------
    factor : ``so2 no2 co o3 pm10 pm25``; also ``so2_24h o3_8h pm10_24h pm25_24h o3_1h``, whose averaging time is fixed.
    concentration : µg/m³, CO mg/m³, any shape. NaN, infinite and negative values are missing.
    period : ``hour`` takes the 1-h columns (PM10, PM2.5: the daily column); ``day`` the 24-h columns and O3 8 h.
    edition : ``'2012'`` or ``'2026'``.

    Returns
    -------
    float64 array of the same shape, 0..500; NaN where missing, and for 2012 where SO2 1 h or O3 8 h exceed 800 µg/m³.
    Above the last breakpoint the index stays 500. A concentration of 0 has IAQI 0 (first row of the table).

    Examples
    --------
    >>> iaqi("pm25", [60, 60.5, 60.6, float("nan")], period="day", edition="2026").tolist()
    [100.0, 100.0, 101.0, nan]
    """
    base, averaging = _indicator(factor, period)
    return _with_nan(_lookup(base, averaging, edition_name(edition), as_float(concentration)))


def aqi(
    concentrations: Mapping[str, ArrayLike],
    *,
    period: Period = "hour",
    edition: str | None = None,
    times: ArrayLike | Sequence[datetime | date] | None = None,
    not_monitored: Collection[str] = (),
) -> AqiResult:
    """Air quality index, level and primary pollutants (HJ 633-2026, 4.3 and 5; HJ 633-2012, 4.3 and 5).

    Parameters
    ----------
    concentrations : short name → array of n values (µg/m³, CO mg/m³), NaN where missing; a name left out is missing in
        all rows. ``period='day'``: daily means, and O3 as daily maximum 8-hour mean. ``period='hour'``: 1-h means.
        For rows of 2012 these further indicators are used when given: hourly ``pm10_24h``/``pm25_24h`` (sliding means,
        in place of the 1-h value), ``o3_8h`` (the larger IAQI counts), ``so2_24h`` (where SO2 1 h > 800); daily
        ``o3_1h`` (daily maximum 1 h; the larger IAQI counts).
    edition : ``'2012'`` or ``'2026'`` for all rows; without it ``times`` decides row by row.
    times : start of each period in city-local time (datetime64, dates, naive datetimes) or aware datetimes.
    not_monitored : pollutants outside the station's monitoring programme, which do not count as missing (2026, "/").

    Returns
    -------
    AqiResult. AQI is the largest IAQI, 1..500: the standard's range starts at 1, so six zeros give 1. 2026: when a
    pollutant is missing and AQI ≤ 100, AQI is NA. 2012: the largest of what there is; NA when all are missing.
    Primary: pollutants with the largest IAQI when AQI > 50.

    Raises
    ------
    ValueError for neither ``edition`` nor ``times``, lengths that differ, or an unknown name.
    """
    arrays = _checked(concentrations, not_monitored, period)
    shape = next((array.shape for array in arrays.values()), (0,))
    if edition is not None:
        return _judge(arrays, shape, period, edition_name(edition), not_monitored)
    if times is None:
        raise ValueError("give edition='2012'|'2026', or times so that the edition in force can be found")
    is_2026 = _local_times(times) >= CHANGE
    if is_2026.shape not in ((1,), shape):
        raise ValueError(f"times has shape {is_2026.shape}, the concentrations {shape}")
    if is_2026.all() or not is_2026.any():
        return _judge(arrays, shape, period, "2026" if is_2026.all() else "2012", not_monitored)
    return _judge_mixed(arrays, shape, period, is_2026, not_monitored)


def advice(level: int, primary: str = "", edition: str = "2026", *, language: Literal["zh", "en"] = "zh") -> str:
    """Advice to people at a level; 2026 names the groups sensitive to the primary pollutants (HJ 633-2026 table 2).

    >>> advice(2, "o3", "2026", language="en")[:60]
    'The very few unusually sensitive people should reduce outdoo'
    """
    name = edition_name(edition)
    if level not in LEVELS[name]:
        return ""
    text = str(getattr(LEVELS[name][level], f"advice_{language}"))
    groups = sensitive_groups(primary, name, language=language) if level > 1 else []
    if not groups:
        return text
    return (
        f"{text}。敏感人群：{'、'.join(groups)}"
        if language == "zh"
        else f"{text} Sensitive groups: {', '.join(groups)}."
    )


def sensitive_groups(primary: str, edition: str = "2026", *, language: Literal["zh", "en"] = "zh") -> list[str]:
    """Groups sensitive to the pollutants in ``primary`` (``'pm10+pm25'``), without repeats; 2012 names none."""
    if edition_name(edition) == "2012" or not primary:
        return []
    return list(dict.fromkeys(group for factor in primary.split("+") for group in SENSITIVE_GROUPS[factor][language]))


def extra_indicators(period: Period) -> tuple[str, ...]:
    """Names of the indicators that only HJ 633-2012 counts besides the six columns; see :func:`aqi`."""
    return tuple(_EXTRA_2012[period])


def edition_name(edition: str) -> str:
    """Return ``'2012'`` or ``'2026'`` for these or for ``'HJ 633-2012'``, ``'HJ 633-2026'``."""
    name = edition.removeprefix("HJ 633-")
    if name not in EDITIONS:
        raise ValueError(f"unknown edition {edition!r} of HJ 633: use '2012' or '2026'")
    return name


def _judge(
    arrays: Mapping[str, NDArray[np.float64]],
    shape: tuple[int, ...],
    period: Period,
    edition: str,
    not_monitored: Collection[str],
) -> AqiResult:
    indices = {factor: _factor_index(factor, arrays, shape, period, edition) for factor in FACTORS}
    index: IntArray = np.full(shape, _MISSING, dtype=np.int16)
    for values in indices.values():
        np.maximum(index, values, out=index)
    if edition == "2026":
        index[_any_missing(indices, not_monitored) & (index <= 100)] = _MISSING
    index[index == 0] = 1
    return AqiResult(index, _LEVEL_OF_INDEX[index], _primary_code(index, indices), indices)


def _judge_mixed(
    arrays: Mapping[str, NDArray[np.float64]],
    shape: tuple[int, ...],
    period: Period,
    is_2026: NDArray[np.bool_],
    not_monitored: Collection[str],
) -> AqiResult:
    index: IntArray = np.empty(shape, dtype=np.int16)
    level = np.empty(shape, dtype=np.int8)
    code = np.empty(shape, dtype=np.uint8)
    indices: dict[str, IntArray] = {factor: np.empty(shape, dtype=np.int16) for factor in FACTORS}
    for edition, rows in (("2012", ~is_2026), ("2026", is_2026)):
        chosen = {name: array[rows] for name, array in arrays.items()}
        part = _judge(chosen, (int(rows.sum()),), period, edition, not_monitored)
        index[rows], level[rows], code[rows] = part.index, part.level, part.primary_code
        for factor in FACTORS:
            indices[factor][rows] = part.indices[factor]
    return AqiResult(index, level, code, indices)


def _factor_index(
    factor: str, arrays: Mapping[str, NDArray[np.float64]], shape: tuple[int, ...], period: Period, edition: str
) -> IntArray:
    def index_of(name: str) -> IntArray:
        if name not in arrays:
            return np.full(shape, _MISSING, dtype=np.int16)
        base, averaging = _indicator(name, period)
        return _lookup(base, averaging, edition, arrays[name])

    index = index_of(factor)
    if edition == "2026":
        return index
    if period == "day":
        return np.maximum(index, index_of("o3_1h")) if factor == "o3" else index
    if factor == "o3":
        return np.maximum(index, index_of("o3_8h"))
    if factor == "so2" and "so2" in arrays:  # note b of 2012: above 800 the 24-h mean takes over
        above = scaled_half_even(arrays["so2"]) > 800
        return np.where(above, index_of("so2_24h"), index).astype(np.int16)
    if factor in ("pm10", "pm25"):
        sliding = index_of(f"{factor}_24h")
        return np.where(sliding >= 0, sliding, index).astype(np.int16)
    return index


def _any_missing(indices: Mapping[str, IntArray], not_monitored: Collection[str]) -> NDArray[np.bool_]:
    missing = np.zeros(indices["so2"].shape, dtype=np.bool_)
    for factor, values in indices.items():
        if factor not in not_monitored:
            missing |= values < 0
    return missing


def _primary_code(index: IntArray, indices: Mapping[str, IntArray]) -> NDArray[np.uint8]:
    code = np.zeros(index.shape, dtype=np.uint8)
    for bit, factor in enumerate(FACTORS):
        code |= (indices[factor] == index).astype(np.uint8) << np.uint8(bit)
    code[index <= 50] = 0
    return code


def _lookup(factor: str, averaging: str, edition: str, concentration: NDArray[np.float64]) -> IntArray:
    table = _index_table(factor, averaging, edition)
    flat = concentration.reshape(-1)
    index: IntArray = np.empty(flat.shape, dtype=np.int16)
    for start in range(0, len(flat), _BLOCK):
        part = slice(start, start + _BLOCK)
        index[part] = table[_table_rows(flat[part], DECIMALS[factor], len(table))]
    return index.reshape(concentration.shape)


def _table_rows(concentration: NDArray[np.float64], decimals: int, length: int) -> NDArray[np.int32]:
    valid = (concentration >= 0) & (concentration < np.inf)
    scaled = np.minimum(scaled_half_even(concentration, decimals), length - 2)
    scaled[~valid] = length - 1
    return scaled.astype(np.int32)


@cache
def _index_table(factor: str, averaging: str, edition: str) -> IntArray:
    """IAQI of each displayed concentration 0, 1, 2 … (CO: 0.0, 0.1 …), then one entry above the last, then missing."""
    row = next(
        row
        for row in read_csv("air_breakpoints.csv")
        if (row["edition"], row["factor"], row["averaging"]) == (f"HJ 633-{edition}", factor, averaging)
    )
    scale: int = 10 ** DECIMALS[factor]
    points = [int(row[f"iaqi_{i}"]) * scale for i in _GRID if row[f"iaqi_{i}"]]
    above = _MISSING if row["above_last"] == "none" else int(row["above_last"])
    indices = [_interpolate(c, points) for c in range(points[-1] + 1)]
    return np.array([*indices, above, _MISSING], dtype=np.int16)


def _interpolate(c: int, points: list[int]) -> int:
    k = next(i for i in range(1, len(points)) if c <= points[i])
    lo, hi = points[k - 1], points[k]
    return _GRID[k - 1] - (-(_GRID[k] - _GRID[k - 1]) * (c - lo) // (hi - lo))  # -(-a // b) rounds up


def _indicator(name: str, period: Period) -> tuple[str, str]:
    if period not in _AVERAGING:
        raise ValueError(f"period must be 'hour' or 'day', not {period!r}")
    if name in _AVERAGING[period]:
        return name, _AVERAGING[period][name]
    for extra in _EXTRA_2012.values():
        if name in extra:
            return extra[name]
    raise ValueError(f"unknown air factor {name!r}: AQI counts {', '.join(FACTORS)}")


def _checked(
    concentrations: Mapping[str, ArrayLike], not_monitored: Collection[str], period: Period
) -> dict[str, NDArray[np.float64]]:
    for name in (*concentrations, *not_monitored):
        _indicator(name, period)
    arrays = {name: np.atleast_1d(as_float(values)) for name, values in concentrations.items()}
    try:
        broadcast = np.broadcast_arrays(*arrays.values())
    except ValueError:
        lengths = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"the concentrations differ in shape: {lengths}") from None
    return dict(zip(arrays, broadcast, strict=True))


def _local_times(times: Any) -> NDArray[np.datetime64]:
    if not isinstance(times, np.ndarray):
        many: list[Any] = [times] if isinstance(times, (date, np.datetime64, str)) else list(times)
        times = [t.astimezone(CITY_ZONE).replace(tzinfo=None) if getattr(t, "tzinfo", None) else t for t in many]
    array = np.atleast_1d(np.asarray(times, dtype="datetime64[us]"))
    if np.isnat(array).any():
        raise ValueError("a time is missing (NaT), so the edition in force cannot be found")
    return array


def _with_nan(index: IntArray) -> NDArray[np.float64]:
    values = index.astype(np.float64)
    return np.where(index >= 0, values, np.nan)


def _level_of_index() -> NDArray[np.int8]:
    table = np.zeros(502, dtype=np.int8)  # entry -1 (the last) is NA
    for level in LEVELS["2026"].values():
        table[level.low : level.high + 1] = level.level
    return table


_LEVEL_OF_INDEX = _level_of_index()
