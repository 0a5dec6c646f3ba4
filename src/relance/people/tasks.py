"""Queue entry points of the room."""

from __future__ import annotations

from datetime import datetime, timedelta

from relance.lib.clock import utc_now
from relance.lib.queue import periodic, task

from .imports.running import check_import, run_import
from .imports.staging import drop_stage
from .imports.undoing import undo_import
from .models import Import
from .schema import drop_hidden_fields

FILES_KEPT = timedelta(days=30)
STAGES_KEPT = timedelta(days=1)  # made again from the file when the import goes on


@task(queue="import", name="people.check_import")
def check_import_task(import_id: int) -> None:
    check_import(Import.objects.get(pk=import_id), now=utc_now())


@task(queue="import", name="people.run_import")
def run_import_task(import_id: int) -> None:
    run_import(Import.objects.get(pk=import_id), now=utc_now())


@task(queue="import", name="people.undo_import")
def undo_import_task(import_id: int, actor: str) -> None:
    undo_import(Import.objects.get(pk=import_id), actor=actor, now=utc_now())


@periodic("17 3 * * *", name="people.drop_hidden_fields")
def drop_hidden_fields_task() -> None:
    drop_hidden_fields(utc_now())


@periodic("23 3 * * *", name="people.tidy_imports")
def tidy_imports_task() -> None:
    tidy_imports(utc_now())


def tidy_imports(now: datetime) -> None:
    """Forget the files of old imports, and the staged rows of those nobody went on with."""
    for old in Import.objects.exclude(path="").filter(made_at__lt=now - FILES_KEPT, moved_at__lt=now - STAGES_KEPT):
        old.forget_file()
    for idle in Import.objects.filter(staged_rows__isnull=False, moved_at__lt=now - STAGES_KEPT):
        drop_stage(idle)
