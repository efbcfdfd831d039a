"""The jobs that the worker runs are known to it, and the upkeep ones run."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.utils import timezone
from procrastinate.contrib.django import app

from luming.hj212 import CHINA
from luming.telemetry import store, tasks


def test_the_worker_knows_every_job():
    names = set(app.tasks)
    assert {"luming.telemetry.read_adopted", "luming.telemetry.read_mapped"} <= names
    periodic = {task.name for task in app.tasks.values() if task.name.startswith("luming.telemetry.tasks.")}
    assert {name.rsplit(".", 1)[1] for name in periodic} == {
        "judge",
        "watch_silence",
        "keep_partitions",
        "pack_indexes",
    }


@pytest.mark.parametrize("name", ["luming.telemetry.tasks.judge", "luming.core.tasks.index_changes"])
def test_new_data_is_judged_and_found_within_ten_seconds(name):
    [periodic] = [entry for entry in app.periodic_registry.periodic_tasks.values() if entry.task.name == name]
    begin = datetime(2026, 11, 28, 12, 11, 3, tzinfo=UTC).timestamp()
    times = [begin]
    for _ in range(120):
        times.append(periodic.croniter.get_next(ret_type=float, start_time=times[-1]))
    assert all(0 < after - before <= 10 for before, after in pairwise(times))
    assert times[-1] - begin > 1100  # and no more often


@pytest.mark.django_db(transaction=True)
def test_upkeep_makes_the_coming_days_and_drops_the_old_ones(settings, empty_store):
    today = datetime.now(CHINA).date()
    old = today - timedelta(days=40)
    store.ensure_partitions(old, old)
    assert old in store.packet_days()
    tasks.keep_partitions(0)
    assert {today, today + tasks.PARTITIONS_AHEAD} <= set(store.packet_days())
    assert old in store.packet_days()  # by default everything is kept
    settings.PACKET_RETENTION_DAYS = 30
    tasks.keep_partitions(0)
    assert old not in store.packet_days()
    tasks.pack_indexes(0)


@pytest.mark.django_db(transaction=True)
def test_judge_and_silence_run_on_an_empty_database(empty_store):
    assert tasks.judge(int(timezone.now().timestamp())) == 0
    tasks.watch_silence(int(datetime.now(UTC).timestamp()))
