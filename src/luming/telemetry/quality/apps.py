"""Quality: checks at work: parameters of series, runs, hit rates, suspicions."""

from luming.core.manifest import DomainConfig


class QualityConfig(DomainConfig):
    """What this part of telemetry adds to the product."""

    name = "luming.telemetry.quality"
    label = "quality"
    verbose_name = "数据质量"
