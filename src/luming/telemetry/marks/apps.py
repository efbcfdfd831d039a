"""Manifest of marks: what dischargers state of their own periods (自动监测设备标记)."""

from django.db.models.signals import post_migrate

from luming.core.manifest import DomainConfig


class MarksConfig(DomainConfig):
    """What this part of telemetry adds to the product."""

    name = "luming.telemetry.marks"
    label = "marks"
    verbose_name = "自动监测标记"

    def ready(self) -> None:
        """Name the hooks; their modules need the loaded models."""
        from luming.telemetry.marks import registers, seeding

        self.registers = registers.REGISTERS
        post_migrate.connect(seeding.seed, sender=self)
