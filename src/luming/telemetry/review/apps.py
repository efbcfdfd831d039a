"""Manifest of review: people's decisions on data."""

from django.db.models.signals import post_migrate

from luming.core.manifest import DomainConfig


class ReviewConfig(DomainConfig):
    """What this part of telemetry adds to the product."""

    name = "luming.telemetry.review"
    label = "review"
    verbose_name = "数据审核"

    def ready(self) -> None:
        """Name the hooks; their modules need the loaded models."""
        from luming.telemetry.review import registers, seeding

        self.registers = registers.REGISTERS
        post_migrate.connect(seeding.seed, sender=self)
