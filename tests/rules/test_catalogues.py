"""Every sentence is said in French too: nothing missing, nothing doubtful, no name lost on the way."""

import re

import pytest

from relance.cli.doors import start_django
from relance.lib import catalogues
from relance.lib.catalogues import catalogue_path, read_catalogue, read_words, rooms_with_words, untranslated

NAMED = re.compile(r"%\((\w+)\)")


@pytest.mark.parametrize("room", rooms_with_words(), ids=lambda room: room.name)
def test_every_sentence_of_the_room_is_said_in_french(room):
    french = read_catalogue(catalogue_path(room, "fr"))
    known = {message.id for message in french}

    assert [message.id for message in read_words(room) if message.id not in known] == []
    assert untranslated(french) == []


@pytest.mark.parametrize("room", rooms_with_words(), ids=lambda room: room.name)
def test_a_translation_names_what_its_sentence_names(room):
    wrong = []
    for message in read_catalogue(catalogue_path(room, "fr")):
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        named = {name for id in ids for name in NAMED.findall(id)}
        wrong += [string for string in strings if string and set(NAMED.findall(string)) - named]
    assert wrong == []


@pytest.mark.parametrize("room", rooms_with_words(), ids=lambda room: room.name)
def test_french_puts_a_space_that_does_not_break_before_its_high_punctuation(room):
    """« Pourquoi ? », never « Pourquoi? » nor a space where the line may break."""
    wrong = re.compile(r"(?<![\s\u00a0\u202fhttps0-9])[?!;](?=\s|$)| [?!:;»](?=\s|$)|« ")
    found = []
    for message in read_catalogue(catalogue_path(room, "fr")):
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        found += [string for string in strings if message.id and wrong.search(string)]
    assert found == []


def test_starting_the_product_compiles_the_translations_of_a_fresh_clone(tmp_path, monkeypatch):
    """A clone has no .mo: without them the pages would mix French dates with English sentences."""
    written = catalogue_path(tmp_path / "web", "fr")
    written.parent.mkdir(parents=True)
    written.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8"\n\nmsgid "Why?"\nmsgstr "Pourquoi ?"\n'
    )
    monkeypatch.setattr(catalogues, "SOURCE", tmp_path)

    start_django()

    assert written.with_suffix(".mo").exists()
