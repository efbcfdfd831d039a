"""``luming start``, and backup and restore with the embedded database started for them."""

import argparse
import socket

from luming.ops import restore, start


def parsed(*words):
    parser = argparse.ArgumentParser()
    start.configure(parser)
    return parser.parse_args(words)


def test_a_taken_port_is_told_before_anything_is_started(capsys):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert start.taken("127.0.0.1", port)
        assert start.run(parsed("--port", str(port))) == 1
    assert str(port) in capsys.readouterr().err and not start.taken("127.0.0.1", port)


def test_pages_gateway_and_worker_are_the_children():
    names = {child.name: child for child in start.children("0.0.0.0", 8080, 3)}
    assert set(names) == {"web", "gateway", "worker"}
    assert names["web"].arguments == ["serve", "--host", "0.0.0.0", "--port", "8080", "--processes", "3"]
    assert names["web"].environment == {"LUMING_WEB_PORT": "8080"}


def test_the_address_and_the_token_are_printed_while_nobody_administers(db, capsys, monkeypatch, tmp_path):
    from django.db import connections

    from luming.core import setup_token
    from luming.core.models import User

    monkeypatch.setenv("LUMING_DATA", str(tmp_path))
    monkeypatch.setattr(connections, "close_all", lambda: None)
    start.announce("http://127.0.0.1:8000")
    assert setup_token.current() in capsys.readouterr().out
    User.objects.create_user("a", "x", name="A", role="system-admin")
    start.announce("http://127.0.0.1:8000")
    assert "/setup/" not in capsys.readouterr().out


class Server:
    """Stands for the embedded database."""

    def __init__(self, running):
        self.running, self.calls = running, []

    def is_running(self):
        return self.running

    def start(self):
        self.calls.append("start")

    def stop(self):
        self.calls.append("stop")


def test_the_database_is_started_only_when_nobody_has(monkeypatch):
    monkeypatch.setattr(restore.installation, "has_own_database", lambda: True)
    for running, calls in ((True, []), (False, ["start", "stop"])):
        server = Server(running)
        monkeypatch.setattr(restore, "own_server", lambda server=server: server)
        assert restore.with_database(lambda args: 7)(argparse.Namespace()) == 7
        assert server.calls == calls
