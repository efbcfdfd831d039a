"""Sampling: samples taken by hand, from plan to result."""

from luming.core.manifest import DomainConfig


class SamplingConfig(DomainConfig):
    """What this part of telemetry adds to the product."""

    name = "luming.telemetry.sampling"
    label = "sampling"
    verbose_name = "手工采样"
