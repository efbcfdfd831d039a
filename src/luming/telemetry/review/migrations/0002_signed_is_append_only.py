"""Refuse update and delete of what people signed, whoever asks."""

from django.db import migrations

TABLES = ("review_review", "review_decision", "review_countersignature")

FORWARD = (
    "".join(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION luming_append_only();\n"
        for table in TABLES
    )
    + f"""
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'luming_app') THEN
        REVOKE UPDATE, DELETE ON {", ".join(TABLES)} FROM luming_app;
    END IF;
END $$;
"""
)
BACKWARD = "".join(f"DROP TRIGGER append_only ON {table};\n" for table in TABLES)


class Migration(migrations.Migration):
    # telemetry 0002 makes the serving role and gives it rights on all tables there are: ours are taken away after it.
    dependencies = [("review", "0001_review"), ("telemetry", "0006_verdicts")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
