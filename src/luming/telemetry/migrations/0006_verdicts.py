"""Verdicts: what checks and people say of observations, append-only like the observations themselves.

A period without a row counts as the device's own mark says: checked, and nothing spoke. ``sequence`` counts the
verdicts of one period; the highest one holds, as long as ``revision`` is that of the latest observation.
"""

from django.db import migrations

TABLES = """
CREATE TABLE telemetry_verdict (
    series_id integer NOT NULL,
    sequence smallint NOT NULL,
    revision smallint NOT NULL,
    start timestamptz NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    value double precision,
    person_id integer,
    origin smallint NOT NULL,
    quality smallint NOT NULL,
    letter text,
    checks text[] NOT NULL DEFAULT '{}',
    source text NOT NULL,
    reason text,
    edition text NOT NULL,
    PRIMARY KEY (series_id, start, sequence)
) PARTITION BY RANGE (start);
COMMENT ON COLUMN telemetry_verdict.revision IS 'of the observation that was judged; -1 when there is none';
COMMENT ON COLUMN telemetry_verdict.value IS 'what counts instead of the observed value (substituted, manual, corrected)';
CREATE INDEX telemetry_verdict_at ON telemetry_verdict (at);

CREATE TABLE telemetry_verdict_early PARTITION OF telemetry_verdict FOR VALUES FROM (MINVALUE) TO ('2000-01-01 00:00+08');
CREATE TABLE telemetry_verdict_late PARTITION OF telemetry_verdict FOR VALUES FROM ('2100-01-01 00:00+08') TO (MAXVALUE);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON telemetry_verdict
    FOR EACH ROW EXECUTE FUNCTION luming_append_only();

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'luming_app') THEN
        REVOKE UPDATE, DELETE ON telemetry_verdict FROM luming_app;
        REVOKE ALL ON telemetry_verdict_early, telemetry_verdict_late FROM luming_app;
    END IF;
END $$;
"""

PARTITIONS = """
CREATE OR REPLACE FUNCTION luming_make_partition(kind text, day date) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    name text;
    lower text;
    upper text;
BEGIN
    IF kind = 'packet' THEN
        name := 'telemetry_packet_' || to_char(day, 'YYYYMMDD');
        lower := luming_packet_id(day::timestamp AT TIME ZONE 'Asia/Shanghai');
        upper := luming_packet_id((day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai');
    ELSIF kind IN ({kinds}) THEN
        day := date_trunc('month', day);
        name := 'telemetry_' || kind || '_' || to_char(day, 'YYYYMM');
        lower := quote_literal(day::timestamp AT TIME ZONE 'Asia/Shanghai');
        upper := quote_literal((day + interval '1 month')::timestamp AT TIME ZONE 'Asia/Shanghai');
    ELSE
        RAISE EXCEPTION 'no partitions of kind %', kind;
    END IF;
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('LOCK TABLE ONLY telemetry_%s IN SHARE UPDATE EXCLUSIVE MODE', kind);  -- one maker at a time
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE telemetry_%s INCLUDING ALL)', name, kind);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'luming_app') THEN
        EXECUTE format('REVOKE ALL ON %I FROM luming_app', name);  -- reached through its parent only
    END IF;
    EXECUTE format('ALTER TABLE telemetry_%s ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', kind, name, lower, upper);
    RETURN true;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0005_newest_first")]
    operations = [
        migrations.RunSQL(TABLES, "DROP TABLE telemetry_verdict"),
        migrations.RunSQL(
            PARTITIONS.replace("{kinds}", "'observation', 'verdict'"), PARTITIONS.replace("{kinds}", "'observation'")
        ),
    ]
