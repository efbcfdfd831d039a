"""What a new installation begins with: reasons and rules, as unverified configuration of the bureau."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

from luming.telemetry.review.models import ReasonCode, ReviewRule

SOURCE = "本系统初始配置，待本局核定 / initial configuration, to be settled by the bureau"
BEGINNING = date(2020, 1, 1)


def seed(**_signal: Any) -> None:
    """Enter the first reasons and the first rule where there are none; called after each migration."""
    if not ReasonCode.objects.exists():
        found = tomllib.loads(Path(__file__).with_name("reasons.toml").read_text(encoding="utf-8"))
        ReasonCode.objects.bulk_create(
            ReasonCode(
                code=row["code"], action=action, key=key, name_zh=row["zh"], name_en=row["en"], source=SOURCE,
                effective_from=BEGINNING,
            )
            for action, rows in found.items()
            for key, row in enumerate(rows, 1)
        )  # fmt: skip
    if not ReviewRule.objects.exists():
        ReviewRule.objects.create(source=SOURCE, effective_from=BEGINNING)
