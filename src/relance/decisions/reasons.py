"""The meaning of every reason: each room declares its own in `reasons.py`; a code once used keeps its number and meaning for good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from .rules import Reason, Verdict


@dataclass(frozen=True, slots=True)
class ReasonText:
    """What a code says to people. `number` stands for it where a whole set was decided; `says` and `remedy` are gettext_lazy."""

    code: str
    number: int
    says: Any
    remedy: Any = ""
    verdict: Verdict = Verdict.GO


@dataclass(frozen=True, slots=True)
class ExplainedReason:
    """A reason in the reader's language."""

    code: str
    verdict: str
    seen: dict[str, Any]
    says: str
    remedy: str
    decisive: bool


_by_code: dict[str, ReasonText] = {}
_by_number: dict[int, ReasonText] = {}


def declare_reason(code: str, number: int, says: Any, remedy: Any = "", verdict: Verdict = Verdict.GO) -> None:
    """Declare what a code means. `verdict` is the one it has when a whole set was decided in SQL and only numbers are kept."""
    text = ReasonText(code, number, says, remedy, verdict)
    if _by_code.get(code, text).number != number or _by_number.get(number, text).code != code:
        raise ValueError(
            f"Reason {code} ({number}) clashes with one declared before: codes and numbers are unique and final."
        )
    _by_code[code] = _by_number[number] = text


def reason_texts() -> Mapping[str, ReasonText]:
    """Every declared reason by its code."""
    return _by_code


def reason_numbered(number: int) -> ReasonText:
    """The reason a number stands for. KeyError when no room declares it."""
    return _by_number[number]


def explain_reason(reason: Reason, *, decisive: bool = False) -> ExplainedReason:
    """Say a reason in the active language, with what was seen put into the sentence."""
    text = _by_code.get(reason.code)
    values = _Shown(reason.seen, reason.until)
    says = str(text.says) % values if text else _("This reason (%(code)s) is no longer known.") % {"code": reason.code}
    remedy = str(text.remedy) % values if text and text.remedy else ""
    return ExplainedReason(reason.code, reason.verdict.word, dict(reason.seen), says, remedy, decisive)


class _Shown(dict[str, Any]):
    """What was seen, as a person reads it: dates in words, blank said as such, a missing fact as a question mark."""

    def __init__(self, seen: Mapping[str, Any], until: datetime | None) -> None:
        super().__init__({name: _shown(value) for name, value in seen.items()})
        if until:
            self["until"] = _shown(until)

    def __missing__(self, name: str) -> str:
        return "?"


def _shown(value: Any) -> Any:
    if value is None or value == "":
        return _("empty")
    if isinstance(value, datetime):
        return date_format(value, "DATETIME_FORMAT")
    if isinstance(value, date):
        return date_format(value, "DATE_FORMAT")
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    return value
