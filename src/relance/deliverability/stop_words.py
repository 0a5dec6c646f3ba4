"""“Stop”, in a reply: only in what the person wrote, never in what she quoted. Pure."""

from __future__ import annotations

import re

from relance.consent.statements import Channel

MAIL_WORDS = (
    "stop", "unsubscribe", "remove me", "opt out", "opt-out", "cancel", "end", "quit", "revoke",
    "désabonner", "desabonner", "désabonnez", "desabonnez", "désinscrire", "desinscrire", "désinscrivez", "retirer", "retirez",
    "ne plus me contacter", "abmelden", "abbestellen", "keine weiteren", "cancellarmi", "disiscrivere", "baja", "uitschrijven",
    "afmelden", "sair", "cancelar",
)  # fmt: skip
SMS_WORDS = frozenset({"stop", "stopall", "arret", "arrêt", "end", "quit", "cancel", "unsubscribe", "revoke", "optout"})
# Words that are everyday ones too count in a mail only where little else is written.
EVERYDAY = frozenset({"end", "cancel", "quit", "stop", "sair", "cancelar", "baja", "revoke"})
SHORT = 5  # words on the line
_QUOTE_BEGINS = re.compile(
    r"^(>|-{2,} ?(original message|message d.origine|ursprüngliche nachricht|mensaje original|messaggio originale|oorspronkelijk bericht)"
    r"|_{10,}|(on|le|am|el|il|op|em) .{5,200}(wrote|a écrit|schrieb|escribió|ha scritto|schreef|escreveu)\s*:?\s*$"
    r"|(from|de|von|da|van) ?: .*@)",
    re.IGNORECASE,
)


def asks_to_stop(text: str, channel: Channel) -> bool:
    """Does the person say stop?"""
    if channel is not Channel.EMAIL:
        word = re.sub(r"[^\w]", "", text.strip().lower())
        return word in SMS_WORDS or (text.strip().lower().split() or [""])[0].strip(".,!") in SMS_WORDS
    return any(_says_stop(line) for line in written_lines(text))


def written_lines(text: str) -> list[str]:
    """The lines above the quoted message."""
    kept: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        if _QUOTE_BEGINS.match(stripped):
            if stripped.startswith(">"):
                continue
            break
        kept.append(stripped)
    return kept


def _says_stop(line: str) -> bool:
    words = re.sub(r"[^\w\s-]", " ", line.lower())
    is_short = len(words.split()) <= SHORT
    return any(re.search(rf"\b{re.escape(word)}\b", words) for word in MAIL_WORDS if word not in EVERYDAY or is_short)
