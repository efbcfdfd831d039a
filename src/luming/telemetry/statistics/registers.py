"""The register of tolerances of the platform's own hours."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from luming.core.registers import Column, Group, Register
from luming.telemetry.statistics.models import Tolerance

PERMISSION = "quality.configure"

REGISTERS = [
    Register(
        key="tolerances",
        model=Tolerance,
        icon="adjustments",
        order=96,
        edit=PERMISSION,
        explained=True,
        columns=["medium", "factor", Column("relative", decimals=1), "absolute", "effective_from", "source"],
        filters=["medium"],
        search=["factor", "source"],
        form=[Group(_("Tolerance"), ["medium", "factor", "relative", "absolute", "effective_from", "source"])],
        natural_key=["medium", "factor", "effective_from"],
        sort=["medium", "factor", "effective_from"],
        delete=True,
        menu=False,
        help="reference/statistics-of-record",
        description=_("By how much an hour computed from minutes may differ from the one the device sent."),
        cycle=_("as needed"),
    ),
]
