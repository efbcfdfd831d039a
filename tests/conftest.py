"""The whole suite: a template that no test renders fails the run."""

import os
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "luming"
RENDERED: set[str] = set()


def note(template, **_):
    """Keep the name of a template that was rendered."""
    RENDERED.add(template.name)


def pytest_sessionstart(session):
    """Listen to Django's test signal; each process of a parallel run keeps its own list."""
    import emptying
    from django.test.signals import template_rendered

    emptying.install()
    template_rendered.connect(note)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session, exitstatus):
    """A process hands its list in; the first one looks at them all when the run was whole and green."""
    folder = Path(os.environ["LUMING_TEST_FOLDER"]) / "rendered"
    folder.mkdir(exist_ok=True)
    (folder / f"{os.getpid()}.txt").write_text("\n".join(sorted(filter(None, RENDERED))), encoding="utf-8")
    config = session.config
    partial = config.option.keyword or config.option.markexpr or config.args != config.getini("testpaths")
    if hasattr(config, "workerinput") or exitstatus or partial:
        return
    rendered = {name for path in folder.glob("*.txt") for name in path.read_text(encoding="utf-8").splitlines()}
    missing = sorted(templates() - rendered)
    if missing:
        print("\n\nno test renders: " + ", ".join(missing))
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def templates():
    """Return the names of the product's templates."""
    roots = [path for path in PACKAGE.rglob("templates") if path.is_dir()]
    return {str(path.relative_to(root)) for root in roots for path in root.rglob("*.html")}
