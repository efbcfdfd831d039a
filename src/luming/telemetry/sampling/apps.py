"""Sampling: samples taken by hand, from plan to result."""

from luming.core.manifest import DomainConfig


class SamplingConfig(DomainConfig):
    """What this part of telemetry adds to the product."""

    name = "luming.telemetry.sampling"
    label = "sampling"
    verbose_name = "手工采样"

    def ready(self) -> None:
        """Name the registers; the module needs the loaded models."""
        from luming.telemetry.sampling import registers

        self.registers = registers.REGISTERS
