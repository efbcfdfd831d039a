"""The health page: each check says good, warning or bad, and what to do."""

from datetime import UTC, datetime, timedelta

import pytest
from access.outside import failed_job
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connection
from django.urls import reverse

from luming.core import backup, installation, machine
from luming.core.models import AuditEntry
from luming.telemetry.models import DeviceStatus
from luming.web.setup import checks, health


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMING_DATA", str(tmp_path))
    return tmp_path


def by_label(lines):
    return {str(line.label): line for line in lines}


def text(response):
    return response.content.decode()


def test_the_page(world):
    page = text(world.client("system-admin").get("/system/"))
    for words in ("Gateway", "Worker", "Oldest transaction", "Partitions", "Packets per hour", "no folder is chosen"):
        assert words in page, words
    other = text(world.client("security-admin").get("/system/"))
    assert "Back up now" not in other and reverse("setup-summary") not in other
    assert "Choose where backups go." in other and reverse("setup-backup") not in other


def test_every_line_that_is_not_good_says_what_to_do(world):
    for _label, lines in checks.examine():
        for line in lines:
            assert line.state == checks.GOOD or line.remedy, line


def test_gateway_and_packets(world, settings, unused_tcp_port):
    settings.GATEWAY_PORT = unused_tcp_port
    lines = by_label(checks.gateway())
    assert {str(line.state) for line in lines.values()} == {"good"}  # it is elsewhere: packets arrive
    DeviceStatus.objects.update(last_packet_at=datetime.now(UTC) - timedelta(hours=3))
    states = [line.state for line in checks.gateway()]
    assert states == ["bad", "bad"]
    DeviceStatus.objects.all().delete()
    assert [line.state for line in checks.gateway()] == ["bad", "warning"]


def test_worker_and_its_queue(world):
    states = [line.state for line in checks.worker()]
    assert states[0] == "bad"  # no worker has ever been there
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status) VALUES ('default', 't', '{}', 'todo')"
        )
        cursor.execute("UPDATE procrastinate_events SET at = now() - interval '1 hour'")
    failed_job()
    worker, queue, failed = checks.worker()
    assert (worker.state, queue.state, failed.state, failed.found) == ("good", "bad", "warning", "1")


def test_the_database_in_numbers(world):
    states = {line.state for line in checks.database() if str(line.label) != "分区"}
    assert states <= {"good", "warning"}
    facts = machine.database_facts()
    assert facts["size"] > 1_000_000 and facts["connections"] >= 1 and facts["oldest"] >= 0


def test_missing_migrations_are_bad(world, monkeypatch):
    monkeypatch.setattr(machine, "missing_migrations", lambda: ["core.0099_x"])
    assert any(line.state == "bad" and "core.0099_x" in str(line.found) for line in checks.database())


def test_disk_and_clock(monkeypatch, db):
    for free, state in ((0.5, "bad"), (5, "warning"), (50, "good")):
        monkeypatch.setattr(machine, "free_bytes", lambda folder=None, free=free: int(free * 2**30))
        assert next(checks.disk_and_clock()).state == state
    monkeypatch.setattr(machine, "clock_is_kept", lambda: True)
    assert [line.state for line in checks.disk_and_clock()][1] == "good"
    monkeypatch.setattr(machine, "clock_is_possible", lambda: False)
    monkeypatch.setattr(machine, "database_clock_offset", lambda: 5.0)
    assert [line.state for line in checks.disk_and_clock()][1:] == ["bad", "bad"]


def certificate(path, days):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=90)).not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))


def test_the_certificate_ends(tmp_path):
    path = tmp_path / "c.pem"
    for days, state in ((60, "good"), (20, "warning"), (3, "bad"), (-5, "bad")):
        certificate(path, days)
        assert checks._certificate(path).state == state
    path.write_text("nonsense")
    assert checks._certificate(path).state == "bad"
    assert checks._certificate(tmp_path / "none.pem").state == "bad"


def made(folder, name, age, checked=None):
    one = folder / name
    one.mkdir(parents=True)
    facts = {"made_at": (datetime.now(UTC) - age).isoformat(), "size": 5, "version": "1", "rows": {}, "sha256": {}}
    if checked is not None:
        facts["checked_at"] = (datetime.now(UTC) - checked).isoformat()
    backup._write(one / backup.MANIFEST, facts)


def test_backups_age(tmp_path, db):
    assert [line.state for line in checks.backups()] == ["bad"]
    where = tmp_path / "b"
    installation.configure(LUMING_BACKUP_FOLDER=str(where))
    assert [line.state for line in checks.backups()] == ["bad"]
    made(where, "luming-20260101-000000", timedelta(days=5))
    assert [line.state for line in checks.backups()] == ["bad", "warning"]
    made(where, "luming-20260102-000000", timedelta(days=2))
    assert [line.state for line in checks.backups()] == ["warning", "warning"]
    made(where, "luming-20260103-000000", timedelta(hours=5), timedelta(hours=4))
    assert [line.state for line in checks.backups()] == ["good", "good"]


def test_administrators_and_their_second_factor(world, settings):
    settings.SECOND_FACTOR = "admins"
    lines = by_label(checks.people())
    assert [line.state for line in lines.values()] == ["good", "warning"]
    world.users["audit-admin"].is_active = False
    world.users["audit-admin"].save()
    assert next(checks.people()).state == "warning"


def test_a_check_that_fails_is_a_line(monkeypatch, db):
    def broken():
        raise RuntimeError("out of order")
        yield

    monkeypatch.setattr(checks, "GROUPS", [("g", [broken])])
    ((_label, (line,)),) = checks.examine()
    assert line.state == "bad" and "out of order" in line.found


def test_the_flow_counts_what_came(world):
    flow = health._flow(datetime.now(UTC))
    assert len(flow["bars"]) == 48 and flow["top"] >= 4  # the newest hour holds the odd ones
    assert sum(height for _y, height, _colour in flow["bars"][-1]["parts"]) <= 100.01


def test_backup_now_and_retry(world, tmp_path):
    client = world.client("system-admin")
    page = text(client.post(reverse("system-backup"), follow=True))
    assert "Choose first where backups go" in page
    installation.configure(LUMING_BACKUP_FOLDER=str(tmp_path / "b"))
    assert "The worker makes a backup now" in text(client.post(reverse("system-backup"), follow=True))
    assert "under way already" in text(client.post(reverse("system-backup"), follow=True))
    job = failed_job()
    assert f"/system/jobs/{job}/retry/" in text(client.get("/system/"))
    assert "waits for the worker again" in text(client.post(reverse("system-retry", args=[job]), follow=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT status::text FROM procrastinate_jobs WHERE id = %s", [job])
        assert cursor.fetchone() == ("todo",)
    assert client.post(reverse("system-retry", args=[job])).status_code == 404  # it has not failed any more
    assert set(AuditEntry.objects.values_list("verb", flat=True)) >= {"backup.make", "job.retry"}


def test_the_page_keeps_its_queries(world, django_assert_max_num_queries):
    client = world.client("system-admin")
    client.get("/system/")
    with django_assert_max_num_queries(60):
        client.get("/system/")
