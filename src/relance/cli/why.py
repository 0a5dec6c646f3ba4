"""`relance why`: ask a decision, or all that was decided about a person, for its reasons."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .doors import AsJson, CannotRun, Exit, Lang, answer_json, relance_open


def add_commands(app: typer.Typer) -> None:
    app.command()(why)


def why(
    decision: Annotated[str, typer.Argument(help="A decision, such as d-c9f3…: pages and logs show its number.")] = "",
    person: Annotated[str, typer.Option("--person", help="A person, by e-mail address or number.")] = "",
    field: Annotated[str, typer.Option("--field", help="Only what was decided about this field, such as phone.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many decisions at most, newest first.")] = 10,
    as_json: AsJson = False,
    lang: Lang = "en",
) -> None:
    """Why was this decided? The checks in order, what they saw, what was decisive and what would change it."""
    if bool(decision) == bool(person):
        raise typer.BadParameter("Give a decision, or --person with an e-mail address or number.")
    with relance_open():
        from django.utils import translation

        with translation.override(lang):
            found = [_one(decision)] if decision else _about(person, field, limit)
            told = [recorded.as_json() for recorded in found]
            if as_json:
                answer_json(_answer(told, is_list=bool(person)))
            else:
                _print(told, person or decision)
    if not found:
        raise typer.Exit(Exit.SOMEBODY_MUST_ACT)


NOTHING: dict[str, Any] = {
    "decision": None,
    "verdict": None,
    "at": None,
    "policy": "",
    "reasons": [],
    "would_change": [],
}


def _answer(told: list[dict[str, Any]], *, is_list: bool) -> dict[str, Any]:
    """The newest decision; about a person, with those before it under `earlier`."""
    newest = told[0] if told else NOTHING
    return {**newest, "earlier": told[1:]} if is_list else newest


def _one(name: str) -> Any:
    from relance.decisions.facts import decision_id, find_decision

    id = decision_id(name)
    found = find_decision(id) if id is not None else None
    if found is None:
        raise CannotRun(
            f"No decision is called {name}. It may be older than what the ledger keeps, or mistyped: "
            "relance why --person EMAIL lists the decisions about a person."
        )
    return found


def _about(person: str, field: str, limit: int) -> list[Any]:
    from relance.decisions.facts import decisions_about
    from relance.people.models import Person

    people = (
        Person.objects.filter(pk=int(person)) if person.isdigit() else Person.objects.filter(email_key=person.lower())
    )
    found = people.first()
    if found is None:
        raise CannotRun(f"Nobody here is {person}. Search with: relance person find {person}")
    return decisions_about(found.pk, field=_field_key(field) if field else None, limit=limit)


def _field_key(name: str) -> str:
    """The field's key, given as such or by its name in any language we speak."""
    from django.conf import settings
    from django.utils import translation

    from relance.people.catalogue import Subject, fields_of

    known: dict[str, str] = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            known |= {str(spec.label).lower(): spec.key for spec in fields_of(Subject.PERSON)}
    known |= {spec.key: spec.key for spec in fields_of(Subject.PERSON)}
    if name.lower() not in known:
        raise CannotRun(f"People have no field {name}. List them with: relance person fields")
    return known[name.lower()]


def _print(told: list[dict[str, Any]], asked: str) -> None:
    from django.utils.translation import gettext as _

    labels = _labels()
    if not told:
        print(_("Nothing has been decided yet about %(asked)s.") % {"asked": asked})
    for decision in told:
        print(f"{decision['decision']}  {decision['verdict'].upper()}  {decision['at']}  {decision['policy']}")
        for reason in decision["reasons"]:
            about = labels.get(reason["seen"].get("field"), "")
            says = f"{about}: {reason['says']}" if about else reason["says"]
            print(f"  {'▸' if reason['decisive'] else '·'} {says}  [{reason['code']}]")
        for change in decision["would_change"]:
            print(f"  → {change}")


def _labels() -> dict[str | None, str]:
    from relance.people.catalogue import Subject, fields_of

    return {spec.key: str(spec.label) for subject in Subject for spec in fields_of(subject)}
