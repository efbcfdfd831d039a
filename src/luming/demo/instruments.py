"""Invented instruments of the fleet (演示数据): analysers, calibrations, logs, plans, supplies and certificates.

What stands at which kind of place is in a data file; the dates hang on the moment of loading. Everything follows from
the fleet's seed: most instruments are well kept, and a few tell a story: one creeps out of its limits, one jumped when
its gas cylinder was changed, one has not been calibrated for weeks, one has an expired reagent. Entered in bulk: it is
thousands of rows, and each is judged by the same limits as one that a person enters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np
from django.db import models, transaction

from luming.core import audit
from luming.demo.chance import key_of, uniform
from luming.demo.fleet import Fleet, Logger, rows
from luming.registry.models import Device
from luming.standards.edition import CITY_ZONE
from luming.telemetry.instruments import limits
from luming.telemetry.instruments.models import (
    Calibration,
    Certificate,
    Instrument,
    Maintenance,
    MaintenancePlan,
    Supply,
    Work,
)

MAKER = "演示仪器厂"
VISIT_DAYS = 7
# Usual error of a calibration, in per cent of full scale or of the standard; zero of air gases in ppb.
USUAL = {Work.ZERO: 0.7, Work.SPAN: 1.0, Work.SYSTEM: 1.2, Work.CHECK: 3.5, Work.FLOW: 2.0, Work.FILM: 0.8}
STORIES = {3: "creeping", 9: "jumped", 15: "neglected", 21: "expired", 27: "out"}  # place in the list of loggers
TASKS = (
    (Work.ROUTINE, "每周巡检：站房、管路、数据比对", VISIT_DAYS),
    (Work.CLEANING, "清洗采样探头与管路", 30),
    (Work.EXCHANGE, "更换滤芯、泵膜等易损件", 90),
)


@dataclass(slots=True)
class Furnished:
    """What is entered, by kind, in the order in which the rows refer to each other."""

    instruments: list[Instrument] = field(default_factory=list)
    supplies: list[Supply] = field(default_factory=list)
    plans: list[MaintenancePlan] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    calibrations: list[Calibration] = field(default_factory=list)
    maintenance: list[Maintenance] = field(default_factory=list)

    def save(self) -> int:
        """Write all rows; return how many there are."""
        groups: list[list[models.Model]] = [
            self.instruments, self.supplies, self.plans, self.certificates, self.calibrations, self.maintenance,
        ]  # type: ignore[list-item]  # fmt: skip
        for group in groups:
            if group:
                type(group[0])._default_manager.bulk_create(group, batch_size=2000)
        return sum(map(len, groups))


@transaction.atomic
def load(fleet: Fleet, now: datetime, days: int = 60) -> int:
    """Furnish the devices of the fleet that have no instruments yet; return how many rows were made.

    Parameters
    ----------
    now : nothing is entered after it.
    days : how far back calibrations and visits go.
    """
    empty = Device.objects.filter(is_demo=True, instruments__isnull=True).select_related("place", "maintainer")
    devices = {device.mn: device for device in empty}
    made = Furnished()
    for number, logger in enumerate(fleet.registered):
        device = devices.get(logger.mn)
        if device is not None:
            _furnish(made, logger, device, STORIES.get(number, ""), now, days)
    count = made.save()
    if count:
        audit.record(None, "demo.load", next(iter(devices.values())), instruments=count)
    return count


@lru_cache(maxsize=1)
def _kinds() -> tuple[dict[str, str], ...]:
    return rows("instruments.csv")


def _furnish(made: Furnished, logger: Logger, device: Device, story: str, now: datetime, days: int) -> None:
    measured = logger.site.row
    today = now.astimezone(CITY_ZONE).date()
    by = f"{device.maintainer.name if device.maintainer else ''} 演示运维员".strip()
    first = True
    for kind in _kinds():
        if kind["medium"] != logger.site.medium or kind["factor"] not in measured:
            continue
        instrument = _instrument(logger, device, kind, today)
        supplies = _supplies(logger, device, instrument, kind, story, today)
        made.instruments.append(instrument)
        made.supplies += supplies
        made.certificates.append(_certificate(logger, device, instrument, kind["factor"], today))
        told = story if first else ""
        made.calibrations += _calibrations(logger, device, instrument, kind, supplies, told, now, days, by)
        first = False
    plans = [_plan(logger, device, work, title, every, story, today) for work, title, every in TASKS]
    made.plans += plans
    made.maintenance += _visits(logger, device, plans, now, days, by)


def _dice(logger: Logger, *what: str) -> float:
    return float(uniform(key_of(logger.mn, *what), np.array([0]))[0])


def _instrument(logger: Logger, device: Device, kind: dict[str, str], today: date) -> Instrument:
    return Instrument(
        device=device,
        name=kind["name"],
        factors=kind["factor"],
        manufacturer=MAKER,
        model=kind["model"],
        serial=f"DEMO-{logger.mn[-4:]}-{kind['factor']}",
        principle=kind["principle"],
        upper=float(kind["upper"]),
        unit=kind["unit"],
        installed_on=today - timedelta(days=300 + int(600 * _dice(logger, "installed", kind["factor"]))),
        note="演示数据",
        is_demo=True,
    )


def _supplies(
    logger: Logger, device: Device, instrument: Instrument, kind: dict[str, str], story: str, today: date
) -> list[Supply]:
    """Return the standard in use; where the cylinder was changed, the one before too, used up."""
    left = 20 + int(300 * _dice(logger, "expiry", kind["factor"]))
    if story == "expired" and kind["supply_kind"] in ("gas", "reagent"):
        left = -9
    is_standard = kind["supply_kind"] in ("gas", "reagent")
    shared = {
        "device": device, "instrument": instrument, "kind": kind["supply_kind"], "name": kind["supply"],
        "factor": kind["factor"] if is_standard else "", "value": float(kind["standard"]) if is_standard else None,
        "value_unit": kind["unit"] if is_standard else "", "is_demo": True,
    }  # fmt: skip
    unit, minimum = {"gas": ("瓶", 0), "reagent": ("L", 1)}.get(kind["supply_kind"], ("件", 2))
    stock = 1 + int(5 * _dice(logger, "stock", kind["factor"]))
    batch = f"DEMO-{logger.mn[-4:]}-{kind['factor']}"
    found = [
        Supply(
            **shared, batch=f"{batch}-2", unit=unit, quantity=stock, minimum=minimum,
            opened_on=today - timedelta(days=25), expires_on=today + timedelta(days=left),
        )
    ]  # fmt: skip
    if story == "jumped" and is_standard:
        found.append(Supply(
            **shared, batch=f"{batch}-1", unit=unit, quantity=0, is_finished=True,
            opened_on=today - timedelta(days=200), expires_on=today + timedelta(days=100),
        ))  # fmt: skip
    return found


def _certificate(logger: Logger, device: Device, instrument: Instrument, factor: str, today: date) -> Certificate:
    left = int(365 * _dice(logger, "certificate", factor)) - 4  # verified once a year; a few are late
    return Certificate(
        device=device,
        instrument=instrument,
        kind=Certificate.Kind.VERIFICATION,
        number=f"DEMO-JD-{logger.mn[-4:]}-{factor}",
        issued_by="演示·计量技术机构",
        issued_on=today + timedelta(days=left - 365),
        expires_on=today + timedelta(days=left),
        is_demo=True,
    )


def _calibrations(
    logger: Logger,
    device: Device,
    instrument: Instrument,
    kind: dict[str, str],
    supplies: Sequence[Supply],
    story: str,
    now: datetime,
    days: int,
    by: str,
) -> Iterator[Calibration]:
    """Return the calibrations of an instrument over so many days, each judged by the limits of its day."""
    for item in kind["works"].split():
        work, _colon, every = item.partition(":")
        moments = _moments(logger, item, kind["factor"], float(every), now, days)
        if story == "neglected":
            moments = [moment for moment in moments if now - moment > timedelta(days=25)]
        errors = _errors(logger, f"{kind['factor']}{work}", len(moments), USUAL[Work(work)], story, work)
        for moment, error in zip(moments, errors, strict=True):
            yield _calibration(device, instrument, kind, work, moment, error, supplies, by)


def _moments(logger: Logger, item: str, factor: str, every: float, now: datetime, days: int) -> list[datetime]:
    """Return when it was calibrated, oldest first, in the mornings of the city."""
    last = int((every - 1) * _dice(logger, "calibrated", item.split(":")[0], factor))  # days ago
    start = now.astimezone(CITY_ZONE).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=last)
    offset = timedelta(minutes=15 * (sum(map(ord, factor + item)) % 12))
    found = [start - timedelta(days=every * i) + offset for i in range(int(max(days, every) // every) + 1)]
    return sorted(moment.astimezone(UTC) for moment in found if moment <= now)


def _errors(logger: Logger, what: str, count: int, usual: float, story: str, work: str) -> np.ndarray:
    """Return the drifts: noise with a little wandering, and the story of the place."""
    noise = usual * (2 * uniform(key_of(logger.mn, "error", what), np.arange(count)) - 1)
    if work not in ("span", "check") or count < 4:
        return noise
    ramp = np.linspace(0, 1, count)
    if story == "creeping":
        return 0.3 * noise + 6.4 * ramp
    if story == "out":
        return 0.3 * noise + 11.8 * ramp
    if story == "jumped":
        return 0.3 * noise + np.where(ramp > 0.6, 6.2, 0.0)
    return noise


def _calibration(
    device: Device,
    instrument: Instrument,
    kind: dict[str, str],
    work: str,
    moment: datetime,
    error: float,
    supplies: Sequence[Supply],
    by: str,
) -> Calibration:
    full, high = float(kind["upper"]), float(kind["standard"])
    standard = 0.0 if work == "zero" else high
    scale = full if work in ("zero", "span", "system") else high
    if kind["medium"] == "air":  # zero in ppb, span in per cent of the standard
        scale = 100.0 if work == "zero" else high
    unit = "L/min" if work == "flow" else "mg/cm²" if work == "film" else kind["unit"]
    response = round(standard + error / 100 * scale, 3)
    day = moment.astimezone(CITY_ZONE).date()
    judged = limits.judge(
        kind["medium"], kind["factor"], work, day, standard=standard, response=response, full_scale=full, unit=unit
    )
    known = judged.limits
    used = [supply for supply in supplies if supply.value is not None and work != "zero"]
    was_older = len(used) > 1 and used[0].opened_on is not None and day < used[0].opened_on
    return Calibration(
        device=device,
        instrument=instrument,
        factor=kind["factor"],
        kind=work,
        performed_at=moment,
        until=moment + timedelta(minutes=10),
        standard=standard,
        response=response,
        unit=unit,
        full_scale=full,
        supply=used[1] if was_older else used[0] if used else None,
        performed_by=by[:80],
        note="演示数据",
        drift=judged.drift,
        drift_unit=judged.unit,
        result=judged.result,
        limit_adjust=known.adjust if known else None,
        limit_control=known.control if known else None,
        edition=known.edition if known else "",
        mark=known.mark if known else "",
        is_demo=True,
    )


def _plan(
    logger: Logger, device: Device, work: Work, title: str, every: int, story: str, today: date
) -> MaintenancePlan:
    ago = int((every + (0.06 * every if every > VISIT_DAYS else 0)) * _dice(logger, "visit", work.value))
    if story == "neglected":
        ago = every + 12
    last = today - timedelta(days=ago)
    return MaintenancePlan(
        device=device, work=work, title=title, interval_days=every, last_done_on=last,
        next_due_on=last + timedelta(days=every), is_demo=True,
    )  # fmt: skip


def _visits(
    logger: Logger, device: Device, plans: Sequence[MaintenancePlan], now: datetime, days: int, by: str
) -> Iterator[Maintenance]:
    """Return the log: every planned visit up to the last one."""
    for plan in plans:
        assert plan.last_done_on is not None
        minutes = 30 + int(60 * _dice(logger, "minutes", plan.work))
        for i in range(days // plan.interval_days + 1):
            day = plan.last_done_on - timedelta(days=i * plan.interval_days)
            start = datetime(day.year, day.month, day.day, 10, tzinfo=CITY_ZONE).astimezone(UTC)
            if start + timedelta(minutes=minutes) <= now:
                yield Maintenance(
                    device=device, kind=plan.work, start=start, end=start + timedelta(minutes=minutes),
                    what=f"{plan.title}（演示）", performed_by=by[:80], plan=plan, is_demo=True,
                )  # fmt: skip
