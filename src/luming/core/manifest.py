"""A domain is a manifest: what it adds to the product is read from its ``DomainConfig``.

The shell, the registers, the map, the files of enterprises, the cockpit, the search, the portal, the public site and
the worker are composed from the manifests; none of them names a domain. ``registry`` and ``web`` have manifests too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig, apps

if TYPE_CHECKING:
    from luming.core.registers import Register


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """An entry of the shell's menu.

    An empty ``permission`` is everyone's. ``group`` is a key of the shell's groups: overview, monitoring, register,
    outside, transport, system.
    """

    label: Any  # lazy translation
    url_name: str
    icon: str  # Tabler icon name
    permission: str = "data.view"
    group: str = "monitoring"
    order: int = 100
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges places of one kind and medium by a standard.

    ``evaluate(selection, interval)`` gets place id -> starts of periods with new data and returns the new judgements;
    ``intervals`` says which observation intervals wake it.
    """

    key: str
    kind: str  # of places: station or outlet
    media: frozenset[str]
    intervals: frozenset[str]
    evaluate: Callable[..., Sequence[Any]]


# ---- one map --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the one map.

    ``features(user)`` returns a GeoJSON feature collection whose features have an ``id`` and the properties ``name``
    and, where they have them, ``code, state, value, colour, period``. A layer with ``timed=True`` also takes
    ``at=<datetime>``: its features as they were then. ``page(id)`` is the address of a feature's own page.
    """

    key: str
    label: Any
    features: Callable[..., dict[str, Any]]
    legend: Sequence[tuple[str, Any, str]] = ()  # (state, label, colour)
    order: int = 100
    group: Any = ""  # label of the group in the list of layers
    geometry: str = "point"  # point, line or polygon
    timed: bool = False
    page: Callable[[Any], str] | None = None
    permission: str = "data.view"
    shown: bool = True  # when the map opens


# ---- one enterprise, one file ---------------------------------------------------------------------------------------

# What a page of the file is about. A section is a station of medium water.
SUBJECTS = ("facility", "outlet", "station", "section", "region")


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the page of a facility, station, section or region.

    ``context(user, subject)`` returns the variables of ``template``, or None when there is nothing to show at all; an
    empty but meaningful panel returns a context and its template says so. The template also gets ``subject``.
    """

    key: str
    label: Any
    subjects: frozenset[str]
    template: str
    context: Callable[[Any, Any], Mapping[str, Any] | None]
    order: int = 100
    wide: bool = True  # in the main column; False: in the narrow one beside it
    permission: str = "data.view"
    printed: bool = True  # is part of the dossier


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened, for the timeline."""

    at: datetime
    label: Any
    detail: Any = ""
    url: str = ""
    tone: str = "info"  # info, good, warning, danger
    icon: str = "circle"
    who: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A source of the timeline of everything that ever happened.

    ``moments(user, subject, before, limit)`` returns up to ``limit`` moments before an instant, newest first.
    """

    key: str
    label: Any
    subjects: frozenset[str]
    moments: Callable[[Any, Any, datetime, int], Iterable[Moment]]
    permission: str = "data.view"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a figure of the portrait is what it is: a sentence, its points (+ raises the figure) and its evidence."""

    text: Any
    points: float
    url: str = ""


@dataclass(frozen=True, slots=True)
class Trait:
    """A contribution to the portrait of a facility or place: its risk or its trust.

    ``assess(user, subject)`` returns reasons with points; the figure is their sum between 0 and 100, starting at
    ``base``. Nothing to say is an empty list.
    """

    key: str
    label: Any
    figure: str  # "risk" or "trust"
    subjects: frozenset[str]
    assess: Callable[[Any, Any], Iterable[Reason]]


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of an identity check: ``state`` is good, warning or bad."""

    label: Any
    state: str
    detail: Any = ""


@dataclass(frozen=True, slots=True)
class Check:
    """An identity check of a subject, such as the check character of its credit code."""

    key: str
    subjects: frozenset[str]
    run: Callable[[Any], Iterable[Finding]]


# ---- home, cockpit, portal, public site -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a list on the home page, the portal or the public site."""

    label: Any
    url: str = ""
    detail: Any = ""
    at: datetime | None = None
    tone: str = "info"
    icon: str = ""
    value: Any = ""


@dataclass(frozen=True, slots=True)
class Concern:
    """A list of the home page. ``section`` is todo, wrong or changed.

    ``items(user, since)`` returns what the user should see; ``since`` is the beginning of yesterday for ``changed``.
    ``url`` leads to the whole list. A concern without items is left out.
    """

    key: str
    label: Any
    section: str
    items: Callable[[Any, datetime], Sequence[Item]]
    permission: str = "data.view"
    order: int = 100
    url: Callable[[], str] | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the cockpit with what makes it traceable.

    ``url`` leads to its evidence (a list or page that ends at the packets). ``trend`` are (period start, value) pairs,
    oldest first; ``target`` is what it should be, ``good`` whether it is. ``coverage`` is the share (0–1) of what it
    should be computed from that was there. ``parts`` breaks it up: (label, value, colour, url).
    """

    value: float | int | None
    url: str
    unit: Any = ""
    decimals: int = 0
    trend: Sequence[tuple[datetime, float | None]] = ()
    target: float | None = None
    good: bool | None = None
    note: Any = ""
    coverage: float | None = None
    parts: Sequence[tuple[Any, float, str, str]] = ()
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of the cockpit. ``group`` is air, water, sources, matters, plan or another key with a label.

    ``figure(user)`` returns the figure, or None where the city has nothing of the kind. ``kind`` says how it is drawn:
    number (with trend), parts (a share bar with its parts), list (of ``parts``, largest first).
    """

    key: str
    label: Any
    group: str
    figure: Callable[[Any], Figure | None]
    kind: str = "number"
    order: int = 100
    permission: str = "data.view"


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the public site or of the enterprises' portal.

    ``context()`` of the public site gets nothing (it is the same for everyone and cached); of the portal it gets the
    user. Both return the variables of ``template``, or None when there is nothing to show. A section with
    ``url_name`` has an entry in the navigation.

    A section with ``page`` has pages of its own, and an entry too: ``page("")`` returns the variables of
    ``page_template`` for the section itself, ``page(item)`` for a thing of it, None where there is none (404);
    ``download(item)`` returns the name and the rows of a CSV file. In the portal both get the user first, and the entry
    is in the menu of those who hold ``permission``.
    """

    key: str
    label: Any
    template: str
    context: Callable[..., Mapping[str, Any] | None]
    order: int = 100
    url_name: str = ""
    icon: str = "circle"
    page: Callable[..., Mapping[str, Any] | None] | None = None
    page_template: str = ""
    download: Callable[..., tuple[str, Iterable[Sequence[Any]]] | None] | None = None
    permission: str = "portal.view"  # of a section of the portal


@dataclass(frozen=True, slots=True)
class Search:
    """A kind of thing that the global search finds without being a register: ``find(user, text, limit)``."""

    key: str
    label: Any
    icon: str
    find: Callable[[Any, str, int], Sequence[Item]]
    permission: str = "data.view"
    order: int = 100


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of long work; ``run(task, progress)`` does it in the worker. See :mod:`luming.core.work`."""

    key: str
    label: Any
    run: Callable[..., None]


class DomainConfig(AppConfig):
    """The manifest of a domain. A domain overrides what it has; everything else stays empty."""

    navigation: Sequence[NavigationItem] = ()
    judges: Sequence[Judge] = ()
    registers: Sequence[Register] = ()
    layers: Sequence[Layer] = ()
    panels: Sequence[Panel] = ()
    timelines: Sequence[Timeline] = ()
    traits: Sequence[Trait] = ()
    checks: Sequence[Check] = ()
    concerns: Sequence[Concern] = ()
    tiles: Sequence[Tile] = ()
    searches: Sequence[Search] = ()
    public_sections: Sequence[Section] = ()
    portal_sections: Sequence[Section] = ()
    works: Sequence[Work] = ()
    # Django module of addresses of the domain's own pages, such as "luming.domains.air.urls"; names are global.
    urls: str = ""


def manifests() -> Iterator[DomainConfig]:
    """Iterate over the manifests of all installed domains."""
    return (config for config in apps.get_app_configs() if isinstance(config, DomainConfig))


def _all(name: str) -> list[Any]:
    """Return what all manifests name under ``name``, by order where the entries have one."""
    found = [entry for manifest in manifests() for entry in getattr(manifest, name)]
    return sorted(found, key=lambda entry: getattr(entry, "order", 0))


def judges() -> list[Judge]:
    """Return the judges of all domains."""
    return _all("judges")


def layers() -> list[Layer]:
    """Return the map layers of all domains in order."""
    return _all("layers")


def navigation() -> list[NavigationItem]:
    """Return the menu entries of all domains in order."""
    return _all("navigation")


def registers() -> list[Register]:
    """Return the registers of all domains in order."""
    return _all("registers")


def register(key: str) -> Register | None:
    """Return the register of a key."""
    return next((entry for entry in registers() if entry.key == key), None)


def register_of(model: Any) -> Register | None:
    """Return the register that lists records of a model."""
    return next((entry for entry in registers() if entry.model is model), None)


def panels(subject: str) -> list[Panel]:
    """Return the panels of a kind of subject in order."""
    return [panel for panel in _all("panels") if subject in panel.subjects]


def timelines(subject: str) -> list[Timeline]:
    """Return the sources of a kind of subject's timeline."""
    return [source for source in _all("timelines") if subject in source.subjects]


def traits(subject: str) -> list[Trait]:
    """Return what contributes to a kind of subject's portrait."""
    return [trait for trait in _all("traits") if subject in trait.subjects]


def checks(subject: str) -> list[Check]:
    """Return the identity checks of a kind of subject."""
    return [check for check in _all("checks") if subject in check.subjects]


def concerns() -> list[Concern]:
    """Return the lists of the home page in order."""
    return _all("concerns")


def tiles() -> list[Tile]:
    """Return the tiles of the cockpit in order."""
    return _all("tiles")


def searches() -> list[Search]:
    """Return the kinds of things beside registers that the search finds."""
    return _all("searches")


def public_sections() -> list[Section]:
    """Return the sections of the public site in order."""
    return _all("public_sections")


def portal_sections() -> list[Section]:
    """Return the sections of the enterprises' portal in order."""
    return _all("portal_sections")


def works() -> dict[str, Work]:
    """Return the kinds of long work by key."""
    return {work.key: work for work in _all("works")}
