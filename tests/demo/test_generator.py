"""The generator: the same numbers for any window, in any order, at every interval, and packets that decode cleanly."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from luming.demo import chance, emission, environment, fleet, generator, packets
from luming.demo.generator import FLAGS, block, period_starts
from luming.hj212 import CHINA, Edition, decode, encode, format_qn

FLEET = fleet.describe()
END = int(datetime(2026, 11, 24, tzinfo=CHINA).timestamp())
DAY = 86400
ONE_OF_EACH = ["DEMO-A01", "DEMO-W02", "DEMO-N03", "DEMO-F01-DA001", "DEMO-F03-DA001", "DEMO-F17-DW001"]
COLUMNS = ("value", "minimum", "maximum", "converted", "amount", "flag")


def same(left: generator.Block, right: generator.Block, where: slice | np.ndarray) -> bool:
    return all(
        np.array_equal(
            getattr(left, name)[:, where], getattr(right, name), equal_nan=getattr(left, name).dtype.kind == "f"
        )
        for name in COLUMNS
    )


@pytest.mark.parametrize("code", ONE_OF_EACH)
@pytest.mark.parametrize("interval", ["realtime", "minute", "hour", "day"])
def test_any_window_gives_the_same_numbers(code, interval):
    site = FLEET.logger(code).site
    starts = period_starts(interval, END - (30 * DAY if interval == "day" else 6 * DAY), END)[-300:]
    whole = block(site, interval, starts)
    for one in (0, 7, len(starts) // 2, len(starts) - 1):
        assert same(whole, block(site, interval, starts[one : one + 1]), slice(one, one + 1))
    shuffled = np.random.default_rng(1).permutation(len(starts))
    assert same(whole, block(site, interval, starts[shuffled]), shuffled)


def test_another_seed_gives_another_city():
    starts = period_starts("hour", END - DAY, END)
    here = block(FLEET.logger("DEMO-A01").site, "hour", starts)
    there = block(fleet.describe(5).logger("DEMO-A01").site, "hour", starts)
    assert (here.value != there.value).mean() > 0.9


def test_smooth_noise_is_the_same_alone_and_in_a_run():
    key, index = chance.key_of("test"), np.arange(10_000_000, 10_002_000)
    run = chance.smooth(key, index, 36)
    assert np.array_equal(run[::97], [chance.smooth(key, index[i : i + 1], 36)[0] for i in range(0, 2000, 97)])
    assert abs(chance.uniform(key, index).mean() - 0.5) < 0.03


def test_episodes_lie_inside_their_blocks():
    found = chance.episodes(chance.key_of("storm"), np.arange(0, 100_000), 500, 0.5, 10, 60)
    edges = np.diff(found.active.astype(int))
    assert 60 < (edges == 1).sum() < 140
    lengths = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
    assert lengths.min() >= 10
    assert lengths.max() <= 60
    assert (found.progress[found.active] < 1).all()


@pytest.mark.parametrize("code", ["DEMO-A03", "DEMO-F05-DA002", "DEMO-F18-DW001"])
def test_intervals_agree(code):
    """Ten samples make ten-minute data, six of these an hour, twenty-four hours a day."""
    site = FLEET.logger(code).site
    start = END - DAY
    samples = block(site, "realtime", np.arange(start, END, 60))
    minutes = block(site, "minute", np.arange(start, END, 600))
    hours = block(site, "hour", np.arange(start, END, 3600))
    day = block(site, "day", np.array([start]))
    steady = [row for row, factor in enumerate(site.factors) if factor.mean == "arithmetic"]
    digits = np.array([10.0 ** -site.factors[row].decimals for row in steady])[:, None]
    of_samples = samples.value[steady].reshape(len(steady), -1, 10)
    assert (np.abs(of_samples.mean(axis=2) - minutes.value[steady]) <= 1.01 * digits).all()
    # Zero is the floor of a concentration, so that its lowest sample may be cut.
    assert (np.abs(of_samples.max(axis=2) - minutes.maximum[steady]) <= 1.01 * digits).all()
    normal = (minutes.flag[steady].reshape(len(steady), 24, 6) == 0).all(axis=2)
    of_minutes = minutes.value[steady].reshape(len(steady), 24, 6)
    assert (np.abs(of_minutes.mean(axis=2) - hours.value[steady]) <= 1.01 * digits)[normal].all()
    assert (np.abs(of_minutes.mean(axis=2) - hours.value[steady]) <= 1.01 * digits)[normal].size > 24
    all_day = (hours.flag[steady] == 0).all(axis=1)
    assert (np.abs(hours.value[steady].mean(axis=1) - day.value[steady][:, 0]) <= 1.01 * digits[:, 0])[all_day].all()
    amounts = ~np.isnan(day.amount[:, 0])
    assert np.allclose(hours.amount[amounts].sum(axis=1), day.amount[amounts, 0], rtol=1e-2)


def test_amounts_and_conversion_follow_annex_d():
    site = FLEET.logger("DEMO-F04-DA001").site
    data = block(site, "hour", period_starts("hour", END - 10 * DAY, END))
    row = site.row
    flow, oxygen = data.value[row["a00000"]], data.value[row["a19001"]]
    for code in emission.POLLUTANTS:
        mass = data.value[row[code]] * flow * 3600e-6  # (33): C · Q · 10⁻⁶, Q in m³/h
        assert np.allclose(data.amount[row[code]], mass, rtol=0.01, atol=0.02)
        normal = (data.flag[row[code]] == 0) & (data.flag[row["a19001"]] == 0)
        expected = data.value[row[code]] * (21 - 6) / (21 - np.minimum(oxygen, emission.OXYGEN_CAP))  # (28)
        assert np.allclose(data.converted[row[code]][normal], expected[normal], rtol=0.01)
    works = FLEET.logger("DEMO-F17-DW001").site
    water = block(works, "hour", period_starts("hour", END - 5 * DAY, END))
    volume = water.amount[works.row["w00000"]]
    assert np.allclose(volume, water.value[works.row["w00000"]] * 3.6, rtol=1e-3, atol=0.1)
    load = water.value[works.row["w01018"]] * volume / 1000
    assert np.allclose(water.amount[works.row["w01018"]], load, rtol=0.01, atol=0.01)


def test_the_city_breathes():
    """Ozone peaks in the afternoon, traffic in the rush hours, plants stop, dust comes."""
    starts = period_starts("hour", END - 60 * DAY, END)
    hour = (starts + 8 * 3600) // 3600 % 24
    site = FLEET.logger("DEMO-A01").site
    data = block(site, "hour", starts)
    of_hour = {
        code: np.array([data.value[site.row[code]][hour == h].mean() for h in range(24)])
        for code in ("a05024", "a21004")
    }
    assert 12 <= of_hour["a05024"].argmax() <= 17
    assert of_hour["a21004"][[7, 8, 18, 19]].mean() > 1.3 * of_hour["a21004"][[2, 3, 13]].mean()
    assert (data.minimum <= data.value + 1e-9)[:10].all()
    assert (data.value[: site.row["a01001"]] >= 0).all()
    pm25, pm10 = data.value[site.row["a34004"]], data.value[site.row["a34002"]]
    normal = (data.flag[site.row["a34004"]] == 0) & (data.flag[site.row["a34002"]] == 0)
    assert (pm25 < pm10)[normal].mean() > 0.99
    elsewhere = block(FLEET.logger("DEMO-A05").site, "hour", starts).value[site.row["a34004"]]
    assert np.corrcoef(pm25, elsewhere)[0, 1] > 0.7  # one weather for all


def test_weather_has_seasons_and_dust():
    year = np.arange(END // 600 - 365 * environment.DAY, END // 600, environment.HOUR)
    air = environment.weather(fleet.SEED, year)
    summer, winter = air.cold < -0.8, air.cold > 0.8
    assert air.temperature[summer].mean() - air.temperature[winter].mean() > 20
    assert 0.005 < (air.dust > 0.2).mean() < 0.15
    assert ((air.stagnation >= 0) & (air.stagnation <= 1)).all()


def exceedances(site: fleet.Site, days: int) -> int:
    data = block(site, "hour", period_starts("hour", END - days * DAY, END))
    count = 0
    for limit in site.limits:
        row = site.row[limit.factor]
        judged = data.converted[row] if limit.converted else data.value[row]
        count += int(((judged > limit.upper) & (data.flag[row] == 0)).sum())
    return count


def test_some_outlets_exceed_and_one_does_so_every_few_days():
    gas = [logger.site for logger in FLEET.registered if logger.site.medium == "gas"]
    others = sum(exceedances(site, 60) for site in gas if site.story != "exceeding")
    assert 20 < others < 300  # a few hours per week in the whole city
    assert exceedances(FLEET.logger("DEMO-F01-DA001").site, 3) > 0


def test_plants_stop_and_are_marked():
    gas = [logger.site for logger in FLEET.registered if logger.site.medium == "gas"]
    starts = period_starts("hour", END - 60 * DAY, END)
    stopped = [site for site in gas if (block(site, "hour", starts).flag == generator.STOPPED).any()]
    assert 5 < len(stopped) < len(gas)
    data = block(stopped[0], "hour", starts)
    still = (data.flag == generator.STOPPED).all(axis=0)
    row = stopped[0].row
    assert data.value[row["a00000"]][still].max() < 0.2 * data.value[row["a00000"]][~still].mean()


def test_every_mark_of_the_generator_occurs():
    starts = period_starts("hour", END - 60 * DAY, END)
    seen = {
        FLAGS[mark] for code in ONE_OF_EACH for mark in np.unique(block(FLEET.logger(code).site, "hour", starts).flag)
    }
    minutes = block(FLEET.logger("DEMO-F01-DA001").site, "minute", period_starts("minute", END - DAY, END))
    seen |= {FLAGS[mark] for mark in np.unique(minutes.flag)}
    assert {"N", "F", "M", "D", "C"} <= seen


def test_the_fabricated_series_is_too_quiet():
    starts = period_starts("hour", END - 60 * DAY, END)
    made_up, honest = FLEET.logger("DEMO-F05-DA001").site, FLEET.logger("DEMO-F05-DA002").site
    spread = {}
    for site in (made_up, honest):
        data = block(site, "hour", starts)
        row = site.row["a21026"]
        normal = (data.flag[row] == 0) & (data.flag[site.row["a19001"]] == 0)
        spread[site.code] = data.converted[row][normal].std() / data.converted[row][normal].mean()
        if site is made_up:
            assert 0.95 * 35 < np.median(data.converted[row][normal]) < 35
    assert spread[made_up.code] < 0.02 < 0.07 < spread[honest.code]


def test_real_time_peaks_of_the_spiky_stack_exceed_while_its_hours_do_not():
    site = FLEET.logger("DEMO-F10-DA001").site
    limit, row = site.upper_limit("a21002"), site.row["a21002"]
    samples = block(site, "realtime", np.arange(END - DAY, END, 60))
    assert 0.1 < (samples.value[row] > limit).mean() < 0.6
    hours = block(site, "hour", np.arange(END - DAY, END, 3600))
    assert (hours.value[row][hours.flag[row] == 0] < limit).all()


@pytest.mark.parametrize("interval", ["realtime", "minute", "hour", "day"])
def test_packets_decode_cleanly_in_strict_mode(interval):
    for logger in FLEET.loggers:
        starts = period_starts(interval, END - 3 * DAY, END)[-3:]
        data = block(logger.site, interval, starts)
        contents = packets.texts(logger, data)
        assert all(len(cp.encode()) <= 950 for cp in contents)  # HJ 212-2017 table 3
        for number, frame in enumerate(packets.frames(logger, interval, contents, starts + 3605.25)):
            tolerant = logger.site.story == "modbus" or logger.edition == 0
            decoded = decode(frame, strict=not tolerant)
            assert decoded.accepted, (logger.site.code, decoded.diagnostics)
            if logger.site.story == "modbus":
                assert {item.code for item in decoded.diagnostics} >= {"crc.modbus"}
            elif not tolerant:
                assert not decoded.deviates
            assert decoded.packet.data_time.timestamp() == starts[number]
            assert_same_numbers(logger, data, number, decoded.packet.readings)


@pytest.mark.parametrize("code", ["DEMO-A01", "DEMO-F02-DA001", "DEMO-F03-DA001"])
def test_frames_are_those_of_the_library(code):
    logger = FLEET.logger(code)
    contents, moments = ["DataTime=20261124000000;x-Avg=1", "DataTime=20261124010000"], [END + 0.25, END + 3600.999]
    made = packets.frames(logger, "hour", contents, moments, backfilled=[False, True])
    for frame, cp, moment, rf in zip(made, contents, moments, [False, True], strict=True):
        assert frame == encode(
            cn=2061, st=logger.system, mn=logger.mn, pw=logger.password, cp=cp, edition=Edition(logger.edition),
            qn=format_qn(datetime.fromtimestamp(moment, CHINA)), flag=logger.edition * 4 + 1,
            rf=rf and logger.edition == 2,
        )  # fmt: skip


def assert_same_numbers(logger, data, number, readings):
    """What is on the wire is what the block holds, to the last bit."""
    sent = {reading.code: reading for reading in readings}
    for row, factor, code in packets.reported(logger, data.interval):
        reading = sent[code if code == "LA" else logger.sent_code(factor)]
        figures = [reading.average, reading.rtd, reading.data]
        assert [figure for figure in figures if figure is not None] == [data.value[row, number]]
        assert reading.flag == FLAGS[data.flag[row, number]]
        if data.interval != "realtime" and logger.site.medium != "noise":
            assert (reading.minimum, reading.maximum) == (data.minimum[row, number], data.maximum[row, number])
            converted = data.converted[row, number]
            assert reading.zs_average == (None if np.isnan(converted) else converted)
            amount = data.amount[row, number]
            assert reading.total == (None if np.isnan(amount) else amount)
