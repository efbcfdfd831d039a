"""Marks: what dischargers state of their own periods (自动监测设备标记)."""

from luming.core.manifest import DomainConfig


class MarksConfig(DomainConfig):
    """What this part of telemetry adds to the product."""

    name = "luming.telemetry.marks"
    label = "marks"
    verbose_name = "自动监测标记"
