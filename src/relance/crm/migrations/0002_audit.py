"""Every change of a connection or a mapping goes to the audit log."""

from django.db import migrations

from relance.workspace.auditing import audit_table


class Migration(migrations.Migration):
    dependencies = [("crm", "0001_initial"), ("workspace", "0002_audit")]

    operations = [
        audit_table("crm_connection", masked=("secrets",), ignored=("api_used", "api_limit", "described_at")),
        audit_table("crm_connectionevent"),
        audit_table("crm_mapping", masked=("dry_run",)),
        audit_table("crm_objectmapping"),
        audit_table("crm_fieldmapping"),
    ]
