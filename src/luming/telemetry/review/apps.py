"""Review: people's decisions on data."""

from luming.core.manifest import DomainConfig


class ReviewConfig(DomainConfig):
    """What this part of telemetry adds to the product."""

    name = "luming.telemetry.review"
    label = "review"
    verbose_name = "数据审核"
