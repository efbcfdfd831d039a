"""A person for what people do."""

import pytest

from luming.core.models import User


@pytest.fixture
def world_user(db):
    """Return somebody of the bureau."""
    return User.objects.create(username="duty", name="值守", role="duty")
