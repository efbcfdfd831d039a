"""The demonstration fleet: invented places and their data loggers, and their entry in the register.

Everything here is made up (演示数据) and marked ``is_demo``; no name is that of a real enterprise or station. The fleet
is a pure function of a seed, so that the simulator needs no database: it knows the same MNs and passwords that
:func:`load` registers.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from importlib import resources

from luming.demo.chance import alphabet_text
from luming.registry import uscc
from luming.standards import limits

SEED = 212
SYSTEMS = {"air": "22", "water": "21", "noise": "23", "gas": "31", "sewage": "32"}  # HJ 212-2017 table 5
MAINTAINERS = ("演示·云端运维服务有限公司", "演示·晴川环境技术有限公司", "演示·砺石仪器维护有限公司")
STORIES = {
    "exceeding": "exceeds a limit now and then, also in the last days",
    "spiky": "real-time peaks above the limit while the hours keep it",
    "fabricated": "converted SO2 bunched just below its limit with too little noise",
    "flapping": "drops its connection for 3 minutes of every 20",
    "modbus": "misbehaving: CRC-16/MODBUS low byte first, lower-case hexadecimal",
    "clock": "misbehaving: clock 11 minutes slow, data late",
    "garbage": "misbehaving: wrong lengths, broken CRCs and garbage now and then",
}
MISBEHAVING = frozenset({"modbus", "clock", "garbage"})


@dataclass(frozen=True, slots=True)
class Factor:
    """How the fleet reports one factor: unit, decimals, kind of mean, decimals of the amount (None: no amount)."""

    code: str
    unit: str
    decimals: int
    mean: str  # arithmetic, energy (sound levels) or direction (wind)
    amount_decimals: int | None
    legacy: str


@dataclass(frozen=True, slots=True)
class OutletLimit:
    """A limit of an outlet, as :class:`luming.registry.models.Limit` wants it."""

    factor: str
    basis: str
    converted: bool
    lower: float | None
    upper: float | None
    unit: str
    source: str
    verified: bool
    effective_from: date


@dataclass(frozen=True, slots=True)
class Site:
    """Where a logger measures, and all that the generator needs to know of it."""

    code: str
    name: str
    medium: str
    region: str
    longitude: float
    latitude: float
    factors: tuple[Factor, ...]
    has_minutes: bool
    seed: int
    story: str = ""
    level: float = 1.0  # how polluted, how loud
    zone_class: str = ""
    process: str = ""
    typical: dict[str, float] = field(default_factory=dict)  # factor -> level at full load
    limits: tuple[OutletLimit, ...] = ()
    reference_oxygen: float | None = None
    duct_area: float = 1.0

    @property
    def row(self) -> dict[str, int]:
        """Return the place of each factor in the generator's arrays."""
        return {factor.code: i for i, factor in enumerate(self.factors)}

    def upper_limit(self, factor: str) -> float | None:
        """Return the upper limit of a factor, None when it has none."""
        return next((limit.upper for limit in self.limits if limit.factor == factor), None)


@dataclass(frozen=True, slots=True)
class Logger:
    """A data logger (数采仪)."""

    mn: str
    site: Site
    system: str
    password: str
    edition: int
    registered: bool
    maintainer: str = ""

    def sent_code(self, factor: Factor) -> str:
        """Return what the logger calls a factor: loggers of 2005 send the old codes."""
        return factor.legacy if self.edition == 0 and factor.legacy else factor.code


@dataclass(frozen=True, slots=True)
class Facility:
    """An invented enterprise."""

    code: str
    name: str
    uscc: str
    region: str
    industry: str
    address: str
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Fleet:
    """All of it."""

    stations: tuple[dict[str, str], ...]
    facilities: tuple[Facility, ...]
    outlets: tuple[dict[str, str], ...]
    loggers: tuple[Logger, ...]

    @property
    def registered(self) -> list[Logger]:
        """Return the loggers that the register knows."""
        return [logger for logger in self.loggers if logger.registered]

    @property
    def unknown(self) -> list[Logger]:
        """Return the loggers that nobody has registered."""
        return [logger for logger in self.loggers if not logger.registered]

    def logger(self, site_code: str) -> Logger:
        """Return the logger of a place; KeyError when there is none."""
        for logger in self.loggers:
            if logger.site.code == site_code:
                return logger
        raise KeyError(site_code)


def rows(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a data file of the fleet."""
    text = resources.files("luming.demo").joinpath("data", name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@lru_cache(maxsize=4)
def describe(seed: int = SEED) -> Fleet:
    """Return the fleet of a seed."""
    facilities = tuple(_facility(row) for row in rows("facilities.csv"))
    stations, outlets = rows("stations.csv"), rows("outlets.csv")
    loggers = [_logger(_station_site(row, seed), int(row["edition"]), seed) for row in stations]
    by_code = {facility.code: facility for facility in facilities}
    for row in outlets:
        site = _outlet_site(row, by_code[row["facility"]], seed)
        loggers.append(_logger(site, int(row["edition"]), seed))
    loggers += [_logger(site, 1, seed, registered=False) for site in _unknown_sites(loggers, seed)]
    return Fleet(stations, facilities, outlets, tuple(loggers))


@lru_cache(maxsize=1)
def _factor_table() -> dict[str, dict[str, Factor]]:
    table: dict[str, dict[str, Factor]] = {}
    for row in rows("factors.csv"):
        amount = row["amount_decimals"]
        factor = Factor(
            row["code"], row["unit"], int(row["decimals"]), row["mean"], int(amount) if amount else None, row["legacy"]
        )
        table.setdefault(row["medium"], {})[factor.code] = factor
    return table


@lru_cache(maxsize=1)
def processes() -> dict[str, dict[str, str]]:
    """Return the kinds of outlets by key: name, reference oxygen, duct area, typical level of each factor."""
    return {row["key"]: row for row in rows("processes.csv")}


_CODES = {
    "pm": "a34013", "so2": "a21026", "nox": "a21002",
    "cod": "w01018", "nh3n": "w21003", "tn": "w21001", "tp": "w21011", "ph": "w01001",
}  # fmt: skip
_UNITS = {"mg/m3": "mg/m³"}


@lru_cache(maxsize=64)
def limits_of(process: str) -> tuple[OutletLimit, ...]:
    """Return the limits of a kind of outlet: of the standards' tables where they are known there, else of our file."""
    row = processes()[process]
    found: dict[str, OutletLimit] = {}
    for limit in limits.load(row["standard"], row["category"]) if row["standard"] else ():
        code = _CODES.get(limit.factor)
        # The first of several conditions is the common one: warm water, works built since 2006.
        if code and row[code] and code not in found:
            found[code] = _from_standard(limit, code, converted=bool(row["reference_oxygen"]))
    for item in rows("limits.csv"):
        if item["process"] == process:
            found[item["factor"]] = OutletLimit(
                item["factor"],
                item["basis"],
                item["converted"] == "1",
                float(item["lower"]) if item["lower"] else None,
                float(item["upper"]) if item["upper"] else None,
                item["unit"],
                item["source"],
                item["verified"] == "1",
                date.fromisoformat(item["effective_from"]),
            )
    return tuple(found.values())


def _from_standard(limit: limits.Limit, code: str, *, converted: bool) -> OutletLimit:
    clause = limit.clause.replace("table ", "表").replace("annex", "附件").replace("text", "正文")
    source = f"{limit.standard} {limit.title_zh} {clause} {limit.category_zh}"
    return OutletLimit(
        code,
        limit.averaging,
        converted,
        limit.lower,
        limit.upper,
        _UNITS.get(limit.unit, limit.unit),
        f"{source}（{limit.condition}）" if limit.condition else source,
        limit.verified,
        limit.effective_from or date(2000, 1, 1),
    )


def _facility(row: dict[str, str]) -> Facility:
    # 91 = an enterprise registered with the market regulator (GB 32100-2015); the organisation code is invented.
    body = f"91{row['region']}{alphabet_text('uscc', row['code'], length=9)}"
    return Facility(
        row["code"],
        row["name"],
        body + uscc.check_character(body),
        row["region"],
        row["industry"],
        row["address"],
        float(row["longitude"]),
        float(row["latitude"]),
    )


def _station_site(row: dict[str, str], seed: int) -> Site:
    medium = row["medium"]
    return Site(
        code=row["code"],
        name=row["name"],
        medium=medium,
        region=row["region"],
        longitude=float(row["longitude"]),
        latitude=float(row["latitude"]),
        factors=tuple(_factor_table()[medium].values()),
        has_minutes=medium != "water",
        seed=seed,
        story=row["story"],
        level=float(row["level"]),
        zone_class=row["zone_class"],
    )


def _outlet_site(row: dict[str, str], facility: Facility, seed: int) -> Site:
    process = processes()[row["process"]]
    medium = process["medium"]
    always = {"a01011", "a00000"} if medium == "gas" else {"w00000"}
    factors = tuple(f for f in _factor_table()[medium].values() if f.code in always or process[f.code])
    return Site(
        code=f"{facility.code}-{row['number']}",
        name=f"{facility.name}·{row['name']}",
        medium=medium,
        region=facility.region,
        longitude=facility.longitude,
        latitude=facility.latitude,
        factors=factors,
        has_minutes=True,
        seed=seed,
        story=row["story"],
        process=row["process"],
        typical={f.code: float(process[f.code]) for f in factors if process.get(f.code)},
        limits=limits_of(row["process"]),
        reference_oxygen=float(process["reference_oxygen"]) if process["reference_oxygen"] else None,
        duct_area=float(process["area"] or 1),
    )


def _unknown_sites(loggers: list[Logger], seed: int) -> list[Site]:
    """Three loggers that speak although nobody registered them: two at stacks, one at a micro station."""
    from dataclasses import replace

    models = {logger.site.code: logger.site for logger in loggers}
    wanted = (("DEMO-U01", "DEMO-F13-DA001"), ("DEMO-U02", "DEMO-F06-DA001"), ("DEMO-U03", "DEMO-A07"))
    return [replace(models[like], code=code, name=f"未登记·{code}", story="", seed=seed) for code, like in wanted]


def _logger(site: Site, edition: int, seed: int, *, registered: bool = True) -> Logger:
    maintainer = ""
    if registered and site.medium in {"gas", "sewage"}:
        maintainer = MAINTAINERS[int(alphabet_text("maintainer", site.code[:8], length=6, letters="012"), 3) % 3]
    return Logger(
        # HJ/T 212-2005 numbers loggers with 14 characters, the later editions with 24.
        mn=alphabet_text(seed, "mn", site.code, length=24 if edition else 14, letters="0123456789ABCDEF"),
        site=site,
        system=SYSTEMS[site.medium],
        password=alphabet_text(seed, "pw", site.code, length=6, letters="0123456789"),
        edition=edition,
        registered=registered,
        maintainer=maintainer,
    )


def load(seed: int = SEED) -> dict[str, str]:
    """Enter the fleet in the register and make one user per role; doing so twice changes nothing.

    The city's regions must be there (``luming city load baotou``).

    Returns
    -------
    dict
        One-time passwords of the users made now, by username; empty when all of them existed.

    Raises
    ------
    LookupError
        Regions of the fleet are missing; the message says which and what to do.
    """
    from luming.demo import loading

    return loading.load(describe(seed))
