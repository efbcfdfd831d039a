"""Jobs of the checks, run by ``luming worker`` (procrastinate finds them by the module's name)."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta

from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from luming.registry.models import Place, Series
from luming.standards.edition import midnight
from luming.telemetry.quality import closing, suspicions
from luming.telemetry.quality.models import CheckSetting

logger = logging.getLogger(__name__)

RECHECKED = timedelta(days=400)  # at most so far back a new setting is applied by itself


@app.periodic(cron="20 17 * * *")  # 01:20 in the city
@app.task(name="luming.quality.close", queueing_lock="quality-close", lock="quality-close", pass_context=False)
def close_days(timestamp: int) -> int:
    """Close the days that are over, the newest first, and those that got other data since."""
    days = closing.due(timezone.localdate())
    for day in days:
        outcome = closing.close(day)
        logger.info("closed %s: %d values checked, %d verdicts", day, outcome.values, outcome.written)
    return len(days)


@app.periodic(cron="50 17 * * *")  # 01:50 in the city
@app.task(name="luming.quality.suspect", queueing_lock="quality-suspect", pass_context=False)
def suspect_everywhere(timestamp: int) -> int:
    """Queue the nightly search for fabricated data: one job per place, so that a restart goes on where it was."""
    until = midnight(timezone.localdate())
    places = Place.objects.filter(is_active=True, pk__in=Series.objects.filter(interval="hour").values("place"))
    count = 0
    for place_id in places.order_by("pk").values_list("pk", flat=True):
        try:
            suspect_place.configure(queueing_lock=f"suspect-{place_id}").defer(
                place_id=place_id, until=until.isoformat()
            )
        except AlreadyEnqueued:
            continue
        count += 1
    return count


@app.task(name="luming.quality.suspect_place", lock="quality-suspect-place", pass_context=False)
def suspect_place(place_id: int, until: str) -> int:
    """Search one place, at most 90 days back; one place at a time leaves the other core to the judges."""
    return suspicions.search(place_id, datetime.fromisoformat(until).astimezone(UTC))


@app.task(name="luming.quality.recheck", lock="quality-recheck", pass_context=False)
def recheck(setting_id: int, first: str) -> None:
    """Check some days again by a setting that a person has made, and queue the next ones."""
    setting = CheckSetting.objects.get(pk=setting_id)
    today = timezone.localdate()
    begin = date.fromisoformat(first)
    end = min(begin + timedelta(days=closing.STEP - 1), today)
    for place_id in concerned(setting):
        for _step in closing.apply(begin, end, Place.objects.get(pk=place_id), again=True):
            pass
    closing.reopen(begin + timedelta(days=back) for back in range((end - begin).days + 1))
    if end < min(today, setting.effective_to or today):
        recheck.defer(setting_id=setting_id, first=(end + timedelta(days=1)).isoformat())


def concerned(setting: CheckSetting) -> list[int]:
    """Return the places whose values a setting concerns."""
    series = Series.objects.filter(place__medium=setting.medium)
    if setting.series_id:
        series = series.filter(pk=setting.series_id)
    elif setting.factor:
        series = series.filter(factor=setting.factor)
    return list(series.order_by("place_id").values_list("place_id", flat=True).distinct())


def recheck_from(setting: CheckSetting, since: date) -> None:
    """Queue the check of what a changed setting concerns, as far back as is done without being asked."""
    first = max(since, timezone.localdate() - RECHECKED)
    if first <= timezone.localdate():
        recheck.defer(setting_id=setting.pk, first=first.isoformat())
