#!/usr/bin/env python3
"""Write the tables of the documentation that the code knows best: `.venv/bin/python scripts/reference.py`, or `--check` to see whether they fit.

A page is written by hand; between two marks stands what is made here. With `--check` nothing is written, the pages that
no longer fit are named, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "relance"
BLOCK = re.compile(r"(<!-- made by scripts/reference\.py: (\w+) -->\n).*?(<!-- end of what is made -->)", re.DOTALL)
EVERYWHERE = ("--json",)  # said once, above the commands
ERRORS = {"Exception", "ValueError", "RuntimeError", "LookupError", "KeyError", "TypeError"}


def commands() -> Iterator[str]:
    """Every command with its arguments and options, as the command line itself knows them."""
    import typer

    from relance.cli.main import app

    for path, command in _commands(typer.main.get_command(app), "relance"):
        options = [option for option in command.params if not set(option.opts) & set(EVERYWHERE)]
        arguments = [option for option in options if not option.opts[0].startswith("-")]
        named = [option for option in options if option.opts[0].startswith("-")]
        has_json = any("--json" in option.opts for option in command.params)
        words = [path, *(_argument(each) for each in arguments), *(["[options]"] if named else [])]
        yield f"### `{' '.join(words)}`\n"
        yield f"{command.help}{' Takes `--json`.' if has_json else ''}\n"
        if options:
            yield from table(("", "meaning", "without it"), (_option(each) for each in [*arguments, *named]))
            yield ""


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    inside = getattr(command, "commands", None)
    if inside is None:
        yield path, command
        return
    for name, each in inside.items():
        yield from _commands(each, f"{path} {name}")


def _argument(option: Any) -> str:
    name = option.name.upper() + ("…" if option.nargs == -1 else "")
    return name if option.required else f"[{name}]"


def _option(option: Any) -> tuple[str, str, str]:
    shown = " ".join(f"`{name}`" for name in option.opts)
    if not option.opts[0].startswith("-"):
        shown = f"`{option.name.upper()}`"
    elif not option.is_flag:
        shown = f"`{option.opts[0]} {option.name.upper()}`"
    default = option.default
    without = "required" if option.required else "" if default in (None, "", False) else f"`{default}`"
    return shown, option.help or "", without


def settings() -> Iterator[str]:
    """Every setting, with its default."""
    from relance.lib.environment import Environment

    rows = []
    for name, field in Environment.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = ", ".join(default) if isinstance(default, list) else default
        variable = str(field.validation_alias or f"RELANCE_{name.upper()}")
        rows.append((f"`{variable}`", field.description or "", "" if shown in (None, "") else f"`{shown}`"))
    yield from table(("variable", "meaning", "default"), rows)


def reasons() -> Iterator[str]:
    """Every reason any room declares, by number."""
    from relance.decisions.reasons import reason_texts

    _import_all("reasons")
    declared = sorted(reason_texts().values(), key=lambda text: text.number)
    for area in dict.fromkeys(text.code.partition(".")[0] for text in declared):
        yield f"### `{area}.…`\n"
        rows = (
            (str(text.number), f"`{text.code}`", text.verdict.word, _sentence(text.says), _sentence(text.remedy))
            for text in declared
            if text.code.startswith(f"{area}.")
        )
        yield from table(("number", "code", "verdict", "says", "remedy"), rows)
        yield ""


def _import_all(module: str) -> None:
    """Every room's, also of rooms that keep nothing in the database: whoever ran before us may have loaded some of them."""
    for path in sorted(SOURCE.glob(f"*/{module}.py")):
        import_module(f"relance.{path.parent.name}.{module}")


def activities() -> Iterator[str]:
    """Every kind of activity."""
    from relance.activity.kinds import activity_kinds

    _import_all("kinds")
    kinds = sorted(activity_kinds().values(), key=lambda kind: (kind.group, kind.name))
    rows = ((f"`{kind.name}`", kind.group, _sentence(kind.says)) for kind in kinds)
    yield from table(("kind", "filter of the timeline", "says"), rows)


def permissions() -> Iterator[str]:
    """The roles and what each may do."""
    from relance.workspace.rules import ROLE_PERMISSIONS, Permission, Role

    rows = [
        (f"`{permission.value}`", *("yes" if permission in ROLE_PERMISSIONS[role] else "" for role in Role))
        for permission in Permission
    ]
    yield from table(("permission", *(role.value for role in Role)), rows)


def errors() -> Iterator[str]:
    """Every error class of the rooms, with what it means; the sandbox's imitate Salesforce's and are left out."""
    rows = []
    rooms = sorted(path.parent.name for path in SOURCE.glob("*/__init__.py") if path.parent.name != "sandbox")
    for room in rooms:
        for name, bases, meaning in sorted(_errors_of(room)):
            rows.append((f"`{name}`", room, f"`{bases}`" if bases.startswith("Crm") else "", meaning))
    yield from table(("error", "room", "is a", "meaning"), rows)


def _errors_of(room: str) -> Iterator[tuple[str, str, str]]:
    """Public exceptions of a room, in whatever order they refer to each other."""
    found = [
        node
        for file in sorted((SOURCE / room).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    ]
    known = set(ERRORS)
    while more := {node.name for node in found if _bases(node) & known} - known:
        known |= more
    for node in found:
        if node.name in known and not node.name.startswith("_"):
            meaning = (ast.get_docstring(node) or "").split("\n\n")[0]
            yield node.name, next(iter(_bases(node))), " ".join(meaning.split())


def _bases(node: ast.ClassDef) -> set[str]:
    return {base.id for base in node.bases if isinstance(base, ast.Name)}


def refusals() -> Iterator[str]:
    """The codes Salesforce refuses with, and what Relance makes of each."""
    from relance.crm.salesforce.errors_catalogue import KNOWN_CODES
    from relance.web.crm_words import remedy_words

    for layer in dict.fromkeys(known.layer for known in KNOWN_CODES.values()):
        yield f"### {layer.value}\n"
        rows = (
            (f"`{code}`", known.move.value, known.retry.value, remedy_words(known.remedy))
            for code, known in KNOWN_CODES.items()
            if known.layer is layer
        )
        yield from table(("code", "whose move", "sent again", "advice"), rows)
        yield ""


def addresses() -> Iterator[str]:
    """Every address of the sandbox, with the methods it takes."""
    from relance.sandbox.desk import DATA_ROUTES, OTHER_ROUTES
    from relance.sandbox.soap import OPERATIONS

    taken: dict[str, list[str]] = {}
    for prefix, routes in (("/services/data/vNN.0/", DATA_ROUTES), ("/", OTHER_ROUTES)):
        for each in routes:
            path = prefix + "/".join(part.upper().strip("{}") if part[:1] == "{" else part for part in each.pattern)
            taken.setdefault(path, []).append(each.method)
    yield from table(("address", "methods"), ((f"`{path}`", ", ".join(methods)) for path, methods in taken.items()))
    yield ""
    yield f"SOAP operations: `login`, {', '.join(f'`{name}`' for name in OPERATIONS)}."


def outcomes() -> Iterator[str]:
    """What becomes of a field: the rule of the sync asked for every policy and every situation."""
    from relance.crm.rules import BlankPolicy, FieldPolicy, RightSide, decide_field

    rows = []
    for told, facts, blanks in _situations():
        for blank in blanks or (BlankPolicy.FILL,):
            shown = told + (f", blank policy `{blank.value}`" if blanks else "")
            codes = (decide_field(facts, FieldPolicy(owner, blank)) for owner in RightSide)
            rows.append((shown, *(f"{_effect(code)}: `{code.code}`" for code in codes)))
    yield from table(("what happened", *(f"right: `{owner.value}`" for owner in RightSide)), rows)


def _situations() -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
    """A field both sides agreed on as “old”, and what was done to it since."""
    from relance.crm.rules import BlankPolicy, FieldFacts

    earlier, later = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 10, tzinfo=UTC)
    every = tuple(BlankPolicy)
    yield "only the CRM changed", FieldFacts("old", "new", "old", crm_changed_at=later), ()
    yield "only we changed", FieldFacts("ours", "old", "old", local_changed_at=later), ()
    both = FieldFacts("ours", "theirs", "old", local_changed_at=earlier, crm_changed_at=later)
    yield "both changed, the CRM later", both, ()
    yield "both changed, we later", replace(both, local_changed_at=later, crm_changed_at=earlier), ()
    yield "the CRM was emptied", FieldFacts("old", None, "old", crm_changed_at=later), every
    yield "ours was emptied", FieldFacts(None, "old", "old", local_changed_at=later), every


def _effect(code: Any) -> str:
    from relance.crm.rules import APPLIED, SENT

    return "the CRM's comes here" if code in APPLIED else "ours is sent" if code in SENT else "both stay"


MAKERS: dict[str, Callable[[], Iterator[str]]] = {
    maker.__name__: maker
    for maker in (commands, settings, reasons, activities, permissions, errors, refusals, addresses, outcomes)
}


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A table of markdown."""
    titles = list(header)
    yield f"| {' | '.join(titles)} |"
    yield f"| {' | '.join('---' for _ in titles)} |"
    for row in rows:
        yield f"| {' | '.join(_cell(cell) for cell in row)} |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _sentence(text: Any) -> str:
    """A sentence with its values named: %(before)s is shown as ‹before›."""
    return re.sub(r"%\((\w+)\)[sd]", r"‹\1›", str(text)).replace("%%", "%")


def filled(page: str) -> str:
    """The page with every block made anew. KeyError when a mark names nothing we make."""
    return BLOCK.sub(lambda met: f"{met[1]}\n{_made(met[2])}\n\n{met[3]}", page)


def _made(name: str) -> str:
    from django.utils.translation import override

    with override("en"):
        return "\n".join(MAKERS[name]()).strip()


def stale_pages(pages: Path = DOCS) -> list[Path]:
    """The pages that say something else than the code."""
    return [page for page in sorted(pages.rglob("*.md")) if filled(text := page.read_text(encoding="utf-8")) != text]


def made_blocks(pages: Path = DOCS) -> set[str]:
    """The names of the blocks the pages hold."""
    return {met[1] for page in pages.rglob("*.md") for met in BLOCK.findall(page.read_text(encoding="utf-8"))}


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the tables of the documentation from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 when a page no longer fits")
    is_check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"RELANCE_HOME": home, "RELANCE_SECRET_KEYS": "reference"}
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "relance.site.settings")
        import django

        django.setup()
        stale = stale_pages()
        if not is_check:
            for page in stale:
                page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
    for page in stale:
        print(f"{page.relative_to(ROOT)} {'no longer fits the code' if is_check else 'is written'}", file=sys.stderr)
    return 1 if is_check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
