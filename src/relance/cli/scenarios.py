"""`relance scenarios`: ask the gate what lawyers wrote down. No server and no database are needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .doors import AsJson, CannotRun, Exit, Lang, answer_json

if TYPE_CHECKING:
    from relance.deliverability.scenarios.running import Answer


def add_commands(app: typer.Typer) -> None:
    app.command()(scenarios)


def scenarios(
    files: Annotated[list[Path] | None, typer.Argument(help="Scenario files, or folders of them (*.yaml).")] = None,
    policy: Annotated[
        str, typer.Option(help="Run them by this policy instead of theirs: a pack such as FR, or a file.")
    ] = "",
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of scenario files and stop.")] = False,
    as_json: AsJson = False,
    lang: Lang = "en",
) -> None:
    """May one contact these people? Answers each question of the files; ends with 1 when an expectation is not met."""
    open_words()
    from django.utils import translation

    if schema:
        from relance.deliverability.scenarios.running import scenario_schema

        answer_json(scenario_schema())
        return
    if not files:
        raise typer.BadParameter("Give one or more scenario files: relance scenarios FILE…")
    with translation.override(lang):
        answers = _run(files, policy)
        if as_json:
            from relance.deliverability.scenarios.running import as_document

            answer_json(as_document(answers))
        else:
            _print(answers)
    if any(not answer.ok for answer in answers):
        raise typer.Exit(Exit.SOMEBODY_MUST_ACT)


def open_words() -> None:
    """Translations and the reasons' texts, without a database: nothing of the workspace's settings is read."""
    import django
    from django.conf import settings

    if not settings.configured:
        from relance.lib.catalogues import SOURCE, compile_catalogues

        compile_catalogues()
        rooms = ("decisions", "consent", "deliverability")
        settings.configure(
            USE_I18N=True,
            USE_TZ=True,
            TIME_ZONE="UTC",
            LANGUAGE_CODE="en",
            LANGUAGES=[("fr", "Français"), ("en", "English")],
            LOCALE_PATHS=[str(SOURCE / room / "locale") for room in rooms],
        )
        django.setup()
    import relance.consent.reasons
    import relance.deliverability.reasons  # noqa: F401 - declaring is what the import is for


def _run(files: list[Path], policy: str) -> list[Answer]:
    from relance.consent.packs import PolicyRefused
    from relance.consent.places import NoSuchCalendar
    from relance.deliverability.scenarios.reading import ScenarioRefused, policy_named, read_scenario_file
    from relance.deliverability.scenarios.running import run_stories

    try:
        book = policy_named(policy) if policy else None
        return [answer for path in _each(files) for answer in run_stories(read_scenario_file(path, book))]
    except (ScenarioRefused, PolicyRefused, NoSuchCalendar) as refused:
        raise CannotRun(str(refused)) from None


def _each(files: list[Path]) -> list[Path]:
    found = [one for path in files for one in (sorted(path.glob("**/*.yaml")) if path.is_dir() else [path])]
    if not found:
        raise CannotRun(
            f"There is no scenario file in {', '.join(str(path) for path in files)}: they are called something.yaml."
        )
    return found


def _print(answers: list[Answer]) -> None:
    from django.utils.translation import gettext as _

    told: dict[str, Any] = {}
    for answer in answers:
        heading = f"{answer.file}: {answer.scenario}"
        if heading not in told:
            told[heading] = True
            print(heading)
        _print_answer(answer, answer.as_json())
    failed = sum(not answer.ok for answer in answers)
    print(
        _("%(questions)s questions, %(failed)s not answered as expected.")
        % {"questions": len(answers), "failed": failed}
    )


def _print_answer(answer: Answer, said: dict[str, Any]) -> None:
    until = f" {said['until']}" if said["until"] else ""
    basis = f" ({said['basis']})" if said["basis"] else ""
    print(f"  {'✓' if said['ok'] else '✗'} {said['verdict'].upper()}{until}{basis}  {said['question']}")
    for reason in said["reasons"]:
        if reason["decisive"] or not said["ok"]:
            print(f"      {reason['says']}  [{reason['code']}]")
    for remedy in dict.fromkeys(
        reason["remedy"] for reason in said["reasons"] if reason["decisive"] and reason["remedy"]
    ):
        print(f"      → {remedy}")
    for differing in answer.differs:
        print(f"      ✗ {differing}  [{answer.place}]")
