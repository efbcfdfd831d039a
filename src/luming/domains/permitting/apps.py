"""Manifest of the permitting domain."""

from luming.core.manifest import DomainConfig


class PermittingConfig(DomainConfig):
    """What the permitting domain adds to the product."""

    name = "luming.domains.permitting"
    label = "permitting"
