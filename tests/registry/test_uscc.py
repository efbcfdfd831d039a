"""The check character of the unified social credit code (GB 32100-2015)."""

import pytest

from luming.registry import uscc


def test_published_example():
    # GB 32100-2015, annex A example
    assert uscc.is_valid("91350100M000100Y43")


@pytest.mark.parametrize(
    "code", ["91350100M000100Y44", "91350100M000100Y4", "91350100I000100Y43", "", "91350100m000100y43"]
)
def test_wrong_codes(code):
    assert not uscc.is_valid(code)


def test_every_single_substitution_is_found():
    good = "91350100M000100Y43"
    for position in range(18):
        for character in "0123456789ABCDEFGHJKLMNPQRTUWXY":
            if character != good[position]:
                assert not uscc.is_valid(good[:position] + character + good[position + 1 :])
