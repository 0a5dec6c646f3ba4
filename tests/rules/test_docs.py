"""The documentation says what the program does: its tables are made from the code, its links lead somewhere, its commands exist."""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

from relance.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "reference.py"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "src" / "relance").rglob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
OF_THE_ENTRY_SCRIPT = {"setup", "lock"}


@cache
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_command_setting_reason_activity_role_and_error_is_documented_as_it_is():
    stale = [str(page.relative_to(ROOT)) for page in reference().stale_pages()]

    assert not stale, f"run .venv/bin/python scripts/reference.py: {', '.join(stale)}"


def test_everything_the_script_makes_stands_on_a_page():
    assert reference().made_blocks() == set(reference().MAKERS)


def test_a_mark_that_names_nothing_is_an_error_and_not_an_empty_table():
    with pytest.raises(KeyError):
        reference().filled("<!-- made by scripts/reference.py: nothing -->\n<!-- end of what is made -->")


@pytest.mark.parametrize("document", PAGES, ids=NAMES)
def test_every_link_of_the_documentation_leads_somewhere(document):
    text = FENCED.sub("", document.read_text(encoding="utf-8"))

    lost = [link for link in LINK.findall(text) if _is_ours(link) and not _leads_somewhere(document, link)]

    assert not lost


def _is_ours(link: str) -> bool:
    return not link.startswith(("http://", "https://", "mailto:"))


def _leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    if not target.is_relative_to(ROOT) or not target.exists():
        return False
    return not anchor or anchor in _anchors(target)


def _anchors(page: Path) -> set[str]:
    """The names of the headings, as code hosts make them."""
    titles = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", PAGES, ids=NAMES)
def test_the_documentation_names_no_private_machine_and_no_leftover(document):
    text = document.read_text(encoding="utf-8")

    private = re.findall(
        r"\b(?:10\.\d+|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d+\.\d+|/home/\w+|/root/\w+|\w+\.local\b", text
    )
    left = re.findall(r"\b(?:TODO|FIXME|XXX|lorem ipsum)\b", text, re.IGNORECASE)

    assert not private
    assert not left


def test_every_page_of_docs_is_found_from_the_index():
    docs = ROOT / "docs"
    index = docs / "index.md"
    reached = {(docs / link.partition("#")[0]).resolve() for link in LINK.findall(index.read_text(encoding="utf-8"))}

    forgotten = {page for page in docs.rglob("*.md") if "plans" not in page.parts} - reached - {index}

    assert not forgotten


COMMAND = re.compile(r"^(?:\$ )?(?:\w+=\S+ )*(?:\./|\S*/)?relance ((?:[a-z-]+)(?: [a-z-]+)?)(?= |$)", re.MULTILINE)
INLINE = re.compile(r"`(?:\./)?relance ([a-z][a-z-]*(?: [a-z][a-z-]*)?)")


@pytest.mark.parametrize("document", PAGES, ids=NAMES)
def test_every_command_the_documentation_names_exists(document):
    text = document.read_text(encoding="utf-8")
    named = COMMAND.findall("\n".join(FENCED.findall(text))) + INLINE.findall(text)

    unknown = [words for words in named if not _is_command(words.split())]

    assert not unknown


def _is_command(words: list[str]) -> bool:
    commands: Any = typer.main.get_command(app)
    first = words[0]
    if first in OF_THE_ENTRY_SCRIPT:
        return True
    if first not in commands.commands:
        return False
    inside = getattr(commands.commands[first], "commands", None)
    return inside is None or len(words) == 1 or words[1] in inside


def test_the_options_the_readme_shows_exist():
    commands: Any = typer.main.get_command(app)
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    for name, rest in re.findall(r"relance (\w+)([^`\n#]*)", text):
        for option in re.findall(r"--[a-z-]+", rest):
            assert any(option in each.opts for each in commands.commands[name].params), f"{name} {option}"


def test_every_variable_the_program_reads_is_in_the_settings():
    told = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    files = [
        *(ROOT / "src" / "relance").rglob("*.py"),
        *(ROOT / "scripts").glob("*.py"),
        *(ROOT / "tests").rglob("*.py"),
    ]
    read = {
        name
        for file in files
        for name in re.findall(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"", file.read_text(encoding="utf-8"))
        if name.startswith(("RELANCE_", "DATABASE_"))
    } | set(re.findall(r"\$\{(RELANCE_[A-Z_]+)", (ROOT / "relance").read_text(encoding="utf-8")))

    assert read
    assert not [name for name in read if f"`{name}`" not in told]
