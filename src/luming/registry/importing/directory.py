"""What the rows of an import may refer to: what the database holds within the user's scope, and the file itself."""

from __future__ import annotations

import difflib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from luming.core.models import Organisation, User
from luming.hj212 import FACTORS, by_short, find_factor
from luming.registry.importing.cells import CellError, shown
from luming.registry.importing.reading import Sheet
from luming.registry.models import (
    Device,
    Facility,
    FactorAlias,
    Limit,
    Medium,
    Outlet,
    Place,
    Region,
    Series,
    Station,
    region_filter,
)  # fmt: skip
from luming.registry.rules import outlet_code

Key = tuple[Any, ...]


class BrokenReferenceError(CellError):
    """The row referred to is in the file and is wrong itself; it has been reported there, once."""


# In which media of the factor registry a name is looked for, by what the place measures.
_FACTOR_MEDIA = {
    Medium.AIR: ("air", "weather"),
    Medium.GAS: ("gas", "air", "process"),
    Medium.WATER: ("water",),
    Medium.SEWAGE: ("water", "process"),
    Medium.NOISE: ("noise", "weather"),
}


@dataclass
class Directory:
    """Regions by code and name, and the records of each table by natural key."""

    regions: dict[str, Region] = field(default_factory=dict)
    organisations: dict[str, Organisation] = field(default_factory=dict)
    records: dict[type[models.Model], dict[Key, Any]] = field(default_factory=lambda: defaultdict(dict))
    places: dict[str, Place] = field(default_factory=dict)  # stations and outlets by code, new ones included
    taken: set[tuple[str, str]] = field(default_factory=set)  # (facility, place or device; code) in the database

    identities: dict[tuple[str, str], str] = field(default_factory=dict)  # (uscc, name) -> facility code
    broken: set[str] = field(default_factory=set)  # codes of facilities and places whose rows are wrong

    @classmethod
    def of_database(cls, user: User | None, sheets: list[Sheet], *, lock: bool) -> Directory:
        """Read what the rows mention and the user may see, in a dozen queries; ``lock`` it for change."""
        found = cls()
        regions = Region.objects.all() if user is None else Region.objects.filter(region_filter(user, "code"))
        found.regions = {region.code: region for region in regions.defer("boundary")}
        found.organisations = {item.name: item for item in Organisation.objects.all()}
        mentioned = _Mentioned(sheets)

        def read(queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
            return queryset.select_for_update(of=("self",)) if lock else queryset

        def visible(queryset: Any) -> Any:
            return queryset if user is None else queryset.visible_to(user)

        facilities = Facility.objects.filter(code__in=mentioned.facilities)
        found.records[Facility] = {(item.code,): item for item in read(visible(facilities))}
        found.taken |= {("facility", code) for code in facilities.values_list("code", flat=True)}
        found.identities = {
            (uscc, name): code
            for uscc, name, code in Facility.objects.filter(uscc__in=mentioned.usccs).values_list(
                "uscc", "name", "code"
            )
        }

        places = Place.objects.filter(code__in=mentioned.places)
        inside = list(visible(places).values_list("pk", flat=True))
        for outlet in read(Outlet.objects.filter(pk__in=inside).select_related("facility")):
            found.add(outlet)
        for station in read(Station.objects.filter(pk__in=inside)):
            found.add(station)
        found.taken |= {("place", code) for code in places.values_list("code", flat=True)}

        devices = Device.objects.filter(mn__in=mentioned.devices)
        found.records[Device] = {(item.mn,): item for item in read(visible(devices))}
        found.taken |= {("device", mn) for mn in devices.values_list("mn", flat=True)}

        for series in read(Series.objects.filter(place__in=inside)).select_related("place"):
            found.records[Series][series.place.code, series.factor, series.interval] = series
        for alias in read(FactorAlias.objects.filter(place__in=inside)).select_related("place"):
            found.records[FactorAlias][alias.place.code, alias.sent] = alias
        for limit in read(Limit.objects.filter(outlet__in=inside)).select_related("outlet"):
            found.records[Limit][limit.outlet.code, limit.factor, limit.basis, limit.effective_from] = limit
        return found

    def add(self, record: Any) -> None:
        """Enter a facility, outlet or station under its code."""
        if isinstance(record, Facility):
            self.records[Facility][(record.code,)] = record
            self.identities[record.uscc, record.name] = record.code
            return
        self.places[record.code] = record
        key = (record.facility.code, record.number) if isinstance(record, Outlet) else (record.code,)
        self.records[type(record)][key] = record

    def region(self, text: str) -> Region:
        """Return the region of a code, a name, or both with a space between."""
        if region := self.regions.get(text.split(maxsplit=1)[0]):
            return region
        named = [region for region in self.regions.values() if region.name == text]
        if len(named) == 1:
            return named[0]
        if named:
            codes = ", ".join(sorted(region.code for region in named))
            raise CellError(_("Several divisions have this name."), _("Write the code: %(codes)s.") % {"codes": codes})
        names = [region.name for region in self.regions.values()]
        raise CellError(_("No division of your scope has this code or name."), _meant(text, names))

    def facility(self, text: str) -> Facility:
        """Return the facility of a code."""
        try:
            return self.records[Facility][(text,)]
        except KeyError:
            self._raise_if_broken(text)
            codes = [code for (code,) in self.records[Facility]]
            what = _("There is no facility of this code.")
            raise CellError(what, _meant(text, codes) or _("Add it to the sheet of facilities.")) from None

    def place(self, text: str) -> Place:
        """Return the station or outlet of a code."""
        try:
            return self.places[text]
        except KeyError:
            self._raise_if_broken(text)
            remedy = _meant(text, list(self.places))
            what = _("There is no station or outlet of this code.")
            raise CellError(what, remedy or _("An outlet is written FACILITY-NUMBER, such as QY0001-DA001.")) from None

    def outlet(self, text: str) -> Outlet:
        """Return the outlet of a place code."""
        found = self.place(text)
        if not isinstance(found, Outlet):
            raise CellError(_("This is a station; limits belong to outlets."))
        return found

    def _raise_if_broken(self, text: str) -> None:
        if text in self.broken:
            raise BrokenReferenceError("")

    def organisation(self, text: str) -> Organisation:
        """Return the organisation of a name."""
        try:
            return self.organisations[text]
        except KeyError:
            what = _("There is no organisation of this name.")
            remedy = _meant(text, list(self.organisations))
            raise CellError(
                what, remedy or _("Leave the cell empty, or have the organisation created first.")
            ) from None


class _Mentioned:
    """The codes that rows mention, whatever else is wrong with them."""

    def __init__(self, sheets: list[Sheet]) -> None:
        self.facilities: set[str] = set()
        self.usccs: set[str] = set()
        self.places: set[str] = set()
        self.devices: set[str] = set()
        for sheet in sheets:
            for row in sheet.rows:
                self._row(sheet.table.name, {name: shown(cell) for name, cell in row.cells.items()})

    def _row(self, table: str, cells: dict[str, str]) -> None:
        match table:
            case "facilities":
                self.facilities.add(cells.get("code", ""))
                self.usccs.add(cells.get("uscc", "").upper())
            case "outlets":
                self.facilities.add(cells.get("facility", ""))
                self.places.add(outlet_code(cells.get("facility", ""), cells.get("number", "").upper()))
            case "stations":
                self.places.add(cells.get("code", ""))
            case "limits":
                self.places.add(cells.get("outlet", ""))
            case _:
                self.places.add(cells.get("place", ""))
                self.devices.add(cells.get("mn", ""))
        self.usccs.discard("")


def _meant(text: str, known: list[str]) -> str:
    """Return a sentence that proposes what was meant, or nothing."""
    near = difflib.get_close_matches(text, known[:5000], n=3, cutoff=0.7)
    return _("Did you mean %(names)s?") % {"names": ", ".join(near)} if near else ""


def factor_code(text: str, medium: str) -> str:
    """Return the HJ 212 code of a factor given by code, short name (so2) or Chinese or English name."""
    if find_factor(text):
        return text
    media = _FACTOR_MEDIA.get(medium, ())
    for candidate in media:
        try:
            return by_short(text.lower(), candidate).code
        except KeyError:
            continue
    wanted = text.lower()
    of_media = [factor for factor in FACTORS.values() if factor.medium in media]
    named = [
        factor.code
        for factor in of_media
        if wanted in (factor.name_zh.lower(), factor.name_en.lower(), factor.code.lower())
    ]
    if len(named) == 1:
        return named[0]
    if named:
        remedy = _("Write the code: %(codes)s.") % {"codes": ", ".join(named)}
        raise CellError(_("Several factors have this name."), remedy)
    names = [factor.name_zh for factor in of_media] + [factor.code for factor in of_media]
    remedy = _meant(text, names) or _("Use a code of HJ 212, such as a34004 or w01018.")
    raise CellError(_("HJ 212 has no factor of this code or name."), remedy)
