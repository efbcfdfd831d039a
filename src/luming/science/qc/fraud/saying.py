"""How a suspicion is said: its picture as data for one chart, and its way to JSON and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from luming.science.qc.model import Suspicion

POINTS = 400  # at most so many points in a picture
# Names of the numbers of the tests, in Chinese and English, for pages.
TITLES: Mapping[str, tuple[str, str]] = {
    "p": ("p 值", "p value"),
    "alpha": ("p 值阈值", "threshold of p"),
    "n": ("数据个数", "number of values"),
    "effect": ("效应量", "effect size"),
    "statistic": ("检验统计量", "test statistic"),
    "limit": ("排放限值", "discharge limit"),
    "observed": ("实际个数", "observed count"),
    "expected": ("预期个数", "expected count"),
    "resolution": ("数据分辨率", "resolution of the data"),
    "cap": ("封顶值", "cap"),
    "range": ("仪器量程上限", "upper end of the instrument's range"),
    "episodes": ("高值过程数", "episodes of high values"),
    "length": ("重复长度（个）", "length of the repetition (values)"),
    "information": ("重复的信息量（奈特）", "information of the repetition (nats)"),
    "needed": ("偶然重复所及（奈特）", "information that chance reaches (nats)"),
    "apart": ("两段间隔（小时）", "time between the two (h)"),
    "pairs": ("段数", "number of repetitions"),
    "noise": ("该时段噪声", "noise in the period"),
    "usual": ("平时噪声", "usual noise"),
    "days": ("天数", "days"),
    "correlation": ("相关系数", "correlation"),
    "usual_correlation": ("平时相关系数", "usual correlation"),
    "explained": ("平均日变化所占比例", "share explained by the mean day"),
    "calibrations": ("校准次数", "calibrations"),
    "silent": ("无响应次数", "calibrations without response"),
    "held": ("数值完全不变的次数", "calibrations with one unchanged value"),
    "stops": ("停运次数", "stops of the plant"),
    "ratio": ("停运与运行中位值之比", "median at standstill over median in operation"),
    "events": ("事件数", "events"),
    "before": ("参照水平", "level to compare with"),
    "after": ("事件水平", "level at the event"),
    "lag": ("差别最大处距事件（小时）", "largest difference after the event (h)"),
    "target": ("标气浓度", "concentration of the gas"),
    "clustering": ("自相关膨胀系数", "inflation by autocorrelation"),
}


def numbers(**found: float) -> dict[str, float]:
    """Return the numbers of a test, rounded to six digits."""
    return {name: float(f"{float(value):.6g}") for name, value in found.items()}


def clean(values: Any) -> list[float | None]:
    """Return floats for JSON: six digits, None for NaN."""
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in np.asarray(values, float)]


def moments(times: Any) -> list[str]:
    """Return times as text, UTC."""
    return [f"{moment}Z" for moment in np.asarray(times, "datetime64[s]").astype(str)]


def city_time(moment: np.datetime64) -> str:
    """Return an instant as the city's clock shows it."""
    return str((moment + np.timedelta64(8, "h")).astype("datetime64[m]")).replace("T", " ")


def mark(x: float | str, zh: str, en: str) -> dict[str, Any]:
    """Return a mark at a place of the x axis."""
    return {"x": x, "zh": zh, "en": en}


def picture(
    kind: str,
    x: Sequence[Any],
    y: Any,
    *,
    zh: tuple[str, ...],
    en: tuple[str, ...],
    expected: Any = None,
    marks: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return one chart: ``zh`` and ``en`` hold the titles of x axis, y axis, the data, and what is expected."""
    drawn: dict[str, Any] = {"kind": kind, "x": list(x), "y": clean(y), "marks": [dict(one) for one in marks]}
    if expected is not None:
        drawn["expected"] = clean(expected)
    names = ("x", "y", "data", "expected")
    drawn["zh"] = dict(zip(names, zh, strict=False))
    drawn["en"] = dict(zip(names, en, strict=False))
    return drawn


def thin(count: int) -> slice:
    """Return every k-th of so many points that at most POINTS are left."""
    return slice(None, None, max(1, -(-count // POINTS)))


def as_dict(suspicion: Suspicion) -> dict[str, Any]:
    """Return a suspicion as JSON can hold it; numbers that are not finite become None."""
    return {
        "code": suspicion.code,
        "factor": suspicion.factor,
        "start": f"{suspicion.start.astype('datetime64[s]')}Z",
        "end": f"{suspicion.end.astype('datetime64[s]')}Z",
        "strength": suspicion.strength,
        "numbers": {name: value if np.isfinite(value) else None for name, value in suspicion.numbers.items()},
        "picture": dict(suspicion.picture),
        "zh": suspicion.zh,
        "en": suspicion.en,
    }


def from_dict(stored: Mapping[str, Any]) -> Suspicion:
    """Return the suspicion of :func:`as_dict`."""
    return Suspicion(
        code=stored["code"],
        factor=stored["factor"],
        start=np.datetime64(stored["start"].removesuffix("Z"), "s"),
        end=np.datetime64(stored["end"].removesuffix("Z"), "s"),
        strength=float(stored["strength"]),
        numbers={name: np.nan if value is None else float(value) for name, value in stored["numbers"].items()},
        picture=stored["picture"],
        zh=stored["zh"],
        en=stored["en"],
    )
