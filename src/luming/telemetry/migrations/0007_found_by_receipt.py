"""Find what was recorded in a span of time: hash trees of days ask for it.

Observations lie in the order of their packets, so a BRIN index of a few kilobytes answers; those read from kept packets
later carry their own time. Judgements are appended in the order of ``judged_at``.
"""

from django.db import migrations

INDEXES = """
CREATE INDEX telemetry_observation_packet ON telemetry_observation USING brin (packet_id)
    WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX telemetry_observation_recorded ON telemetry_observation (recorded_at) WHERE recorded_at IS NOT NULL;
CREATE INDEX telemetry_judgement_judged ON telemetry_judgement USING brin (judged_at)
    WITH (pages_per_range = 32, autosummarize = on);
"""
DROP = """
DROP INDEX telemetry_observation_packet, telemetry_observation_recorded, telemetry_judgement_judged;
"""


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0006_verdicts")]
    operations = [migrations.RunSQL(INDEXES, DROP)]
