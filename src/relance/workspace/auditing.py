"""The audit log is written by the database: one trigger function, attached to a table by `audit_table` in a migration.

Statement-level, with transition tables: a change of ten thousand rows costs one more statement, not ten thousand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.migrations.operations import RunSQL

MASK = "***"  # stands for a secret in the log: one sees that it changed, never what it is


def audit_table(table: str, *, masked: Sequence[str] = (), ignored: Sequence[str] = (), key: str = "id") -> RunSQL:
    """A migration operation: from now on every change of the table is written in the audit log.

    Values of `masked` columns never reach the log; a change of `ignored` columns alone is not logged. The migration
    must depend on ("workspace", "0002_audit").
    """
    arguments = ", ".join(_literal(text) for text in (key, _array(masked), _array(ignored)))
    forward = "\n".join(
        f"CREATE TRIGGER audit_{verb} AFTER {verb.upper()} ON {_name(table)} REFERENCING {seen} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION audit_changes({arguments});"
        for verb, seen in _TRANSITIONS.items()
    )
    backward = "\n".join(f"DROP TRIGGER audit_{verb} ON {_name(table)};" for verb in _TRANSITIONS)
    return RunSQL(forward, backward)


@contextmanager
def acting_as(actor: str) -> Iterator[None]:
    """Name who acts (`user:7`, `command line`, `system`) to the audit log, inside one transaction."""
    with transaction.atomic():
        name_actor(actor)
        yield


def name_actor(actor: str) -> None:
    """Name who acts for the rest of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('relance.actor', %s, true)", [actor])


def current_actor() -> str:
    """Who acts in this transaction: `system` when nobody was named."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(nullif(current_setting('relance.actor', true), ''), 'system')")
        return str(cursor.fetchone()[0])


_TRANSITIONS = {
    "insert": "NEW TABLE AS after_rows",
    "update": "OLD TABLE AS before_rows NEW TABLE AS after_rows",
    "delete": "OLD TABLE AS before_rows",
}


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _array(columns: Sequence[str]) -> str:
    return "{" + ",".join(_name(column) for column in columns) + "}"
