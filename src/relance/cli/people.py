"""`relance person`: look a person up, change one, import a file, from the server's own console."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from .doors import AsJson, CannotRun, Exit, Lang, answer_json, relance_open, say

app = typer.Typer(help="People: show, find, set, import, erase.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(help="An e-mail address, or the person's number.")]
Assignments = Annotated[
    list[str], typer.Argument(help="field=value, several of them; nothing after the sign empties the field.")
]
ACTOR = "command line"


@app.command()
def show(who: Who, as_json: AsJson = False, lang: Lang = "en") -> None:
    """Every field of a person."""
    with relance_open():
        told = _told(_person(who))
        labels = _labels(told, lang)
    if as_json:
        answer_json(told)
        return
    print(f"{told['name']}  (number {told['id']})")
    for key, value in told["fields"].items():
        if value is not None:
            print(f"  {labels[key]:<28} {_shown(value)}   [{key}]")


@app.command()
def find(
    words: Annotated[str, typer.Argument(help="The first letters of names, address or company.")],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many people at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """People whose words begin so."""
    with relance_open():
        from relance.people.facts import search_people

        found = list(search_people(words).order_by("name_key", "pk")[:limit])
        told = [{"id": one.pk, "name": one.full_name, "email": one.email, "company": one.company_name} for one in found]
    if as_json:
        answer_json(told)
    for one in [] if as_json else told:
        print(f"{one['id']:>8}  {one['name']}  {one['email'] or '-'}  {one['company'] or '-'}")
    if not told:
        raise typer.Exit(Exit.SOMEBODY_MUST_ACT)


@app.command("set")
def set_values(who: Who, assignments: Assignments, as_json: AsJson = False) -> None:
    """Change fields of a person, all or none. Nothing is changed when one value cannot be kept: exit code 1, and why."""
    changes = _assignments(assignments)
    with relance_open():
        from relance.lib.clock import utc_now
        from relance.people.change import change_person

        person = _person(who)
        with _refusals(as_json):
            moved = change_person(person, _keyed(changes), actor=ACTOR, now=utc_now())
    told = [{"field": change.field, "before": change.before, "after": change.after} for change in moved]
    if as_json:
        answer_json({"id": person.pk, "changes": told})
        return
    for change in told:
        print(f"{change['field']}: {_shown(change['before'])} → {_shown(change['after'])}")
    if not told:
        print("Nothing to change: the person has these values already.")


@app.command()
def add(assignments: Assignments, as_json: AsJson = False) -> None:
    """Add a person with these fields."""
    changes = _assignments(assignments)
    with relance_open():
        from relance.lib.clock import utc_now
        from relance.people.change import create_person

        with _refusals(as_json):
            person = create_person(_keyed(changes), actor=ACTOR, now=utc_now())
        told = _told(person)
    if as_json:
        answer_json(told)
    else:
        print(f"{told['name']} has number {told['id']}.")


@app.command()
def merge(
    winner: Who,
    losers: Annotated[list[str], typer.Argument(help="The people who are the same human.")],
    as_json: AsJson = False,
) -> None:
    """Merge people into the first one; the decision says field by field what was kept."""
    with relance_open():
        from relance.decisions.facts import find_decision
        from relance.lib.clock import utc_now
        from relance.people.merging import merge_people

        others = [_person(loser) for loser in losers]
        decision = find_decision(merge_people(_person(winner), *others, actor=ACTOR, now=utc_now()))
        assert decision is not None
        told = decision.as_json()
    if as_json:
        answer_json(told)
        return
    print(told["decision"])
    for reason in told["reasons"]:
        print(f"  {reason['says']}")


@app.command()
def export(
    who: Who,
    as_json: Annotated[bool, typer.Option("--json", help="Always so: the answer is JSON, with or without it.")] = True,
) -> None:
    """Everything kept about a person, as JSON: the answer to an access request."""
    with relance_open():
        from relance.people.erasing import export_person

        answer_json(export_person(_person(who)))


@app.command()
def erase(
    who: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a person for good, in the log and the ledger as well."""
    with relance_open():
        from relance.lib.clock import utc_now
        from relance.people.erasing import erase_person

        person = _person(who)
        erased = person.pk
        if not yes and as_json:
            raise CannotRun("Nothing was erased: with --json nobody can be asked. Say --yes as well.")
        if not yes:
            typer.confirm(
                f"Erase {person.full_name} and every value kept about them? This cannot be undone.", abort=True
            )
        erase_person(person, actor=ACTOR, now=utc_now())
    if as_json:
        answer_json({"erased": erased})
    say("Erased. The log keeps that it was done, and nothing else.")


@app.command()
def fields(
    verify: Annotated[bool, typer.Option("--verify", help="Compare the registry with the database.")] = False,
    as_json: AsJson = False,
    lang: Lang = "en",
) -> None:
    """The fields people and companies have, with the keys other commands take."""
    with relance_open():
        from dataclasses import asdict

        from django.utils import translation

        from relance.people.catalogue import Subject, fields_of
        from relance.people.schema import verify_schema

        with translation.override(lang):
            told = [
                {"subject": subject.value, "key": field.key, "label": str(field.label), "kind": field.kind.value}
                for subject in Subject
                for field in fields_of(subject)
            ]
        differences = [asdict(difference) for difference in verify_schema()] if verify else []
    if as_json:
        answer_json({"fields": told, "differences": differences} if verify else told)
    else:
        for field in told:
            print(f"{field['subject']:<8} {field['key']:<16} {field['kind']:<10} {field['label']}")
        for one in differences:
            print(
                f"{one['table']}.{one['column']}: expected {one['expected'] or 'no column'}, found {one['found'] or 'none'}"
            )
    if differences:
        raise typer.Exit(Exit.SOMEBODY_MUST_ACT)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV file.")],
    column: Annotated[
        list[str] | None,
        typer.Option("--map", help="Column=field, where the name does not say it; Column= leaves it out."),
    ] = None,
    rows: Annotated[str, typer.Option(help="both, create or update.")] = "both",
    blank_cells: Annotated[str, typer.Option(help="keep or clear.")] = "keep",
    existing: Annotated[str, typer.Option(help="overwrite or fill.")] = "overwrite",
    without_email: Annotated[str, typer.Option(help="refuse or create.")] = "refuse",
    check: Annotated[bool, typer.Option("--check", help="Count and show what would happen, write nothing.")] = False,
    as_json: AsJson = False,
    lang: Lang = "en",
) -> None:
    """Import people. Exit code 1 when rows were refused: the answer says which and why."""
    with relance_open():
        from django.utils import translation

        from relance.lib.clock import utc_now
        from relance.people.imports.running import (
            ImportChoices,
            ImportRefused,
            check_import,
            choose,
            receive_file,
            run_import,
        )
        from relance.people.imports.staging import drop_stage

        with translation.override(lang):
            this = receive_file(file.name, file, by=None, now=utc_now())
            try:
                if not this.problem:
                    mapping = _mapping(this, column or [])
                    choices = ImportChoices(
                        mapping, rows, blank_cells, existing, without_email, this.is_day_first, this.has_decimal_comma
                    )
                    choose(this, choices, now=utc_now())
                    with _progress() as progress:
                        (check_import if check else run_import)(this, now=utc_now(), progress=progress)
            except ImportRefused as error:
                this.forget_file()
                raise CannotRun(f"Nothing was imported. {error}") from error
            told = _import_told(this, check=check)
            if check:
                drop_stage(this)
                this.forget_file()
                this.delete()
    if as_json:
        answer_json(told)
    else:
        _print_import(told)
    if told["problem"]:
        raise typer.Exit(Exit.COULD_NOT_RUN)
    if told["counts"].get("refused"):
        raise typer.Exit(Exit.SOMEBODY_MUST_ACT)


@app.command()
def undo(
    import_id: Annotated[int, typer.Argument(help="The number of the import.")],
    check: Annotated[bool, typer.Option("--check", help="Say what would happen, write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Undo an import. Exit code 1 when people were left as they are, having changed since."""
    with relance_open():
        from relance.lib.clock import utc_now
        from relance.people.imports.running import ImportRefused
        from relance.people.imports.undoing import preview_undo, undo_import
        from relance.people.models import Import

        this = Import.objects.filter(pk=import_id).first()
        if this is None:
            raise CannotRun(f"There is no import {import_id}. Nothing was changed.")
        try:
            counts = preview_undo(this) if check else undo_import(this, actor=ACTOR, now=utc_now())
        except ImportRefused as error:
            raise CannotRun(f"Nothing was changed. {error}") from error
    if as_json:
        answer_json(counts)
    else:
        print(f"{counts['deleted']} people deleted, {counts['restored']} set back, {counts['kept']} left as they are.")
    if counts["kept"]:
        raise typer.Exit(Exit.SOMEBODY_MUST_ACT)


def _person(who: str) -> Any:
    from relance.people.facts import merged_into
    from relance.people.models import Person

    by_number = Person.objects.filter(pk__in=[int(who), merged_into(int(who)) or 0]) if who.isdecimal() else None
    found = (by_number if by_number is not None else Person.objects.filter(email_key=who.strip().lower())).first()
    if found is None:
        raise CannotRun(f"Nobody here is {who}. Nothing was changed. Search with: relance person find {who}")
    return found


def _assignments(texts: list[str]) -> dict[str, str]:
    changes = {}
    for text in texts:
        field, sign, value = text.partition("=")
        if not sign or not field.strip():
            raise typer.BadParameter(f"{text!r} is no change: write field=value.")
        changes[field.strip()] = value
    return changes


def _keyed(changes: dict[str, str]) -> dict[str, str]:
    """Fields may be named by key or by label."""
    from relance.people.catalogue import Subject, fields_of

    by_label = {str(field.label).lower(): field.key for field in fields_of(Subject.PERSON)}
    return {by_label.get(name.lower(), name): value for name, value in changes.items()}


@contextmanager
def _refusals(as_json: bool) -> Iterator[None]:
    """A value that cannot be kept is somebody's move, field by field."""
    from relance.decisions.reasons import explain_reason
    from relance.people.change import ChangeRefused

    try:
        yield
    except ChangeRefused as refused:
        said = {field: explain_reason(reason) for field, reason in refused.reasons.items()}
        if as_json:
            answer_json(
                {
                    "refused": {
                        field: {"code": one.code, "says": one.says, "remedy": one.remedy} for field, one in said.items()
                    }
                }
            )
        else:
            say("Nothing was changed.")
            for field, one in said.items():
                say(f"{field}: {one.says} {one.remedy}")
        raise typer.Exit(Exit.SOMEBODY_MUST_ACT) from refused


def _told(person: Any) -> dict[str, Any]:
    from relance.people.catalogue import Subject, fields_of
    from relance.people.facts import values_of

    keys = [field.key for field in fields_of(Subject.PERSON)]
    values = values_of([person.pk], keys)[person.pk]
    return {
        "id": person.pk,
        "uid": str(person.uid),
        "name": person.full_name,
        "company": person.company_id,
        "owner": person.owner.email if person.owner else None,
        "team": person.team.name if person.team else None,
        "created_at": person.created_at,
        "updated_at": person.updated_at,
        "fields": values,
    }


def _labels(told: dict[str, Any], lang: str) -> dict[str, str]:
    from django.utils import translation

    from relance.people.catalogue import Subject
    from relance.people.change import field_labels

    with translation.override(lang):
        return field_labels(Subject.PERSON, told["fields"])


def _mapping(this: Any, said: list[str]) -> tuple[str, ...]:
    chosen = dict(text.rpartition("=")[::2] for text in said)
    unknown = chosen.keys() - set(this.header)
    if unknown:
        raise CannotRun(
            f"The file has no column {', '.join(sorted(unknown))}. Its columns are: {', '.join(this.header)}."
        )
    keyed = {name: next(iter(_keyed({key: ""}))) if key else "" for name, key in chosen.items()}
    return tuple(keyed.get(name, key) for name, key in zip(this.header, this.mapping, strict=True))


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on a terminal, a line every tenth elsewhere."""
    import sys

    from rich.console import Console
    from rich.progress import Progress

    steps = {"read": "Reading the file", "check": "Checking rows", "run": "Writing people"}
    if sys.stderr.isatty():
        with Progress(console=Console(stderr=True), transient=True) as bar:
            bars: dict[str, Any] = {}

            def draw(step: str, done: int, total: int) -> None:
                if step not in bars:
                    bars[step] = bar.add_task(steps[step], total=total)
                bar.update(bars[step], completed=done, total=total)

            yield draw
        return
    told: dict[str, int] = {}

    def line(step: str, done: int, total: int) -> None:
        tenth = done * 10 // max(total, 1)
        if told.get(step, -1) != tenth:
            told[step] = tenth
            say(f"{steps[step]}: {tenth * 10} %")

    yield line


def _import_told(this: Any, *, check: bool) -> dict[str, Any]:
    from relance.decisions.reasons import explain_reason
    from relance.decisions.rules import Reason, Verdict
    from relance.people.imports.refused import problems_of

    problem = None
    if this.problem:
        said = explain_reason(Reason(this.problem["code"], Verdict.SKIP, this.problem["seen"]))
        problem = {"code": said.code, "says": said.says, "remedy": said.remedy}
    told = {
        "import": this.pk,
        "state": this.state,
        "counts": this.preview_counts if check else this.counts,
        "mapping": dict(zip(this.header, this.mapping, strict=False)),
        "problem": problem,
        "refused": [
            {"row": one.row, "column": one.column, "value": one.value, "says": one.says, "remedy": one.remedy}
            for one in problems_of(this, limit=20)
        ],
    }
    if check and not problem:
        told["rows"] = this.samples
    return told


def _print_import(told: dict[str, Any]) -> None:
    if told["problem"]:
        say(f"Nothing was imported. {told['problem']['says']} {told['problem']['remedy']}")
        return
    print(f"Import {told['import']}: " + ", ".join(f"{rows} {name}" for name, rows in told["counts"].items()))
    for one in told["refused"]:
        place = f", {one['column']}" if one["column"] else ""
        print(f"  row {one['row']}{place}: {one['says']} {one['remedy']}")


def _shown(value: Any) -> str:
    return "–" if value is None else ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
