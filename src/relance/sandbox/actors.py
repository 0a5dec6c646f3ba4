"""Scripted actors: what people do in the CRM while others synchronise with it. Each is a function a test may call.

`act(org, "convert", {"record": "00Q…"})` is what the command, the address and the page come down to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from relance.sandbox import admin_acts, rep_acts
from relance.sandbox.acting import ActRefused
from relance.sandbox.org import Org
from relance.sandbox.schema_changes import CannotChange

__all__ = ["ACTORS", "ActRefused", "Actor", "act"]

Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Actor:
    """`needs` must be told, `takes` may be. A record is an id, or an object with a WHERE."""

    name: str
    who: str  # rep | admin
    says: str
    needs: tuple[str, ...]
    takes: tuple[str, ...]
    run: Callable[[Org, Told], dict[str, Any]]


def act(org: Org, name: str, told: Told) -> dict[str, Any]:
    """What the actor did. ActRefused says why it could not, and nothing was changed."""
    actor = ACTORS.get(name)
    if actor is None:
        raise ActRefused("INVALID_ACTOR", f"There is no actor {name}; there are: {', '.join(sorted(ACTORS))}.")
    known = {*actor.needs, *actor.takes, "as"}
    if "record" in known or "master" in known:
        known |= {"object", "where"}
    unknown = sorted(set(told) - known)
    if unknown:
        raise ActRefused(
            "INVALID_ACTOR", f"{name} takes no {', '.join(unknown)}; it takes: {', '.join(sorted(known))}."
        )
    missing = sorted(
        need for need in actor.needs if not told.get(need) and not (need == "record" and told.get("where"))
    )
    if missing:
        raise ActRefused("INVALID_ACTOR", f"{name} needs {', '.join(missing)}.")
    try:
        return {"actor": name, **actor.run(org, told)}
    except CannotChange as unchangeable:
        raise ActRefused("INVALID_ACTOR", str(unchangeable)) from unchangeable


def act_or_say(org: Org, name: str, told: Told) -> str:
    """For an actor in the middle of somebody's request: the refusal as text, '' when it was done."""
    try:
        act(org, name, told)
    except ActRefused as refused:
        return f"{refused.code}: {refused.message}"
    return ""


ACTORS: dict[str, Actor] = {
    each.name: each
    for each in (
        Actor("create", "rep", "A rep creates a record.", ("object", "values"), (), rep_acts.create),
        Actor("edit", "rep", "A rep edits a record.", ("record", "values"), (), rep_acts.edit),
        Actor("reassign", "rep", "A rep gives a record to somebody else.", ("record", "owner"), (), rep_acts.reassign),
        Actor(
            "convert",
            "rep",
            "A rep converts a lead.",
            ("record",),
            ("status", "account", "contact", "opportunity"),
            rep_acts.convert,
        ),
        Actor("merge", "rep", "A rep merges records into one.", ("master", "losers"), ("values",), rep_acts.merge),
        Actor("delete", "rep", "A rep deletes a record.", ("record",), (), rep_acts.delete),
        Actor("undelete", "rep", "A rep takes a record back from the bin.", ("record",), (), rep_acts.undelete),
        Actor(
            "purge",
            "admin",
            "An administrator empties the bin, or one record of it.",
            (),
            ("record",),
            admin_acts.purge,
        ),
        Actor(
            "remove_permission",
            "admin",
            "An administrator takes a right away.",
            ("from",),
            ("user", "actions"),
            admin_acts.remove_permission,
        ),
        Actor(
            "restore_permission",
            "admin",
            "An administrator gives a right back.",
            ("from",),
            ("user",),
            admin_acts.restore_permission,
        ),
        Actor(
            "rename_field", "admin", "An administrator renames a field.", ("field", "to"), (), admin_acts.rename_field
        ),
        Actor(
            "add_required_field",
            "admin",
            "An administrator adds a required field.",
            ("object", "name"),
            ("type", "label"),
            admin_acts.change("add_required_field", "createdCF"),
        ),
        Actor(
            "remove_field",
            "admin",
            "An administrator deletes a field.",
            ("field",),
            (),
            admin_acts.change("remove_field", "deletedCF"),
        ),
        Actor(
            "add_validation_rule",
            "admin",
            "An administrator adds a validation rule.",
            ("object", "name", "formula", "message"),
            ("field",),
            admin_acts.change("add_validation_rule", "createdValidationRule"),
        ),
        Actor(
            "remove_picklist_value",
            "admin",
            "An administrator retires a value of a list.",
            ("field", "value"),
            (),
            admin_acts.change("remove_picklist_value", "changedPicklist"),
        ),
        Actor(
            "remove_record_type",
            "admin",
            "An administrator deletes a record type.",
            ("object", "name"),
            (),
            admin_acts.remove_record_type,
        ),
        Actor(
            "deactivate_user",
            "admin",
            "An administrator deactivates a user.",
            ("user",),
            (),
            admin_acts.deactivate_user,
        ),
        Actor(
            "reactivate_user",
            "admin",
            "An administrator lets a user in again.",
            ("user",),
            (),
            admin_acts.reactivate_user,
        ),
    )
}
