"""Find the statistics that were computed in a span of time: hash trees of days ask for it.

They are appended in the order of ``computed_at``, so a BRIN index of a few kilobytes answers.
"""

from django.db import migrations

INDEX = """
CREATE INDEX statistics_statistic_computed ON statistics_statistic USING brin (computed_at)
    WITH (pages_per_range = 32, autosummarize = on);
"""
DROP = "DROP INDEX statistics_statistic_computed"


class Migration(migrations.Migration):
    dependencies = [("evidence", "0002_sheets"), ("statistics", "0002_append_only_and_queue")]
    operations = [migrations.RunSQL(INDEX, DROP)]
