"""Queue entry points of the room."""

from __future__ import annotations

from datetime import timedelta

from relance.lib.clock import utc_now
from relance.lib.queue import periodic, task

from .imports.running import check_import, run_import
from .imports.undoing import undo_import
from .models import Import
from .schema import drop_hidden_fields

FILES_KEPT = timedelta(days=30)


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


@periodic("23 3 * * *", name="people.forget_files")
def forget_files_task() -> None:
    for old in Import.objects.exclude(path="").filter(made_at__lt=utc_now() - FILES_KEPT, state__in=Import.ENDED):
        old.forget_file()
