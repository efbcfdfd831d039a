"""Wells of the dummy domain: a ledger of fifteen fields, with duplicates and gaps to page over."""

from datetime import date

import pytest
from luming_dummy.models import Sample, Well

from luming.registry.models import Region

NAMES = ["河西水源井", "城东监测井", "昆河观测井", "北梁供水井"]


@pytest.fixture
def wells(world):
    """Make 120 wells in two districts: names in fours, depths in tens, every third without a day."""
    here, there = (Region.objects.get(code=code) for code in ("150203", "150207"))
    made = [
        Well(
            code=f"W{number:03}",
            name=NAMES[number % 4],
            region=here if number % 2 else there,
            use="supply" if number % 5 == 0 else "monitoring",
            depth_m=10.0 * (number % 12) + 10,
            drilled_on=date(2000 + number % 7, 1, 1) if number % 3 else None,
            longitude=109.8 + number / 1000,
            latitude=40.6,
            is_sealed=number % 10 == 0,
        )
        for number in range(120)
    ]
    found = Well.objects.bulk_create(made)
    Sample.objects.create(well=found[0], taken_at="2026-03-01T00:00:00Z", nitrate=3.5)
    return found
