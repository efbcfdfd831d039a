"""Models of the room of people: accounts and the audit trail, and what hangs on records of every room."""

from luming.core.models.people import AuditEntry, Organisation, User, UserManager
from luming.core.models.records import Attachment, Note, SavedView, Tag, Tagging
from luming.core.models.searching import SearchDirty, SearchEntry
from luming.core.models.working import Task

__all__ = [
    "Attachment",
    "AuditEntry",
    "Note",
    "Organisation",
    "SavedView",
    "SearchDirty",
    "SearchEntry",
    "Tag",
    "Tagging",
    "Task",
    "User",
    "UserManager",
]
