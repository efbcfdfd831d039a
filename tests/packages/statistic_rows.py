"""Statistics for tests that show or judge them: rows as the engine would append them."""

from datetime import UTC, datetime, timedelta

from luming.standards.edition import CITY_ZONE
from luming.telemetry.statistics.models import Statistic

CODES = {
    "so2": ("a21026", "mean"), "no2": ("a21004", "mean"), "co": ("a21005", "mean"), "o3": ("a05024", "max8"),
    "o3_1h": ("a05024", "max1"), "pm10": ("a34002", "mean"), "pm25": ("a34004", "mean"),
}  # fmt: skip
CLEAN = {"so2": 8.0, "no2": 20.0, "co": 0.6, "o3": 70.0, "pm10": 40.0, "pm25": 20.0}


def row(place, factor, start, value, *, measure="mean", kind="day", valid=True, **more):
    """Return a statistic that is not saved; ``start`` is a day such as 2026-05-01 or an instant."""
    if isinstance(start, str):
        start = datetime.fromisoformat(start).replace(tzinfo=CITY_ZONE)
    now = datetime.now(UTC)
    values = {
        "rounded": value, "reason": 0 if valid else 2, "count": 24 if valid else 5, "expected": 24, "required": 20,
        "unit": "µg/m³", "method": "mean", "decimals": 0, "source": "hours", "edition": "GB 3095-2026 table 4",
        "rule": "GB 3095-2026/day", "verified": True, "digest": "0" * 64, "as_of": now, "computed_at": now,
        "software": "test",
    }  # fmt: skip
    return Statistic(
        place_id=place.pk, factor=factor, measure=measure, kind=kind, start=start, value=value, valid=valid,
        **(values | more),
    )  # fmt: skip


def save_days(place, days, **values):
    """Save valid days of the six factors of air (those of CLEAN where not given); None leaves one out."""
    rows = []
    for start in days:
        for name, value in (CLEAN | values).items():
            if value is not None:
                factor, measure = CODES[name]
                rows.append(row(place, factor, start, value, measure=measure))
    return Statistic.objects.bulk_create(rows)


def days_before(moment, number):
    """Return the midnights of so many full days before an instant's day, oldest first."""
    today = moment.astimezone(CITY_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return [today - timedelta(days=back) for back in range(number, 0, -1)]
