"""Empty tables between tests with DELETE, the triggers off.

TRUNCATE makes and drops a file for each of more than a thousand tables and indexes: seconds per test. It also waits for
whoever reads. Nearly all tables are empty, so DELETE costs next to nothing.
"""

from django.db.backends.postgresql.operations import DatabaseOperations

STORE = (
    "telemetry_packet", "telemetry_packet_release", "telemetry_observation", "telemetry_verdict", "telemetry_dirty",
)  # fmt: skip

_truncating = DatabaseOperations.sql_flush


def empty_store():
    """Empty the store's tables: writers commit over connections of their own, so no rollback does it."""
    from luming.telemetry.store import connecting

    with connecting.connect(**connecting.parameters(as_owner=True)) as owner, owner.transaction():
        owner.execute("SET LOCAL session_replication_role = replica")
        for table in STORE:
            owner.execute(f"DELETE FROM {table}")


def sql_flush(self, style, tables, *, reset_sequences=False, allow_cascade=False):
    """Return what empties the tables of all models after a test with transactions of its own."""
    if not tables or reset_sequences:
        return _truncating(self, style, tables, reset_sequences=reset_sequences, allow_cascade=allow_cascade)
    deleting = " ".join(f"DELETE FROM {self.quote_name(table)};" for table in tables)
    return [f"DO $flush$ BEGIN SET LOCAL session_replication_role = replica; {deleting} END $flush$"]


def install():
    """Have Django empty tables this way."""
    DatabaseOperations.sql_flush = sql_flush
