"""``luming restore``; see :mod:`luming.core.backup_commands`."""

from luming.core.backup_commands import configure_restore as configure

__all__ = ["configure"]
