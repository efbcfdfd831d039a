"""Entry of the demonstration fleet in the register, through the register's verbs; :func:`luming.demo.fleet.load`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from django.db import models, transaction

from luming.core import actions as people
from luming.core import audit
from luming.core.models import Organisation, User
from luming.core.roles import ROLES
from luming.demo import packets
from luming.demo.fleet import MAINTAINERS, Facility, Fleet, Logger
from luming.hj212 import CHINA
from luming.registry import actions
from luming.registry.models import Device, FactorAlias, Interval, Limit, Outlet, Place, Region, Series, Station
from luming.registry.models import Facility as FacilityModel

BUREAU = "演示·生态环境局"
DISTRICT_BUREAU = "演示·生态环境局昆都仑分局"
COMMISSIONED = datetime(2025, 1, 1, tzinfo=CHINA)
SECONDS = {"realtime": 60, "minute": 600, "hour": 3600, "day": 86400}
# role -> (name, organisation, regions); the other roles work for the bureau and see the whole city
PEOPLE: dict[str, tuple[str, str, list[str]]] = {
    "duty": ("演示值班员", BUREAU, []),
    "reviewer": ("演示审核员", BUREAU, []),
    "registrar": ("演示档案员", BUREAU, []),
    "enforcement": ("演示执法员", BUREAU, []),
    "district": ("演示分局人员", DISTRICT_BUREAU, ["150203"]),
    "leader": ("演示局领导", BUREAU, []),
    "publisher": ("演示信息公开员", BUREAU, []),
    "enterprise": ("演示企业环保员", "演示·云杉钢铁有限公司", []),
    "maintainer": ("演示运维员", MAINTAINERS[0], []),
    "system-admin": ("演示系统管理员", BUREAU, []),
    "security-admin": ("演示安全管理员", BUREAU, []),
    "audit-admin": ("演示审计管理员", BUREAU, []),
}

Found = TypeVar("Found", bound=models.Model)


@transaction.atomic
def load(fleet: Fleet) -> dict[str, str]:
    """Enter what is missing; see :func:`luming.demo.fleet.load`."""
    _require_regions(fleet)
    organisations = _organisations(fleet)
    facilities = {facility.code: _facility(facility, organisations) for facility in fleet.facilities}
    for row in fleet.stations:
        _station(row)
    for row in fleet.outlets:
        _outlet(row, facilities[row["facility"]], fleet.logger(f"{row['facility']}-{row['number']}"))
    places = {place.code: place for place in Place.objects.filter(is_demo=True)}
    for logger in fleet.registered:
        _device(logger, places[logger.site.code], organisations)
    made = _series(fleet, places)
    if made:
        audit.record(None, "demo.load", organisations[BUREAU], series=made)
    return _people(organisations)


def _require_regions(fleet: Fleet) -> None:
    wanted = {logger.site.region for logger in fleet.loggers}
    missing = sorted(wanted - set(Region.objects.filter(code__in=wanted).values_list("code", flat=True)))
    if missing:
        raise LookupError(
            f"regions {', '.join(missing)} are not in the register: run `luming city load baotou` first "
            "/ 请先载入城市配置"
        )


def _once(model: type[Found], create: Any, key: dict[str, Any], **values: Any) -> Found:
    """Return the record of a natural key, made through its verb when there is none."""
    found = model._default_manager.filter(**key).first()
    return found if found is not None else create(None, reason="演示数据", **key, **values)


def _organisations(fleet: Fleet) -> dict[str, Organisation]:
    kinds = {BUREAU: "bureau", DISTRICT_BUREAU: "district", **dict.fromkeys(MAINTAINERS, "maintainer")}
    kinds |= {facility.name: "enterprise" for facility in fleet.facilities}
    return {
        name: Organisation.objects.get_or_create(name=name, defaults={"kind": kind})[0] for name, kind in kinds.items()
    }


def _facility(facility: Facility, organisations: dict[str, Organisation]) -> FacilityModel:
    return _once(
        FacilityModel,
        actions.create_facility,
        {"code": facility.code},
        name=facility.name,
        uscc=facility.uscc,
        organisation=organisations[facility.name],
        region_id=facility.region,
        industry=facility.industry,
        address=facility.address,
        longitude=facility.longitude,
        latitude=facility.latitude,
        is_demo=True,
    )


def _station(row: dict[str, str]) -> None:
    _once(
        Station,
        actions.create_station,
        {"code": row["code"]},
        name=row["name"],
        medium=row["medium"],
        region_id=row["region"],
        longitude=float(row["longitude"]),
        latitude=float(row["latitude"]),
        control=row["control"],
        zone_class=row["zone_class"],
        water_body=row["water_body"],
        target_class=int(row["target_class"]) if row["target_class"] else None,
        commissioned_at=COMMISSIONED,
        is_demo=True,
    )


def _outlet(row: dict[str, str], facility: FacilityModel, logger: Logger) -> None:
    outlet = _once(
        Outlet,
        actions.create_outlet,
        {"facility": facility, "number": row["number"]},
        name=f"{facility.name}·{row['name']}",
        process=row["name"],
        height_m=float(row["height"]) if row["height"] else None,
        reference_oxygen=logger.site.reference_oxygen,
        commissioned_at=COMMISSIONED,
        is_demo=True,
    )
    held = set(Limit.objects.filter(outlet=outlet).values_list("factor", "basis"))
    for limit in logger.site.limits:
        if (limit.factor, limit.basis) not in held:
            actions.create_limit(
                None,
                reason="演示数据",
                outlet=outlet,
                factor=limit.factor,
                basis=limit.basis,
                converted=limit.converted,
                lower=limit.lower,
                upper=limit.upper,
                unit=limit.unit,
                source=limit.source[:120],
                verified=limit.verified,
                effective_from=limit.effective_from,
            )


def _device(logger: Logger, place: Place, organisations: dict[str, Organisation]) -> None:
    _once(
        Device,
        actions.create_device,
        {"mn": logger.mn},
        name=f"{place.name} 数采仪",
        place=place,
        system=logger.system,
        password=logger.password,
        edition=logger.edition,
        maintainer=organisations.get(logger.maintainer),
        is_demo=True,
    )


def _series(fleet: Fleet, places: dict[str, Place]) -> int:
    """Make the missing series and aliases in bulk: they are thousands, and say nothing that the devices do not say."""
    wanted, aliases = [], []
    for logger in fleet.registered:
        place = places[logger.site.code]
        for interval in Interval.values:
            if interval == Interval.MINUTE and not logger.site.has_minutes:
                continue
            factors = {code: factor.unit for _row, factor, code in packets.reported(logger, interval)}
            if logger.site.medium == "noise" and interval == Interval.DAY:
                factors |= {"Ld": "dB", "Ln": "dB"}
            wanted += [
                Series(
                    place=place,
                    factor=code,
                    interval=interval,
                    seconds=SECONDS[interval],
                    unit=unit,
                    expected=interval != Interval.REALTIME,
                )
                for code, unit in factors.items()
            ]
        aliases += [
            FactorAlias(place=place, sent=logger.sent_code(factor), factor=factor.code)
            for factor in logger.site.factors
            if logger.sent_code(factor) != factor.code
        ]
    before = Series.objects.count()
    Series.objects.bulk_create(wanted, ignore_conflicts=True)
    FactorAlias.objects.bulk_create(aliases, ignore_conflicts=True)
    return Series.objects.count() - before


def _people(organisations: dict[str, Organisation]) -> dict[str, str]:
    """Make one user per role that has none of that name; return the one-time passwords."""
    passwords = {}
    taken = set(User.objects.filter(username__in=PEOPLE).values_list("username", flat=True))
    for role in ROLES:
        if role in PEOPLE and role not in taken:
            name, organisation, regions = PEOPLE[role]
            _user, passwords[role] = people.create_user(
                None, role, name, organisation=organisations[organisation], role=role, region_codes=regions
            )
    return passwords
