"""What was sent, what servers said, and when people do not want to be disturbed."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("people", "0001_initial"),
        ("workspace", "0003_cache"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SenderSettings",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="sender_settings",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("week", models.JSONField(help_text="As the workspace keeps its working days.", null=True)),
                ("daily_maximum", models.JSONField(default=dict, help_text="By channel: {“email”: 150}.")),
                ("spacing", models.CharField(blank=True, help_text="Between two mails: 90 seconds.", max_length=20)),
                ("away_from", models.DateTimeField(null=True)),
                ("away_until", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ServerAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.TextField(help_text="As it is compared.")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("hard_bounce", "hard_bounce"),
                            ("soft_bounce", "soft_bounce"),
                            ("block_bounce", "block_bounce"),
                            ("delivered", "delivered"),
                            ("address_reset", "address_reset"),
                        ],
                        max_length=14,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("code", models.CharField(blank=True, max_length=12)),
                ("text", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "indexes": [models.Index(fields=["address", "at"], name="answer_about_address")],
            },
        ),
        migrations.CreateModel(
            name="Frequency",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at_most", models.PositiveIntegerField()),
                ("per", models.CharField(help_text="7 days, 1 month…", max_length=20)),
                (
                    "channels",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
                ),
                ("chosen_at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="frequencies", to="people.person"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["person"], name="frequency_of_person")],
            },
        ),
        migrations.CreateModel(
            name="Quiet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("begins", models.DateTimeField()),
                ("ends", models.DateTimeField()),
                ("is_absence", models.BooleanField(default=False)),
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
                ("ended_at", models.DateTimeField(help_text="When it was called off.", null=True)),
                (
                    "brand",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspace.brand"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="quiet_times", to="people.person"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["person"], name="quiet_of_person")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends__gt", models.F("begins"))), name="quiet_ends_after_it_begins"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SentContact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
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
                        max_length=10,
                    ),
                ),
                ("purpose", models.CharField(max_length=12)),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("automatic", "automatic"),
                            ("semi_automatic", "semi_automatic"),
                            ("manual", "manual"),
                        ],
                        max_length=14,
                    ),
                ),
                (
                    "is_refused",
                    models.BooleanField(
                        default=False, help_text="During the call the person refused to be called for this."
                    ),
                ),
                (
                    "brand",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="workspace.brand"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="people.person"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["person", "-at"], name="contact_of_person"),
                    models.Index(fields=["user", "-at"], name="contact_of_sender"),
                ],
            },
        ),
    ]
