"""Manifest of instruments: calibrations, maintenance, supplies and certificates of devices, and their health."""

from luming.core.manifest import DomainConfig, Judge


class InstrumentsConfig(DomainConfig):
    """What this part of telemetry adds to the product."""

    name = "luming.telemetry.instruments"
    label = "instruments"
    verbose_name = "设备运维"

    def ready(self) -> None:
        """Name the hooks; their modules need the loaded models."""
        from luming.telemetry.instruments import pending, registers

        self.registers = registers.REGISTERS
        # Not a judgement: the hook that hears of new hours notes the days whose health must be computed again.
        self.judges = [
            Judge("health-days", kind, pending.MEDIA, frozenset({"hour"}), pending.note_hours)
            for kind in ("station", "outlet")
        ]
