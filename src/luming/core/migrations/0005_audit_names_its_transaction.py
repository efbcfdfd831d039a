import django.contrib.postgres.functions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0004_records_history_and_search"),
    ]

    operations = [
        migrations.AlterField(
            model_name="auditentry",
            name="transaction_at",
            field=models.DateTimeField(
                db_default=django.contrib.postgres.functions.TransactionNow(),
                editable=False,
                verbose_name="Transaction",
            ),
        ),
    ]
