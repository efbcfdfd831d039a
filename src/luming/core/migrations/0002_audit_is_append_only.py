"""Refuse update and delete of audit rows, whoever asks."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION luming_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused / 该表只增不改', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON core_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION luming_append_only();
"""
BACKWARD = "DROP TRIGGER append_only ON core_auditentry; DROP FUNCTION luming_append_only();"


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
