"""What `luming demo` does before and beside starting its children."""

import json
import socket

import pytest

from luming.core.models import User
from luming.ops import demo
from luming.ops.supervisor import Supervisor


def test_busy_ports_are_passed_over(unused_tcp_port):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", unused_tcp_port))
        busy.listen()
        assert demo.free_port(unused_tcp_port) > unused_tcp_port


def test_children_never_share_a_port(tmp_path, monkeypatch, unused_tcp_port):
    started = []
    monkeypatch.setattr(Supervisor, "start", lambda self, child: started.append(child))
    monkeypatch.setattr("luming.ops.serve.collect_static", lambda: None)
    demo.start_children(Supervisor(tmp_path), 8000, unused_tcp_port, simulation=True)
    names = [child.name for child in started]
    assert names == ["web", "gateway", "worker", "simulate"]
    gateway, worker = started[1], started[2]
    ports = [
        int(gateway.environment["LUMING_GATEWAY_PORT"]),
        int(gateway.environment["LUMING_GATEWAY_METRICS_PORT"]),
        int(worker.arguments[-1]),
    ]
    assert len(set(ports)) == 3


@pytest.mark.django_db
def test_one_time_passwords_are_kept_until_they_are_used(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMING_DATA", str(tmp_path))
    for name in ("duty", "leader"):
        User.objects.create_user(name, "x" * 12, name=name, role=name, must_change_password=True)
    assert demo.one_time_passwords({"duty": "a", "leader": "b"}) == {"duty": "a", "leader": "b"}
    path = tmp_path / "one-time-passwords.json"
    assert path.stat().st_mode & 0o077 == 0
    User.objects.filter(username="duty").update(must_change_password=False)
    assert demo.one_time_passwords({}) == {"leader": "b"}
    assert json.loads(path.read_text()) == {"leader": "b"}


def test_reset_refuses_what_is_no_demonstration(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LUMING_DATA", str(tmp_path))
    (tmp_path / "pgdata").mkdir()
    with pytest.raises(SystemExit):
        demo.reset(object())
    assert "left alone" in capsys.readouterr().err
    assert (tmp_path / "pgdata").exists()
    with pytest.raises(SystemExit):
        demo.reset(None)
