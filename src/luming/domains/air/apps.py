"""Manifest of the air domain."""

from luming.core.manifest import DomainConfig


class AirConfig(DomainConfig):
    """What the air domain adds to the product."""

    name = "luming.domains.air"
    label = "air"
