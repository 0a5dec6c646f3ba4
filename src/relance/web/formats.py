"""Figures, dates and typography as the reader writes them: the active language, the active time zone."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, format_timedelta
from babel.numbers import format_compact_decimal, format_decimal, format_percent
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

NARROW_SPACE = "\u202f"
SPACE = "\u00a0"

_LOCALES = {"fr": Locale("fr", "FR"), "en": Locale("en", "GB")}


def reader_locale() -> Locale:
    """British English unless the reader reads French."""
    return _LOCALES.get((get_language() or "en")[:2], _LOCALES["en"])


def number(value: int | float | Decimal, digits: int | None = None) -> str:
    """1,536 or 1 536; at most two decimals unless told."""
    if digits is None:
        return format_decimal(value, format="#,##0.##", locale=reader_locale())
    return format_decimal(round(Decimal(str(value)), digits), format="#,##0." + "0" * digits, locale=reader_locale())


def short_number(value: float, *, whole: bool = False) -> str:
    """42k or 42 k on an axis; the whole figure when asked."""
    if whole or abs(value) < 10_000:
        return number(value)
    return format_compact_decimal(value, format_type="short", locale=reader_locale(), fraction_digits=1).removesuffix(
        ".0"
    )


def percent(share: float, digits: int = 1) -> str:
    """0.038 is 3.8% or 3,8 %; a whole percentage has no decimals."""
    pattern = "#,##0." + "#" * digits + "%" if digits else "#,##0%"
    if reader_locale().language == "fr":
        pattern = pattern.replace("%", f"{SPACE}%")
    return format_percent(round(share, digits + 2), format=pattern, locale=reader_locale())


def day(value: date) -> str:
    """17 November 2026."""
    return _first_of_month(format_date(_local_day(value), "d MMMM y", locale=reader_locale()), value)


def weekday(value: date) -> str:
    """Tuesday 17 November 2026."""
    return _first_of_month(format_date(_local_day(value), "EEEE d MMMM y", locale=reader_locale()), value)


def short_day(value: date) -> str:
    """17 Nov."""
    said = format_skeleton("MMMd", datetime.combine(_local_day(value), datetime.min.time()), locale=reader_locale())
    return _first_of_month(said, value)


def _first_of_month(said: str, value: date) -> str:
    """French says 1er for the first of a month, and plain figures for the other days."""
    if _local_day(value).day != 1 or not str(reader_locale()).startswith("fr"):
        return said
    return " ".join("1er" if word == "1" else word for word in said.split(" "))


def clock(value: datetime) -> str:
    """08:42."""
    return format_time(_local(value).time(), "HH:mm", locale=reader_locale())


def moment(value: datetime) -> str:
    """17 November 2026, 08:42."""
    return f"{day(value)}, {clock(value)}"


def exact_moment(value: datetime) -> str:
    """To the second, with the zone it is said in."""
    local = _local(value)
    zone = local.tzinfo.key if isinstance(local.tzinfo, ZoneInfo) else local.tzname()
    return f"{day(value)}, {format_time(local.time(), 'HH:mm:ss', locale=reader_locale())} ({zone})"


def since(value: datetime, now: datetime) -> str:
    """Below 24 hours how long ago or in how long; beyond, the day and the hour."""
    distance = value - now
    if abs(distance) >= timedelta(hours=24):
        return moment(value)
    if abs(distance) < timedelta(seconds=5):
        return _("just now")
    return format_timedelta(distance, add_direction=True, threshold=1, locale=reader_locale())


def duration(length: timedelta | float) -> str:
    """41 sec, 2 min: the largest unit that says it."""
    length = length if isinstance(length, timedelta) else timedelta(seconds=length)
    return format_timedelta(length, format="short", threshold=1, locale=reader_locale())


def typography(text: str) -> str:
    """In French, the spaces before : ; ? ! and inside « » never break; other languages are left alone."""
    if reader_locale().language != "fr":
        return text
    text = re.sub(r"[ \u00a0]([;?!])", NARROW_SPACE + r"\1", text)
    text = re.sub(r" (:)(?=\s|$)", SPACE + r"\1", text)
    return re.sub(r"« ?", "«" + SPACE, re.sub(r" ?»", SPACE + "»", text))


def initials(name: str) -> str:
    """CM for Claire Meunier; the first two letters of a single word."""
    words = [word for word in re.split(r"[\s\-@.]+", name) if word and word[0].isalnum()]
    return ("".join(word[0] for word in (words[0], words[-1])) if len(words) > 1 else "".join(words)[:2]).upper()


def _local(value: datetime) -> datetime:
    return timezone.localtime(value) if timezone.is_aware(value) else value


def _local_day(value: date) -> date:
    return _local(value).date() if isinstance(value, datetime) else value
