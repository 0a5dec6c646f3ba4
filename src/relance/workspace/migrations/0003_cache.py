"""The cache: a table of the database, so that rate limits hold over all processes. The layout is Django's `createcachetable`."""

from django.db import migrations

# Unlogged: after a crash of the database the cache is empty, which is what a cache may be.
CACHE = """
CREATE UNLOGGED TABLE cache_entry (
    cache_key varchar(255) PRIMARY KEY,
    value text NOT NULL,
    expires timestamptz NOT NULL
);
CREATE INDEX cache_entry_expires ON cache_entry (expires);
"""


class Migration(migrations.Migration):
    dependencies = [("workspace", "0002_audit")]

    operations = [migrations.RunSQL(CACHE, "DROP TABLE cache_entry")]
