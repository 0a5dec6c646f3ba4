"""The translations: read out of code and templates, kept as .po files a room, compiled to what gettext reads at run time."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

SOURCE = Path(__file__).resolve().parents[1]
LANGUAGES = ("fr",)
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


def rooms_with_words() -> list[Path]:
    """The rooms that keep a catalogue: every package that says something to people."""
    return [room for room in sorted(SOURCE.iterdir()) if room.is_dir() and len(read_words(room))]


def catalogue_path(room: Path, language: str) -> Path:
    return room / "locale" / language / "LC_MESSAGES" / "django.po"


def compile_catalogues() -> int:
    """Compile each .po that is newer than its .mo; returns how many were. Cheap when there is nothing to do."""
    compiled = 0
    for source in SOURCE.glob("*/locale/*/LC_MESSAGES/django.po"):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        binary = BytesIO()
        write_mo(binary, read_catalogue(source))
        part = target.with_suffix(f".{id(binary)}.part")
        part.write_bytes(binary.getvalue())
        part.replace(target)  # whole or not at all: several processes may compile at once
        compiled += 1
    return compiled


def read_catalogue(path: Path) -> Catalog:
    """A .po file; an empty catalogue when there is none."""
    if not path.exists():
        return Catalog(locale=path.parents[1].name, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=path.parents[1].name)


def read_words(room: Path) -> Catalog:
    """Every message that the code and templates of a room say."""
    words = Catalog(charset="utf-8")
    for path, text in _sources(room):
        for _line, message, comments, context in extract("python", BytesIO(text.encode()), KEYWORDS, ("Translators:",)):
            words.add(message, auto_comments=comments, context=context, locations=[(str(path.relative_to(room)), 0)])
    return words


def update_catalogues() -> dict[str, int]:
    """Bring every .po up to the code; returns how many messages of each room still want a translation."""
    wanting: dict[str, int] = {}
    for room in rooms_with_words():
        words = read_words(room)
        for language in LANGUAGES:
            path = catalogue_path(room, language)
            catalogue = read_catalogue(path)
            catalogue.update(words, no_fuzzy_matching=True)
            catalogue.obsolete.clear()
            catalogue.fuzzy, catalogue.header_comment = False, f"# What {room.name} says, in {language}."
            path.parent.mkdir(parents=True, exist_ok=True)
            text = BytesIO()
            write_po(text, catalogue, width=120, sort_output=True, omit_header=False, include_lineno=False)
            path.write_bytes(_steady(text.getvalue()))
            wanting[f"{room.name} {language}"] = len(untranslated(catalogue))
    return wanting


def untranslated(catalogue: Catalog) -> list[str]:
    """The messages without a translation, or with a doubtful one."""
    return [str(message.id) for message in catalogue if message.id and (message.fuzzy or not _is_said(message.string))]


def _is_said(string: str | tuple[str, ...] | list[str] | None) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


def _sources(room: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(room.rglob("*.py")):
        if "migrations" not in path.parts:
            yield path, path.read_text(encoding="utf-8")
    for pattern in ("*.html", "*.txt"):
        for path in sorted(room.rglob(f"templates/**/{pattern}")):
            yield path, templatize(path.read_text(encoding="utf-8"), origin=str(path))


def _steady(text: bytes) -> bytes:
    """Without dates and names: a catalogue changes when its words do."""
    kept = [line for line in text.splitlines(keepends=True) if not line.startswith(_UNSTEADY)]
    return b"".join(kept)


_UNSTEADY = tuple(
    f'"{name}'.encode()
    for name in (
        "POT-",
        "PO-Revision",
        "Project-Id",
        "Report-Msgid",
        "Last-Translator",
        "Language-Team",
        "Generated-By",
    )
)
