"""Lineage of statistics of every make: own hours from minutes, samples, weights, rules for missing data, judgements."""

from datetime import timedelta

from luming.core.models import User
from luming.telemetry.evidence import actions, checking, influence, lineage
from luming.telemetry.models import Judgement
from luming.telemetry.sampling import actions as sampling
from luming.telemetry.sampling.models import Sample
from luming.telemetry.statistics import queue
from luming.telemetry.statistics.models import Statistic

from .conftest import midnight

HOUR = timedelta(hours=1)
DAY = "2026-07-01"
PM = "a34004"


def test_hours_from_minutes_lead_to_their_minutes(station):
    bench = station(minutes=True)
    bench.send(PM, midnight(DAY), [float(i) for i in range(20)])
    for hour in range(20, 24):
        bench.send(PM, midnight(DAY) + hour * HOUR, [5.0] * 6, interval="minute")
    bench.run()
    found = lineage.of_statistic(bench.figure(PM, DAY))
    assert found.is_sound and found.subject.source == "mixed"
    own = [item for item in found.inputs if item.kind == lineage.STATISTIC]
    assert len(own) == 4 and all(item.statistic.kind == "hour" and item.agrees for item in own)
    hour = lineage.of_statistic(own[0].statistic)
    assert hour.is_sound and len(hour.inputs) == 6 and hour.inputs[0].series.interval == "minute"
    went = {(one.row.kind, one.used) for one in influence.of_statistic(own[0].statistic)}
    assert went == {("day", True), ("day", None)}
    minute = influence.of_value(bench.series[PM, "minute"], hour.inputs[0].start, 0)
    used = {(one.row.kind, one.row.measure): one.used for one in minute if one.kind == "statistic"}
    assert used["hour", "mean"] and used["day", "mean"] and used["month", "mean"] and used["year", "capture"] is None
    assert not any(one.used for one in influence.of_value(bench.series[PM, "minute"], hour.inputs[0].start, 1))


def test_weights_and_rules_for_missing_hours_are_named(outlet):
    bench = outlet({"w01018": "mg/L", "w00000": "L/s"}, medium="sewage")
    for factor in ("w01018", "w00000"):
        values = [float(10 + i) for i in range(24)]
        bench.send(factor, midnight(DAY), [*values[:20], None, *values[21:]], amounts=values)
    bench.run()
    found = lineage.of_statistic(bench.figure("w01018", DAY))
    weights = [item for item in found.inputs if item.name == "weight"]
    assert found.is_sound and len(weights) == 23 and weights[0].series.factor == "w00000"
    put = Statistic.objects.get(measure="substituted", kind="day", factor="w01018", start=midnight(DAY), valid=True)
    rules = [item for item in lineage.of_statistic(put).inputs if item.kind == lineage.RULE]
    assert [item.start for item in rules] == [midnight(DAY) + 20 * HOUR]
    flow = influence.of_value(bench.series["w00000", "hour"], midnight(DAY), 0)
    assert ("w01018", "mean", True) in {(one.row.factor, one.row.measure, one.used) for one in flow}


def test_a_day_of_samples_leads_to_the_sample(outlet):
    bench = outlet({"w01018": "mg/L"}, medium="sewage")
    people = [User.objects.create(username=name, name=name, role=role) for name, role in ROLES]
    plan = sampling.create_plan(
        people[0], places=[bench.place], name="手工监测", medium="sewage", factors=["w01018"], purpose="routine",
        frequency="month", starts_on=midnight(DAY).date(), responsible=people[0],
    )  # fmt: skip
    [sample] = sampling.issue(people[0], plan, midnight(DAY).date())
    taken = midnight(DAY) + 9 * HOUR
    sampling.take(people[0], sample, taken_from=taken, taken_to=taken, samplers="甲、乙")
    sample = Sample.objects.get(pk=sample.pk)
    entry = sampling.Entry(
        sample, "w01018", 42.0, unit="mg/L", analysed_at=taken + HOUR, method="HJ 828-2017", analyst="丙"
    )
    [result] = sampling.enter_results(people[1], [entry])
    seen = sampling.seen_hash(result, Sample.objects.get(pk=sample.pk))
    sampling.review(people[2], result, "accepted", seen=seen, reason="复核")
    queue.mark_days({(bench.place.pk, midnight(DAY).date())})
    bench.run()
    found = lineage.of_statistic(bench.figure("w01018", DAY))
    [item] = found.inputs
    assert found.is_sound and item.kind == lineage.SAMPLE
    assert (item.value, item.sample.sample.number) == (42.0, sample.number)


ROLES = (("sampler", "duty"), ("analyst", "reviewer"), ("second", "reviewer"))


def test_a_judgement_of_a_day_rests_on_statistics(station):
    bench = station()
    bench.send(PM, midnight(DAY), [float(i) for i in range(24)])
    bench.run()
    day, judgement = bench.figure(PM, DAY), Judgement.objects.get(kind="aqi-day")
    found = lineage.of_judgement(judgement)
    assert [item.statistic for item in found.inputs] == [day] and found.is_sound
    assert ("judgement", True) in {(one.kind, one.used) for one in influence.of_statistic(day)}
    went = influence.of_value(bench.series[PM, "hour"], midnight(DAY), 0)
    assert [one.row for one in went if one.kind == "judgement"] == [judgement]
    [item] = judgement.inputs
    other = Judgement.objects.create(
        place=bench.place, kind="aqi-day", start=day.start, revision=1, state="level-1", edition="HJ 633-2026",
        software="test", detail=judgement.detail, inputs=[[*item[:3], item[3] + 1, *item[4:]]],
    )  # fmt: skip
    assert not lineage.of_judgement(other).is_sound


def test_a_sheet_about_a_year_names_its_days(station):
    bench = station()
    user = User.objects.create(username="r", role="reviewer")
    for day in (DAY, "2026-07-02", "2026-07-03"):
        bench.send(PM, midnight(day), [1.0] * 24)
    bench.run()
    year = bench.figure(PM, "2026-01-01", kind="year")
    sheet = actions.issue_sheet(user, "statistic", str(year.pk), "年报")
    assert len(sheet.content["inputs"]) == 3 and sheet.content["packets"] == []
    assert checking.check(sheet).state == checking.SAME
