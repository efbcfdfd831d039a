"""luming doctor finds what is wrong and says how to mend it."""

import json

import pytest

from luming.cli import main
from luming.core import installation
from luming.ops import doctor


@pytest.fixture
def on_test_database(db, settings, monkeypatch):
    values = settings.DATABASES["default"]
    address, query = installation.database_url().split("?", 1)
    monkeypatch.setenv("DATABASE_URL", f"{address.rpartition('/')[0]}/{values['NAME']}?{query}")


def _by_check(findings):
    return {finding.check: finding for finding in findings}


def test_a_sound_installation(on_test_database):
    findings = _by_check(doctor.examine())
    assert findings["database / 数据库"].state == doctor.OK
    assert findings["migrations / 数据迁移"].state == doctor.OK
    assert findings["serving role / 服务角色"].state == doctor.OK
    assert all(finding.remedy for finding in findings.values() if finding.state != doctor.OK)
    # tests run with fsync off for speed, and the doctor says so
    assert findings["fsync"].state == doctor.PROBLEM


def test_readable_secrets_are_a_problem(on_test_database):
    path = installation.data_dir() / "secrets.json"
    installation.secret("secret_key")
    path.chmod(0o644)
    try:
        assert _by_check(doctor.examine())["secrets / 密钥文件"].state == doctor.PROBLEM
    finally:
        path.chmod(0o600)
    assert "secrets / 密钥文件" not in _by_check(doctor.examine())


def test_a_database_that_is_down(monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert main(["doctor", "--json"]) == 1
    findings = {row["check"]: row for row in json.loads(capsys.readouterr().out)}
    assert findings["database / 数据库"]["state"] == "problem"
    assert "DATABASE_URL" in findings["database / 数据库"]["remedy"]


def test_a_port_nobody_listens_on(settings, unused_tcp_port):
    settings.GATEWAY_PORT = unused_tcp_port
    (finding,) = doctor.ports()
    assert finding.state == doctor.WARNING
    assert str(unused_tcp_port) in finding.found
