"""Manifest of the permitting domain."""

from luming.core.manifest import DomainConfig, Judge


class PermittingConfig(DomainConfig):
    """What the permitting domain adds to the product."""

    name = "luming.domains.permitting"
    label = "permitting"

    def ready(self) -> None:
        """Name the hooks; their modules need the loaded models."""
        from luming.domains.permitting import evaluate, registers

        self.judges = [
            Judge("emission-days", "outlet", evaluate.MEDIA, frozenset({"hour"}), evaluate.judge_hours),
        ]
        self.registers = registers.REGISTERS
