"""The switch of the language offers the other one, and brings a reader back."""

import re

import pytest
from django.urls import reverse


def offered(page: str) -> tuple[str, str, str]:
    """Return the language of a page, the one its switch posts, and what the switch says."""
    form = re.search(rf'<form[^>]*action="{reverse("language")}".*?</form>', page, re.S)[0]
    posts = re.search(r'name="language" value="([^"]+)"', form)[1]
    return re.search(r'<html[^>]*lang="([^"]+)"', page)[1], posts, re.search(r"<button[^>]*>(.*?)</button>", form)[1]


@pytest.mark.parametrize("role", ["duty", "anonymous"])
def test_there_and_back(world, role):
    client = world.client(role)
    address = reverse("home" if role == "duty" else "login")
    for wanted, other in (("zh-hans", "en"), ("en", "zh-hans"), ("zh-hans", "en")):
        client.post(reverse("language"), {"language": wanted})
        shown, posts, says = offered(client.get(address).content.decode())
        assert (shown.lower().startswith(wanted[:2]), posts) == (True, other)
        assert says in {"en": ("EN", "English"), "zh-hans": ("中", "中文")}[other]
