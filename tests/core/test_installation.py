"""Where an installation keeps its data, and how it reaches its database."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from luming.core import installation


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMING_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("LUMING_SECRET_KEY", raising=False)
    return tmp_path / "data"


def test_a_secret_is_made_once_and_readable_by_its_owner_only(folder):
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: installation.secret("secret_key"), range(32)))
    assert len(made) == 1
    assert len(made.pop()) >= 32
    path = folder / "secrets.json"
    assert path.stat().st_mode & 0o077 == 0
    assert list(json.loads(path.read_text())) == ["secret_key"]


def test_the_environment_wins(folder, monkeypatch):
    monkeypatch.setenv("LUMING_SECRET_KEY", "from outside")
    assert installation.secret("secret_key") == "from outside"
    assert not (folder / "secrets.json").exists()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql://u%40x:p%2Fw@db.example:5433/city?sslmode=require",
            {
                "NAME": "city",
                "USER": "u@x",
                "PASSWORD": "p/w",
                "HOST": "db.example",
                "PORT": "5433",
                "OPTIONS": {"sslmode": "require"},
            },
        ),
        (
            "postgres://luming:s@/luming?host=/var/run/pg",
            {"NAME": "luming", "USER": "luming", "PASSWORD": "s", "HOST": "/var/run/pg", "PORT": "", "OPTIONS": {}},
        ),
    ],
)
def test_database_parameters(url, expected):
    assert installation.database_parameters(url) == expected


def test_other_databases_are_refused():
    with pytest.raises(ValueError, match="postgresql://"):
        installation.database_parameters("mysql://root@localhost/x")


def test_a_socket_path_stays_short(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("LUMING_DATA", str(tmp_path / ("long" * 30)))
    assert len(str(installation.socket_dir())) < 80
