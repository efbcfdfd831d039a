"""The invented city's weather, air, rivers and sounds, in steps of ten minutes.

All places share one weather, so that a dust day or a week without wind is seen by all stations at once. Figures are
plausible for a cold, dry city at 1,070 m above the sea; they describe no real one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from luming.demo.chance import Floats, Ints, episodes, fractal, key_of, smooth
from luming.demo.fleet import Site

STEP = 600  # seconds
HOUR = 3600 // STEP
DAY = 86400 // STEP
_CHINA = 8 * HOUR


@dataclass(frozen=True, slots=True)
class State:
    """What the analysers of a place see: arrays of shape (factors, steps).

    ``spread`` is how far the values inside a step lie from its mean; ``flag`` indexes
    :data:`luming.demo.generator.FLAGS`.
    """

    value: Floats
    spread: Floats
    flag: np.ndarray


@dataclass(frozen=True, slots=True)
class Weather:
    """Shared by all places; each field has one value per step."""

    hour: Floats  # of the local day, 0 … 24
    weekend: np.ndarray
    cold: Floats  # 1 in mid-January, -1 in mid-July
    temperature: Floats  # °C
    humidity: Floats  # %
    pressure: Floats  # kPa
    wind_speed: Floats  # m/s
    wind_direction: Floats  # degrees
    stagnation: Floats  # 0 … 1
    dust: Floats  # 0 … 1
    sun: Floats  # 0 … 1


def weather(seed: int, index: Ints) -> Weather:
    """Return the weather at ten-minute steps (numbered from 1970-01-01 UTC); shared, therefore not to be changed."""
    return _weather(seed, index.astype(np.int64).tobytes())


@lru_cache(maxsize=8)  # one place after the other asks for the same days
def _weather(seed: int, steps: bytes) -> Weather:
    index = np.frombuffer(steps, np.int64)
    local = index + _CHINA
    hour = (local % DAY) / HOUR
    weekend = (local // DAY + 3) % 7 >= 5  # 1970-01-01 was a Thursday
    cold = np.cos(2 * np.pi * ((index / DAY / 365.2425) % 1.0 - 0.045))
    afternoon = np.cos(2 * np.pi * (hour - 15) / 24)
    calm = fractal(key_of(seed, "calm"), index, (5 * DAY, 0.9), (2 * DAY, 0.5), (12 * HOUR, 0.25))
    stagnation = 0.5 + 0.5 * np.tanh(1.9 * calm - 0.35 + 0.25 * cold - 0.3 * afternoon)
    storm = episodes(key_of(seed, "dust"), index, 12 * DAY, 0.6, 9 * HOUR, 28 * HOUR)
    dust = np.where(storm.active, np.sin(np.pi * storm.progress) * (0.35 + 0.65 * storm.dice), 0.0)
    stagnation = stagnation * (1 - 0.6 * dust)
    cloud = 0.5 + 0.5 * smooth(key_of(seed, "cloud"), index, 18 * HOUR)
    front = fractal(key_of(seed, "front"), index, (6 * DAY, 1.0), (30 * HOUR, 0.4))
    temperature = 8 - 16 * cold + 5 * front + (6.5 - 3 * cloud) * afternoon
    gust = fractal(key_of(seed, "gust"), index, (6 * HOUR, 0.7), (HOUR, 0.4))
    wind = 0.7 + 4.2 * (1 - stagnation) * (1 + 0.35 * afternoon) * (1 + 0.4 * gust) + 4 * dust
    turn = fractal(key_of(seed, "turn"), index, (DAY, 60.0), (4 * HOUR, 35.0), (HOUR, 12.0))
    sun = np.maximum(0.0, np.sin(np.pi * (hour - 6.5) / 12)) * (1 - 0.55 * cloud) * (0.75 - 0.25 * cold)
    return Weather(
        hour=hour,
        weekend=weekend,
        cold=cold,
        temperature=temperature,
        humidity=np.clip(48 + 22 * stagnation - 14 * afternoon + 14 * cloud - 20 * dust, 8, 97),
        pressure=89.6 + 0.55 * cold - 0.5 * front,
        wind_speed=np.maximum(0.2, wind),
        wind_direction=(310 - 170 * stagnation + turn) % 360,
        stagnation=stagnation,
        dust=dust,
        sun=sun,
    )


def _noise(site: Site, name: str, index: Ints, *octaves: tuple[int, float]) -> Floats:
    return fractal(key_of(site.seed, site.code, name), index, *octaves)


def _traffic(air: Weather) -> Floats:
    """Two rush hours, weaker at the weekend."""
    peaks = np.exp(-(((air.hour - 8) / 1.8) ** 2)) + 1.1 * np.exp(-(((air.hour - 18.5) / 2.4) ** 2))
    night = np.exp(-(((air.hour - 3) / 3.0) ** 2))
    return 0.85 + np.where(air.weekend, 0.35, 0.7) * peaks - 0.35 * night


def air_station(site: Site, index: Ints) -> tuple[Floats, Floats]:
    """Return value and spread of an ambient-air station."""
    air = weather(site.seed, index)
    local = {
        name: np.exp(_noise(site, name, index, (8 * HOUR, 0.22), (90 // 10, 0.10), (1, 0.04)))
        for name in ("pm", "coarse", "so2", "no2", "co", "o3")
    }
    winter = 1 + 0.45 * air.cold
    stale = air.stagnation
    traffic = _traffic(air)
    heating = np.maximum(0.2, air.cold + 0.5)
    fine = site.level * winter * (11 + 135 * stale**2.6) * (0.8 + 0.2 * traffic) * local["pm"]
    pm25 = fine + 130 * air.dust * local["coarse"]
    pm10 = fine * 1.32 + site.level * (14 + 5 * air.wind_speed) * local["coarse"] + 900 * air.dust * local["coarse"]
    no2 = site.level * (7 + 52 * stale**1.4) * traffic * local["no2"]
    photochemistry = air.sun * (70 - 35 * air.cold) * (0.7 + 0.8 * stale)
    o3 = np.maximum(3.0, (62 - 14 * air.cold + photochemistry) * local["o3"] - 0.75 * no2)
    offset = _noise(site, "siting", index, (30 * DAY, 0.6))
    table = {
        "a34004": (pm25, 0.06 * pm25),
        "a34002": (pm10, 0.06 * pm10),
        "a21026": (site.level * (5 + 26 * stale**1.6 * heating) * local["so2"], None),
        "a21004": (no2, 0.08 * no2),
        "a21005": (site.level * (0.22 + 1.35 * stale**1.8 * (0.7 + 0.3 * traffic)) * local["co"], None),
        "a05024": (o3, 0.04 * o3),
        "a01001": (air.temperature + offset - 3 * (site.latitude - 40.65), 0.15 + 0 * o3),
        "a01002": (air.humidity + 2 * offset, 0.6 + 0 * o3),
        "a01006": (air.pressure - 2.5 * (site.latitude - 40.65), 0.01 + 0 * o3),
        "a01007": (air.wind_speed * local["coarse"], 0.35 * air.wind_speed),
        "a01008": (air.wind_direction + 15 * offset, 12 + 0 * o3),
    }
    return _stack(site, table)


def water_station(site: Site, index: Ints) -> tuple[Floats, Floats]:
    """Return value and spread of a river or lake station; nutrients are analysed every four hours and held."""
    air = weather(site.seed, index)
    sampled = index // (4 * HOUR) * (4 * HOUR)
    flood = episodes(key_of(site.seed, site.code, "flood"), index, 15 * DAY, 0.5, 12 * HOUR, 60 * HOUR)
    muddy = np.where(flood.active, np.sin(np.pi * flood.progress) * (0.4 + flood.dice), 0.0)
    late = episodes(key_of(site.seed, site.code, "flood"), sampled, 15 * DAY, 0.5, 12 * HOUR, 60 * HOUR)
    washed = np.where(late.active, np.sin(np.pi * late.progress) * (0.4 + late.dice), 0.0)
    held = {
        name: np.exp(_noise(site, name, sampled, (4 * DAY, 0.30), (DAY, 0.14), (4 * HOUR, 0.06)))
        for name in ("codmn", "nh3n", "tp", "tn")
    }
    slow = _noise(site, "slow", index, (6 * DAY, 1.0), (DAY, 0.3))
    temperature = np.maximum(0.4, 11 - 11.5 * air.cold + 1.2 * slow + 0.8 * np.cos(2 * np.pi * (air.hour - 17) / 24))
    saturation = 468 / (31.6 + temperature) * 0.9  # Henry's law as GB 3838-2002 table 1 uses it, at 90 kPa
    plants = air.sun * 0.8
    oxygen = np.maximum(1.0, saturation * (0.97 - 0.10 * site.level + 0.02 * slow) + plants)
    level = site.level
    table = {
        "w01001": (8.05 + 0.08 * slow + 0.18 * plants - 0.05 * level, 0.01 + 0 * slow),
        "w01009": (oxygen, 0.01 * oxygen),
        "w01010": (temperature, 0.05 + 0 * slow),
        "w01014": (620 + 210 * level + 30 * slow - 90 * muddy, 2 + 0 * slow),
        "w01003": ((14 + 9 * level) * np.exp(0.25 * slow) * (1 + 5 * muddy), None),
        "w01019": ((1.4 + 2.1 * level) * held["codmn"] * (1 + 0.5 * washed), 0 * slow),
        "w21003": (0.06 + 0.36 * level**1.6 * held["nh3n"] * (1 + 0.6 * washed), 0 * slow),
        "w21011": (0.018 + 0.062 * level * held["tp"] * (1 + 1.2 * washed), 0 * slow),
        "w21001": ((0.7 + 1.5 * level) * held["tn"] * (1 + 0.4 * washed), 0 * slow),
    }
    return _stack(site, table)


def noise_station(site: Site, index: Ints) -> tuple[Floats, Floats]:
    """Return value and spread of an ambient-noise station, dB(A)."""
    air = weather(site.seed, index)
    rest = 0.5 - 0.5 * np.cos(2 * np.pi * (air.hour - 3.5) / 24)  # 0 at half past three in the night
    events = np.abs(_noise(site, "events", index, (3, 0.6), (1, 1.0)))
    base = 38 + site.level + 11.5 * rest**0.7 + 1.6 * _traffic(air) - np.where(air.weekend, 0.8, 0.0)
    base = base + _noise(site, "base", index, (DAY, 0.8), (2 * HOUR, 0.8)) + 0.25 * np.maximum(0, air.wind_speed - 4)
    leq = base + 2.2 * events
    table = {
        "Leq": (leq, 2.5 + 2.0 * events),
        "L10": (base + 2.6 + 1.1 * events, 0 * base),
        "L50": (base - 1.4, 0 * base),
        "L90": (base - 4.2 - 0.3 * events, 0 * base),
    }
    return _stack(site, table)


def _stack(site: Site, table: dict[str, tuple[Floats, Floats | None]]) -> tuple[Floats, Floats]:
    """Arrange by the site's factors; a missing spread is 5 % of the value."""
    value = np.stack([table[factor.code][0] for factor in site.factors])
    spread = np.stack([0.05 * v if s is None else s for v, s in (table[factor.code] for factor in site.factors)])
    return value, spread
