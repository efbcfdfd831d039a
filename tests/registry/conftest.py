"""People and places of these tests."""

import pytest

from luming.core.models import Organisation, User
from luming.registry import city


@pytest.fixture
def baotou(db):
    return city.load("baotou")


@pytest.fixture
def registrar(baotou):
    """May edit and import in the whole city."""
    return User.objects.create_user("registrar", "x" * 12, name="台账员", role="registrar")


@pytest.fixture
def district_registrar(baotou):
    """May edit and import in Kundulun only."""
    return User.objects.create_user("kundulun", "x" * 12, name="昆区台账员", role="registrar", region_codes=["150203"])


@pytest.fixture
def plant(baotou):
    from luming.registry import actions

    return actions.create_facility(
        None,
        code="QY0001",
        name="示例热电厂",
        region_id="150203",
        longitude=109.75,
        latitude=40.66,
        organisation=Organisation.objects.create(name="示例热电有限公司", kind="enterprise"),
    )


@pytest.fixture
def stack(plant):
    from luming.registry import actions

    return actions.create_outlet(None, facility=plant, number="DA001", name="1 号烟囱", reference_oxygen=6)
