"""The demonstration's public site has something to read, once."""

import pytest

from luming.demo import announcements
from luming.domains.disclosure.models import Announcement


@pytest.mark.django_db
def test_announcements_are_made_once_and_say_what_they_are():
    assert announcements.load() == 5 and announcements.load() == 0
    assert Announcement.objects.published().count() == 4
    for row in Announcement.objects.all():
        assert "演示" in row.title or "Demonstration" in row.title
