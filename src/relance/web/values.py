"""Values of fields as people read and write them: in the active language, in the reader's zone."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from relance.people.rules import Reading

from . import formats


def shown_value(value: Any) -> str:
    """A value as a page says it; nothing for a blank one."""
    match value:
        case None:
            return ""
        case bool():
            return _("Yes") if value else _("No")
        case datetime():
            return formats.moment(value)
        case date():
            return formats.day(value)
        case int() | float() | Decimal():
            return formats.number(value)
        case list() | tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def written_value(value: Any) -> str:
    """A value as a form writes it, such that `readers_reading` reads it back."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return timezone.localtime(value).strftime("%Y-%m-%d %H:%M")
        case date():
            return value.isoformat()
        case Decimal():
            text = f"{value:f}"
            return text.replace(".", ",") if readers_reading().has_decimal_comma else text
        case list() | tuple():
            return "; ".join(map(str, value))
        case _:
            return str(value)


def readers_reading() -> Reading:
    """How this reader writes dates and figures."""
    is_french = (get_language() or "en").startswith("fr")
    return Reading(is_day_first=True, has_decimal_comma=is_french, zone=timezone.get_current_timezone_name())
