"""Reading people and companies: their values over both tables, and finding them by a few letters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import F, Func, QuerySet, TextField, Value
from psycopg.sql import SQL, Composable, Identifier

from relance.lib import sql
from relance.workspace.models import User

from .catalogue import SIDE_TABLES, FieldSpec, Subject, fields_of
from .models import Company, Person, PersonMerge

MOST_WORDS = 8


def values_of(person_ids: Sequence[int], keys: Iterable[str]) -> dict[int, dict[str, Any]]:
    """The values of these fields for these people, custom ones included, in one query. Unknown keys are KeyError."""
    return _values(Subject.PERSON, person_ids, keys)


def company_values_of(company_ids: Sequence[int], keys: Iterable[str]) -> dict[int, dict[str, Any]]:
    """The same for companies."""
    return _values(Subject.COMPANY, company_ids, keys)


def gather_values(subject: Subject, ids: Sequence[int], keys: Iterable[str]) -> dict[int, dict[str, Any]]:
    """The same for either subject."""
    return _values(subject, ids, keys)


def search_people(text: str, *, user: User | None = None) -> QuerySet[Person]:
    """People whose names, address or company have words beginning so; all of them when the text holds no word."""
    people = Person.objects.visible_to(user) if user else Person.objects.all()
    return with_words(people, text)


def search_companies(text: str, *, user: User | None = None) -> QuerySet[Company]:
    """Companies whose name or website has words beginning so."""
    companies = Company.objects.visible_to(user) if user else Company.objects.all()
    return with_words(companies, text)


def with_words(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """The rows whose words begin with each of the words given. PostgreSQL folds both sides by the same function."""
    words = re.findall(r"[^\W_]+", text)[:MOST_WORDS]
    if not words:
        return rows
    query = Func(
        Value("simple"),
        Func(Value(" & ".join(f"{word}:*" for word in words)), function="fold", output_field=TextField()),
        function="to_tsquery",
        template="%(function)s(%(expressions)s)",
        output_field=TextField(),
    )
    found: QuerySet[Any] = rows.alias(_found=_Matches(F("words"), query)).filter(_found=True)
    return found


def merged_into(person_id: int) -> int | None:
    """Who this person turned out to be, or None: an old link or id still leads somewhere."""
    return PersonMerge.objects.filter(loser_id=person_id).values_list("winner_id", flat=True).first()


def ids_of(person_id: int) -> list[int]:
    """The person and everyone merged into her: the log and the ledger know them all by id."""
    return [person_id, *PersonMerge.objects.filter(winner_id=person_id).values_list("loser_id", flat=True)]


class _Matches(Func):
    """words @@ query, as a condition."""

    template = "%(expressions)s"
    arg_joiner = " @@ "

    @property
    def output_field(self) -> Any:
        from django.db.models import BooleanField

        return BooleanField()


def _values(subject: Subject, ids: Sequence[int], keys: Iterable[str]) -> dict[int, dict[str, Any]]:
    known = {field.key: field for field in fields_of(subject)}
    fields = [known[key] for key in keys]
    statement = SQL("SELECT base.id{columns} FROM {table} AS base {side} WHERE base.id = ANY(%s)").format(
        columns=SQL("").join(_column(field) for field in fields),
        table=Identifier(subject.value),
        side=_side(subject) if any(field.is_custom for field in fields) else SQL(""),
    )
    connection.ensure_connection()
    rows = sql.select(statement.as_string(connection.connection), [list(ids)])
    return {row.pop("id"): row for row in rows}


def _column(field: FieldSpec) -> Composable:
    table = "side" if field.is_custom else "base"
    return SQL(", {table}.{column} AS {key}").format(
        table=Identifier(table), column=Identifier(field.column), key=Identifier(field.key)
    )


def _side(subject: Subject) -> Composable:
    return SQL("LEFT JOIN {table} AS side ON side.{key} = base.id").format(
        table=Identifier(SIDE_TABLES[subject]), key=Identifier(f"{subject.value}_id")
    )
