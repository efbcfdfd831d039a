"""What the gateway tells Prometheus, and whether it is well: ``/metrics`` and ``/healthz`` over a small HTTP server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

REQUEST_SECONDS = 5.0
MAX_REQUEST = 8192


class Metrics:
    """The figures of one gateway process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.packets = Counter("luming_gateway_packets", "Packets committed", ["verdict"], registry=self.registry)
        self.bytes = Counter("luming_gateway_received_bytes", "Bytes of committed packets", registry=self.registry)
        self.observations = Counter("luming_gateway_observations", "Observations committed", registry=self.registry)
        self.replies = Counter("luming_gateway_replies", "Answers sent after commit", registry=self.registry)
        self.requests = Counter("luming_gateway_requests", "Requests sent to devices", registry=self.registry)
        self.refused = Counter(
            "luming_gateway_refused_connections", "Connections refused or ended by a limit", ["why"],
            registry=self.registry,
        )  # fmt: skip
        self.pauses = Counter(
            "luming_gateway_reading_paused", "Times that reading was paused", ["why"], registry=self.registry
        )
        self.connections = Gauge("luming_gateway_connections", "Open connections", registry=self.registry)
        self.devices = Gauge("luming_gateway_devices", "Registered devices on line here", registry=self.registry)
        self.pending = Gauge("luming_gateway_pending_packets", "Packets not committed yet", registry=self.registry)
        self.database_up = Gauge("luming_gateway_database_up", "1 while commits succeed", registry=self.registry)
        self.transactions = Gauge("luming_gateway_transactions", "Transactions committed", registry=self.registry)
        self.retries = Gauge("luming_gateway_database_retries", "Attempts that failed", registry=self.registry)
        self.latency = Histogram(
            "luming_gateway_acknowledgement_seconds", "From the read to the answer, of each batch's oldest packet",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
            registry=self.registry,
        )  # fmt: skip


class HttpServer:
    """Answers GET /metrics and GET /healthz; nothing else.

    ``health()`` returns a JSON-able dictionary with ``ok``; a gateway that is not well answers 503.
    """

    def __init__(self, metrics: Metrics, health: Callable[[], dict[str, Any]]) -> None:
        self._metrics, self._health = metrics, health
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port (asked for as 0: any free one)."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=MAX_REQUEST)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                status, kind, body = self._answer(head.split(b" ", 2))
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                    "Cache-Control: no-store\r\nConnection: close\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    def _answer(self, words: list[bytes]) -> tuple[str, str, bytes]:
        path = words[1].split(b"?")[0] if len(words) > 1 else b""
        if words[0] not in (b"GET", b"HEAD"):
            return "405 Method Not Allowed", "text/plain", b"GET only\n"
        if path == b"/healthz":
            health = self._health()
            status = "200 OK" if health["ok"] else "503 Service Unavailable"
            return status, "application/json", json.dumps(health, ensure_ascii=False).encode() + b"\n"
        if path == b"/metrics":
            self._health()  # refreshes the gauges
            return "200 OK", CONTENT_TYPE_LATEST, generate_latest(self._metrics.registry)
        return "404 Not Found", "text/plain", b"/metrics, /healthz\n"
