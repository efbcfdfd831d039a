"""Editions are found by the city-local day."""

from datetime import UTC, date, datetime

import pytest

from luming.standards.edition import edition, edition_in_force, editions


@pytest.mark.parametrize(
    ("when", "key"),
    [
        (date(2026, 2, 28), "HJ 633-2012"),
        (date(2026, 3, 1), "HJ 633-2026"),
        (datetime(2026, 2, 28, 23, 59), "HJ 633-2012"),
        (datetime(2026, 2, 28, 15, 59, tzinfo=UTC), "HJ 633-2012"),
        (datetime(2026, 2, 28, 16, 0, tzinfo=UTC), "HJ 633-2026"),  # 00:00 of 1 March in the city
    ],
)
def test_edition_in_force(when: date, key: str) -> None:
    assert edition_in_force("HJ 633", when).key == key


def test_unknown_families_and_keys_say_so() -> None:
    with pytest.raises(LookupError, match="HJ 999"):
        edition_in_force("HJ 999", date(2026, 1, 1))
    with pytest.raises(LookupError, match=r"known: .*HJ 633-2026"):
        edition("HJ 633-1999")


def test_no_two_editions_of_a_family_are_in_force_on_one_day() -> None:
    for known in editions():
        for other in editions(known.family):
            if other.effective_from > known.effective_from:
                assert known.effective_to is not None
                assert known.effective_to < other.effective_from
