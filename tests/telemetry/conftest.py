"""Empty packet and observation tables for tests that write to them."""

import pytest

from luming.telemetry.store import connecting


@pytest.fixture
def empty_store(db):
    """Empty the store's tables before the test: writers commit over their own connections, so no rollback does it."""
    with connecting.connect(**connecting.parameters(as_owner=True)) as owner:
        owner.execute("TRUNCATE telemetry_packet, telemetry_packet_release, telemetry_observation, telemetry_dirty")
