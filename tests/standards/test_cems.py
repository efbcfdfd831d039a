"""From readings to converted concentrations and amounts; hand-worked with the formulas of HJ 212-2017 Annex D."""

import numpy as np
import pytest

from luming.standards.averages import aggregate
from luming.standards.cems import FlueGas, amount, capture_rate, convert, dry_flow, transmission


def test_the_whole_way_from_ppm_to_the_reference_oxygen():
    # 100 µmol/mol SO2 in wet gas of 10 % moisture: 64/22.4 × 100 = 285.714 mg/m³, / 0.9 = 317.460 dry;
    # O2 7.2 % wet is 8 % dry: × (21 - 6) / (21 - 8) = 366.300
    gas = FlueGas(moisture=0.1, oxygen=7.2, oxygen_wet=True)
    result = convert(100.0, gas, factor="so2", o2_ref=6.0, ppm=True, wet=True)
    assert float(result.dry) == pytest.approx(317.460317)
    assert float(result.converted) == pytest.approx(366.300366)
    assert not result.held


def test_the_standard_state_of_hot_gas_below_atmospheric_pressure():
    # 50 mg/m³ at 136.5 °C and 101325 - 1325 Pa: × 101325/100000 × (273 + 136.5)/273 = × 1.01325 × 1.5
    gas = FlueGas(temperature=136.5, static_pressure=-1325.0, oxygen=6.0)
    result = convert(50.0, gas, factor="pm", o2_ref=6.0, standard=False)
    assert float(result.dry) == pytest.approx(50 * 1.01325 * 1.5)
    assert float(result.converted) == pytest.approx(float(result.dry))


def test_near_air_the_conversion_is_held_and_says_so():
    gas = FlueGas(oxygen=[6.0, 19.9, 20.0, 20.9, 21.0, np.nan])
    result = convert(np.full(6, 10.0), gas, factor="nox", o2_ref=6.0)
    assert result.held.tolist() == [False, False, True, True, True, False]
    assert result.converted[2:5].tolist() == [150.0] * 3
    assert np.isnan(result.converted[5])
    assert result.dry.tolist() == [10.0] * 6
    with pytest.raises(ValueError, match="below 21"):
        convert(1.0, gas, factor="nox", o2_ref=6.0, o2_cap=21.0)


def test_without_a_reference_nothing_is_converted():
    result = convert([10.0], FlueGas(oxygen=[20.9]), factor="pm")
    assert (result.converted.tolist(), result.held.tolist()) == ([10.0], [False])


def test_flow_and_amount_use_the_measured_concentration():
    # 3600 × 5 m² × 10 m/s = 180000 m³/h; × 273/409.5 × 100000/101325 × 0.9
    gas = FlueGas(temperature=136.5, static_pressure=-1325.0, moisture=0.1, oxygen=11.0)
    flow = dry_flow(gas, velocity=10.0, area=5.0)
    assert float(flow) == pytest.approx(180_000 / 1.5 / 1.01325 * 0.9)
    result = convert(20.0, gas, factor="nox", o2_ref=6.0)
    assert float(result.converted) == pytest.approx(30.0)
    assert float(amount(result.dry, flow)) == pytest.approx(20 * float(flow) * 1e-6)


def test_capture_rate_of_quarters():
    assert capture_rate(2184, 184, 200).tolist() == 0.9
    assert np.isnan(capture_rate(10, 10, 0))


def test_transmission_rates():
    rates = transmission([24, 12, 30, 0], [24, 24, 24, 0], [24, 12, 20, 0], [24, 24, 24, 0])
    assert rates.received.tolist()[:3] == [1.0, 0.5, 1.0]  # repeats do not raise the rate
    assert rates.effective.tolist()[:2] == [1.0, 0.25]
    assert np.isnan(rates.effective[3])


def test_hours_and_days_of_waste_gas_by_annex_d():
    minutes = np.datetime64("2026-07-01T00:00", "us") + np.arange(60) * np.timedelta64(1, "m")
    hour = aggregate(minutes, np.where(np.arange(60) < 45, 30.0, np.nan), interval="hour", medium="gas", factor="so2")
    assert (hour.valid.tolist(), hour.rule_of(0).key, hour.rule_of(0).verified) == (
        [True],
        "HJ 212-2017/gas/hour",
        True,
    )
    hours = np.datetime64("2026-06-30T16:00", "us") + np.arange(24) * np.timedelta64(1, "h")
    day = aggregate(hours, np.where(np.arange(24) < 19, 30.0, np.nan), interval="day", medium="gas", factor="so2")
    assert day.valid.tolist() == [False]
    total = aggregate(hours, np.full(24, 2.0), interval="day", medium="gas", factor="amount")
    assert (total.method, total.value.tolist()) == ("sum", [48.0])


def test_waste_water_days_are_weighted_by_flow():
    hours = np.datetime64("2026-06-30T16:00", "us") + np.arange(24) * np.timedelta64(1, "h")
    concentration, volume = np.r_[[100.0] * 12, [40.0] * 12], np.r_[[10.0] * 12, [30.0] * 12]
    day = aggregate(hours, concentration, interval="day", medium="sewage", factor="cod", weight=volume)
    assert (day.method, day.value.tolist(), day.weight.tolist()) == ("weighted", [55.0], [480.0])
    still = aggregate(hours, concentration, interval="day", medium="sewage", factor="cod", weight=np.zeros(24))
    assert still.reason_text(0) == "no flow to weigh with" and np.isnan(still.value[0])
    plain = aggregate(hours, concentration, interval="day", medium="sewage", factor="cod")
    assert (plain.method, plain.value.tolist()) == ("mean", [70.0])
    samples = aggregate(
        hours[::2][:9], np.ones(9), interval="day", medium="sewage", factor="cod", step=np.timedelta64(2, "h")
    )
    assert (samples.expected.tolist(), samples.required.tolist(), samples.valid.tolist()) == ([12], [9], [True])
