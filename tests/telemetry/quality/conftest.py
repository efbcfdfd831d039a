"""A way to store values of series."""

import pytest
from sent_series import Sender


@pytest.fixture
def send(empty_store):
    sender = Sender()
    yield sender
    sender.writer.close()
