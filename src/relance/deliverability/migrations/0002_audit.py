"""What a user changes about his own sending goes to the audit log."""

from django.db import migrations

from relance.workspace.auditing import audit_table


class Migration(migrations.Migration):
    dependencies = [("deliverability", "0001_initial"), ("workspace", "0002_audit")]

    operations = [audit_table("deliverability_sendersettings", key="user_id")]
