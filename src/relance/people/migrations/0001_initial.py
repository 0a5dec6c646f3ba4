"""People, companies, their custom fields, saved views and imports. The SQL parts at both ends are written by hand."""

import uuid

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import relance.people.models
from relance.workspace.auditing import audit_table

WORDS_OF = """
-- The words one finds a row by: addresses split at their signs, so that `luc@acme.fr` is found by luc and by acme.
CREATE FUNCTION words_of(words text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN to_tsvector('pg_catalog.simple'::regconfig, translate(fold(words), '@./', '   '));
"""

TABLES = """
ALTER TABLE person SET (fillfactor = 85);
ALTER TABLE company SET (fillfactor = 85);
-- One row a person and company; the workspace's own fields become columns here.
CREATE TABLE person_x (person_id bigint PRIMARY KEY REFERENCES person ON DELETE CASCADE) WITH (fillfactor = 85);
CREATE TABLE company_x (company_id bigint PRIMARY KEY REFERENCES company ON DELETE CASCADE) WITH (fillfactor = 85);
CREATE SEQUENCE people_fieldset_seq;
INSERT INTO people_fieldsetversion (id, version) VALUES (1, 0);
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("decisions", "0001_initial"),
        ("workspace", "0002_audit"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(WORDS_OF, "DROP FUNCTION words_of(text)"),
        migrations.CreateModel(
            name="FieldsetVersion",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("version", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="ImportMapping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("signature", models.CharField(max_length=64, unique=True)),
                ("mapping", models.JSONField()),
                ("used_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Company",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField()),
                (
                    "name_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=relance.people.models.Fold(
                            django.db.models.functions.text.Left(
                                django.db.models.functions.comparison.Coalesce(
                                    models.F("name"), models.Value(""), output_field=models.TextField()
                                ),
                                200,
                            )
                        ),
                        output_field=models.TextField(db_collation="C"),
                    ),
                ),
                (
                    "words",
                    models.GeneratedField(
                        db_persist=True,
                        expression=relance.people.models.Words(
                            django.db.models.functions.text.Left(
                                django.db.models.functions.comparison.Coalesce(
                                    models.F("name"), models.Value(""), output_field=models.TextField()
                                ),
                                200,
                            ),
                            django.db.models.functions.text.Left(
                                django.db.models.functions.comparison.Coalesce(
                                    models.F("website"), models.Value(""), output_field=models.TextField()
                                ),
                                200,
                            ),
                        ),
                        output_field=django.contrib.postgres.search.SearchVectorField(),
                    ),
                ),
                ("website", models.TextField(null=True)),
                ("phone", models.TextField(null=True)),
                ("industry", models.TextField(null=True)),
                ("employees", models.BigIntegerField(null=True)),
                ("street", models.TextField(null=True)),
                ("postal_code", models.TextField(null=True)),
                ("city", models.TextField(null=True)),
                ("state", models.TextField(null=True)),
                ("country", models.TextField(null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="workspace.team"
                    ),
                ),
            ],
            options={
                "db_table": "company",
            },
        ),
        migrations.CreateModel(
            name="CustomField",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject", models.CharField(choices=[("person", "person"), ("company", "company")], max_length=10)),
                ("label", models.CharField(max_length=80)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("text", "text"),
                            ("long_text", "long_text"),
                            ("email", "email"),
                            ("phone", "phone"),
                            ("url", "url"),
                            ("integer", "integer"),
                            ("number", "number"),
                            ("boolean", "boolean"),
                            ("date", "date"),
                            ("datetime", "datetime"),
                            ("choice", "choice"),
                            ("choices", "choices"),
                        ],
                        max_length=12,
                    ),
                ),
                ("choices", models.JSONField(blank=True, default=list)),
                ("help_text", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("created_by", models.CharField(blank=True, editable=False, max_length=80)),
                ("hidden_at", models.DateTimeField(editable=False, null=True)),
                ("dropped_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("subject"),
                        django.db.models.functions.text.Lower("label"),
                        condition=models.Q(("hidden_at", None)),
                        name="custom_field_label_is_unique",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("dropped_at", None), ("hidden_at__isnull", False), _connector="OR"),
                        name="custom_field_hides_before_it_goes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Import",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("file_name", models.CharField(max_length=255)),
                (
                    "path",
                    models.CharField(
                        help_text="Under the files of the workspace; emptied when the file is gone.", max_length=400
                    ),
                ),
                ("file_size", models.BigIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("uploaded", "To be mapped"),
                            ("checking", "Being checked"),
                            ("checked", "Ready to run"),
                            ("running", "Running"),
                            ("stopped", "Stopped"),
                            ("done", "Done"),
                            ("undoing", "Being undone"),
                            ("undone", "Undone"),
                            ("failed", "Could not be read"),
                        ],
                        default="uploaded",
                        max_length=10,
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("encoding", models.CharField(default="utf-8", max_length=16)),
                ("delimiter", models.CharField(default=",", max_length=1)),
                ("has_header", models.BooleanField(default=True)),
                ("header", models.JSONField(default=list)),
                ("mapping", models.JSONField(default=list)),
                ("is_day_first", models.BooleanField(default=True)),
                ("has_decimal_comma", models.BooleanField(default=True)),
                (
                    "rows_allowed",
                    models.CharField(
                        choices=[("both", "both"), ("create", "create"), ("update", "update")],
                        default="both",
                        max_length=6,
                    ),
                ),
                (
                    "blank_cells",
                    models.CharField(choices=[("keep", "keep"), ("clear", "clear")], default="keep", max_length=6),
                ),
                (
                    "existing_values",
                    models.CharField(
                        choices=[("overwrite", "overwrite"), ("fill", "fill")], default="overwrite", max_length=10
                    ),
                ),
                (
                    "without_email",
                    models.CharField(
                        choices=[("refuse", "refuse"), ("create", "create")], default="refuse", max_length=6
                    ),
                ),
                ("staged_rows", models.BigIntegerField(null=True)),
                (
                    "last_row",
                    models.BigIntegerField(
                        default=0, help_text="The last row of the file: what progress is measured by."
                    ),
                ),
                (
                    "done_row",
                    models.BigIntegerField(
                        default=0, help_text="Rows up to this one are settled; a new worker goes on after it."
                    ),
                ),
                ("counts", models.JSONField(default=dict)),
                ("samples", models.JSONField(default=list)),
                ("preview_counts", models.JSONField(default=dict)),
                ("problem", models.JSONField(help_text="Why the file as a whole could not be read.", null=True)),
                ("stop_asked_at", models.DateTimeField(null=True)),
                (
                    "started_at",
                    models.DateTimeField(help_text="The moment every row it writes carries.", null=True),
                ),
                ("moved_at", models.DateTimeField(help_text="When it last made progress.", null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("undone_at", models.DateTimeField(null=True)),
                ("run_id", models.BigIntegerField(null=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="workspace.team"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ImportChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person_id", models.BigIntegerField()),
                ("row", models.BigIntegerField()),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
                ("undone", models.CharField(blank=True, max_length=8)),
                (
                    "of",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="changes",
                        to="people.import",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ImportProblem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("row", models.BigIntegerField()),
                ("column", models.IntegerField(null=True)),
                ("value", models.TextField(blank=True)),
                ("code", models.SmallIntegerField(help_text="The number of the reason.")),
                ("seen", models.JSONField(default=dict)),
                (
                    "of",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="problems", to="people.import"
                    ),
                ),
            ],
            options={
                "db_table": "people_importproblem",
            },
        ),
        migrations.CreateModel(
            name="Person",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("email", models.TextField(null=True)),
                (
                    "email_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.comparison.NullIf(
                            django.db.models.functions.text.Lower(django.db.models.functions.text.Trim("email")),
                            models.Value(""),
                        ),
                        output_field=models.TextField(db_collation="C", null=True),
                    ),
                ),
                ("salutation", models.TextField(null=True)),
                ("first_name", models.TextField(null=True)),
                ("last_name", models.TextField(null=True)),
                (
                    "name_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=relance.people.models.Fold(
                            django.db.models.functions.text.Left(
                                django.db.models.functions.comparison.Coalesce(
                                    models.F("last_name"), models.Value(""), output_field=models.TextField()
                                ),
                                200,
                            ),
                            models.Value(" "),
                            django.db.models.functions.text.Left(
                                django.db.models.functions.comparison.Coalesce(
                                    models.F("first_name"), models.Value(""), output_field=models.TextField()
                                ),
                                200,
                            ),
                        ),
                        output_field=models.TextField(db_collation="C"),
                    ),
                ),
                (
                    "words",
                    models.GeneratedField(
                        db_persist=True,
                        expression=relance.people.models.Words(
                            django.db.models.functions.text.Left(
                                django.db.models.functions.comparison.Coalesce(
                                    models.F("first_name"), models.Value(""), output_field=models.TextField()
                                ),
                                200,
                            ),
                            django.db.models.functions.text.Left(
                                django.db.models.functions.comparison.Coalesce(
                                    models.F("last_name"), models.Value(""), output_field=models.TextField()
                                ),
                                200,
                            ),
                            django.db.models.functions.text.Left(
                                django.db.models.functions.comparison.Coalesce(
                                    models.F("email"), models.Value(""), output_field=models.TextField()
                                ),
                                200,
                            ),
                            django.db.models.functions.text.Left(
                                django.db.models.functions.comparison.Coalesce(
                                    models.F("company_name"), models.Value(""), output_field=models.TextField()
                                ),
                                200,
                            ),
                        ),
                        output_field=django.contrib.postgres.search.SearchVectorField(),
                    ),
                ),
                ("job_title", models.TextField(null=True)),
                ("company_name", models.TextField(null=True)),
                ("phone", models.TextField(null=True)),
                ("mobile_phone", models.TextField(null=True)),
                ("website", models.TextField(null=True)),
                ("street", models.TextField(null=True)),
                ("postal_code", models.TextField(null=True)),
                ("city", models.TextField(null=True)),
                ("state", models.TextField(null=True)),
                ("country", models.TextField(null=True)),
                ("language", models.TextField(null=True)),
                ("lead_source", models.TextField(null=True)),
                ("status", models.TextField(null=True)),
                ("score", models.BigIntegerField(null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "company",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="people",
                        to="people.company",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="people",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="workspace.team"
                    ),
                ),
            ],
            options={
                "db_table": "person",
            },
        ),
        migrations.CreateModel(
            name="PersonMerge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("loser_id", models.BigIntegerField(unique=True)),
                ("values", models.JSONField()),
                ("merged_at", models.DateTimeField()),
                ("merged_by", models.CharField(max_length=80)),
                (
                    "winner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="merges", to="people.person"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject", models.CharField(choices=[("person", "person"), ("company", "company")], max_length=10)),
                ("name", models.CharField(max_length=80)),
                (
                    "reach",
                    models.CharField(
                        choices=[("mine", "Only me"), ("team", "My team"), ("workspace", "Everyone")],
                        default="mine",
                        max_length=10,
                    ),
                ),
                (
                    "query",
                    models.TextField(
                        blank=True, help_text="The list's address: filters and sort, as the page writes them."
                    ),
                ),
                ("columns", models.JSONField(default=list)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspace.team"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="company",
            index=models.Index(fields=["name_key", "id"], name="company_by_name"),
        ),
        migrations.AddIndex(
            model_name="company",
            index=models.Index(fields=["created_at", "id"], name="company_by_age"),
        ),
        migrations.AddIndex(
            model_name="company",
            index=django.contrib.postgres.indexes.GinIndex(fields=["words"], name="company_by_words"),
        ),
        migrations.AddIndex(
            model_name="import",
            index=models.Index(fields=["-made_at"], name="import_newest"),
        ),
        migrations.AddIndex(
            model_name="importchange",
            index=models.Index(fields=["of", "row"], name="import_change_by_row"),
        ),
        migrations.AddIndex(
            model_name="importproblem",
            index=models.Index(fields=["of", "row"], name="import_problem_by_row"),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(fields=["name_key", "id"], name="person_by_name"),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(fields=["created_at", "id"], name="person_by_age"),
        ),
        migrations.AddIndex(
            model_name="person",
            index=django.contrib.postgres.indexes.GinIndex(fields=["words"], name="person_by_words"),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(fields=["company"], name="person_of_company"),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.UniqueConstraint(fields=("email_key",), name="person_email_is_unique"),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reach", "team"), _negated=True), ("team__isnull", False), _connector="OR"
                ),
                name="saved_view_of_a_team_names_it",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(
                models.F("subject"),
                models.F("owner"),
                django.db.models.functions.text.Lower("name"),
                name="saved_view_name_is_unique",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    TABLES, "DROP TABLE person_x; DROP TABLE company_x; DROP SEQUENCE people_fieldset_seq"
                )
            ],
            state_operations=[
                migrations.CreateModel(
                    name="PersonSide",
                    fields=[
                        (
                            "person",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="+",
                                serialize=False,
                                to="people.person",
                            ),
                        )
                    ],
                    options={"db_table": "person_x"},
                ),
                migrations.CreateModel(
                    name="CompanySide",
                    fields=[
                        (
                            "company",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="+",
                                serialize=False,
                                to="people.company",
                            ),
                        )
                    ],
                    options={"db_table": "company_x"},
                ),
            ],
        ),
        audit_table("people_customfield"),
        audit_table("people_savedview", ignored=["updated_at"]),
    ]
