"""The dummy's ledgers: what docs/how-to/add-a-ledger.md shows."""

from django import forms

from luming.core.registers import Action, Column, Group, Register, Related
from luming_dummy import actions
from luming_dummy.models import Sample, Well

REGISTERS = [
    Register(
        key="wells",
        model=Well,
        columns=[
            "name",
            "code",
            "region",
            "use",
            Column("depth_m", total="mean", unit="m", decimals=1),
            "drilled_on",
            Column("facility", shown=False),
            Column("diameter_mm", shown=False),
            Column("level_m", shown=False),
            Column("checked_at", shown=False),
            Column("is_sealed", shown=False),
            Column("contact", shown=False),
        ],
        filters=["region", "use", "depth_m", "drilled_on", "is_sealed"],
        search=["name", "code", "contact"],
        form=[
            Group("Identity", ["code", "name", "use", "facility", "contact"]),
            Group("Construction", ["depth_m", "diameter_mm", "drilled_on", "is_sealed"]),
            Group("Where it is", ["region", "longitude", "latitude"]),
            Group("State", ["level_m", "checked_at", "remarks"]),
        ],
        natural_key=["code"],
        bulk=["use", "is_sealed", "contact"],
        related=[Related("samples", "well")],
        actions=[
            Action(
                key="seal",
                label="Seal",
                icon="lock",
                permission="place.edit",
                run=actions.seal,
                question="Nobody draws water from a sealed well.",
                fields={"depth_m": forms.FloatField(label="Sealed down to (m)", min_value=0)},
                applies=lambda well: not well.is_sealed,
                undo="open",
            ),
            Action(
                key="open",
                label="Open again",
                icon="lock",
                permission="place.edit",
                run=actions.unseal,
                applies=lambda well: well.is_sealed,
            ),
        ],
        select=["region"],
        position=("longitude", "latitude"),
        delete=True,
    ),
    Register(
        key="samples",
        model=Sample,
        columns=["well", "taken_at", "nitrate"],
        filters=["well"],
        select=["well"],
        delete=True,
        menu=False,
    ),
]
