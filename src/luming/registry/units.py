"""Units of series and limits: one spelling for each."""

from __future__ import annotations

from luming.hj212 import FACTORS, find_factor

# Units that instruments and permits use besides those that HJ 212 prints.
_MORE = (
    "µg/m³",
    "g/m³",
    "ppm",
    "ppb",
    "m³/d",
    "L/min",
    "hPa",
    "mm",
    "°C",
    "kW",
    "MPa",
    "t/h",
    "mS/m",
    "pc/L",
    "万个/L",
)

_SPELLINGS = {
    "mg/nm³": "mg/m³", "毫克/立方米": "mg/m³", "毫克/标立方米": "mg/m³", "微克/立方米": "µg/m³",
    "纳克/立方米": "ng/m³", "毫克/升": "mg/L", "微克/升": "µg/L", "纳克/升": "ng/L",
    "升/秒": "L/s", "立方米/秒": "m³/s", "立方米/小时": "m³/h", "米/秒": "m/s", "us/cm": "µS/cm",
    "db(a)": "dB", "分贝": "dB", "摄氏度": "℃", "°c": "℃", "百分比": "%",
    "无量纲": "", "-": "", "无": "", "ph": "", "none": "", "dimensionless": "",
}  # fmt: skip

UNITS: frozenset[str] = frozenset({factor.unit for factor in FACTORS.values()} | set(_MORE)) - {""}


def _folded(text: str) -> str:
    return text.strip().lower().replace(" ", "").replace("μ", "µ").replace("m3", "m³").replace("m2", "m²")


_BY_FOLDED = {_folded(unit): unit for unit in sorted(UNITS)}
_BY_FOLDED |= {_folded(unit).replace("µ", "u"): unit for unit in UNITS if "µ" in unit}
_BY_FOLDED |= _SPELLINGS


def known(text: str) -> str | None:
    """Return the one spelling of a unit, ``""`` for dimensionless ones, or None when it is not known.

    >>> known("mg/Nm3"), known("ug/m3"), known("无量纲"), known("furlong")
    ('mg/m³', 'µg/m³', '', None)
    """
    folded = _folded(text)
    return "" if not folded else _BY_FOLDED.get(folded)


def default(code: str, medium: str) -> str:
    """Return the unit that a factor is taken to be sent in until a person says otherwise.

    It is the one of HJ 212-2017 Annex B, but for ambient air the one of GB 3095-2026 tables 1 and 2: Annex B prints
    ng/m³ for particles and mg/m³ for gases, which no station of ambient air sends.
    """
    factor = find_factor(code)
    if factor is None:
        return ""
    if medium == "air" and factor.short in _AMBIENT:
        return "mg/m³" if factor.short == "co" else "µg/m³"
    return factor.unit


_AMBIENT = frozenset({"so2", "no2", "nox", "no", "co", "o3", "pm10", "pm25", "tsp"})
