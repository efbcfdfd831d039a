"""Registry: regions, facilities, outlets, stations, devices, series and limits."""

from luming.core.manifest import DomainConfig


class RegistryConfig(DomainConfig):
    """The room of places."""

    name = "luming.registry"
    label = "registry"
    verbose_name = "点位与设备"

    def ready(self) -> None:
        """Name the registers; their module needs the loaded models."""
        from luming.registry import registers

        self.registers = registers.REGISTERS
