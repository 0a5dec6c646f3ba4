"""The consent ledger and what stands beside it."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import relance.consent.statements


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("people", "0001_initial"),
        ("workspace", "0003_cache"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConsentProfile",
            fields=[
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="consent_profile",
                        serialize=False,
                        to="people.person",
                    ),
                ),
                ("audience", models.CharField(blank=True, choices=[("b2b", "b2b"), ("b2c", "b2c")], max_length=3)),
                ("why", models.CharField(blank=True, max_length=200)),
                ("company_form", models.CharField(blank=True, max_length=30)),
                ("address_kind", models.CharField(blank=True, max_length=10)),
                ("number_kind", models.CharField(blank=True, max_length=10)),
                ("born", models.DateField(null=True)),
                (
                    "zones",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Suppression",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("fingerprint", models.CharField(max_length=64, unique=True)),
                ("kind", models.CharField(choices=[("erased", "erased"), ("withdrawn", "withdrawn")], max_length=16)),
                ("at", models.DateTimeField()),
                ("key_id", models.CharField(max_length=8)),
            ],
        ),
        migrations.CreateModel(
            name="AddressChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("record_id", models.BigIntegerField()),
                ("channel", models.CharField(max_length=10)),
                ("before", models.TextField()),
                ("after", models.TextField()),
                ("at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="people.person"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="HousePolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.SlugField(max_length=60)),
                ("version", models.PositiveIntegerField()),
                ("text", models.TextField()),
                ("made_at", models.DateTimeField()),
                ("author", models.CharField(max_length=80)),
                ("comment", models.TextField(blank=True)),
                ("approved_at", models.DateTimeField(null=True)),
                ("approver", models.CharField(blank=True, max_length=80)),
                ("retired_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("name", "version"), name="consent_policy_version_is_one"),
                    models.UniqueConstraint(
                        condition=models.Q(("approved_at__isnull", False), ("retired_at", None)),
                        fields=("name",),
                        name="consent_policy_in_force_is_one",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_at", None),
                            models.Q(
                                models.Q(("approver", ""), _negated=True),
                                models.Q(("approver", models.F("author")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="consent_policy_is_approved_by_another",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RegistryFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("registry", models.CharField(max_length=60)),
                ("dated", models.DateTimeField(help_text="The date of the file, not of its import.")),
                ("imported_at", models.DateTimeField()),
                ("imported_by", models.CharField(max_length=80)),
                ("numbers", models.BigIntegerField(default=0)),
            ],
            options={
                "indexes": [models.Index(fields=["registry", "-dated"], name="consent_registry_newest")],
            },
        ),
        migrations.CreateModel(
            name="Topic",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.SlugField(max_length=60, unique=True)),
                (
                    "names",
                    models.JSONField(
                        default=dict, help_text="Its name by language: {“en”: “News”, “fr”: “Nouveautés”}."
                    ),
                ),
                (
                    "industry",
                    models.CharField(
                        blank=True, help_text="As policies name it, such as home_renovation.", max_length=60
                    ),
                ),
                ("is_public", models.BooleanField(default=True)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                (
                    "brand",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="topics",
                        to="workspace.brand",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Wording",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.SlugField(help_text="What it is for: newsletter-form, preference-centre…", max_length=80),
                ),
                ("version", models.PositiveIntegerField()),
                ("language", models.CharField(max_length=12)),
                ("text", models.TextField()),
                ("hash", models.CharField(max_length=64)),
                ("made_at", models.DateTimeField()),
                ("made_by", models.CharField(max_length=80)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("key", "language", "version"), name="consent_wording_version_is_one"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Evidence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "way",
                    models.CharField(help_text="form, page, import, call, paper, mail, crm, provider…", max_length=20),
                ),
                ("source", models.CharField(blank=True, max_length=300)),
                ("at", models.DateTimeField()),
                ("zone", models.CharField(blank=True, max_length=64)),
                (
                    "ticked",
                    models.JSONField(default=dict, help_text="What was ticked: purposes, channels, brands, topics."),
                ),
                ("is_unticked_by_default", models.BooleanField(default=True)),
                ("ip", models.GenericIPAddressField(null=True)),
                ("user_agent", models.CharField(blank=True, max_length=400)),
                ("confirmed_ip", models.GenericIPAddressField(null=True)),
                ("confirmed_user_agent", models.CharField(blank=True, max_length=400)),
                (
                    "path",
                    models.CharField(blank=True, help_text="A file under those of the workspace.", max_length=400),
                ),
                (
                    "policy",
                    models.CharField(blank=True, help_text="The policy in force, with its version.", max_length=120),
                ),
                ("recorded_by", models.CharField(max_length=80)),
                (
                    "wording",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="consent.wording"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="OptOutBox",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(help_text="Whose box: connection:2.", max_length=80)),
                ("channel", models.CharField(default="email", max_length=10)),
                ("is_opted_out", models.BooleanField()),
                ("seen_at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="opt_out_boxes", to="people.person"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("person", "source", "channel"), name="opt_out_box_is_one")
                ],
            },
        ),
        migrations.CreateModel(
            name="RegistryNumber",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("registry", models.CharField(max_length=60)),
                ("address", models.TextField()),
                ("listed_at", models.DateTimeField()),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rows", to="consent.registryfile"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("address", "registry"), name="consent_number_is_listed_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ConsentLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("record_id", models.BigIntegerField(null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("given", "given"),
                            ("pending", "pending"),
                            ("confirmed", "confirmed"),
                            ("withdrawn", "withdrawn"),
                            ("objection", "objection"),
                            ("complaint", "complaint"),
                            ("customer", "customer"),
                            ("contract", "contract"),
                            ("inquiry", "inquiry"),
                            ("published", "published"),
                            ("notice", "notice"),
                            ("listed", "listed"),
                            ("delisted", "delisted"),
                            ("blocked", "blocked"),
                            ("unblocked", "unblocked"),
                            ("number_blocked", "number_blocked"),
                            ("minor", "minor"),
                            ("asked", "asked"),
                            ("erased", "erased"),
                        ],
                        max_length=16,
                    ),
                ),
                ("act_at", models.DateTimeField(help_text="When it was said or done.")),
                ("recorded_at", models.DateTimeField()),
                (
                    "said_by",
                    models.CharField(
                        choices=[
                            ("person", "person"),
                            ("seller", "seller"),
                            ("crm", "crm"),
                            ("provider", "provider"),
                            ("import", "import"),
                            ("admin", "admin"),
                            ("system", "system"),
                        ],
                        max_length=10,
                    ),
                ),
                ("recorded_by", models.CharField(max_length=80)),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "email"),
                            ("sms", "sms"),
                            ("phone", "phone"),
                            ("robot_call", "robot_call"),
                            ("whatsapp", "whatsapp"),
                            ("linkedin", "linkedin"),
                            ("post", "post"),
                            ("all", "all"),
                        ],
                        default="all",
                        max_length=10,
                    ),
                ),
                (
                    "topics",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
                ),
                (
                    "purposes",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
                ),
                ("address", models.TextField(blank=True, help_text="For which address, as it is compared.")),
                ("how", models.CharField(blank=True, max_length=20)),
                ("source", models.CharField(blank=True, max_length=300)),
                ("proof_at", models.DateTimeField(null=True)),
                ("requested_at", models.DateTimeField(null=True)),
                ("until", models.DateTimeField(null=True)),
                ("is_told", models.BooleanField(default=False)),
                ("is_for_nights", models.BooleanField(default=False)),
                ("registry", models.CharField(blank=True, max_length=60)),
                ("note", models.CharField(blank=True, max_length=300)),
                (
                    "fingerprint",
                    models.CharField(help_text="Of all that was said: the same statement is kept once.", max_length=64),
                ),
                (
                    "brand",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="workspace.brand"
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="people.company",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consent_lines",
                        to="people.person",
                    ),
                ),
                (
                    "supersedes",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="consent.consentline",
                    ),
                ),
                (
                    "evidence",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="consent.evidence",
                    ),
                ),
                (
                    "wording",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="consent.wording"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["person", "act_at"], name="consent_of_person"),
                    models.Index(
                        condition=models.Q(("company__isnull", False)), fields=["company"], name="consent_of_company"
                    ),
                    models.Index(
                        condition=models.Q(("company__isnull", True), ("person__isnull", True)),
                        fields=["address"],
                        name="consent_of_number",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("fingerprint",), name="consent_line_is_kept_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("person__isnull", False),
                            ("company__isnull", False),
                            models.Q(("address", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="consent_line_is_about_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("person__isnull", True), ("company__isnull", True), _connector="OR"),
                        name="consent_line_is_about_one",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                (
                                    "kind__in",
                                    [
                                        relance.consent.statements.Kind["GIVEN"],
                                        relance.consent.statements.Kind["PENDING"],
                                        relance.consent.statements.Kind["CONFIRMED"],
                                    ],
                                ),
                                _negated=True,
                            ),
                            models.Q(("channel", relance.consent.statements.Channel["ALL"]), _negated=True),
                            _connector="OR",
                        ),
                        name="consent_opt_in_names_its_channel",
                        violation_error_message="An opt-in names its channel.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("until", None), ("until__gt", models.F("act_at")), _connector="OR"),
                        name="consent_line_ends_after_it_begins",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("requested_at", None), ("requested_at__lte", models.F("act_at")), _connector="OR"
                        ),
                        name="consent_is_confirmed_after_the_request",
                    ),
                ],
            },
        ),
    ]
