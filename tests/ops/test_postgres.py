"""The embedded PostgreSQL: made once, started, found running, killed and recovered."""

import psycopg
import pytest

from luming.ops.postgres import PostgresError, Server


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path, tmp_path / "run", "p@ss word", {"shared_buffers": "16MB"})
    yield server
    if server.is_running():
        server.kill()


def test_life_of_a_server(server):
    assert not server.is_running()
    server.start()
    assert server.is_running()
    with psycopg.connect(
        password=server.password, user="luming", dbname="luming", host=str(server.sockets)
    ) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")
    again = Server(server.data.parent, server.sockets, server.password)
    again.start()  # finds it running
    server.kill()
    assert not server.is_running()
    server.start()  # recovers
    with psycopg.connect(
        password=server.password, user="luming", dbname="luming", host=str(server.sockets)
    ) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (1,)
    server.stop()
    assert not server.is_running()
    server.stop()  # twice is no error


def test_a_wrong_password_is_refused(server):
    server.start()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(password="guess", user="luming", dbname="luming", host=str(server.sockets))


def test_a_server_that_cannot_start_says_why(tmp_path):
    server = Server(tmp_path, tmp_path / "run", "x", {"shared_buffers": "nonsense"})
    with pytest.raises(PostgresError, match="shared_buffers"):
        server.start(timeout=10)
