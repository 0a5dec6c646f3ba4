"""What must be true before the programs start: the tables are at this version, the pages' files are collected."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .doors import say


def prepare_instance() -> None:
    """Bring the database and the files of the pages to this version. Django must be started."""
    migrate_database()
    collect_files()


def migrate_database() -> list[str]:
    """Run the migrations that have not run; returns their names. Two at once wait for each other."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('relance.migrate'))")
        try:
            executor = MigrationExecutor(connection)
            plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
            names = [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]
            if names:
                say(f"Bringing the database to this version ({len(names)} migrations).")
            # Also without a plan: what follows a migration (months of the logs made ahead) is due at each start.
            call_command("migrate", interactive=False, verbosity=0)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('relance.migrate'))")
    return names


def collect_files() -> bool:
    """Copy, name and compress the pages' files when one has changed since; tells whether it had."""
    from django.conf import settings
    from django.core.management import call_command

    mark = Path(settings.STATIC_ROOT) / ".collected"
    seen = _fingerprint()
    if mark.exists() and mark.read_text() == seen:
        return False
    say("Collecting the files of the pages.")
    call_command("collectstatic", interactive=False, verbosity=0)
    mark.write_text(seen)
    return True


def _fingerprint() -> str:
    from django.contrib.staticfiles.finders import get_finders

    found = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            file = Path(storage.path(path)).stat()
            found.update(f"{path} {file.st_size} {file.st_mtime_ns}\n".encode())
    return found.hexdigest()
