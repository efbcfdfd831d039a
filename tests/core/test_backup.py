"""Backups are made, proved and restored for real, with PostgreSQL's own programs."""

import json
import shutil
import tarfile

import psycopg
import pytest
from django.db import connection

from luming.core import backup, backup_commands, backup_jobs, installation, postgres_tools
from luming.core.models import Organisation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media" / "files"
    settings.MEDIA_ROOT.mkdir(parents=True)
    (settings.MEDIA_ROOT / "a").write_text("kept")
    return settings.MEDIA_ROOT


@pytest.fixture
def target():
    """Name a database and drop whatever the test made of it."""
    name = "luming_restored_test"
    yield name
    with backup._server() as server:
        for (found,) in server.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s", (f"{name}%",)
        ).fetchall():
            server.execute(f'DROP DATABASE "{found}" WITH (FORCE)')


def rows(database, query="SELECT name FROM core_organisation ORDER BY name"):
    with psycopg.connect(**postgres_tools.parameters(database)) as other:
        return [row[0] for row in other.execute(query).fetchall()]


def test_make_check_restore(tmp_path, files, target):
    Organisation.objects.create(name="甲厂")
    made = backup.make(tmp_path / "b")
    assert made.rows["core_organisation"] == 1 and made.checked_at is None and made.size > 1000
    assert [one.name for one in backup.listing(tmp_path / "b")] == [made.name]
    assert (made.folder.stat().st_mode & 0o077, (made.folder / backup.DUMP).stat().st_mode & 0o077) == (0, 0)
    with tarfile.open(made.folder / backup.FILES) as archive:
        assert "files/a" in archive.getnames()
    checked = backup.check(made)
    assert checked.checked_at is not None and backup.read(made.folder).checked_at == checked.checked_at
    with backup._server() as server:
        assert not server.execute("SELECT 1 FROM pg_database WHERE datname LIKE 'luming_check%'").fetchone()

    Organisation.objects.create(name="乙厂")  # after the backup: not in it
    (files / "a").write_text("changed since")
    assert backup.restore(made, target) is None
    assert rows(target) == ["甲厂"] and (files / "a").read_text() == "kept"
    with psycopg.connect(**postgres_tools.parameters(target), autocommit=True) as other:
        with pytest.raises(psycopg.errors.RestrictViolation):  # the triggers came along
            other.execute("INSERT INTO core_auditentry (at, actor_name, verb, object_type, object_id, object_name,"
                          " reason, detail) VALUES (now(), 'x', 'x', 'x', '1', '', '', '{}')")  # fmt: skip
            other.execute("DELETE FROM core_auditentry")
        other.execute(
            "INSERT INTO core_user (username, name, role, password, region_codes, language, is_active,"
            " must_change_password, created_at) VALUES ('u', 'U', 'duty', '', '[]', 'en', true, false, now())"
        )

    with pytest.raises(backup.BackupError, match="--replace"):
        backup.restore(made, target)
    with psycopg.connect(**postgres_tools.parameters(target)), pytest.raises(backup.BackupError, match="in use"):
        backup.restore(made, target, replace=True)
    before = backup.restore(made, target, replace=True)
    assert (
        rows(before, "SELECT username FROM core_user") == ["u"] and rows(target, "SELECT username FROM core_user") == []
    )


def test_a_damaged_backup_is_told(tmp_path, files):
    made = backup.make(tmp_path)
    dump = made.folder / backup.DUMP
    content = dump.read_bytes()
    dump.write_bytes(content[:-50] + b"x" * 50)
    with pytest.raises(backup.BackupError, match="altered"):
        backup.check(made)
    dump.unlink()
    with pytest.raises(backup.BackupError, match="missing"):
        backup.restore(made, "luming_never")
    dump.write_bytes(content)
    facts = json.loads((made.folder / backup.MANIFEST).read_text())
    facts["rows"]["core_user"] = 99
    (made.folder / backup.MANIFEST).write_text(json.dumps(facts))
    with pytest.raises(backup.BackupError, match="rows differ after the restore in core_user"):
        backup.check(backup.read(made.folder))


def test_what_breaks_off_leaves_nothing(tmp_path, files, monkeypatch):
    def fail(*args, **keywords):
        raise postgres_tools.ToolError("no room")

    monkeypatch.setattr(postgres_tools, "run", fail)
    with pytest.raises(backup.BackupError, match="no room"):
        backup.make(tmp_path)
    assert not list(tmp_path.glob("luming-*")) and not backup.listing(tmp_path)


def test_old_ones_go(tmp_path, files):
    made = backup.make(tmp_path)
    for number in range(1, 4):
        copy = shutil.copytree(made.folder, tmp_path / f"luming-2026010{number}-020000")
        facts = json.loads((copy / backup.MANIFEST).read_text()) | {"made_at": f"2026-01-0{number}T00:00:00+00:00"}
        (copy / backup.MANIFEST).write_text(json.dumps(facts))
    (tmp_path / "luming-notes").mkdir()
    assert backup.prune(tmp_path, 2) == ["luming-20260102-020000", "luming-20260101-020000"]
    assert {path.name for path in tmp_path.glob("luming-*")} == {made.name, "luming-20260103-020000", "luming-notes"}


def test_jobs_and_command(tmp_path, files, monkeypatch, capsys):
    import argparse

    monkeypatch.setenv("LUMING_DATA", str(tmp_path / "data"))
    assert backup_jobs.make() == "" and backup_jobs.weekly_check(0) == ""

    def command(*words, of=backup_commands.configure):
        parser = argparse.ArgumentParser()
        of(parser)
        args = parser.parse_args(words)
        return args.run(args)

    assert command() == 2 and "--folder" in capsys.readouterr().err
    installation.configure(LUMING_BACKUP_FOLDER=str(tmp_path / "kept"), LUMING_BACKUP_KEEP="1")
    name = backup_jobs.make()
    assert name and backup_jobs.weekly_check(0) == name
    assert command("--list") == 0 and f"{name}" in capsys.readouterr().out
    assert command("--folder", str(tmp_path / "other"), "--check") == 0
    assert "restored on trial" in capsys.readouterr().out
    assert command(str(tmp_path / "nothing"), of=backup_commands.configure_restore) == 2
    found = backup.listing(tmp_path / "kept")[0]
    monkeypatch.setattr(backup, "_holds_something", lambda name: True)
    assert command(str(found.folder), of=backup_commands.configure_restore) == 1
    assert "--replace" in capsys.readouterr().err
    assert connection.settings_dict["NAME"]
