"""Stacks and waste-water outlets of the invented plants, in steps of ten minutes."""

from __future__ import annotations

import numpy as np

from luming.demo.chance import Floats, Ints, episodes, fractal, key_of, smooth
from luming.demo.environment import DAY, HOUR, weather
from luming.demo.fleet import Site

AIR_PRESSURE = 89.8  # kPa, at 1,070 m
FULL_OXYGEN = 20.9
# Conversion is undefined towards 21 % of oxygen; loggers cap what they measure.
OXYGEN_CAP = 20.0
POLLUTANTS = ("a34013", "a21026", "a21002")


def oxygen_factor(oxygen: Floats, reference: float) -> Floats:
    """Return (21 − O₂ reference) / (21 − O₂ measured), HJ 212-2017 annex D (28), the measured oxygen capped."""
    return (21 - reference) / (21 - np.minimum(oxygen, OXYGEN_CAP))


def stop(site: Site, index: Ints):  # type: ignore[no-untyped-def]
    """Return the episodes in which the plant behind a stack stands still."""
    return episodes(key_of(site.seed, site.code, "stop"), index, 25 * DAY, 0.3, 12 * HOUR, 80 * HOUR)


def gas_outlet(site: Site, index: Ints) -> tuple[Floats, Floats, np.ndarray]:
    """Return value, spread and whether the plant stands still, of a stack with CEMS.

    Concentrations are dry, at 273.15 K and 101.325 kPa; the flow is so too: Q = v · A · 273/(273+t) · (Ba+Ps)/101.325 ·
    (1−Xsw), HJ 212-2017 annex D (30, 31).
    """
    halt = stop(site, index)
    still = halt.active
    starting = np.where((halt.after >= 0) & (halt.after < 2 * HOUR), 1 - halt.after / (2 * HOUR), 0.0)
    load = _load(site, index) * (1 - 0.45 * starting)
    drift = fractal(key_of(site.seed, site.code, "drift"), index, (DAY, 0.6), (3 * HOUR, 0.5), (2, 0.2))
    typical = site.typical
    cooling = np.exp(-np.maximum(halt.age, 0) / (5 * HOUR))
    temperature = typical.get("a01012", 60.0) * (0.9 + 0.1 * load) + 3 * drift
    temperature = np.where(still, 12 + (temperature - 12) * cooling, temperature)
    moisture = np.where(still, 1.2, typical.get("a01014", 5.0) * (1 + 0.06 * drift))
    pressure = np.where(still, -0.01, typical.get("a01013", -0.2) * (0.8 + 0.2 * load + 0.05 * drift))
    velocity = np.where(still, 0.25, typical.get("a01011", 12.0) * (0.35 + 0.65 * load) * (1 + 0.03 * drift))
    flow = velocity * site.duct_area * 273 / (273 + temperature) * (AIR_PRESSURE + pressure) / 101.325
    flow = flow * (1 - moisture / 100)
    table = {
        "a01011": (velocity, 0.04 * velocity),
        "a01012": (temperature, 0.6 + 0 * drift),
        "a01013": (pressure, 0.08 * np.abs(pressure)),
        "a01014": (moisture, 0.03 * moisture),
        "a00000": (flow, 0.04 * flow),
    }
    factor = np.ones(len(index))
    if "a19001" in typical:
        oxygen = np.minimum(typical["a19001"] + 2.4 * (1 - load) + 0.25 * drift + 1.5 * starting, FULL_OXYGEN - 0.3)
        oxygen = np.where(still, FULL_OXYGEN, oxygen)
        table["a19001"] = (oxygen, np.where(still, 0.02, 0.12))
        if site.reference_oxygen is not None:
            factor = oxygen_factor(oxygen, site.reference_oxygen)
    for code in POLLUTANTS:
        if code in typical:
            table[code] = _pollutant(site, code, index, factor, starting, still)
    value = np.stack([table[f.code][0] for f in site.factors])
    spread = np.stack([table[f.code][1] for f in site.factors])
    return value, spread, still


def _load(site: Site, index: Ints) -> Floats:
    """Return how hard the plant works, about 0.5 … 1."""
    noise = fractal(key_of(site.seed, site.code, "load"), index, (2 * DAY, 0.6), (4 * HOUR, 0.4))
    if site.process in {"coal-power", "coal-boiler"}:
        air = weather(site.seed, index)
        demand = 0.10 * np.cos(2 * np.pi * (air.hour - 19.5) / 24) + 0.05 * air.cold - np.where(air.weekend, 0.04, 0.0)
        return np.clip(0.78 + demand + 0.06 * noise, 0.4, 1.0)
    return np.clip(0.9 + 0.08 * noise, 0.4, 1.0)


def _pollutant(
    site: Site, code: str, index: Ints, factor: Floats, starting: Floats, still: np.ndarray
) -> tuple[Floats, Floats]:
    """Return concentration and spread of one pollutant."""
    key = key_of(site.seed, site.code, code)
    noise = fractal(key, index, (DAY, 0.6), (5 * HOUR, 0.5), (HOUR, 0.3), (1, 0.15))
    value = site.typical[code] * np.exp(0.26 * noise) * (1 + 0.7 * starting)
    spread = 0.08 * value * (0.5 + np.abs(smooth(key_of(key, "spread"), index, 3)))
    limit = site.upper_limit(code)
    if limit:
        event = _exceedance(site, code, index)
        worse = limit * (1.12 + 0.75 * event.dice * np.sin(np.pi * event.progress)) / factor
        value = np.where(event.active, np.maximum(value, worse), value)
        if site.story == "fabricated" and code == "a21026":
            # What an honest instrument never shows: always just below the limit, whatever the plant does.
            value = limit * (0.968 + 0.006 * smooth(key_of(key, "made-up"), index, 1)) / factor
            spread = 0.003 * value
        if site.story == "spiky" and code == "a21002":
            value = limit * (0.83 + 0.04 * noise) / factor
            spread = 0.32 * value
    rest = 0.03 * site.typical[code] * (1 + 0.3 * noise)
    return np.where(still, rest, value), np.where(still, 0.2 * rest, spread)


def _exceedance(site: Site, code: str, index: Ints):  # type: ignore[no-untyped-def]
    key = key_of(site.seed, site.code, code, "exceedance")
    if site.story == "exceeding" and code == "a21002":
        return episodes(key, index, 10 * HOUR, 0.65, 9, 20)
    return episodes(key, index, 7 * DAY, 0.05, 9, 24)


def sewage_outlet(site: Site, index: Ints) -> tuple[Floats, Floats, np.ndarray]:
    """Return value, spread and (never) standing still of a waste-water outlet; analysers sample every two hours."""
    air = weather(site.seed, index)
    sampled = index // (2 * HOUR) * (2 * HOUR)
    key = key_of(site.seed, site.code, "flow")
    day = 0.12 * np.cos(2 * np.pi * (air.hour - 11) / 24) + 0.10 * np.cos(4 * np.pi * (air.hour - 9) / 24)
    flow = site.typical["w00000"] * (1 + day + fractal(key, index, (DAY, 0.10), (HOUR, 0.05)))
    table = {"w00000": (flow, 0.05 * flow)}
    acid = fractal(key_of(site.seed, site.code, "w01001"), index, (DAY, 0.12), (HOUR, 0.04))
    table["w01001"] = (site.typical["w01001"] + acid, 0.02 + 0 * acid)
    for code in ("w01018", "w21003", "w21011", "w21001"):
        own = key_of(site.seed, site.code, code)
        noise = fractal(own, sampled, (3 * DAY, 0.7), (12 * HOUR, 0.5), (2 * HOUR, 0.25))
        value = site.typical[code] * np.exp(0.24 * noise)
        event = episodes(key_of(own, "exceedance"), sampled, 14 * DAY, 0.07, 20 * HOUR, 44 * HOUR)
        if limit := site.upper_limit(code):
            value = np.where(event.active, np.maximum(value, limit * (1.1 + 0.5 * event.dice)), value)
        table[code] = (value, 0 * value)
    value = np.stack([table[f.code][0] for f in site.factors])
    spread = np.stack([table[f.code][1] for f in site.factors])
    return value, spread, np.zeros(len(index), dtype=bool)
