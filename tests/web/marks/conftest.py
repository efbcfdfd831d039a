"""The city of the page tests, with marks of its outlet in every state."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from luming.telemetry.marks import actions, seeding
from luming.telemetry.marks.models import MarkCode

HOUR = timedelta(hours=1)


def furnish(world):
    """Mark hours of the outlet: one to decide, one late and contradictory, one confirmed, one refused."""
    seeding.seed()
    hour = world.judgement.start  # its hour exceeds
    clerk, anna = world.users["enterprise"], world.users["reviewer"]

    def make(code, first, last, at=None):
        wanted = actions.Wanted(MarkCode.objects.get(code=code), hour + first * HOUR, hour + last * HOUR, "see log")
        [mark] = actions.make(clerk, world.outlet, [wanted], at=at or hour + last * HOUR)
        return mark

    waiting = make("low-load", -20, -19)
    against = make("maintenance", -8, -6, at=hour + timedelta(days=40))
    confirmed = actions.confirm(anna, make("maintenance", -12, -11))
    refused = actions.refuse(anna, make("device-fault", -16, -15), "日志与标记不符")
    return SimpleNamespace(
        hour=hour, waiting=waiting, against=against, confirmed=confirmed, refused=refused, make=make, world=world
    )


@pytest.fixture
def marked(world):
    """Give the marks."""
    return furnish(world)
