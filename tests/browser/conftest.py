"""A real Chromium over the city of the page tests, served by this process."""

import importlib.util
import os
import shutil
from pathlib import Path

import emptying
import pytest
from django.core.cache import cache

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
ROOT = Path(__file__).resolve().parents[2]


def chromium():
    """Return the browser's path, None when there is none."""
    named = os.environ.get("CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def pytest_collection_modifyitems(items):
    reason = None
    if chromium() is None:
        reason = "no Chromium on this machine (Debian: apt install chromium; elsewhere set CHROMIUM to its path)"
    elif not (ROOT / "node_modules").exists():
        reason = "npm packages are not installed (make setup)"
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="module")
def browser():
    """Start the browser; it ends with the module, because its event loop must not be there for other tests."""
    playwright = pytest.importorskip("playwright.sync_api")
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # the sync API runs a loop of its own in this thread
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield found
        found.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def page_tests():
    """Load the conftest of the page tests, which builds the city."""
    spec = importlib.util.spec_from_file_location("page_tests", ROOT / "tests" / "web" / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def world(transactional_db, page_tests):
    """Build the city so that the server's threads see it."""

    cache.clear()
    emptying.empty_store()
    return page_tests.build_world()
