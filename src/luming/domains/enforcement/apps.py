"""Manifest of the enforcement domain."""

from luming.core.manifest import DomainConfig


class EnforcementConfig(DomainConfig):
    """What the enforcement domain adds to the product."""

    name = "luming.domains.enforcement"
    label = "enforcement"
