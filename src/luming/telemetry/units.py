"""Conversion of measured values from the unit a device sends to the one a standard wants.

Conversions are exact powers of ten between units of one kind; nothing is converted between kinds (ppm to mg/m³ needs
the molar mass and belongs to :mod:`luming.standards.emission`).
"""

from __future__ import annotations

from luming.registry import units as registry_units

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


def scale(sent: str, wanted: str) -> float:
    """Return by what a value in ``sent`` is multiplied to be in ``wanted``.

    Raises
    ------
    ValueError
        The units differ in kind, or one is unknown and they are not the same.

    >>> scale("ng/m3", "µg/m³")
    0.001
    """
    sent, wanted = _spelled(sent), _spelled(wanted)
    if sent == wanted:
        return 1.0
    from_unit, to_unit = _UNITS.get(sent), _UNITS.get(wanted)
    if from_unit is None or to_unit is None or from_unit[0] != to_unit[0]:
        raise ValueError(f"cannot convert {sent} to {wanted} / 单位无法换算")
    factor = from_unit[1] / to_unit[1]
    return float(f"{factor:.12g}")  # 1e-6/1e-3 is 0.001, not 0.0009999999999999998


def _spelled(unit: str) -> str:
    known = registry_units.known(unit)
    return unit if known is None else known
