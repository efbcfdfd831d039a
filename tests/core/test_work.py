"""Long work: it runs once, tells how far it is, keeps its result, can be cancelled, and says why it failed."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone, translation
from django.utils.translation import gettext

from luming.core import work
from luming.core.manifest import Work
from luming.core.models import AuditEntry, Task, User


@pytest.fixture
def owner(db):
    return User.objects.create_user("u", "Luming-2026!", name="u", role="duty", language="zh-hans")


@pytest.fixture
def kind(monkeypatch):
    """Let a manifest name work of the kind ``test`` whose function the test gives."""

    def name(run):
        config = apps.get_app_config("dummy")
        monkeypatch.setattr(config, "works", [Work("test", "Test", run)])

    return name


def test_work_runs_once_and_keeps_its_result(owner, kind, monkeypatch):
    seen = []

    def run(task, progress):
        seen.append((task.parameters, translation.get_language()))
        progress(1, 4)
        assert Task.objects.get(pk=task.pk).per_cent == 25
        progress.keep("结果.txt", b"done")

    kind(run)
    deferred = []
    monkeypatch.setattr(work.work_job, "defer", lambda **values: deferred.append(values))
    with_commit = []
    monkeypatch.setattr("django.db.transaction.on_commit", with_commit.append)
    task = work.start(owner, "test", "a title", size=3)
    for function in with_commit:
        function()
    assert deferred == [{"task_id": task.pk}]
    done = work.perform(task.pk)
    assert (done.state, done.per_cent, done.file_name) == ("done", 100, "结果.txt")
    assert done.file.read() == b"done"
    assert work.perform(task.pk) is None  # a job that comes twice finds nothing to do
    assert seen == [({"size": 3}, "zh-hans")]
    assert AuditEntry.objects.filter(verb="task.start").count() == 1


def test_a_cancelled_task_stops_at_its_next_note(owner, kind):
    def run(task, progress):
        work.cancel(owner, task)
        progress(1, 2)
        raise AssertionError("the work went on")

    kind(run)
    task = work.start(owner, "test", "a title")
    assert work.perform(task.pk).state == "cancelled"
    with pytest.raises(ValidationError):
        work.cancel(owner, task)


def test_only_its_owner_cancels(owner, kind):
    kind(lambda task, progress: None)
    task = work.start(owner, "test", "a title")
    other = User.objects.create_user("v", "Luming-2026!", name="v", role="duty")
    with pytest.raises(PermissionDenied):
        work.cancel(other, task)
    assert not Task.objects.visible_to(other).exists()


@pytest.mark.parametrize(
    ("error", "said"), [(ValidationError("too many rows"), "too many rows"), (RuntimeError("secret"), "")]
)
def test_a_failure_says_why_and_hides_the_insides(owner, kind, error, said):
    def run(task, progress):
        raise error

    kind(run)
    task = work.perform(work.start(owner, "test", "a title").pk)
    assert task.state == "failed" and said in task.message and "secret" not in task.message and task.message


def test_nobody_queues_without_end(owner, kind):
    kind(lambda task, progress: None)
    for _number in range(work.MOST):
        work.start(owner, "test", "a title")
    with pytest.raises(ValidationError), translation.override("en"):
        work.start(owner, "test", "a title")
    with pytest.raises(LookupError):
        work.start(owner, "unknown", "a title")


def test_old_results_go_and_abandoned_work_is_named(owner, kind):
    kind(lambda task, progress: progress.keep("a.txt", b"a"))
    old = work.perform(work.start(owner, "test", "old").pk)
    Task.objects.filter(pk=old.pk).update(created_at=timezone.now() - work.KEPT - timedelta(hours=1))
    stuck = work.start(owner, "test", "stuck")
    Task.objects.filter(pk=stuck.pk).update(state="running", started_at=timezone.now() - timedelta(hours=7))
    work.sweep_tasks.func(0)
    old.refresh_from_db()
    stuck.refresh_from_db()
    assert not old.file and old.message == gettext("The result was kept for seven days.")
    assert stuck.state == "failed" and stuck.message


def test_pages_of_a_task(owner, kind, client):
    kind(lambda task, progress: progress.keep("a.txt", b"a"))
    client.force_login(owner, backend="luming.web.auth.Backend")
    task = work.start(owner, "test", "我的导出")
    page = client.get(f"/tasks/{task.pk}/")
    assert "我的导出" in page.content.decode()
    assert "lm-works" in client.get("/account/").content.decode()  # the header shows that something is under way
    assert client.get(f"/tasks/{task.pk}/", headers={"HX-Request": "true"}).status_code == 200
    work.perform(task.pk)
    assert client.get(f"/tasks/{task.pk}/", headers={"HX-Request": "true"}).status_code == 286
    assert b"".join(client.get(f"/tasks/{task.pk}/file/").streaming_content) == b"a"
    assert client.get("/tasks/badge/", headers={"HX-Request": "true"}).status_code == 286
    assert "lm-works" not in client.get("/account/").content.decode()
    assert "a.txt" in client.get("/tasks/").content.decode()
