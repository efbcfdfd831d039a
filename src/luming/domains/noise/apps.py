"""Manifest of the noise domain."""

from luming.core.manifest import DomainConfig


class NoiseConfig(DomainConfig):
    """What the noise domain adds to the product."""

    name = "luming.domains.noise"
    label = "noise"
