"""What an import would do: every row understood, resolved, checked and compared with what is there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from luming.registry import rules, units
from luming.registry.actions import differences, facts
from luming.registry.geo import Bounds, within
from luming.registry.importing.cells import CellError, shown
from luming.registry.importing.directory import BrokenReferenceError, Directory, Key, factor_code
from luming.registry.importing.reading import Row, Sheet
from luming.registry.importing.tables import TABLES, Column, Table
from luming.registry.models import Device, Facility, Limit, Outlet, Series, Station
from luming.registry.problems import Counts, Problem

MARGIN = 0.1  # degrees around the city's box within which a point is not remarked on

Values = dict[str, Any]


@dataclass(slots=True)
class Change:
    """One record to write."""

    record: Any
    before: dict[str, Any] | None  # the facts as they were; None for a new record


@dataclass
class Plan:
    """What to write per table, and what is wrong."""

    counts: dict[str, Counts] = field(default_factory=dict)
    changes: dict[str, list[Change]] = field(default_factory=lambda: defaultdict(list))
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def make_plan(sheets: list[Sheet], directory: Directory, bounds: Bounds | None = None) -> Plan:
    """Return what an import of ``sheets`` would do; nothing is written.

    Parameters
    ----------
    bounds : the city's box in degrees; points well outside it are warned about.
    """
    plan = Plan()
    for table in TABLES:
        ours = [sheet for sheet in sheets if sheet.table is table]
        if ours:
            plan.counts[table.name] = Counts()
            planner = _TablePlanner(table, plan, directory, bounds)
            for sheet in ours:
                for row in sheet.rows:
                    planner.add(sheet, row)
            planner.finish()
    return plan


class _TablePlanner:
    """Plans the rows of one table."""

    def __init__(self, table: Table, plan: Plan, directory: Directory, bounds: Bounds | None) -> None:
        self.table = table
        self.plan = plan
        self.directory = directory
        self.bounds = bounds
        self.seen: dict[Key, Row] = {}
        self.rows: dict[int, tuple[Sheet, Row]] = {}  # id of the record -> where it stands in the file
        # Relations are checked by resolving them; a parent that is not saved yet has no key to check.
        self.excluded = {item.name for item in table.model._meta.fields if item.is_relation}

    def add(self, sheet: Sheet, row: Row) -> None:
        """Plan one row, or note all that is wrong with it."""
        found = len(self.plan.problems)
        values, is_whole = self._values(sheet, row)
        key = tuple(_key_part(values[name]) for name in self.table.key if name in values)
        if len(key) == len(self.table.key):
            if first := self.seen.get(key):
                what = _("The same record stands in row %(row)d already.") % {"row": first.number}
                self._problem(sheet, row, self.table.key[-1], what, _("Remove one of the two rows."))
                return
            self.seen[key] = row
        if is_whole and len(self.plan.problems) == found:
            self._record(sheet, row, key, values)
        else:
            self._check_cells(sheet, row, values)
        if not is_whole or len(self.plan.problems) > found:
            self.directory.broken.add(_code(self.table.model, row))

    def _check_cells(self, sheet: Sheet, row: Row, values: Values) -> None:
        """Note what else is wrong in a row that is wrong already: one look at the list shall be enough."""
        model = self.table.model
        known = {name: value for name, value in values.items() if name not in self.excluded}
        absent = {item.name for item in model._meta.fields} - known.keys()
        try:
            model(**known).clean_fields(exclude=absent)
        except ValidationError as error:
            for name, sentences in error.message_dict.items():
                self._problem(sheet, row, name, " ".join(sentences))

    def finish(self) -> None:
        """Check what takes all rows together: limits whose dates overlap."""
        if self.table.model is not Limit:
            return
        groups: dict[Key, list[Limit]] = defaultdict(list)
        for (outlet, factor, basis, _first), limit in self.directory.records[Limit].items():
            groups[outlet, factor, basis].append(limit)
        for group in groups.values():
            for limit in group:
                if (where := self.rows.get(id(limit))) is None:
                    continue
                others = [other for other in group if other is not limit]
                if other := rules.overlapping(limit, others):
                    self._problem(*where, "effective_from", rules.overlap_problem(limit, other)["effective_from"])

    def _values(self, sheet: Sheet, row: Row) -> tuple[Values, bool]:
        """Return the values of a row's cells; False when one is missing, not understood or refers to nothing good."""
        values: Values = {}
        is_whole = True
        for column in self.table.columns:
            cell = row.cells.get(column.name)
            if cell is None:
                if column.required:
                    self._problem(sheet, row, column.name, _("This cell is empty."), _("Fill it in."))
                    is_whole = False
                continue
            try:
                values[column.name] = self._resolved(column, column.parse(cell), values)
            except BrokenReferenceError:
                is_whole = False
            except CellError as error:
                self._problem(sheet, row, column.name, error.what, error.remedy)
                is_whole = False
        if self.table.model is Limit:
            values.setdefault("basis", Limit.Basis.HOUR)  # part of the key, and the usual one
        return values, is_whole

    def _resolved(self, column: Column, value: Any, values: Values) -> Any:
        """Return the record that a code or name stands for, or the one spelling of a value."""
        match column.name:
            case "region" | "facility" | "place" | "outlet" | "organisation":
                return getattr(self.directory, column.name)(value)
            case "maintainer":
                return self.directory.organisation(value)
            case "factor":
                place = values.get("place") or values.get("outlet")
                return factor_code(value, place.medium if place else "")
            case "unit":
                known = units.known(value)
                return value if known is None else known
            case "uscc" | "number":
                return value.upper()
            case _:
                return value

    def _record(self, sheet: Sheet, row: Row, key: Key, values: Values) -> None:
        """Make or change the record of a row, check it and enter it in the directory."""
        model = self.table.model
        record = self.directory.records[model].get(key)
        before = facts(record) if record is not None else None
        if record is None:
            record = model(**_defaults(model, values), **values)
            self._check_is_free(sheet, row, record)
        else:
            for name, value in values.items():
                setattr(record, name, value)
        self._check(sheet, row, record)
        self._enter(key, record)
        self.rows[id(record)] = (sheet, row)
        counts = self.plan.counts[self.table.name]
        if before is None:
            counts.new += 1
        elif differences(before, facts(record)):
            counts.changed += 1
        else:
            counts.unchanged += 1
            return
        self.plan.changes[self.table.name].append(Change(record, before))

    def _enter(self, key: Key, record: Any) -> None:
        if isinstance(record, Facility | Outlet | Station):
            self.directory.add(record)
        else:
            self.directory.records[self.table.model][key] = record

    def _check_is_free(self, sheet: Sheet, row: Row, record: Any) -> None:
        """Note a new record whose code is taken: by a place of the other kind, or outside the user's scope."""
        kind, code, column = {
            Facility: lambda: ("facility", record.code, "code"),
            Outlet: lambda: ("place", record.code, "number"),
            Station: lambda: ("place", record.code, "code"),
            Device: lambda: ("device", record.mn, "mn"),
        }.get(type(record), lambda: ("", "", ""))()
        if kind and ((kind, code) in self.directory.taken or (kind == "place" and code in self.directory.places)):
            what = _("This code is taken by a record that is not yours to change here.")
            self._problem(sheet, row, column, what, _("Use another code."))

    def _check(self, sheet: Sheet, row: Row, record: Any) -> None:
        """Note all that is wrong with a record by its fields' validators and the rules."""
        problems: dict[str, str] = {}
        try:
            record.clean_fields(exclude=self.excluded)
        except ValidationError as error:
            problems = {name: " ".join(sentences) for name, sentences in error.message_dict.items()}
        problems |= rules.problems_of(record)
        # A field that follows from a wrong cell (the medium from the outlet's number) is not reported beside it.
        for name, sentence in (
            {key: problems[key] for key in problems if key in self.table.by_name} or problems
        ).items():
            self._problem(sheet, row, name, sentence)
        if isinstance(record, Facility) and record.uscc:
            holder = self.directory.identities.get((record.uscc, record.name), record.code)
            if holder != record.code:
                what = _("Facility %(code)s has this credit code and name already.") % {"code": holder}
                self._problem(sheet, row, "uscc", what, _("Use its code, or give the site a name of its own."))
        if self.bounds and "longitude" in row.cells and isinstance(record, Facility | Outlet | Station):
            self._check_position(sheet, row, record)

    def _check_position(self, sheet: Sheet, row: Row, record: Facility | Outlet | Station) -> None:
        """Warn about a point outside the city; two coordinates in each other's place are an error."""
        assert self.bounds is not None
        if within(self.bounds, record.longitude, record.latitude, MARGIN):
            return
        if within(self.bounds, record.latitude, record.longitude, MARGIN):
            what = _("Longitude and latitude stand in each other's place.")
            self._problem(sheet, row, "longitude", what, _("Exchange the two."))
            return
        what = _("This point lies outside the city.")
        remedy = _("Check longitude and latitude (decimal degrees, WGS-84).")
        self.plan.warnings.append(self._at(sheet, row, "longitude", what, remedy))

    def _problem(self, sheet: Sheet, row: Row, column: str, what: str, remedy: str = "") -> None:
        self.plan.problems.append(self._at(sheet, row, column, what, remedy))

    def _at(self, sheet: Sheet, row: Row, column: str, what: str, remedy: str) -> Problem:
        known = self.table.by_name.get(column)
        heading = sheet.headings.get(column) or (known.label if known else column)
        return Problem(sheet.name, row.number, heading, shown(row.cells.get(column)), what, remedy)


def _key_part(value: Any) -> Any:
    """Return what a natural key holds of a value: of a record its code."""
    return value.code if isinstance(value, models.Model) else value


def _code(model: type[models.Model], row: Row) -> str:
    """Return the code that other rows refer to a row by, as far as it can be read."""
    if model is Outlet:
        return rules.outlet_code(shown(row.cells.get("facility")), shown(row.cells.get("number")).upper())
    return shown(row.cells.get("code")) if model in (Facility, Station) else ""


def _defaults(model: type[models.Model], values: Values) -> Values:
    """Return what a new record takes from its surroundings where the row is silent."""
    defaults: Values = {}
    if model is Outlet:
        facility = values["facility"]
        defaults = {
            "code": rules.outlet_code(facility.code, values["number"]),
            "medium": rules.OUTLET_MEDIA.get(values["number"][:2], ""),
            "region": facility.region,
            "longitude": facility.longitude,
            "latitude": facility.latitude,
        }
    elif model is Device:
        defaults = {"system": rules.SYSTEM_OF_MEDIUM.get(values["place"].medium, "")}
    elif model is Series:
        defaults = {
            "seconds": rules.SECONDS[values["interval"]],
            "unit": units.default(values["factor"], values["place"].medium),
        }
    elif model is Limit:
        defaults = {"unit": units.default(values["factor"], values["outlet"].medium)}
    return {name: value for name, value in defaults.items() if name not in values}
