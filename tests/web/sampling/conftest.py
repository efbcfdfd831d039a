"""The small city of the page tests with a plan, its samples and two reviewers."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.test import Client
from django.utils import timezone

from luming.core.models import User
from luming.telemetry.sampling import actions


@pytest.fixture
def second(world):
    """Another reviewer, with a client."""
    user = User.objects.create_user("u-second", "Luming-2026!", name="second", role="reviewer", language="en")
    client = Client()
    client.force_login(user, backend="luming.web.auth.Backend")
    return SimpleNamespace(user=user, client=client)


@pytest.fixture
def plan(world):
    return actions.create_plan(
        world.users["duty"], places=[world.outlet], name="月度比对", medium="gas", factors=["a34013", "a21026"],
        frequency="month", starts_on=timezone.localdate(), parallels=1,
    )  # fmt: skip


@pytest.fixture
def samples(world, plan):
    return actions.issue(world.users["duty"], plan, plan.starts_on)


@pytest.fixture
def taken(world, samples):
    sample = samples[0]
    end = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    actions.take(world.users["duty"], sample, taken_from=end - timedelta(hours=3), taken_to=end, samplers="甲、乙")
    sample.refresh_from_db()
    return sample


def entry(sample, factor="a34013", value=6.0, **fields):
    values = {
        "unit": "mg/m³", "analysed_at": sample.taken_to, "method": "HJ 836-2017", "analyst": "检测员",
    }  # fmt: skip
    return actions.Entry(sample, factor, value, **(values | fields))


@pytest.fixture
def entered(world, taken):
    return actions.enter_results(world.users["reviewer"], [entry(taken), entry(taken, "a21026", 7.0)])
