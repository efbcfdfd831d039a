"""Static files: ours, and the few files of npm packages that the pages use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

# name under static/ -> file under node_modules. Nothing else of the packages is served.
VENDOR_FILES = {
    "vendor/tabler/tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "vendor/tabler/tabler.min.js": "@tabler/core/dist/js/tabler.min.js",
    "vendor/htmx/htmx.min.js": "htmx.org/dist/htmx.min.js",
    "vendor/echarts/echarts.min.js": "echarts/dist/echarts.common.min.js",
    "vendor/maplibre/maplibre-gl.css": "maplibre-gl/dist/maplibre-gl.css",
    "vendor/maplibre/maplibre-gl.mjs": "maplibre-gl/dist/maplibre-gl.mjs",
    "vendor/maplibre/maplibre-gl-worker.mjs": "maplibre-gl/dist/maplibre-gl-worker.mjs",
}


class _PackageStorage(FileSystemStorage):
    """``node_modules`` seen through the allow-list."""

    def path(self, name: str) -> str:
        return super().path(VENDOR_FILES[name.replace("\\", "/")])


class NodePackagesFinder(BaseFinder):
    """Finds the files of :data:`VENDOR_FILES` in ``settings.NODE_PACKAGES``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.storage = _PackageStorage(location=settings.NODE_PACKAGES)

    def check(self, **kwargs: Any) -> list[Any]:
        """Have nothing to check: a missing file is reported when it is collected."""
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> str | list[str]:
        """Return the file of an allowed name; an empty list for any other."""
        name = path.replace("\\", "/")
        if name not in VENDOR_FILES or not Path(self.storage.path(name)).exists():
            return []
        return [self.storage.path(name)] if find_all else self.storage.path(name)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        """Yield every allowed name with its storage."""
        for name in VENDOR_FILES:
            yield name, self.storage


class HashedStorage(CompressedManifestStaticFilesStorage):
    """Fingerprints and compresses; imports between our modules are rewritten, packages are left as they came.

    Packages name source maps that are not served, and find their parts through addresses that the page gives them.
    """

    support_js_module_import_aggregation = True

    def url_converter(self, name: str, hashed_files: dict[str, str], template: str | None = None) -> Any:
        """Return the rewriter of one file's references."""
        if name.startswith("vendor/"):
            return lambda match: match[0]
        return super().url_converter(name, hashed_files, template)
