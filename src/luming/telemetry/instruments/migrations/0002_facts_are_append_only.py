"""Refuse update and delete of what devices told of themselves, whoever asks."""

from django.db import migrations

FORWARD = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON instruments_devicefact
    FOR EACH STATEMENT EXECUTE FUNCTION luming_append_only();
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'luming_app') THEN
        REVOKE UPDATE, DELETE ON instruments_devicefact FROM luming_app;
    END IF;
END $$;
"""
BACKWARD = "DROP TRIGGER append_only ON instruments_devicefact;"


class Migration(migrations.Migration):
    dependencies = [("instruments", "0001_instruments"), ("telemetry", "0006_verdicts")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
