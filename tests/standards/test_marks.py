"""Marks of dischargers: what each means, who may make it until when, and what does not agree."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from luming.standards import marks


def test_every_row_is_complete_and_refers_to_what_exists():
    known = {sector.code for sector in marks.sectors()}
    codes = [found.code for found in marks.marks()]
    assert len(codes) == len(set(codes))
    for found in marks.marks():
        assert found.kind in ("operating", "device")
        assert found.name_zh and found.name_en and found.source
        assert found.automatic or found.manual
        assert found.sectors == ("*",) or set(found.sectors) <= known
        assert set(found.yearly_group) <= set(codes)
        assert (found.yearly_hours is None) == (found.yearly_group == ())
        assert not found.shutdown or found.excluded  # a plant that stands still exceeds nothing
        marks.deadline(found.code, datetime(2026, 1, 1, tzinfo=UTC))
    for rule in marks.mark_rules():
        assert set(rule.sectors) <= known
    for pair in marks.contradictions():
        assert pair.marks <= set(codes) and pair.verdict in ("check", "contradiction")


def test_marks_of_one_group_have_one_limit():
    for found in marks.marks():
        assert {marks.mark(code).yearly_hours for code in found.yearly_group} <= {found.yearly_hours}


@pytest.mark.parametrize(
    ("sector", "day", "key"),
    [
        ("waste-incineration", date(2019, 11, 25), None),
        ("waste-incineration", date(2019, 11, 26), "公告2019年第50号"),
        ("paper", date(2022, 12, 31), "执法函〔2020〕21号"),
        ("paper", date(2023, 1, 1), "公告2022年第21号"),
        ("other", date(2026, 1, 1), None),
    ],
)
def test_which_rule_obliges_a_sector(sector, day, key):
    rule = marks.rule_for(sector, day)
    assert (rule.key if rule else None) == key


def test_letters_of_hj212_have_states():
    assert [marks.of_letter(letter).code for letter in "NFMSDCTB"] == [
        "device-normal", "device-stopped", "maintenance", "manual-value", "device-fault", "calibration", "over-range",
        "communication",
    ]  # fmt: skip
    assert marks.of_letter("") is None


def test_the_deadline_is_noon_of_the_next_city_day():
    midnight = datetime(2026, 11, 28, 16, tzinfo=UTC)  # the end of 28 November in the city
    assert marks.deadline("maintenance", midnight) == datetime(2026, 11, 29, 4, tzinfo=UTC)
    assert marks.deadline("maintenance", midnight + timedelta(minutes=1)) == datetime(2026, 11, 30, 4, tzinfo=UTC)
    assert marks.in_time("maintenance", midnight, datetime(2026, 11, 29, 4, tzinfo=UTC))
    assert not marks.in_time("maintenance", midnight, datetime(2026, 11, 29, 4, 0, 1, tzinfo=UTC))
    assert marks.deadline("blow-back", midnight) == midnight  # only devices make it
    with pytest.raises(ValueError, match="zone"):
        marks.deadline("fault", datetime(2026, 1, 1))


def test_effects_of_many_codes_at_once():
    codes = ["", "stopped", "fault", "low-load", "maintenance", "running"]
    assert marks.excluded(codes).tolist() == [False, True, True, False, True, False]
    assert marks.shutdown(codes).tolist() == [False, True, False, False, False, False]
    with pytest.raises(LookupError, match="no-such"):
        marks.excluded(["no-such"])


def test_what_does_not_agree():
    assert marks.contradiction("stopped", "fault").verdict == "contradiction"
    assert marks.contradiction("stopped", "device-normal").verdict == "check"
    assert marks.contradiction("device-stopped", "running").verdict == "contradiction"
    assert marks.contradiction("fault", "maintenance") is None
    assert marks.contradiction("fault", "fault") is None


def test_marks_without_gaps_are_one_chain_whatever_they_say():
    day = np.datetime64("2026-10-05T14:00")
    start = day + np.array([54, 43, 52, 56, 200]) * np.timedelta64(1, "m")
    end = day + np.array([55, 52, 54, 150, 201]) * np.timedelta64(1, "m")
    assert marks.chains(start, end).tolist() == [0, 0, 0, 1, 2]
    assert marks.chains(start, end, tolerance=np.timedelta64(1, "m")).tolist() == [0, 0, 0, 0, 1]
    inside = marks.chains([day, day + 1, day + 5], [day + 10, day + 2, day + 6])
    assert inside.tolist() == [0, 0, 0]  # a short period within a long one ends no chain
    assert marks.chains([], []).tolist() == []
    assert marks.longest_unexplained() == timedelta(minutes=15)
    with pytest.raises(ValueError, match="end"):
        marks.chains([day], [day - 1])


@pytest.mark.parametrize(
    ("industry", "sector"),
    [("火力发电", "thermal-power"), ("水泥制造", "cement"), ("生活垃圾焚烧发电", "waste-incineration"),
     ("机制纸及纸板制造（造纸）", "paper"), ("铝冶炼", "other"), ("", "other")],
)  # fmt: skip
def test_the_sector_follows_from_the_industry(industry, sector):
    assert marks.sector_of(industry) == sector


def test_gas_is_marked_by_minutes_and_water_by_hours():
    reach = marks.reach()
    assert (reach.step("gas"), reach.step("sewage")) == (timedelta(minutes=1), timedelta(hours=1))
    assert reach.hour_minutes == 60 - 45 + 1 and reach.day_hours == 24 - 20 + 1  # HJ 75: 45 minutes, 20 hours
    assert not reach.verified and not marks.evidence().verified
