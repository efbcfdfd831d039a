"""Statistics: figures of hours, days, months and years, computed from what counts."""

from luming.core.manifest import DomainConfig


class StatisticsConfig(DomainConfig):
    """What this part of telemetry adds to the product."""

    name = "luming.telemetry.statistics"
    label = "statistics"
    verbose_name = "统计"

    def ready(self) -> None:
        """Name the registers; their module needs the loaded models."""
        from luming.telemetry.statistics import registers

        self.registers = registers.REGISTERS
