"""The database keeps the ledger's promise: lines, wordings and evidence are added, never changed; only an erasure removes lines."""

from django.db import migrations

from relance.workspace.auditing import audit_table

APPEND_ONLY = """
-- Columns named as arguments may change (a merge hands a line to another person); nothing else ever does.
CREATE FUNCTION consent_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF coalesce(current_setting('relance.erasing', true), '') <> 'on' THEN
            RAISE EXCEPTION 'The consent ledger is only added to: % is deleted by an erasure alone.', TG_TABLE_NAME
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN OLD;
    END IF;
    IF to_jsonb(OLD) - coalesce(TG_ARGV, '{}') IS DISTINCT FROM to_jsonb(NEW) - coalesce(TG_ARGV, '{}') THEN
        RAISE EXCEPTION 'The consent ledger is only added to: % never changes. Add a line that says otherwise.', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON consent_consentline
    FOR EACH ROW EXECUTE FUNCTION consent_append_only('person_id');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON consent_wording
    FOR EACH ROW EXECUTE FUNCTION consent_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON consent_evidence
    FOR EACH ROW EXECUTE FUNCTION consent_append_only();
"""
BACK = """
DROP TRIGGER append_only ON consent_consentline;
DROP TRIGGER append_only ON consent_wording;
DROP TRIGGER append_only ON consent_evidence;
DROP FUNCTION consent_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("consent", "0001_initial"), ("people", "0001_initial"), ("workspace", "0002_audit")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, BACK),
        audit_table("consent_topic"),
        audit_table("consent_housepolicy"),
        audit_table("consent_registryfile"),
    ]
