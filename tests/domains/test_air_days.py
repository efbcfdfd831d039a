"""The city's days: which hours make a day, which stations make a city, which edition of the index."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from luming.domains.air import days
from luming.standards.edition import CITY_ZONE

CLEAN = {"so2": 8.0, "no2": 20.0, "co": 0.6, "o3": 70.0, "pm10": 40.0, "pm25": 20.0}


def hours(day, stations=1, **values):
    """Return the hours of a day; a value may be one number or 24 of them."""
    start = datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=CITY_ZONE)
    rows = {name: np.broadcast_to(value, 24) for name, value in (CLEAN | values).items()}
    return {
        (station, start + timedelta(hours=hour)): {name: float(row[hour]) for name, row in rows.items()}
        for station in range(stations)
        for hour in range(24)
    }


def test_the_largest_hour_of_ozone_counts_in_2012_only():
    ozone = np.full(24, 70.0)
    ozone[14] = 260.0  # the 8-hour means around it stay below 100
    (old,) = days.city_days(hours("2026-02-28", o3=ozone))
    (new,) = days.city_days(hours("2026-03-01", o3=ozone))
    # HJ 633-2012 table 1: 200 is IAQI 100, 300 is 150; 60 µg/m³ above 200 is 130.
    assert (old.index, old.primary, old.level) == (130, "o3", 3)
    assert (new.index, new.level) == (47, 1)


def test_a_day_of_ozone_above_the_limit_counts_whatever_is_missing():
    ozone = np.full((1, 1, 24), np.nan)
    ozone[..., 8:18] = 160.4  # rounds to the limit: not above it
    assert np.isnan(days._largest_8(ozone)[0, 0])
    ozone[..., 8:18] = 161.0
    assert days._largest_8(ozone)[0, 0] == 161


@pytest.mark.parametrize(("valid", "index"), [(4, 40), (3, 40), (2, None)])
def test_a_city_needs_three_quarters_of_its_stations(valid, index):
    rows = hours("2026-05-01", stations=4)
    rows = {key: (values if key[0] < valid or key[1].hour < 12 else {}) for key, values in rows.items()}
    (day,) = days.city_days(rows)
    assert (day.index, day.stations) == (index, valid)
