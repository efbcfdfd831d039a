"""Static files: what is served of the packages, fingerprints, icons, and how much a first visit loads."""

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command

from luming.web.staticfiles import VENDOR_FILES
from luming.web.templatetags.luming import icons

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "src" / "luming" / "web"
needs_packages = pytest.mark.skipif(
    not (ROOT / "node_modules").exists(), reason="npm packages are not installed (make setup)"
)


def test_every_icon_is_in_the_sprite():
    used = set()
    for path in WEB.rglob("*.html"):
        used |= set(re.findall(r'{% icon "([\w-]+)"', path.read_text(encoding="utf-8")))
        used |= set(re.findall(r'symbol="([\w-]+)"', path.read_text(encoding="utf-8")))
    from luming.web.context import OWN
    from luming.web.states import MEDIUM_ICONS

    used |= {item.icon for item in OWN} | set(MEDIUM_ICONS.values())
    assert not used - icons()


@needs_packages
def test_only_the_named_files_of_packages_are_served():
    for name in VENDOR_FILES:
        assert finders.find(name), name
    for name in ("vendor/../package.json", "vendor/tabler/package.json", "echarts/package.json"):
        assert not finders.find(name)


@needs_packages
def test_the_first_visit_is_light():
    """Compressed bytes of the heaviest page (home: map) and of a page with charts."""
    ours = ("luming.css", "shell.js", "theme.js", "icons.svg")
    shell = [name for name in VENDOR_FILES if "tabler" in name or "htmx" in name] + [f"luming/{name}" for name in ours]
    home = [*shell, "luming/map.js", *(name for name in VENDOR_FILES if "maplibre" in name)]
    charts = [*shell, "luming/chart.js", "vendor/echarts/echarts.min.js"]
    for files in (home, charts):
        total = sum(len(gzip.compress(Path(finders.find(name)).read_bytes(), 9)) for name in files)
        assert total < 900_000, total


@needs_packages
def test_collected_files_are_fingerprinted_and_compressed(tmp_path, settings):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "luming.web.staticfiles.HashedStorage"}}
    call_command("collectstatic", interactive=False, verbosity=0)
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    (shell,) = [name for name in names if re.fullmatch(r"luming/shell\.[0-9a-f]{12}\.js", name)]
    (chart,) = [name for name in names if re.fullmatch(r"luming/chart\.[0-9a-f]{12}\.js", name)]
    assert f"{shell}.gz" in names
    assert f'"./{Path(shell).name}"' in (tmp_path / chart).read_text()  # imports follow the fingerprint


def test_settings_serve_no_page_from_elsewhere():
    assert settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["default-src"] == ["'self'"]
