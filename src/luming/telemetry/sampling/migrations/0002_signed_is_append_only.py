"""What is signed is never changed: custody, results, reviews and comparisons are insert-only, also for the pages' role."""

from django.db import migrations

TABLES = ("custodyevent", "sampleresult", "resultreview", "comparison")

FORWARD = "".join(
    f"""
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON sampling_{table}
    FOR EACH ROW EXECUTE FUNCTION luming_append_only();"""
    for table in TABLES
)
BACKWARD = "".join(f"DROP TRIGGER append_only ON sampling_{table};\n" for table in TABLES)

NAMES = ", ".join(f"sampling_{table}" for table in TABLES)
REVOKE = f"""
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'luming_app') THEN
        REVOKE UPDATE, DELETE ON {NAMES} FROM luming_app;
    END IF;
END $$;
"""
GRANT = f"""
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'luming_app') THEN
        GRANT UPDATE, DELETE ON {NAMES} TO luming_app;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("sampling", "0001_samples"), ("telemetry", "0006_verdicts")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD), migrations.RunSQL(REVOKE, GRANT)]
