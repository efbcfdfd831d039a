"""Evidence: provenance of figures, hash trees of days, evidence sheets."""

from luming.core.manifest import DomainConfig


class EvidenceConfig(DomainConfig):
    """What this part of telemetry adds to the product."""

    name = "luming.telemetry.evidence"
    label = "evidence"
    verbose_name = "证据"
