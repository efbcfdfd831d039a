"""Calculations of HJ 212-2017 Annex D and the judgement of an outlet's hour."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luming.standards import emission, limits
from luming.standards.emission import State, convert_to_reference_oxygen, judge_hour
from luming.standards.limits import Limit

NAN = float("nan")
STACK = {"so2": 35.0, "nox": 50.0, "pm": 10.0}


def test_conversion_to_reference_oxygen() -> None:
    assert convert_to_reference_oxygen([100.0, 100.0], [6.0, 13.5], 6.0).tolist() == [100.0, 200.0]
    assert convert_to_reference_oxygen(30.0, 12.0, None) == 30.0


def test_conversion_runs_away_at_the_oxygen_of_air_unless_capped() -> None:
    assert np.isnan(convert_to_reference_oxygen([10.0, 10.0], [21.0, 25.0], 6.0)).all()
    assert convert_to_reference_oxygen(10.0, 21.0, 6.0, o2_cap=20.0) == 150.0


@given(st.floats(0, 1000), st.floats(0, 20.5), st.floats(0, 20))
def test_the_two_forms_of_the_conversion_agree(c: float, o2: float, o2_ref: float) -> None:
    alpha = float(emission.excess_air(o2_ref))
    by_alpha = emission.convert_by_excess_air(c, o2, alpha)
    np.testing.assert_allclose(by_alpha, convert_to_reference_oxygen(c, o2, o2_ref), rtol=1e-12)


def test_formulas_of_annex_d_by_hand() -> None:
    assert emission.standard_state(100.0, 273.0, 0.0, 101_325.0) == 200.0  # (18) twice the temperature
    assert emission.dry_basis(92.0, 0.08) == pytest.approx(100.0)  # (19)
    assert emission.ppm_to_mass(22.4, "so2") == pytest.approx(64.0)  # (20)
    assert emission.nox_as_no2(30.0, 4.0) == 50.0  # (21)
    assert emission.nox_from_ppm(11.2, 11.2) == pytest.approx(46.0)  # (22)
    assert emission.excess_air(10.5) == 2.0  # (27)
    assert emission.flue_velocity(10.0, 0.9) == 9.0  # (29)
    assert emission.actual_flow(2.0, 10.0) == 72_000.0  # (30)
    assert emission.standard_dry_flow(1000.0, 273.0, 0.0, 101_325.0, 0.1) == 450.0  # (31)
    assert emission.hourly_amount(50.0, 200_000.0) == 10.0  # (33)


def test_nox_by_mass_and_by_ppm_agree() -> None:
    no, no2 = 40.0, 5.0  # ppm
    by_mass = emission.nox_as_no2(emission.ppm_to_mass(no, "no"), emission.ppm_to_mass(no2, "no2"))
    assert by_mass == pytest.approx(float(emission.nox_from_ppm(no, no2)))


def test_means_need_45_minutes_and_20_hours() -> None:
    assert emission.hour_mean([2.0] * 45 + [NAN] * 15) == 2.0
    assert np.isnan(emission.hour_mean([2.0] * 44 + [NAN] * 16))
    assert emission.day_mean([1.0] * 10 + [3.0] * 10) == 2.0
    assert np.isnan(emission.day_mean([1.0] * 19))


def test_waste_water() -> None:
    assert emission.water_amount(1000.0, 50.0) == 50.0
    assert emission.water_flow(3.6, 3600.0) == 1.0  # L/s; with the factor 1000 that the standard's print lacks
    assert emission.weighted_concentration([1.0, 3.0, NAN], [10.0, 50.0, 99.0]) == 40.0
    assert np.isnan(emission.weighted_concentration([0.0], [10.0]))


def test_moisture_in_percent_is_refused() -> None:
    with pytest.raises(ValueError, match="fraction below 1"):
        emission.dry_basis(10.0, 8.0)
    with pytest.raises(ValueError, match="no molar mass for 'hg'"):
        emission.ppm_to_mass(1.0, "hg")


def test_states_of_an_hour() -> None:
    verdict = judge_hour(
        {"so2": [35.0, 35.01, NAN, 99.0, 10.0], "nox": [50.0, 10.0, NAN, 99.0, NAN], "pm": [10.0, 1.0, NAN, 99.0, 1.0]},
        STACK,
        stopped=[False, False, False, True, False],
    )
    assert verdict.state == ["normal", "exceeding", "no data", "stopped", "normal"]
    assert verdict.complete.tolist() == [True, True, False, True, False]
    assert verdict.multiples["so2"][1] == pytest.approx(0.01 / 35)
    assert np.isnan(verdict.multiples["so2"][[0, 2, 3, 4]]).all()  # a stopped hour has no multiple
    assert verdict.factor_codes["so2"].tolist() == [
        State.NORMAL,
        State.EXCEEDING,
        State.NO_DATA,
        State.STOPPED,
        State.NORMAL,
    ]


def test_marked_data_are_not_judged() -> None:
    flags = {"so2": ["N", "M", "F", "D"], "nox": ["N", "N", "F", "C"]}
    values = {"so2": [99.0] * 4, "nox": [10.0] * 4}
    verdict = judge_hour(values, {"so2": 35.0, "nox": 50.0}, flags=flags)
    assert verdict.state == ["exceeding", "normal", "stopped", "no data"]


def test_a_range_has_two_sides_and_no_multiple() -> None:
    verdict = judge_hour({"ph": [5.99, 6.0, 9.0, 9.01]}, {"ph": Limit("ph", upper=9.0, lower=6.0, unit="")})
    assert verdict.state == ["exceeding", "normal", "normal", "exceeding"]
    assert np.isnan(verdict.multiples["ph"]).all()


def test_rounding_before_comparison_is_a_choice() -> None:
    values = {"so2": [35.4, 35.5, 36.5]}
    assert judge_hour(values, {"so2": 35.0}).state == ["exceeding"] * 3
    assert judge_hour(values, {"so2": 35.0}, decimals=0).state == ["normal", "exceeding", "exceeding"]
    assert judge_hour(values, {"so2": 36.0}, decimals={"so2": 0}).state == ["normal"] * 3  # 36.5 rounds to 36


def test_noise_of_the_conversion_is_no_exceedance() -> None:
    converted = convert_to_reference_oxygen(28.0, 9.0, 6.0)  # exactly 35
    assert judge_hour({"so2": np.nextafter(converted, 99)}, {"so2": 35.0}).state == ["normal"]


def test_an_outlet_without_limits_is_refused() -> None:
    with pytest.raises(ValueError, match="no limits"):
        judge_hour({"so2": [1.0]}, {})


@pytest.mark.parametrize(
    ("standard", "category", "factor", "upper", "o2_ref"),
    [
        ("GB 4915-2013", "cement-kiln", "nox", 400.0, 10.0),
        ("GB 4915-2013", "cement-kiln-special", "nox", 320.0, 10.0),
        ("GB 13271-2014", "boiler-coal-existing", "pm", 80.0, 9.0),
        ("GB 13271-2014", "boiler-gas-new", "nox", 200.0, 3.5),
        ("GB 13271-2014", "boiler-oil-special", "so2", 100.0, 3.5),
        ("GB 18918-2002", "sewage-1a", "cod", 50.0, None),
        ("GB 18918-2002", "sewage-1b", "tn", 20.0, None),
        ("环大气〔2019〕35号", "steel-sinter", "so2", 35.0, None),
    ],
)
def test_verified_limits(standard: str, category: str, factor: str, upper: float, o2_ref: float | None) -> None:
    found = [limit for limit in limits.load(standard, category, verified_only=True) if limit.factor == factor]
    assert [(limit.upper, limit.o2_ref) for limit in found[:1]] == [(upper, o2_ref)]


def test_sewage_ph_is_a_range_and_conditions_are_kept() -> None:
    sewage = limits.load("GB 18918-2002", "sewage-1a")
    assert [(limit.lower, limit.upper) for limit in sewage if limit.factor == "ph"] == [(6.0, 9.0)]
    assert {limit.condition: limit.upper for limit in sewage if limit.factor == "nh3n"} == {
        "water above 12 degC": 5.0,
        "water at most 12 degC": 8.0,
    }


def test_every_limit_has_its_papers() -> None:
    for limit in limits.load():
        assert limit.standard and limit.clause and limit.source and limit.effective_from
        assert limit.upper is not None and limit.upper > 0
        assert limit.verified != limit.source.endswith("verify before use")


def test_limits_by_day() -> None:
    assert limits.load("GB 4915-2013", when=date(2014, 2, 28)) == []
    assert limits.load("GB 4915-2013", when=date(2014, 3, 1))
