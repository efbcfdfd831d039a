"""A domain is a manifest: what it adds to the product is read from its ``DomainConfig``.

The shell, the map, the worker and (later) the plan and the catalogue are composed from the manifests; none of them
names a domain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig, apps


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """An entry of the shell's menu."""

    label: Any  # lazy translation
    url_name: str
    icon: str  # Tabler icon name
    permission: str = "data.view"
    group: str = "monitoring"
    order: int = 100


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges places of one kind and medium by a standard.

    ``evaluate(place_ids, interval, starts)`` returns the new judgements of these periods; ``intervals`` says which
    observation intervals wake it.
    """

    key: str
    kind: str  # of places: station or outlet
    media: frozenset[str]
    intervals: frozenset[str]
    evaluate: Callable[..., Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the one map: ``features(user)`` returns a GeoJSON feature collection."""

    key: str
    label: Any
    features: Callable[[Any], dict[str, Any]]
    legend: Sequence[tuple[str, Any, str]] = ()  # (state, label, colour)
    order: int = 100


class DomainConfig(AppConfig):
    """The manifest of a domain. A domain overrides what it has; everything else stays empty."""

    navigation: Sequence[NavigationItem] = ()
    judges: Sequence[Judge] = ()
    layers: Sequence[Layer] = ()


def manifests() -> Iterator[DomainConfig]:
    """Iterate over the manifests of all installed domains."""
    return (config for config in apps.get_app_configs() if isinstance(config, DomainConfig))


def judges() -> list[Judge]:
    """Return the judges of all domains."""
    return [judge for manifest in manifests() for judge in manifest.judges]


def layers() -> list[Layer]:
    """Return the map layers of all domains in order."""
    return sorted((layer for manifest in manifests() for layer in manifest.layers), key=lambda layer: layer.order)


def navigation() -> list[NavigationItem]:
    """Return the menu entries of all domains in order."""
    return sorted((item for manifest in manifests() for item in manifest.navigation), key=lambda item: item.order)
