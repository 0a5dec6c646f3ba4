"""The steps a person would take in the wizard, taken for the demo through the same verbs: verify, map, try, approve, sync."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from relance.lib.clock import utc_now

from .doors import say

if TYPE_CHECKING:
    from relance.crm.models import Connection
    from relance.workspace.models import User


def first_sync(connection: Connection, *, by: User) -> int:
    """Bring a connection to life if it is not, and run one cycle; returns how many records came in."""
    from relance.crm.connection import connection_state, enable_connection, verify_connection
    from relance.crm.mapping import approved_mapping
    from relance.crm.rules import ConnectionState
    from relance.crm.sync import run_cycle

    if connection_state(connection) is not ConnectionState.ENABLED:
        identity = verify_connection(connection, by=by)
        say(f"Connected to {identity.name} as {identity.username}.")
    if approved_mapping(connection) is None:
        approve_suggestion(connection, by=by)
    if connection_state(connection) is not ConnectionState.ENABLED:
        enable_connection(connection, by=by)
    with SyncProgress() as progress:
        counts = run_cycle(connection, now=utc_now(), progress=progress)
    return counts.read


# Fields the demo's company keeps of its people, called as in its org: the suggestion pairs them by name.
FIELDS = (
    ("Raison de la disqualification", "choice", "Raison_Disqualification__c"),
    ("Niveau de poste", "choice", "Niveau_Poste__c"),
    ("Intérêt produit", "choice", "Interet_Produit__c"),
    ("Source d’origine", "choice", "Source_Origine__c"),
    ("Dernière campagne", "text", "Derniere_Campagne__c"),
)


def make_demo_fields(connection: Connection) -> None:
    """The workspace's own fields, with the choices the org gives for them: made once."""
    from relance.crm.describing import description_of
    from relance.people.catalogue import FieldKind, Subject
    from relance.people.models import CustomField
    from relance.people.schema import create_custom_field

    about = description_of(connection, "Lead")
    for label, kind, name in FIELDS:
        found = about.field(name) if about else None
        if found is None or CustomField.objects.filter(subject=Subject.PERSON, label=label).exists():
            continue
        choices = [value.value for value in found.picklist if value.active] if kind == "choice" else []
        create_custom_field(Subject.PERSON, label, FieldKind(kind), now=utc_now(), choices=choices)


def approve_suggestion(connection: Connection, *, by: User) -> None:
    """Suggest a mapping, let owned people become leads, try it without effect, approve it."""
    from dataclasses import replace

    from relance.crm.describing import refresh_descriptions
    from relance.crm.dry_run import dry_run
    from relance.crm.mapping import approve_mapping, save_draft, suggest_mapping
    from relance.crm.opening import crm_opened
    from relance.crm.rules import Creates

    with crm_opened(connection) as crm:
        refresh_descriptions(connection, crm, now=utc_now())
    make_demo_fields(connection)
    drafts = [
        replace(draft, creates=Creates.OWNED) if draft.object == "Lead" else draft
        for draft in suggest_mapping(connection)
    ]
    mapping = save_draft(connection, drafts, by=by)
    say("Trying the mapping without effect.")
    dry_run(mapping, by=by)
    approve_mapping(mapping, by)


class SyncProgress:
    """Bars on a terminal, one line an object elsewhere: called by the cycle with what it reads and how far it is."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr)
        self._bars = Progress(
            TextColumn("{task.description:12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> SyncProgress:
        self._bars.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._bars.stop()

    def __call__(self, object: str, done: int, total: int | None) -> None:
        if object not in self._tasks:
            self._tasks[object] = self._bars.add_task(object, total=total)
        self._bars.update(self._tasks[object], completed=done, total=total)
        if not self._console.is_terminal and (total is None or done >= total):
            say(f"{object}: {done} records." if done else f"{object}: nothing new.")
