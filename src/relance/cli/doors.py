"""What every command shares: the database and Django opened for as long as it runs, answers on stdout, progress on stderr, exit codes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Annotated, Any

import typer


class Exit(IntEnum):
    """What a command's exit code means."""

    DONE = 0
    SOMEBODY_MUST_ACT = 1
    COULD_NOT_RUN = 2
    INTERRUPTED = 130


class CannotRun(Exception):
    """The command could not do its work: the message says what happened, what is safe and what to do."""


AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output, and nothing else there.")
]
Lang = Annotated[str, typer.Option("--lang", help="Language of the sentences: fr or en.")]


def say(sentence: str) -> None:
    """Progress for people, on standard error: standard output is kept for answers."""
    print(sentence, file=sys.stderr, flush=True)


def answer_json(document: Any) -> None:
    """The answer of a command run with --json."""
    from django.core.serializers.json import DjangoJSONEncoder

    print(json.dumps(document, cls=DjangoJSONEncoder, ensure_ascii=False), flush=True)


@contextmanager
def relance_open(*, migrated: bool = True) -> Iterator[None]:
    """The database (joined, or started for as long as the command runs) and Django on it. CannotRun when it lacks migrations."""
    from relance.lib.home import relance_home
    from relance.lib.postgres import database

    with database(relance_home(), say=say) as dsn:
        os.environ["DATABASE_URL"] = dsn
        start_django()
        if migrated:
            _check_migrated()
        try:
            yield
        finally:
            from django.db import connections

            connections.close_all()


def start_django() -> None:
    """Set Django up on the database named by DATABASE_URL, with the translations compiled: gettext reads nothing else."""
    import django

    from relance.lib.catalogues import compile_catalogues

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "relance.site.settings")
    try:
        compile_catalogues()
    except PermissionError as refusal:  # installed where only somebody else may write: English is better than no start
        say(
            f"The translations could not be compiled ({refusal}), so sentences without one are in English. Nothing is lost."
        )
    django.setup()


def _check_migrated() -> None:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CannotRun(
            "The database is not at this version of Relance: some migrations have not run. Nothing was changed. "
            "Run: relance migrate"
        )
