"""Making and changing one person or company by hand: validated, both tables at once, and written in the log with before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import translation
from django.utils.translation import gettext as _
from psycopg.sql import SQL, Identifier

from relance.activity.actions import NewActivity, append_activities, append_activity
from relance.decisions.reasons import explain_reason
from relance.decisions.rules import Reason, skip
from relance.workspace.auditing import name_actor
from relance.workspace.models import Team, User, Workspace

from .catalogue import SIDE_TABLES, FieldSpec, Subject, fields_of
from .facts import gather_values
from .models import Company, Person
from .personal import keepers
from .rules import ISO, Reading, Value, ValueRefused, check_value, read_value

# Fields that point to another row: their values are ids, None for nobody.
RELATIONS: dict[Subject, dict[str, type[User] | type[Team] | type[Company]]] = {
    Subject.PERSON: {"owner": User, "team": Team, "company": Company},
    Subject.COMPANY: {"owner": User, "team": Team},
}
REQUIRED = {Subject.PERSON: frozenset[str](), Subject.COMPANY: frozenset({"name"})}
KINDS = {Subject.PERSON: "person", Subject.COMPANY: "company"}


class ChangeRefused(Exception):
    """Theirs: these values cannot be kept. Nothing was changed; `reasons` says why, field by field."""

    def __init__(self, reasons: Mapping[str, Reason]) -> None:
        self.reasons = dict(reasons)
        super().__init__(" ".join(f"{key}: {explain_reason(reason).says}" for key, reason in reasons.items()))


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that moved."""

    field: str
    before: Any
    after: Any


def change_person(
    person: Person, changes: Mapping[str, Any], *, actor: str, now: datetime, reading: Reading = ISO
) -> list[FieldChange]:
    """Change a person's fields (catalogue keys, and owner, team, company by id), all or none; returns what moved.

    ChangeRefused says for each field why its value cannot be kept. A text is read as the field's kind, written as `reading` says.
    """
    return _change(Subject.PERSON, person, changes, actor=actor, now=now, reading=reading)


def change_company(
    company: Company, changes: Mapping[str, Any], *, actor: str, now: datetime, reading: Reading = ISO
) -> list[FieldChange]:
    """Change a company's fields, all or none; returns what moved."""
    return _change(Subject.COMPANY, company, changes, actor=actor, now=now, reading=reading)


def create_person(values: Mapping[str, Any], *, actor: str, now: datetime, reading: Reading = ISO) -> Person:
    """Add a person. ChangeRefused when a value cannot be kept or the address is taken."""
    person = Person(created_at=now, updated_at=now)
    made: Person = _create(Subject.PERSON, person, values, actor=actor, now=now, reading=reading)
    return made


def create_company(values: Mapping[str, Any], *, actor: str, now: datetime, reading: Reading = ISO) -> Company:
    """Add a company. ChangeRefused when it has no name."""
    company = Company(created_at=now, updated_at=now)
    made: Company = _create(Subject.COMPANY, company, values, actor=actor, now=now, reading=reading)
    return made


def delete_people(person_ids: Sequence[int], *, actor: str, now: datetime) -> int:
    """Delete people and what every room keeps of them; the log keeps that they were there. Returns how many."""
    with transaction.atomic():
        name_actor(actor)
        ids = list(
            Person.objects.filter(pk__in=person_ids).order_by("pk").select_for_update().values_list("pk", flat=True)
        )
        for keeper in keepers():
            keeper.erase(ids)
        Person.objects.filter(pk__in=ids).delete()
        append_activities((NewActivity("person.deleted", actor, person_id=id) for id in ids), now=now)
    return len(ids)


def delete_company(company: Company, *, actor: str, now: datetime) -> None:
    """Delete a company; its people stay, without one."""
    with transaction.atomic():
        name_actor(actor)
        append_activity(
            NewActivity("company.deleted", actor, company_id=company.pk, payload={"name": company.name}), now=now
        )
        company.delete()


def weigh_changes(
    subject: Subject, changes: Mapping[str, Any], *, reading: Reading = ISO, pk: int = 0
) -> tuple[dict[str, Value], dict[str, Reason]]:
    """The values as they would be kept, and for the others why not: what a form shows before anything is written."""
    fields = {field.key: field for field in fields_of(subject)}
    values: dict[str, Value] = {}
    refused: dict[str, Reason] = {}
    for key, given in changes.items():
        try:
            values[key] = _weigh(subject, fields, key, given, reading)
        except ValueRefused as error:
            refused[key] = error.reason
    email = values.get("email") if subject is Subject.PERSON else None
    if email and Person.objects.filter(email_key=str(email).lower()).exclude(pk=pk).exists():
        refused["email"] = skip("people.email_is_taken", value=email)
    return values, refused


def field_labels(subject: Subject, keys: Iterable[str]) -> dict[str, str]:
    """What these fields are called, in the active language."""
    labels = {field.key: str(field.label) for field in fields_of(subject)}
    labels |= {"owner": _("Owner"), "team": _("Team"), "company": _("Company")}
    return {key: labels.get(key, key) for key in keys}


def store_values(subject: Subject, pk: int, values: Mapping[str, Value], *, now: datetime) -> None:
    """Write values already weighed into both tables, and the moment. The caller holds the row and the transaction."""
    fields = {field.key: field for field in fields_of(subject)}
    core: dict[str, Any] = {"updated_at": now}
    custom: dict[str, Any] = {}
    for key, value in values.items():
        kept = list(value) if isinstance(value, tuple) else value
        if key in RELATIONS[subject]:
            core[f"{key}_id"] = kept
        elif fields[key].is_custom:
            custom[fields[key].column] = kept
        else:
            core[fields[key].column] = kept
    _update(subject.value, "id", pk, core)
    if custom:
        _upsert(SIDE_TABLES[subject], f"{subject.value}_id", pk, custom)


def current_values(subject: Subject, row: Person | Company, keys: Iterable[str]) -> dict[str, Any]:
    """The values now, relations by id."""
    keys = list(keys)
    relations = [key for key in keys if key in RELATIONS[subject]]
    read = gather_values(subject, [row.pk], [key for key in keys if key not in relations])
    return read.get(row.pk, {}) | {key: getattr(row, f"{key}_id") for key in relations}


def _change(
    subject: Subject, row: Any, changes: Mapping[str, Any], *, actor: str, now: datetime, reading: Reading
) -> list[FieldChange]:
    with transaction.atomic():
        name_actor(actor)
        held = type(row).objects.select_for_update(of=("self",)).get(pk=row.pk)
        values, refused = weigh_changes(subject, changes, reading=reading, pk=row.pk)
        if refused:
            raise ChangeRefused(refused)
        before = current_values(subject, held, values)
        moved = [
            FieldChange(key, before[key], value)
            for key, value in values.items()
            if _comparable(before[key]) != _comparable(value)
        ]
        if moved:
            store_values(subject, row.pk, {change.field: change.after for change in moved}, now=now)
            _tell(subject, "changed", row.pk, moved, actor=actor, now=now)
    row.refresh_from_db()
    return moved


def _create(
    subject: Subject, row: Any, values: Mapping[str, Any], *, actor: str, now: datetime, reading: Reading
) -> Any:
    with transaction.atomic():
        name_actor(actor)
        kept, refused = weigh_changes(subject, values, reading=reading)
        refused |= {
            key: skip("people.value_is_required") for key in REQUIRED[subject] - refused.keys() if not kept.get(key)
        }
        if refused:
            raise ChangeRefused(refused)
        for key in REQUIRED[subject]:
            setattr(row, key, kept[key])
        row.save()
        filled = {key: value for key, value in kept.items() if value is not None}
        store_values(subject, row.pk, filled, now=now)
        _tell(
            subject,
            "created",
            row.pk,
            [FieldChange(key, None, value) for key, value in filled.items()],
            actor=actor,
            now=now,
        )
    row.refresh_from_db()
    return row


def _weigh(subject: Subject, fields: Mapping[str, FieldSpec], key: str, given: Any, reading: Reading) -> Value:
    if key in RELATIONS[subject]:
        return _relation(RELATIONS[subject][key], given)
    field = fields.get(key)
    if field is None:
        raise ValueRefused(skip("people.field_unknown", field=key))
    if isinstance(given, str):
        value = read_value(field.kind, given, choices=field.choices, reading=reading)
    else:
        value = check_value(field.kind, given, choices=field.choices)
    if value is None and key in REQUIRED[subject]:
        raise ValueRefused(skip("people.value_is_required"))
    return value


def _relation(model: type[User] | type[Team] | type[Company], given: Any) -> int | None:
    if given in (None, ""):
        return None
    pk = given.pk if isinstance(given, model) else given
    if not str(pk).isdecimal() or not model.objects.filter(pk=int(pk)).exists():
        raise ValueRefused(skip("people.reference_unknown", value=str(given)))
    return int(pk)


def _tell(subject: Subject, verb: str, pk: int, moved: Sequence[FieldChange], *, actor: str, now: datetime) -> None:
    """The line of the log. Names of fields are in the workspace's language; whoever shows it may use the keys instead."""
    language = Workspace.objects.values_list("language", flat=True).first() or "en"
    with translation.override(language):
        names = field_labels(subject, [change.field for change in moved])
    payload = {
        "names": ", ".join(names.values()),
        "changes": [{"field": change.field, "before": change.before, "after": change.after} for change in moved],
    }
    where: dict[str, Any] = {f"{subject.value}_id": pk}
    append_activity(NewActivity(f"{KINDS[subject]}.{verb}", actor, payload=payload, **where), now=now)


def _comparable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _update(table: str, key: str, pk: int, values: Mapping[str, Any]) -> None:
    statement = SQL("UPDATE {table} SET {assignments} WHERE {key} = %s").format(
        table=Identifier(table),
        assignments=SQL(", ").join(SQL("{} = %s").format(Identifier(column)) for column in values),
        key=Identifier(key),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(cursor.connection), [*values.values(), pk])


def _upsert(table: str, key: str, pk: int, values: Mapping[str, Any]) -> None:
    columns = [Identifier(column) for column in values]
    statement = SQL(
        "INSERT INTO {table} ({key}, {columns}) VALUES (%s, {places}) ON CONFLICT ({key}) DO UPDATE SET {assignments}"
    ).format(
        table=Identifier(table),
        key=Identifier(key),
        columns=SQL(", ").join(columns),
        places=SQL(", ").join([SQL("%s")] * len(columns)),
        assignments=SQL(", ").join(SQL("{0} = EXCLUDED.{0}").format(column) for column in columns),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(cursor.connection), [pk, *values.values()])
