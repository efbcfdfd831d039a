"""The gateway's picture of the register: devices by MN, some seconds old at most.

Triggers announce changes of devices, series, aliases and places on :data:`CHANNEL` (telemetry migration 0003); the
picture is also drawn anew every minute and after every loss of the database.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import sql

from luming.telemetry import store
from luming.telemetry.commanding import CHANNEL as COMMAND_CHANNEL
from luming.telemetry.identity import NODES, claim_node
from luming.telemetry.intake import DeviceContext, load_contexts
from luming.telemetry.store import connecting

log = logging.getLogger("luming.gateway")

CHANNEL = "luming_register"
RECONNECT_SECONDS = 2.0


class DeviceCache:
    """Device contexts by MN; replaced as a whole, so that readers never see half a change."""

    def __init__(self) -> None:
        self.contexts: dict[str, DeviceContext] = {}

    def reload(self) -> None:
        """Read the register (blocking; not in the event loop)."""
        self.contexts = load_contexts()

    def get(self, mn: str) -> DeviceContext | None:
        """Return the context of an MN, or None when no register knows it."""
        return self.contexts.get(mn)

    def set_password(self, mn: str, password: str) -> None:
        """Use a new password at once: the device does so from its next packet on, before we read the register again."""
        if context := self.contexts.get(mn):
            self.contexts[mn] = replace(context, password=password)


class Listener(threading.Thread):
    """Holds the connection that shows that this gateway lives, with its node, and waits there for notifications.

    Parameters
    ----------
    heard : ``heard(channel, payload)``, called in this thread; both are empty when the connection was made again.
    claimed : ``claimed(node)``, called in this thread when the node had to change.
    """

    def __init__(self, name: str, heard: Callable[[str, str], None], claimed: Callable[[int], None]) -> None:
        super().__init__(name="luming-listener", daemon=True)
        self.application_name = name
        # At random: a gateway that starts while the database is away should not get the node of one that lives.
        self.node = random.randrange(NODES)
        self._heard, self._claimed = heard, claimed
        self._connection: psycopg.Connection[Any] | None = None
        self._halt = threading.Event()

    def connect(self) -> None:
        """Connect and claim a node (blocking).

        Raises
        ------
        StoreUnavailable
        """
        connection = connecting.connect(None, **connecting.parameters(), application_name=self.application_name)
        try:
            for channel in (CHANNEL, COMMAND_CHANNEL):
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            self.node = claim_node(connection, self.node)
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def stop(self) -> None:
        """End the thread within a second."""
        self._halt.set()

    def run(self) -> None:
        """Listen; connect again whenever the database went away."""
        while not self._halt.is_set():
            try:
                if self._connection is None:
                    before = self.node
                    self.connect()
                    if self.node != before:
                        self._claimed(self.node)
                    self._heard("", "")
                self._listen()
            except (psycopg.Error, store.StoreUnavailable, RuntimeError) as error:
                log.info("not listening for notifications: %s", error)
                self.close()
                self._halt.wait(RECONNECT_SECONDS)
        self.close()

    def _listen(self) -> None:
        assert self._connection is not None
        while not self._halt.is_set():
            for notification in self._connection.notifies(timeout=0.1):
                self._heard(notification.channel, notification.payload)
                if self._halt.is_set():
                    return

    def close(self) -> None:
        """Let go of the connection and with it of the node."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
