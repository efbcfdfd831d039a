"""Pages of data quality: catalogue, a check, settings with their preview, suspicions, values with their verdicts."""

from datetime import timedelta

import pytest
from access import quality as access
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from sent_series import Sender, lively

from luming.core.models import AuditEntry, Task, User
from luming.registry.models import Series
from luming.science.qc.catalogue import catalogue
from luming.science.qc.model import Mark
from luming.standards.edition import midnight
from luming.telemetry import store
from luming.telemetry.quality import closing, running
from luming.telemetry.quality.models import CheckSetting, PlaceDay, SuspicionRecord
from luming.telemetry.store import Origin, Quality, VerdictRow

HOUR = timedelta(hours=1)


@pytest.fixture
def measured(world):
    """Ten days of dust at the outlet, with a fault, a spike and a stuck night; closed days with their rates."""
    today = timezone.localdate()
    start = midnight(today - timedelta(days=10))
    values = lively(240, level=25.0, noise=2.0)
    values[30], values[100] = -40.0, 900.0
    values[150:180] = 33.3
    sender = Sender()
    sender(world.series, values, start=start)
    sender.writer.close()
    with transaction.atomic():
        running.check({world.outlet.pk: [start + i * HOUR for i in range(240)]}, "hour")
    for day in closing.due(today, 10):
        closing.close(day)
    return start


def value_page(world, start, hour):
    moment = int((start + hour * HOUR).timestamp() * 1000)
    return reverse("value", args=[world.outlet.pk, world.series.pk, moment])


def text(response):
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def test_the_catalogue_lists_every_check_with_its_rate(world, measured):
    page = text(world.client("duty").get(reverse("quality")))
    assert all(code in page for code in catalogue())
    only = text(world.client("duty").get(reverse("quality"), {"family": "AIR", "medium": "air"}))
    assert "AIR-PM-ORDER" in only and "GEN-SPIKE" not in only
    assert "No check of this family" in text(
        world.client("duty").get(reverse("quality"), {"family": "AIR", "medium": "noise"})
    )


def test_a_check_shows_its_parameters_places_and_examples(world, measured):
    page = text(world.client("duty").get(reverse("quality-check", args=["GEN-NEGATIVE"])))
    assert world.outlet.name in page and escape(catalogue()["GEN-NEGATIVE"].source) in page
    assert value_page(world, measured, 30) in page
    assert world.client("duty").get(reverse("quality-check", args=["GEN-NOTHING"])).status_code == 404
    unread = next(check for check in catalogue().values() if check.mark is Mark.MEMORY)
    page = text(world.client("duty").get(reverse("quality-check", args=[unread.code])))
    assert "not compared with the text" in page


def test_others_see_no_places_of_others(world, measured):
    User.objects.filter(pk=world.users["district"].pk).update(region_codes=["150207"])
    page = text(world.client("district").get(reverse("quality-check", args=["GEN-NEGATIVE"])))
    assert world.outlet.name not in page


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_preview_runs_the_check_over_real_values(world, measured, language):
    User.objects.filter(pk=world.users["reviewer"].pk).update(language=language)
    url = reverse("quality-configure", args=["GEN-NEGATIVE"])
    form = {"target": f"series:{world.series.pk}", "effective_from": "2026-01-01", "enabled": "on", "preview": "1"}
    shown = world.client("reviewer").post(url, {**form, "p-tolerance": "100"}).context["preview"]
    assert (shown.before, shown.after) == (1, 0)
    shown = world.client("reviewer").post(url, {**form, "p-tolerance": "5"}).context["preview"]
    assert (shown.before, shown.after) == (1, 1)
    response = world.client("reviewer").post(url, form | {"enabled": ""})
    shown = response.context["preview"]
    assert (shown.before, shown.after) == (1, 0) and shown.values >= 240
    assert not CheckSetting.objects.exists()


def test_a_setting_is_kept_with_reason_and_checked_again(
    world, measured, django_capture_on_commit_callbacks, monkeypatch
):
    queued = []
    monkeypatch.setattr("luming.telemetry.quality.tasks.recheck.defer", lambda **job: queued.append(job))
    url = reverse("quality-configure", args=["GEN-SPIKE"])
    form = {"target": "gas:a34013", "effective_from": timezone.localdate().isoformat(), "enabled": "on", "save": "1"}
    client = world.client("reviewer")
    assert "Say why" in text(client.post(url, {**form, "p-suspect": "50"}))
    assert "Change at least one" in text(client.post(url, {**form, "reason": "r"}))
    assert "must lie between" in text(client.post(url, {**form, "p-around": "900", "reason": "r"}))
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(url, {**form, "p-suspect": "50", "reason": "noisy stack"})
    assert response.status_code == 302
    setting = CheckSetting.objects.get()
    assert (setting.medium, setting.factor, setting.parameters) == ("gas", "a34013", {"suspect": 50.0})
    assert queued == [{"setting_id": setting.pk, "first": timezone.localdate().isoformat()}]
    entry = AuditEntry.objects.get(verb="quality.set")
    assert (entry.reason, entry.actor) == ("noisy stack", world.users["reviewer"])
    page = text(client.get(reverse("quality-check", args=["GEN-SPIKE"])))
    assert "noisy stack" in page and "suspect = 50" in page
    end = reverse("quality-end", args=[setting.pk])
    assert "cannot end before" in text(client.post(end, {"effective_to": "2020-01-01", "reason": "r"}))
    with django_capture_on_commit_callbacks(execute=True):
        client.post(end, {"effective_to": timezone.localdate().isoformat(), "reason": "stack rebuilt"})
    setting.refresh_from_db()
    assert setting.effective_to == timezone.localdate()


def test_suspicions_are_for_the_bureau(world):
    pk = access.known(world, None, ("suspicion",))["suspicion"]
    reviewer = world.client("reviewer")
    assert "Values bunch below the limit." in text(reviewer.get(reverse("suspicions")))
    page = text(reviewer.get(reverse("suspicion", args=[pk])))
    assert "luming-suspicion" in page and "FRAUD-BUNCHING" in page
    assert world.outlet.name in text(reviewer.get(reverse("home")))
    for role in ("enterprise", "maintainer"):
        assert world.client(role).get(reverse("suspicions")).status_code == 403
        assert "Values bunch" not in text(world.client(role).get(reverse("place", args=[world.outlet.pk])))
    User.objects.filter(pk=world.users["district"].pk).update(region_codes=["150207"])
    assert world.client("district").get(reverse("suspicion", args=[pk])).status_code == 404


def test_a_suspicion_is_decided_with_a_reason(world):
    pk = access.known(world, None, ("suspicion",))["suspicion"]
    client = world.client("reviewer")
    decide = reverse("suspicion-decide", args=[pk, "dismiss"])
    client.post(decide, {"reason": " "})
    assert SuspicionRecord.objects.get().state == "open"
    client.post(decide, {"reason": "controlled by the limit"})
    row = SuspicionRecord.objects.get()
    assert (row.state, row.reason, row.decided_by) == ("dismissed", "controlled by the limit", world.users["reviewer"])
    assert AuditEntry.objects.get(verb="suspicion.dismiss").reason == "controlled by the limit"
    assert "No suspicion." in text(client.get(reverse("suspicions")))
    assert "controlled by the limit" in text(client.get(reverse("suspicion", args=[pk])))
    assert client.post(reverse("suspicion-decide", args=[pk, "forget"]), {"reason": "x"}).status_code == 404


def test_the_page_of_a_value_shows_what_was_said_of_it(world, measured):
    client = world.client("reviewer")
    page = text(client.get(value_page(world, measured, 30)))
    assert "Invalid value" in page and reverse("quality-check", args=["GEN-NEGATIVE"]) in page
    assert "Checked: nothing spoke" in text(client.get(value_page(world, measured, 60)))
    row = VerdictRow(
        world.series.pk, measured + 30 * HOUR, 0, Origin.CORRECTED, Quality.VALID, "review:1", "1", value=24.0,
        reason="from the analyser",
    )  # fmt: skip
    with transaction.atomic():
        store.write_verdicts([row], person_id=world.users["reviewer"].pk)
    page = text(client.get(value_page(world, measured, 30)))
    assert "from the analyser" in page and "Corrected" in page and "superseded" in page


def test_unreliable_values_stay_visible_and_are_exported_with_their_quality(world, measured):
    client = world.client("reviewer")
    day = timezone.localtime(measured + 30 * HOUR).date().isoformat()
    look = {"span": "custom", "from": day, "to": day, "interval": "hour", "factor": "a34013", "column": "value"}
    assert "Invalid value" in text(client.get(reverse("place-values", args=[world.outlet.pk]), look))
    response = client.get(reverse("place-csv", args=[world.outlet.pk]), look)
    rows = b"".join(response.streaming_content).decode().splitlines()
    assert rows[0].count(",") == 4
    assert [row.split(",")[1:] for row in rows if ",-40" in row] == [["-40.0", "N", "Invalid value", ""]]
    answer = client.get(reverse("place-chart", args=[world.outlet.pk]), look).json()
    assert answer["series"][0]["out"] == [[6, "Invalid value"]]


def test_the_panel_of_a_place_and_the_tile_tell_the_valid_share(world, measured):
    page = text(world.client("reviewer").get(reverse("place", args=[world.outlet.pk])))
    assert "What spoke most" in page and "of the hourly values of 30 days count" in page
    yesterday = PlaceDay.objects.order_by("-day").first()
    assert yesterday.held >= 24
    assert "Valid data" in text(world.client("leader").get(reverse("cockpit")))


def test_a_place_is_checked_again_as_long_work(world, measured, django_capture_on_commit_callbacks):
    from luming.core.work import perform

    client = world.client("reviewer")
    url = reverse("quality-again", args=[world.outlet.pk])
    assert "at most a year" in text(client.post(url, {"first": "2026-02-01", "last": "2026-01-01"}))
    days = {"first": (timezone.localdate() - timedelta(days=10)).isoformat(), "last": timezone.localdate().isoformat()}
    assert client.post(url, days).status_code == 302
    task = perform(Task.objects.get().pk)
    assert (task.state, "values checked" in task.message) == ("done", True)


def test_without_data_everything_says_so(world):
    page = text(world.client("reviewer").get(reverse("place", args=[world.outlet.pk])))
    assert "No day has been closed yet" in page
    assert "No suspicion." in text(world.client("reviewer").get(reverse("suspicions")))
    assert "The defaults hold everywhere." in text(
        world.client("reviewer").get(reverse("quality-check", args=["GEN-RANGE"]))
    )
    assert Series.objects.exists()


# page -> most queries, whatever the number of series; one more in a loop fails
BUDGETS = {"quality": 9, "quality-check": 14, "suspicions": 11, "quality-configure": 11}


def test_pages_keep_their_budgets(world, measured, django_assert_max_num_queries):
    client = world.client("reviewer")
    for name, most in BUDGETS.items():
        arguments = ["GEN-NEGATIVE"] if name in ("quality-check", "quality-configure") else []
        with django_assert_max_num_queries(most):
            text(client.get(reverse(name, args=arguments)))
