"""Settings of test runs, Luming's own and those of third parties' domains.

Without ``DATABASE_URL`` a throw-away PostgreSQL is started in a temporary folder; parallel test processes share the one
of their parent. Nothing of an installation's data folder is touched.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

if "LUMING_TEST_FOLDER" not in os.environ:
    _folder = Path(tempfile.mkdtemp(prefix="luming-test-"))
    os.environ["LUMING_TEST_FOLDER"] = str(_folder)
    os.environ["LUMING_DATA"] = str(_folder)
    os.environ.pop("LUMING_DB_ROLE", None)
    atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    if "DATABASE_URL" not in os.environ:
        from luming.ops.postgres import Server

        # Speed, not durability: tests of durability start servers of their own.
        _server = Server(
            _folder, _folder / "run", "test", {"fsync": "off", "shared_buffers": "128MB", "full_page_writes": "off"}
        )
        _server.start()
        os.environ["DATABASE_URL"] = _server.url
        atexit.register(_server.kill)  # runs before the folder goes: atexit is last in, first out

from luming.web.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AXES_ENABLED = False
# Pages are tested without collecting the static files first.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CACHES["public"] = CACHES["default"]  # noqa: F405 - in memory, emptied with it
SECOND_FACTOR = "off"  # its own tests switch it on
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405
