"""The share of the daily calls a connection may spend, and what it spent hour by hour."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0004_schedules")]

    operations = [
        migrations.AddField(
            "connection",
            "budget_percent",
            models.PositiveSmallIntegerField(
                db_default=80,
                default=80,
                help_text="How much of the organisation's daily calls this connection may spend.",
            ),
        ),
        migrations.CreateModel(
            "ApiHour",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("calls", models.PositiveIntegerField()),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="api_hours", to="crm.connection"
                    ),
                ),
            ],
            options={"db_table": "crm_api_hour"},
        ),
        migrations.AddConstraint(
            "apihour",
            models.UniqueConstraint(fields=("connection", "hour"), name="crm_api_hour_is_counted_once"),
        ),
    ]
