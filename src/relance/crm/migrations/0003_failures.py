"""How often a row failed by one cause, and when a broken connection was last tried again."""

from django.db import migrations, models

from relance.workspace.auditing import audit_table

IGNORED = ("api_used", "api_limit", "described_at")
BEFORE = audit_table("crm_connection", masked=("secrets",), ignored=IGNORED)
AFTER = audit_table("crm_connection", masked=("secrets",), ignored=(*IGNORED, "rechecked_at", "waits_until"))


class Migration(migrations.Migration):
    dependencies = [("crm", "0002_audit")]

    operations = [
        migrations.AddField(
            "queuedpush",
            "failure",
            models.CharField(blank=True, db_default="", help_text="The cause it failed by last.", max_length=32),
        ),
        migrations.AddField(
            "queuedpush",
            "failures",
            models.PositiveSmallIntegerField(db_default=0, default=0, help_text="How often in a row, by that cause."),
        ),
        migrations.AddField(
            "connection",
            "rechecked_at",
            models.DateTimeField(editable=False, help_text="Tried again since it broke.", null=True),
        ),
        migrations.RunSQL(BEFORE.reverse_sql, BEFORE.sql),
        migrations.RunSQL(AFTER.sql, AFTER.reverse_sql),
    ]
