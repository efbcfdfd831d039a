"""Just enough of WebDriver BiDi (W3C) to drive Debian's Firefox, which speaks it without another program."""

import contextlib
import itertools
import json
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from websockets.sync.client import connect

PREFERENCES = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.proxy.type": 0,
    "services.settings.server": "http://localhost:9/none",
    "toolkit.telemetry.enabled": False,
    "webgl.force-enabled": True,
}


def path():
    """Return the browser's path, None when there is none."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


class Firefox:
    """One tab."""

    def __init__(self, socket):
        self.socket = socket
        self.numbers = itertools.count(1)
        self.complaints = []
        self.call("session.new", capabilities={})
        self.call("session.subscribe", events=["log.entryAdded"])
        self.tab = self.call("browsingContext.getTree")["contexts"][0]["context"]

    def call(self, method, **params):
        """Send a command; return its result, keeping what the page complains about meanwhile."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv(timeout=60))
            if message.get("method") == "log.entryAdded":
                entry = message["params"]
                if entry["level"] == "error":
                    self.complaints.append(entry["text"])
            if message.get("id") == number:
                if message["type"] == "error":
                    raise RuntimeError(f"{method}: {message['message']}")
                return message["result"]

    def cookie(self, name, value, host):
        """Set a cookie."""
        cookie = {"name": name, "value": {"type": "string", "value": value}, "domain": host, "path": "/"}
        self.call("storage.setCookie", cookie=cookie)

    def size(self, width, height):
        """Set the window's size."""
        self.call("browsingContext.setViewport", context=self.tab, viewport={"width": width, "height": height})

    def open(self, url):
        """Open a page and wait until it is loaded."""
        self.call("browsingContext.navigate", context=self.tab, url=url, wait="complete")

    def evaluate(self, expression):
        """Return the value of an expression (a number, text, boolean or null)."""
        found = self.call("script.evaluate", expression=expression, target={"context": self.tab}, awaitPromise=True)
        if found["type"] == "exception":
            raise RuntimeError(found["exceptionDetails"]["text"])
        return found["result"].get("value")

    def until(self, expression, seconds=25):
        """Wait until an expression is true."""
        deadline = time.monotonic() + seconds
        while not self.evaluate(f"Boolean({expression})"):
            if time.monotonic() > deadline:
                raise TimeoutError(expression)
            time.sleep(0.1)


@contextlib.contextmanager
def started():
    """Yield a headless Firefox with a profile of its own."""
    with tempfile.TemporaryDirectory(prefix="luming-firefox-", ignore_cleanup_errors=True) as profile:
        with Path(profile, "user.js").open("w", encoding="utf-8") as file:
            file.writelines(
                f"user_pref({json.dumps(key)}, {json.dumps(value)});\n" for key, value in PREFERENCES.items()
            )
        command = [path(), "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port=0"]
        environment = {"HOME": profile, "PATH": "/usr/bin:/bin", "MOZ_DISABLE_CONTENT_SANDBOX": "1", "LANG": "C.UTF-8"}
        process = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment
        )
        try:
            address = next(
                found[1]
                for line in process.stderr
                if (found := re.search(r"WebDriver BiDi listening on (ws://\S+)", line))
            )
            with connect(f"{address}/session", max_size=2**26) as socket:
                yield Firefox(socket)
        finally:
            process.kill()
            process.wait()
            process.stderr.close()
