"""A register (ledger, 台账) is declared here once; lists, pages, forms, history, API and exports follow from it.

A domain names its registers in ``registers.py`` and lists them in its manifest. The engine that draws them is
:mod:`luming.web.registers`; the verbs that change records are :mod:`luming.core.records`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.functional import cached_property


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list, of the record's page and of exports.

    ``name`` is a field of the model, a path over relations (``facility__name``) or an annotation made by the register's
    ``annotate``. What is left empty is read from the field: label, kind, choices, unit in the label.
    """

    name: str
    label: Any = None
    # text, number, integer, date, moment, choice, boolean, record (link to a related record), state, code
    kind: str = ""
    shown: bool = True  # before a person chose columns of their own
    sortable: bool = True
    total: str = ""  # sum, mean, minimum or maximum at the foot of the list
    unit: Any = ""
    decimals: int | None = None
    render: Callable[[Any], Any] | None = None  # record -> HTML-safe text, for the list and the page only
    export: bool = True


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of a list. What is left empty is read from the field.

    ``kind``: choice (several may be chosen), record (of a relation, chosen by typing), boolean, range (numbers or
    dates), text (contains). ``apply(queryset, value)`` replaces the lookup.
    """

    name: str
    label: Any = None
    kind: str = ""
    lookup: str = ""
    choices: Callable[[Any], Sequence[tuple[str, Any]]] | None = None  # user -> choices
    apply: Callable[[Any, Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that stand together in the form and on the record's page."""

    label: Any
    fields: Sequence[str]
    help: Any = ""


@dataclass(frozen=True, slots=True)
class Related:
    """Records of another register that hang on this one, shown on its page: ``field`` is their relation to it."""

    register: str
    field: str
    label: Any = None


@dataclass(frozen=True, slots=True)
class Action:
    """A verb on one or many records beside create, change and delete.

    ``run(user, records, reason=..., **values)`` changes them, raises ``ValidationError`` or ``PermissionDenied`` and
    returns a sentence about what was done. ``question`` is asked before; ``undo`` names the action that takes it back.
    """

    key: str
    label: Any
    icon: str
    permission: str
    run: Callable[..., Any]
    bulk: bool = True
    question: Any = ""
    fields: Mapping[str, Any] | None = None  # name -> Django form field
    applies: Callable[[Any], bool] | None = None  # record -> may it be offered
    undo: str = ""


@dataclass(frozen=True)
class Register:
    """How a model is listed, searched, filtered, shown, edited, imported and exported.

    Only ``key``, ``model`` and ``columns`` are needed. Permissions name verbs of roles; rows pass through
    ``model.objects.visible_to(user)``, and a model without it cannot be a register.
    """

    key: str  # in addresses and the API: facilities
    model: type[models.Model]
    columns: Sequence[str | Column]
    label: Any = None  # plural; of the model when empty
    icon: str = "table"
    order: int = 100
    view: str = "data.view"
    edit: str = "place.edit"
    add: bool = True  # records may be made
    delete: bool = False  # records may be deleted (history keeps them; deleting can be undone)
    explained: bool = False  # a change or deletion must say why
    natural_key: Sequence[str] = ()  # what identifies a record in imports; cannot be changed afterwards
    fixed: Sequence[str] = ()  # further fields that are set once
    filters: Sequence[str | Filter] = ()
    search: Sequence[str] = ()  # text fields and paths of the quick and the global search; the first is the title
    form: Sequence[Group | str] = ()  # editable fields by group; all editable ones when empty
    bulk: Sequence[str] = ()  # fields that many records may be given at once
    related: Sequence[Related] = ()
    actions: Sequence[Action] = ()
    annotate: Callable[[Any, Any], Any] | None = None  # (queryset, user) -> queryset with annotations for columns
    select: Sequence[str] = ()  # relations to fetch with the rows
    sort: Sequence[str] = ()  # of the list; by the model's ordering when empty
    page: Callable[[Any], str] | None = None  # record -> address of its own page; else the register's
    # Own verbs in place of the ordinary ones: create(user, reason=..., **values), change(user, record, reason=...,
    # **values) and delete(user, record, reason=...).
    create: Callable[..., Any] | None = None
    change: Callable[..., Any] | None = None
    remove: Callable[..., None] | None = None
    position: Sequence[str] = ()  # (longitude, latitude) fields: the form gets a map
    menu: bool = True  # has an entry of its own in the menu
    help: str = ""  # a page of docs/, such as "how-to/import-places"
    # For the catalogue.
    description: Any = ""
    owner: Any = ""  # the department that answers for it
    cycle: Any = ""  # how often it is brought up to date
    classification: str = "internal"  # public, internal, sensitive, important

    def __str__(self) -> str:
        return str(self.title)

    @property
    def title(self) -> Any:
        """Return the name of the register."""
        return self.label or self.model._meta.verbose_name_plural

    @cached_property
    def object_type(self) -> str:
        """Return what attachments, notes, tags and the audit trail call records of it."""
        return self.model._meta.label_lower
