"""Packets and observations: partitioned, insert-only tables, and the role that serves pages.

Only ``luming.telemetry.store`` speaks to these tables. Column order follows alignment, so that no row carries padding;
a row of nothing but NULLs after ``packet_id`` spends no byte on them.
"""

from django.db import migrations

TABLES = """
CREATE TABLE telemetry_packet (
    id bigint NOT NULL,
    received_at timestamptz NOT NULL,
    connection_id bigint,
    device_id integer,
    cn integer,
    new smallint NOT NULL,
    repeated smallint NOT NULL,
    revised smallint NOT NULL,
    direction "char" NOT NULL,
    verdict "char" NOT NULL,
    mn text,
    peer text,
    st text,
    qn text,
    reason text,
    codes text[] NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX telemetry_packet_device ON telemetry_packet (device_id, id) WHERE device_id IS NOT NULL;
CREATE INDEX telemetry_packet_mn ON telemetry_packet (mn, id) WHERE device_id IS NULL;
CREATE INDEX telemetry_packet_refused ON telemetry_packet (verdict, reason, id) WHERE verdict <> 'A';

CREATE TABLE telemetry_packet_release (
    packet_id bigint NOT NULL,
    released_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    by_id bigint,
    new smallint NOT NULL,
    repeated smallint NOT NULL,
    revised smallint NOT NULL,
    verb text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (packet_id, released_at)
);

CREATE TABLE telemetry_observation (
    series_id integer NOT NULL,
    revision smallint NOT NULL,
    flag text,
    start timestamptz NOT NULL,
    value double precision,
    packet_id bigint NOT NULL,
    minimum double precision,
    maximum double precision,
    converted double precision,
    amount double precision,
    recorded_at timestamptz,
    PRIMARY KEY (series_id, start, revision)
) PARTITION BY RANGE (start);
COMMENT ON COLUMN telemetry_observation.recorded_at IS
    'NULL: recorded when its packet was received (the time is in the packet id); set when read from a kept packet later';

CREATE TABLE telemetry_observation_early PARTITION OF telemetry_observation
    FOR VALUES FROM (MINVALUE) TO ('2000-01-01 00:00+08');
CREATE TABLE telemetry_observation_late PARTITION OF telemetry_observation
    FOR VALUES FROM ('2100-01-01 00:00+08') TO (MAXVALUE);

-- No key: writers never wait for each other or for a judge that holds marks; doubles are merged when taken.
CREATE TABLE telemetry_dirty (
    start timestamptz NOT NULL,
    place_id integer NOT NULL,
    "interval" text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON telemetry_packet
    FOR EACH ROW EXECUTE FUNCTION luming_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON telemetry_packet_release
    FOR EACH ROW EXECUTE FUNCTION luming_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON telemetry_observation
    FOR EACH ROW EXECUTE FUNCTION luming_append_only();
"""

DROP_TABLES = """
DROP TABLE telemetry_packet, telemetry_packet_release, telemetry_observation, telemetry_dirty;
"""

# The serving role owns nothing, so a function of the owner makes partitions for it. ATTACH (unlike CREATE … PARTITION OF)
# lets readers and writers of the other partitions go on.
FUNCTIONS = """
CREATE FUNCTION luming_packet_id(moment timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE
    AS $$ SELECT greatest(0, (extract(epoch FROM moment) * 1000 - 1577836800000)::bigint) << 22 $$;

CREATE FUNCTION luming_make_partition(kind text, day date) RETURNS boolean
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
    ELSIF kind = 'observation' THEN
        day := date_trunc('month', day);
        name := 'telemetry_observation_' || to_char(day, 'YYYYMM');
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

DROP_FUNCTIONS = """
DROP FUNCTION luming_make_partition(text, date);
DROP FUNCTION luming_packet_id(timestamptz);
"""

# Roles belong to the whole cluster: another database of it may have made ours, or is making it at this moment.
GRANTS = """
DO $$
BEGIN
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'luming_app') THEN
            CREATE ROLE luming_app NOLOGIN;
        END IF;
        IF NOT pg_has_role(current_user, 'luming_app', 'MEMBER') THEN
            EXECUTE format('GRANT luming_app TO %I', current_user);
        END IF;
    EXCEPTION
        WHEN insufficient_privilege THEN
            RAISE NOTICE 'role luming_app was not made: % may not create roles', current_user;
            RETURN;
        WHEN duplicate_object OR unique_violation THEN
            NULL;
    END;
    GRANT USAGE ON SCHEMA public TO luming_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO luming_app;
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO luming_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO luming_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO luming_app;
    REVOKE UPDATE, DELETE ON telemetry_packet, telemetry_packet_release, telemetry_observation, core_auditentry
        FROM luming_app;
    REVOKE ALL ON telemetry_observation_early, telemetry_observation_late FROM luming_app;
    REVOKE ALL ON FUNCTION luming_make_partition(text, date) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION luming_make_partition(text, date) TO luming_app;
END $$;
"""

DROP_GRANTS = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'luming_app') THEN
        ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM luming_app;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM luming_app;
        REVOKE ALL ON ALL TABLES IN SCHEMA public FROM luming_app;
        REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM luming_app;
        REVOKE ALL ON FUNCTION luming_make_partition(text, date) FROM luming_app;
        REVOKE USAGE ON SCHEMA public FROM luming_app;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0001_initial"), ("core", "0002_audit_is_append_only")]
    operations = [
        migrations.RunSQL(TABLES, DROP_TABLES),
        migrations.RunSQL(FUNCTIONS, DROP_FUNCTIONS),
        migrations.RunSQL(GRANTS, DROP_GRANTS),
    ]
