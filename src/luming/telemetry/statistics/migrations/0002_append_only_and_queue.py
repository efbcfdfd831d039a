"""Refuse update and delete of statistics, whoever asks; and the queue of days that must be computed again.

The queue has no unique key: whoever marks a day never waits for the job that computes it, see ``queue.mark``.
"""

from django.db import migrations

FORWARD = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON statistics_statistic
    FOR EACH STATEMENT EXECUTE FUNCTION luming_append_only();

CREATE TABLE statistics_dirty (
    day date NOT NULL,
    place_id integer NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX statistics_dirty_day ON statistics_dirty (day, place_id);

CREATE TABLE statistics_closed (
    day date NOT NULL
);
COMMENT ON TABLE statistics_closed IS 'one row: the last day of which every place was queued when it was over';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'luming_app') THEN
        REVOKE UPDATE, DELETE ON statistics_statistic FROM luming_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON statistics_dirty, statistics_closed TO luming_app;
    END IF;
END $$;
"""
BACKWARD = """
DROP TABLE statistics_closed;
DROP TABLE statistics_dirty;
DROP TRIGGER append_only ON statistics_statistic;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("statistics", "0001_statistics"),
        ("core", "0002_audit_is_append_only"),
        ("telemetry", "0006_verdicts"),
    ]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
