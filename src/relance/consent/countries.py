"""The two letters of a country, from what people write: codes, and names in the languages of our people. Unknown stays unknown."""

from __future__ import annotations

from functools import cache

from babel import Locale

LANGUAGES = ("en", "fr", "de", "es", "it", "nl", "pt")
MORE = {
    "uk": "GB",
    "usa": "US",
    "u.s.a.": "US",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "hollande": "NL",
    "holland": "NL",
    "etats-unis": "US",
}


def country_code(text: str | None) -> str:
    """FR for France, fr, FRANCE; "" when nothing is known by that name: the strict pack then speaks."""
    word = (text or "").strip().lower()
    return _names().get(word, "")


@cache
def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for language in LANGUAGES:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in ("EU", "UN", "EZ", "ZZ", "XA", "XB"):
                names[name.lower()] = code
                names[code.lower()] = code
    return names | MORE
