"""``/healthz`` and ``/metrics`` of a process without pages (the worker)."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from django.db import connection
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._answer(200, CONTENT_TYPE_LATEST, generate_latest())
        elif self.path == "/healthz":
            problem = database_problem()
            body = json.dumps({"ok": problem is None, "database": problem or "ok"}).encode()
            self._answer(503 if problem else 200, "application/json", body)
        else:
            self._answer(404, "text/plain", b"/healthz or /metrics\n")

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing: a probe every few seconds is no news."""


def database_problem() -> str | None:
    """Return why the database does not answer, None when it does."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception as error:
        connection.close()
        return str(error).strip().splitlines()[0]
    return None


def serve_health(port: int, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    """Answer probes in a thread of their own."""
    server = ThreadingHTTPServer((host, port), _Handler)
    Thread(target=server.serve_forever, daemon=True, name="health").start()
    return server
