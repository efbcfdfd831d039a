"""Queries of the pages of sampling: more samples cost no more of them, and a page no more than its share."""

from datetime import timedelta

from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from luming.telemetry.sampling import actions
from luming.telemetry.sampling.models import Sample

MOST = 30  # queries of any of these pages, the shell's included


def pages(world, plan, sample):
    return {
        "desk": reverse("sampling"),
        "moving": reverse("sampling") + "?tab=moving",
        "plan": reverse("sampling-plan", args=[plan.pk]),
        "sample": reverse("sample", args=[sample.pk]),
        "results": reverse("sample-results"),
        "review": reverse("sample-review"),
        "comparisons": reverse("sample-comparisons"),
    }


def measure(world, client, plan, sample):
    found = {}
    for name, url in pages(world, plan, sample).items():
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200, name
        found[name] = len(queries)
    return found


def more(world, second, count):
    """Take samples; each has a result that waits and one that was accepted and compared."""
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    for number in range(count):
        sample = actions.add_sample(
            None, place=world.outlet, due_on=timezone.localdate(), factors=["a34013", "a21026", "a21002"]
        )
        end = now - timedelta(hours=3 + number)
        actions.take(None, sample, taken_from=end - timedelta(hours=1), taken_to=end, samplers="x")
        sample = Sample.objects.select_related("place").get(pk=sample.pk)
        rows = [
            actions.Entry(sample, factor, 5.0, "mg/m³", end, method="HJ 57-2017", analyst="检测员")
            for factor in ("a34013", "a21026")
        ]
        accepted, _waiting = actions.enter_results(world.users["reviewer"], rows)
        actions.review(second.user, accepted, "accepted", seen=actions.seen_hash(accepted, sample))


def test_more_samples_cost_no_more_queries(world, plan, samples, second):
    more(world, second, 1)
    sample = Sample.objects.filter(plan=None).get()
    before = measure(world, second.client, plan, sample)
    more(world, second, 5)
    after = measure(world, second.client, plan, sample)
    # Each sample under review reads its own time of the store once: the series, the observations, the verdicts.
    assert after.pop("review") <= before.pop("review") + 5 * 3
    assert after == before
    assert max(after.values()) <= MOST, after
