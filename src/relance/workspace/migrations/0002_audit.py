"""The audit log's trigger function, and the tables of this room and of sign-in that it watches."""

from django.db import migrations

from relance.workspace.auditing import audit_table

AUDIT_CHANGES = """
-- Arguments: the key column, the columns whose values are masked, the columns whose change alone is not worth a line.
-- An update that changes nothing writes nothing; only what changed is kept, before and after.
CREATE FUNCTION audit_changes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    key     text   := TG_ARGV[0];
    masked  text[] := TG_ARGV[1];
    ignored text[] := TG_ARGV[2];
    who     text   := left(coalesce(nullif(current_setting('relance.actor', true), ''), 'system'), 80);
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO audit_entry (at, actor, table_name, row_id, operation, after)
        SELECT clock_timestamp(), who, TG_TABLE_NAME, (line.after ->> key)::bigint, 'insert',
               audit_masked(line.after, masked)
          FROM (SELECT to_jsonb(after_rows) AS after FROM after_rows) AS line;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO audit_entry (at, actor, table_name, row_id, operation, before)
        SELECT clock_timestamp(), who, TG_TABLE_NAME, (line.before ->> key)::bigint, 'delete',
               audit_masked(line.before, masked)
          FROM (SELECT to_jsonb(before_rows) AS before FROM before_rows) AS line;
    ELSE
        INSERT INTO audit_entry (at, actor, table_name, row_id, operation, before, after)
        SELECT clock_timestamp(), who, TG_TABLE_NAME, (line.after ->> key)::bigint, 'update',
               audit_masked(changed.before, masked), audit_masked(changed.after, masked)
          FROM (SELECT earlier.line AS before, later.line AS after
                  FROM (SELECT to_jsonb(before_rows) AS line FROM before_rows) AS earlier
                  JOIN (SELECT to_jsonb(after_rows) AS line FROM after_rows) AS later
                    ON later.line ->> key = earlier.line ->> key
                 WHERE later.line IS DISTINCT FROM earlier.line) AS line
         CROSS JOIN LATERAL (
               SELECT jsonb_object_agg(was.name, was.value) AS before,
                      jsonb_object_agg(was.name, line.after -> was.name) AS after
                 FROM jsonb_each(line.before) AS was (name, value)
                WHERE line.after -> was.name IS DISTINCT FROM was.value AND was.name <> ALL (ignored)
               ) AS changed
         WHERE changed.before IS NOT NULL;
    END IF;
    RETURN NULL;
END
$$;

-- A secret is masked; that there was none is no secret.
CREATE FUNCTION audit_masked(line jsonb, masked text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN NOT line ?| masked THEN line ELSE (
           SELECT jsonb_object_agg(name, CASE WHEN name = ANY (masked) AND value NOT IN ('null', '""')
                                              THEN '"***"'::jsonb ELSE value END)
             FROM jsonb_each(line) AS one (name, value)
           ) END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("workspace", "0001_initial"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("socialaccount", "0006_alter_socialaccount_extra_data"),
    ]

    operations = [
        migrations.RunSQL(
            AUDIT_CHANGES, "DROP FUNCTION audit_changes(); DROP FUNCTION audit_masked(jsonb, text[])", elidable=False
        ),
        audit_table("workspace_workspace"),
        audit_table("workspace_brand"),
        audit_table("workspace_team"),
        audit_table("workspace_user", masked=("password",), ignored=("last_login",)),
        audit_table("account_emailaddress"),
        audit_table("mfa_authenticator", masked=("data",), ignored=("last_used_at",)),
        audit_table("socialaccount_socialaccount", masked=("extra_data",), ignored=("last_login",)),
    ]
