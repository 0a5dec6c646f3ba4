"""The log of all that happened, partitioned by month from its first day."""

from django.db import migrations, models

import relance.decisions.models

ACTIVITY = """
CREATE SEQUENCE activity_seq;
CREATE TABLE activity (
    id bigint PRIMARY KEY DEFAULT time_id(clock_timestamp(), nextval('activity_seq')),
    at timestamptz NOT NULL,
    kind varchar(60) NOT NULL,
    person_id bigint,
    company_id bigint,
    actor varchar(80) NOT NULL,
    decision_id bigint,
    payload jsonb NOT NULL DEFAULT '{}'
) PARTITION BY RANGE (id);
CREATE INDEX activity_of_person ON activity (person_id, id DESC);
CREATE INDEX activity_of_company ON activity (company_id, id DESC);
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("decisions", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(ACTIVITY, "DROP TABLE activity; DROP SEQUENCE activity_seq")],
            state_operations=[
                migrations.CreateModel(
                    name="Activity",
                    fields=[
                        (
                            "id",
                            models.BigIntegerField(
                                db_default=relance.decisions.models.TimeId("activity_seq"),
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        ("kind", models.CharField(max_length=60)),
                        ("person_id", models.BigIntegerField(null=True)),
                        ("company_id", models.BigIntegerField(null=True)),
                        (
                            "actor",
                            models.CharField(
                                help_text="Who did it: user:7, connection:2, import:4, system.", max_length=80
                            ),
                        ),
                        ("decision_id", models.BigIntegerField(null=True)),
                        ("payload", models.JSONField(default=dict)),
                    ],
                    options={
                        "db_table": "activity",
                        "indexes": [
                            models.Index(fields=["person_id", "-id"], name="activity_of_person"),
                            models.Index(fields=["company_id", "-id"], name="activity_of_company"),
                        ],
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name="ActivityDue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("consumer", models.CharField(max_length=40)),
                ("activity_id", models.BigIntegerField()),
            ],
            options={
                "db_table": "activity_due",
                "constraints": [models.UniqueConstraint(fields=("consumer", "activity_id"), name="activity_due_once")],
            },
        ),
    ]
