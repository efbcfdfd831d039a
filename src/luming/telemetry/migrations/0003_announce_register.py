"""Announce changes of the register, so that gateways know a new device within a second (NOTIFY luming_register)."""

from django.db import migrations

TABLES = ("registry_place", "registry_device", "registry_series", "registry_factoralias")

FORWARD = """
CREATE FUNCTION luming_announce_register() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('luming_register', '');  -- equal notifications of one transaction are sent once
    RETURN NULL;
END $$;
""" + "".join(
    f"""
CREATE TRIGGER announce_register AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION luming_announce_register();
"""
    for table in TABLES
)

BACKWARD = "".join(f"DROP TRIGGER announce_register ON {table};\n" for table in TABLES) + (
    "DROP FUNCTION luming_announce_register();"
)


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0002_packets_and_observations"), ("registry", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
