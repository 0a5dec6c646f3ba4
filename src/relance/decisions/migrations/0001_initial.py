"""The ledger, partitioned by month from its first day, and the two SQL functions the rooms above stand on."""

import django.contrib.postgres.fields
from django.db import migrations, models

import relance.decisions.models

FUNCTIONS = """
-- A bigint that grows with time: milliseconds since 2020 in the high bits, a counter in the low 22.
CREATE FUNCTION time_id(at timestamptz, n bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((extract(epoch FROM at) * 1000)::bigint - 1577836800000) << 22 | (n & 4194303);

-- Lower case without accents: what names are sorted and searched by, with no extension needed. Every write of a name pays for it, so
-- plain ASCII is only lowered; else accents are split off and dropped, seven times faster than looking each letter up.
CREATE FUNCTION fold(words text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN octet_length(words) = length(words) THEN lower(words)
           ELSE replace(replace(replace(translate(
                regexp_replace(normalize(lower(words), NFD), '[\\u0300-\\u036f]+', '', 'g'),
                'øłđı’', 'oldi-'), 'œ', 'oe'), 'æ', 'ae'), 'ß', 'ss') END;
"""

DECISION = """
CREATE SEQUENCE decision_seq;
CREATE TABLE decision (
    id bigint PRIMARY KEY DEFAULT time_id(clock_timestamp(), nextval('decision_seq')),
    at timestamptz NOT NULL,
    subject varchar(40) NOT NULL,
    subject_id bigint NOT NULL,
    person_id bigint,
    verdict smallint NOT NULL,
    policy varchar(80) NOT NULL DEFAULT '',
    run_id bigint,
    reasons jsonb,
    codes smallint[],
    fields text[],
    before text[],
    after text[],
    CONSTRAINT decision_has_its_reasons CHECK (reasons IS NOT NULL OR codes IS NOT NULL)
) PARTITION BY RANGE (id);
CREATE INDEX decision_of_person ON decision (person_id, id DESC);
CREATE INDEX decision_of_subject ON decision (subject, subject_id, id DESC);
"""


class Migration(migrations.Migration):
    initial = True

    operations = [
        migrations.RunSQL(FUNCTIONS, "DROP FUNCTION fold(text); DROP FUNCTION time_id(timestamptz, bigint)"),
        migrations.CreateModel(
            name="DecisionRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=40)),
                (
                    "policy",
                    models.CharField(help_text="The rule set and its version, such as mapping:3@7.", max_length=80),
                ),
                ("policy_hash", models.CharField(blank=True, max_length=64)),
                ("as_of", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("counts", models.JSONField(default=dict)),
            ],
            options={
                "db_table": "decision_run",
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(DECISION, "DROP TABLE decision; DROP SEQUENCE decision_seq")],
            state_operations=[
                migrations.CreateModel(
                    name="LedgerLine",
                    fields=[
                        (
                            "id",
                            models.BigIntegerField(
                                db_default=relance.decisions.models.TimeId("decision_seq"),
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        (
                            "subject",
                            models.CharField(
                                help_text="What was decided about: field, push, link, import…", max_length=40
                            ),
                        ),
                        ("subject_id", models.BigIntegerField()),
                        ("person_id", models.BigIntegerField(null=True)),
                        ("verdict", models.SmallIntegerField(choices=[(0, "go"), (1, "wait"), (2, "skip")])),
                        ("policy", models.CharField(blank=True, max_length=80)),
                        ("run_id", models.BigIntegerField(null=True)),
                        ("reasons", models.JSONField(null=True)),
                        (
                            "codes",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.SmallIntegerField(), null=True, size=None
                            ),
                        ),
                        (
                            "fields",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.TextField(), null=True, size=None
                            ),
                        ),
                        (
                            "before",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.TextField(null=True), null=True, size=None
                            ),
                        ),
                        (
                            "after",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.TextField(null=True), null=True, size=None
                            ),
                        ),
                    ],
                    options={
                        "db_table": "decision",
                        "indexes": [
                            models.Index(fields=["person_id", "-id"], name="decision_of_person"),
                            models.Index(fields=["subject", "subject_id", "-id"], name="decision_of_subject"),
                        ],
                    },
                ),
            ],
        ),
    ]
