"""What a value must look like to be kept in a field, and how a cell of text is read as one. Pure.

The import decides whole files in SQL: `imports/compile.py` is written from the patterns and word lists of this module, and a
property test holds the two equal. Change a pattern here and both follow.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from relance.decisions.rules import Reason, skip


class FieldKind(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long_text"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    CHOICES = "choices"  # several values; text[] in the database


class Subject(StrEnum):
    """What a field belongs to."""

    PERSON = "person"
    COMPANY = "company"


Value = str | int | Decimal | bool | date | datetime | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Reading:
    """How the writer of a text writes dates and figures."""

    is_day_first: bool = True
    has_decimal_comma: bool = True
    zone: str = "Europe/Paris"


ISO = Reading(is_day_first=True, has_decimal_comma=False, zone="UTC")

# Spaces at both ends of a cell, those of word processors included.
BLANKS = " \t\n\r\f\v\u00a0\u202f\u2007\u200b\ufeff"
GROUPING = " \u00a0\u202f\u2007'"

LONGEST = {
    FieldKind.TEXT: 1_000,
    FieldKind.LONG_TEXT: 100_000,
    FieldKind.EMAIL: 254,
    FieldKind.PHONE: 60,
    FieldKind.URL: 2_000,
    FieldKind.CHOICE: 255,
    FieldKind.CHOICES: 10_000,
}
# Written so that Python and PostgreSQL read them alike: explicit classes, no look-around, no \d or \w.
PATTERNS = {
    FieldKind.EMAIL: r'^[^][@<>(),;:" \t\r\n]+@[^][@<>(),;:" \t\r\n.]+([.][^][@<>(),;:" \t\r\n.]+)+$',
    FieldKind.PHONE: r"[0-9].*[0-9].*[0-9]",
    FieldKind.URL: r"^([hH][tT][tT][pP][sS]?://)?[^ \t\r\n/:@?#]+[.][^ \t\r\n/:@?#.]+(:[0-9]{1,5})?([/?#][^ \t\r\n]*)?$",
}
INTEGER = r"^[-+]?[0-9]{1,18}$"
DECIMAL_COMMA = r"^[-+]?[0-9]{1,30}([.,][0-9]{1,15})?$"
DECIMAL_POINT = r"^[-+]?([0-9]{1,30}|[0-9]{1,3}(,[0-9]{3})+)([.][0-9]{1,15})?$"
ISO_DAY = r"^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})$"
WRITTEN_DAY = r"^([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([0-9]{4})$"
HOUR = r"^([01]?[0-9]|2[0-3])[:h]([0-5][0-9])(:([0-5][0-9])([.][0-9]{1,6})?)?$"
ZONE = r"^(Z|[-+](0[0-9]|1[0-4]):?[0-5][0-9])$"
MOMENT = r"^([-0-9/.]{8,10})([T ]+([0-9:h]{4,8}([.][0-9]{1,6})?)[ ]*(Z|[-+][0-9]{2}:?[0-9]{2})?)?$"
YES = ("1", "true", "yes", "y", "oui", "o", "vrai", "x")
NO = ("0", "false", "no", "n", "non", "faux")
EARLIEST_YEAR = 1000


class ValueRefused(ValueError):
    """This value's move: it is not of the field's kind. `reason` says what was seen and what is expected."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


def read_value(kind: FieldKind, text: str, *, choices: tuple[str, ...] = (), reading: Reading = ISO) -> Value:
    """The value a text stands for, None when it is blank. ValueRefused when the text is not of that kind."""
    if "\x00" in text:
        raise ValueRefused(skip("people.value_has_nul"))
    text = text.strip(BLANKS)
    if not text:
        return None
    if len(text) > longest(kind):
        raise ValueRefused(skip("people.value_too_long", length=len(text), limit=longest(kind)))
    if kind is FieldKind.CHOICE:
        return _choice(text, choices)
    if kind is FieldKind.CHOICES:
        return _choices(text, choices)
    return _READERS[kind](text, reading)


def longest(kind: FieldKind) -> int:
    """How many characters a value of this kind may be written with."""
    return LONGEST.get(kind, 100)


def check_value(kind: FieldKind, value: Any, *, choices: tuple[str, ...] = ()) -> Value:
    """A value that is already typed, as another room or the API gives it: the same limits, no guessing."""
    match value:
        case None:
            return None
        case bool() if kind is FieldKind.BOOLEAN:
            return value
        case list() | tuple() if kind is FieldKind.CHOICES:
            return _choices(";".join(str(part) for part in value), choices) if value else None
        case datetime() if kind is FieldKind.DATETIME and value.tzinfo:
            return value
        case date() if kind is FieldKind.DATE and not isinstance(value, datetime):
            return value
        case Decimal() | int() | float() if kind is FieldKind.NUMBER and not isinstance(value, bool):
            return read_value(kind, f"{Decimal(str(value)):f}")
        case _:
            return read_value(kind, str(value), choices=choices)


def _email(text: str, reading: Reading) -> str:
    return _matching(FieldKind.EMAIL, text, "people.value_not_an_email")


def _phone(text: str, reading: Reading) -> str:
    return _matching(FieldKind.PHONE, text, "people.value_not_a_phone")


def _url(text: str, reading: Reading) -> str:
    return _matching(FieldKind.URL, text, "people.value_not_a_url")


def _integer(text: str, reading: Reading) -> int:
    figures = _without_grouping(text)
    if not re.fullmatch(INTEGER, figures):
        raise ValueRefused(skip("people.value_not_an_integer", value=text))
    return int(figures)


def _number(text: str, reading: Reading) -> Decimal:
    figures = _without_grouping(text)
    if not re.fullmatch(DECIMAL_COMMA if reading.has_decimal_comma else DECIMAL_POINT, figures):
        raise ValueRefused(skip("people.value_not_a_number", value=text))
    return Decimal(figures.replace(",", "." if reading.has_decimal_comma else ""))


def _boolean(text: str, reading: Reading) -> bool:
    word = text.lower()
    if word not in YES + NO:
        raise ValueRefused(skip("people.value_not_a_boolean", value=text))
    return word in YES


def _date(text: str, reading: Reading) -> date:
    day = _day_of(text, reading)
    if day is None:
        raise ValueRefused(skip("people.value_not_a_date", value=text))
    return day


def _datetime(text: str, reading: Reading) -> datetime:
    parts = re.fullmatch(MOMENT, text)
    day = _day_of(parts[1], reading) if parts else None
    if parts is None or day is None:
        raise ValueRefused(skip("people.value_not_a_moment", value=text))
    hour, zone = parts[3] or "00:00", parts[5]
    if not re.fullmatch(HOUR, hour) or (zone and not re.fullmatch(ZONE, zone)):
        raise ValueRefused(skip("people.value_not_a_moment", value=text))
    if zone:
        return datetime.combine(day, _hour_of(hour), _offset(zone))
    return _local_moment(datetime.combine(day, _hour_of(hour), ZoneInfo(reading.zone)))


def _choice(text: str, choices: tuple[str, ...]) -> str:
    """The choice as the registry spells it; any text where no choices are listed."""
    found = next((choice for choice in choices if choice.lower() == text.lower()), None)
    if found is None and choices:
        raise ValueRefused(skip("people.value_not_a_choice", value=text, choices=list(choices)))
    return found or text


def _choices(text: str, choices: tuple[str, ...]) -> tuple[str, ...]:
    parts = (part.strip(BLANKS) for part in text.split(";" if ";" in text else ","))
    kept = dict.fromkeys(_choice(part, choices) for part in parts if part)
    if not kept:
        raise ValueRefused(skip("people.value_not_a_choice", value=text, choices=list(choices)))
    return tuple(kept)


def _matching(kind: FieldKind, text: str, code: str) -> str:
    if not re.search(PATTERNS[kind], text, re.DOTALL):
        raise ValueRefused(skip(code, value=text))
    return text


def _without_grouping(text: str) -> str:
    return text.translate(dict.fromkeys(map(ord, GROUPING)))


def _day_of(text: str, reading: Reading) -> date | None:
    if parts := re.fullmatch(ISO_DAY, text):
        year, month, day = (int(part) for part in parts.groups())
    elif parts := re.fullmatch(WRITTEN_DAY, text):
        first, second, year = (int(part) for part in parts.groups())
        day, month = (first, second) if reading.is_day_first else (second, first)
    else:
        return None
    if year < EARLIEST_YEAR or not 1 <= month <= 12 or not 1 <= day <= monthrange(year, month)[1]:
        return None
    return date(year, month, day)


def _hour_of(text: str) -> time:
    parts = re.fullmatch(HOUR, text)
    assert parts is not None
    fraction = int((parts[5] or ".0")[1:].ljust(6, "0"))
    return time(int(parts[1]), int(parts[2]), int(parts[4] or 0), fraction)


def _local_moment(moment: datetime) -> datetime:
    """The hour that comes twice in autumn is the second one, as PostgreSQL has it."""
    first, second = moment.replace(fold=0).utcoffset(), moment.replace(fold=1).utcoffset()
    assert first is not None and second is not None
    return moment.replace(fold=int(first > second)).astimezone(UTC)


def _offset(zone: str) -> timezone:
    if zone == "Z":
        return UTC
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return timezone(timedelta(minutes=minutes if zone[0] == "+" else -minutes))


# What a cell that is no value of the field's kind is told.
UNREADABLE = {
    FieldKind.EMAIL: "people.value_not_an_email",
    FieldKind.PHONE: "people.value_not_a_phone",
    FieldKind.URL: "people.value_not_a_url",
    FieldKind.INTEGER: "people.value_not_an_integer",
    FieldKind.NUMBER: "people.value_not_a_number",
    FieldKind.BOOLEAN: "people.value_not_a_boolean",
    FieldKind.DATE: "people.value_not_a_date",
    FieldKind.DATETIME: "people.value_not_a_moment",
    FieldKind.CHOICE: "people.value_not_a_choice",
    FieldKind.CHOICES: "people.value_not_a_choice",
    FieldKind.TEXT: "people.value_too_long",
    FieldKind.LONG_TEXT: "people.value_too_long",
}

_READERS: dict[FieldKind, Callable[[str, Reading], Value]] = {
    FieldKind.TEXT: lambda text, reading: text,
    FieldKind.LONG_TEXT: lambda text, reading: text,
    FieldKind.EMAIL: _email,
    FieldKind.PHONE: _phone,
    FieldKind.URL: _url,
    FieldKind.INTEGER: _integer,
    FieldKind.NUMBER: _number,
    FieldKind.BOOLEAN: _boolean,
    FieldKind.DATE: _date,
    FieldKind.DATETIME: _datetime,
}
