"""Manifest of the disclosure domain."""

from luming.core.manifest import DomainConfig


class DisclosureConfig(DomainConfig):
    """What the disclosure domain adds to the product."""

    name = "luming.domains.disclosure"
    label = "disclosure"
