"""The audit log: who changed what in the configuration, before and after."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from relance.workspace.models import AuditEntry, User
from relance.workspace.rules import Permission

from .audit_words import COLUMN_WORDS, VALUE_WORDS
from .doors import opens_to
from .formats import moment

PAGE = 50
OPERATIONS = {
    "insert": gettext_lazy("added"),
    "update": gettext_lazy("changed"),
    "delete": gettext_lazy("deleted"),
}
TABLE_NAMES = {
    "workspace_workspace": gettext_lazy("Workspace"),
    "workspace_brand": gettext_lazy("Brand"),
    "workspace_team": gettext_lazy("Team"),
    "workspace_user": gettext_lazy("User"),
    "account_emailaddress": gettext_lazy("Address of a user"),
    "mfa_authenticator": gettext_lazy("Second factor of a user"),
    "socialaccount_socialaccount": gettext_lazy("Outside identity of a user"),
    "custom_field": gettext_lazy("Custom field"),
    "people_customfield": gettext_lazy("Custom field"),
    "saved_view": gettext_lazy("Saved view"),
    "people_savedview": gettext_lazy("Saved view"),
    "crm_connection": gettext_lazy("CRM connection"),
    "crm_connectionevent": gettext_lazy("CRM connection event"),
    "crm_mapping": gettext_lazy("CRM mapping"),
    "crm_objectmapping": gettext_lazy("CRM object mapping"),
    "crm_fieldmapping": gettext_lazy("CRM field mapping"),
}


@dataclass(frozen=True, slots=True)
class ShownChange:
    """One column that changed."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """One line of the log, in words."""

    id: int
    at: datetime
    who: str
    what: str
    name: str
    operation: str
    changes: list[ShownChange]


@require_safe
@opens_to(Permission.VIEW_AUDIT)
def audit_log(request: HttpRequest) -> HttpResponse:
    """The newest changes first, filtered by what was changed and by whom."""
    asked = {name: request.GET.get(name, "") for name in ("table", "actor", "row")}
    entries = _found(asked, request.GET.get("before", ""))
    page = list(entries[: PAGE + 1])
    more = len(page) > PAGE
    shown = show_entries(page[:PAGE])
    return render(
        request,
        "settings/audit.html",
        {
            "entries": shown,
            "asked": asked,
            "tables": _tables(),
            "actors": _actors(),
            "chips": _chips(request, asked),
            "later": _address(request, before=str(shown[-1].id)) if more else "",
            "is_first": not request.GET.get("before"),
        },
    )


def show_entries(entries: list[AuditEntry]) -> list[ShownEntry]:
    """Lines of the log in words, with the names of authors and things read a table at a time."""
    people = _actor_names({entry.actor for entry in entries})
    names, related = _row_names(entries), _related_names(entries)
    return [
        ShownEntry(
            entry.pk,
            entry.at,
            people[entry.actor],
            table_name(entry.table_name),
            names.get((entry.table_name, entry.row_id), "") or _told_name(entry),
            str(OPERATIONS.get(entry.operation, entry.operation)),
            _changes(entry, related),
        )
        for entry in entries
    ]


def table_name(table: str) -> str:
    """What people call the rows of a table."""
    if table in TABLE_NAMES:
        return str(TABLE_NAMES[table])
    model = _models().get(table)
    return str(model._meta.verbose_name).capitalize() if model else table


def _found(asked: dict[str, str], before: str) -> models.QuerySet[AuditEntry]:
    entries = AuditEntry.objects.order_by("-id")
    if asked["table"]:
        entries = entries.filter(table_name=asked["table"])
    if asked["actor"]:
        entries = entries.filter(actor=asked["actor"])
    if asked["row"].isdigit():
        entries = entries.filter(row_id=int(asked["row"]))
    return entries.filter(pk__lt=int(before)) if before.isdigit() else entries


def _changes(entry: AuditEntry, related: dict[tuple[type[models.Model], int], str]) -> list[ShownChange]:
    before, after = entry.before or {}, entry.after or {}
    names = [
        name for name in {**before, **after} if name != "id" and (entry.operation == "update" or _is_told(name, entry))
    ]
    changes = []
    for name in names:
        field = _field(entry.table_name, name)
        was, now = (_value(side.get(name), field, related) for side in (before, after))
        changes.append(ShownChange(_column_name(field, name), was, now))
    return changes


def _is_told(name: str, entry: AuditEntry) -> bool:
    """Of a row added or deleted, what was empty is not told."""
    value = (entry.after or entry.before or {}).get(name)
    return value not in (None, "", [], {})


def _value(value: Any, field: Any, related: dict[tuple[type[models.Model], int], str]) -> str:
    """A value as people say it: the name of what it refers to, the word of a choice."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(field, models.ForeignKey) and isinstance(value, int):
        return related.get((field.related_model, value), f"#{value}")
    if isinstance(field, models.DateTimeField) and isinstance(value, str):
        return moment(datetime.fromisoformat(value))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if _is_of_crm(field) and str(value) in VALUE_WORDS.get(field.column, {}):
        return str(VALUE_WORDS[field.column][str(value)])
    return str(dict(getattr(field, "flatchoices", ())).get(value, value))


def _field(table: str, column: str) -> Any:
    """The model's field behind a column; None when no model has it."""
    model = _models().get(table)
    return next((field for field in model._meta.concrete_fields if field.column == column), None) if model else None


def _is_of_crm(field: Any) -> bool:
    return field is not None and field.model._meta.app_label == "crm"


def _column_name(field: Any, column: str) -> str:
    if _is_of_crm(field) and column in COLUMN_WORDS:
        return str(COLUMN_WORDS[column])
    words = str(field.verbose_name) if field is not None else column.replace("_", " ")
    return words[:1].upper() + words[1:]


def _related_names(entries: list[AuditEntry]) -> dict[tuple[type[models.Model], int], str]:
    """What the rows are called that values refer to, one query a table."""
    wanted: dict[type[models.Model], set[int]] = {}
    for entry in entries:
        for side in (entry.before or {}, entry.after or {}):
            for name, value in side.items():
                field = _field(entry.table_name, name)
                if isinstance(field, models.ForeignKey) and isinstance(value, int):
                    wanted.setdefault(field.related_model, set()).add(value)
    return {
        (model, key): str(row)
        for model, keys in wanted.items()
        for key, row in model._default_manager.in_bulk(list(keys)).items()
    }


def _row_names(entries: list[AuditEntry]) -> dict[tuple[str, int | None], str]:
    """What the rows are called now, one query a table."""
    wanted: dict[str, set[int]] = {}
    for entry in entries:
        if entry.row_id is not None and entry.table_name in _models():
            wanted.setdefault(entry.table_name, set()).add(entry.row_id)
    names: dict[tuple[str, int | None], str] = {}
    for table, keys in wanted.items():
        found = _models()[table]._default_manager.in_bulk(list(keys))
        names |= {(table, key): _row_name(row) for key, row in found.items()}
    return names


def _row_name(row: models.Model) -> str:
    """What a row calls itself; of a row without a name, what it belongs to."""
    if type(row).__str__ is not models.Model.__str__:
        return str(row)
    return str(getattr(row, "connection", f"#{row.pk}"))


def _told_name(entry: AuditEntry) -> str:
    """The name of a row that is gone, as the line tells it."""
    told = {**(entry.before or {}), **(entry.after or {})}
    return str(told.get("name") or told.get("label") or told.get("email") or f"#{entry.row_id}")


def _actor_names(actors: set[str]) -> dict[str, str]:
    keys = {int(found[1]) for actor in actors if (found := re.fullmatch(r"user:(\d+)", actor))}
    users = {f"user:{user.pk}": user.name for user in User.objects.filter(pk__in=keys)} if keys else {}
    return {actor: users.get(actor) or _actor_name(actor) for actor in actors}


def _actor_name(actor: str) -> str:
    kind, _colon, number = actor.partition(":")
    match kind:
        case "user":
            return _("User %(number)s, who is gone") % {"number": number}
        case "connection":
            return _("CRM connection %(number)s") % {"number": number}
        case "import":
            return _("Import %(number)s") % {"number": number}
        case "setup link":
            return _("Set-up link")
        case "command line":
            return _("Command line")
        case _:
            return "Relance"


def _tables() -> list[tuple[str, str]]:
    """The tables that have lines, found by jumping along the index instead of reading the log: one statement for all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT relname::text FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE tgname = 'audit_insert'"
            " AND EXISTS (SELECT FROM audit_entry WHERE table_name = relname::text)"
        )
        present = [row[0] for row in cursor.fetchall()]
    return sorted(((table, table_name(table)) for table in present), key=lambda pair: pair[1])


def _actors() -> list[tuple[str, str]]:
    return [(f"user:{user.pk}", user.name) for user in User.objects.order_by("name")]


def _chips(request: HttpRequest, asked: dict[str, str]) -> list[dict[str, str]]:
    chips = []
    if asked["table"]:
        chips.append(
            {"name": _("Changed:"), "value": table_name(asked["table"]), "without": _address(request, table="")}
        )
    if asked["actor"]:
        who = _actor_names({asked["actor"]})[asked["actor"]]
        chips.append({"name": _("By:"), "value": who, "without": _address(request, actor="")})
    if asked["row"].isdigit():
        chips.append({"name": _("Number:"), "value": asked["row"], "without": _address(request, row="")})
    return chips


def _address(request: HttpRequest, **changes: str) -> str:
    query = request.GET.copy()
    query.pop("before", None)
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = value
    return f"{request.path}?{query.urlencode()}" if query else request.path


@cache
def _models() -> dict[str, type[models.Model]]:
    return {model._meta.db_table: model for model in apps.get_models()}


urlpatterns = [path("settings/audit", audit_log, name="settings-audit")]
