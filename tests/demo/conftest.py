"""The registered demonstration fleet, committed once per module: the store's writers come over other connections."""

from __future__ import annotations

import emptying
import pytest


@pytest.fixture(scope="module")
def committed_fleet(django_db_setup, django_db_blocker):
    """Register the fleet; return its one-time passwords. Everything is emptied after the module."""
    from django.core.management import call_command

    from luming.demo import fleet
    from luming.registry import city

    with django_db_blocker.unblock():
        empty_store()
        try:
            city.load("baotou")
            yield fleet.load()
        finally:
            call_command("flush", interactive=False, verbosity=0)
            empty_store()


def empty_store() -> None:
    """Empty the tables that Django does not know of."""

    emptying.empty_store()
