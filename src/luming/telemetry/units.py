"""Units of measured values, as devices send them and as standards want them.

Conversions are exact powers of ten between units of one kind; nothing is converted between kinds (ppm to mg/m³ needs
the molar mass and belongs to :mod:`luming.standards.emission`).
"""

from __future__ import annotations

# unit -> (kind, how many base units it is)
_UNITS: dict[str, tuple[str, float]] = {
    "mg/m³": ("mass per volume of gas", 1.0),
    "µg/m³": ("mass per volume of gas", 1e-3),
    "ng/m³": ("mass per volume of gas", 1e-6),
    "g/m³": ("mass per volume of gas", 1e3),
    "mg/L": ("mass per volume of water", 1.0),
    "µg/L": ("mass per volume of water", 1e-3),
    "ng/L": ("mass per volume of water", 1e-6),
    "g/L": ("mass per volume of water", 1e3),
    "µS/cm": ("conductivity", 1.0),
    "mS/cm": ("conductivity", 1e3),
    "Pa": ("pressure", 1.0),
    "hPa": ("pressure", 1e2),
    "kPa": ("pressure", 1e3),
    "MPa": ("pressure", 1e6),
    "m³/s": ("flow", 1.0),
    "m³/h": ("flow", 1 / 3600),
    "L/s": ("flow", 1e-3),
}

# How people and loggers write them.
_ALIASES = {
    "ug/m3": "µg/m³", "μg/m3": "µg/m³", "μg/m³": "µg/m³", "µg/m3": "µg/m³", "ug/m³": "µg/m³", "微克/立方米": "µg/m³",
    "mg/m3": "mg/m³", "毫克/立方米": "mg/m³", "ng/m3": "ng/m³", "纳克/立方米": "ng/m³", "g/m3": "g/m³",
    "mg/l": "mg/L", "毫克/升": "mg/L", "ug/L": "µg/L", "μg/L": "µg/L", "ug/l": "µg/L", "微克/升": "µg/L", "纳克/升": "ng/L",
    "us/cm": "µS/cm", "uS/cm": "µS/cm", "μS/cm": "µS/cm", "m3/s": "m³/s", "m3/h": "m³/h", "千帕": "kPa", "百帕": "hPa",
}  # fmt: skip


def normalise(unit: str) -> str:
    """Return the one spelling of a unit: ``ug/m3`` → ``µg/m³``; an unknown unit is returned as it is."""
    unit = unit.strip()
    return _ALIASES.get(unit, unit)


def scale(sent: str, wanted: str) -> float:
    """Return by what a value in ``sent`` is multiplied to be in ``wanted``.

    Raises
    ------
    ValueError
        The units differ in kind, or one is unknown and they are not the same.

    >>> scale("ng/m3", "µg/m³")
    0.001
    """
    sent, wanted = normalise(sent), normalise(wanted)
    if sent == wanted:
        return 1.0
    from_unit, to_unit = _UNITS.get(sent), _UNITS.get(wanted)
    if from_unit is None or to_unit is None or from_unit[0] != to_unit[0]:
        raise ValueError(f"cannot convert {sent} to {wanted} / 单位无法换算")
    factor = from_unit[1] / to_unit[1]
    return float(f"{factor:.12g}")  # 1e-6/1e-3 is 0.001, not 0.0009999999999999998
