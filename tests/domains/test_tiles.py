"""Tiles of sources and noise: nothing judged is no good news."""

from django.utils import timezone

from luming.core.models import User
from luming.domains.enforcement import tiles as sources
from luming.domains.noise import tiles as noise
from luming.telemetry.models import PlaceState


def test_without_judged_places_nothing_is_good_or_bad(make_station, outlet):
    station = make_station("N1", "noise", {}, zone_class="2")
    for place, figure in ((station, noise.above_limit), (outlet, sources.exceeding_now)):
        for state, good in ((None, None), ("normal", True), ("exceeding", False)):
            PlaceState.objects.all().delete()
            if state is not None:
                PlaceState.objects.create(place=place, state=state, since=timezone.now(), period=timezone.now())
            user = User(role="duty")  # anew: a request remembers what it read
            assert figure(user).good is good, (place, state)
