"""Dialogues over TCP: the core without input and output, the host's side and the logger's side."""

from .client import Client, Reply, RequestHandler, UploadError
from .dialogue import Dialogue, Event, EventKind
from .server import ServerConnection, SessionHandler, serve

__all__ = [
    "Client",
    "Dialogue",
    "Event",
    "EventKind",
    "Reply",
    "RequestHandler",
    "ServerConnection",
    "SessionHandler",
    "UploadError",
    "serve",
]
