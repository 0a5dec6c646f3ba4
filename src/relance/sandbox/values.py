"""From what a client sends to what the store keeps, field type by field type, with the CRM's own words when it cannot be."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from relance.sandbox.ids import MalformedId, whole_id
from relance.sandbox.outcomes import RecordError
from relance.sandbox.schema import OrgField

StoreValue = str | int | float | None

EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+"
)
STAMP = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(Z|[+-]\d\d:?\d\d)?")
TIME = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3})\d*)?)?Z?")
JSON_NAMES = {bool: "VALUE_TRUE", int: "VALUE_NUMBER_INT", float: "VALUE_NUMBER_FLOAT", str: "VALUE_STRING"}
LEGACY_LENGTHS = {"picklist": 255, "multipicklist": 4099}


class Refused(Exception):
    """A value the CRM does not take; `error` is what the client is told."""

    def __init__(self, code: str, message: str, field: str) -> None:
        super().__init__(message)
        self.error = RecordError(code, message, (field,) if field else ())


def store_value(field: OrgField, sent: object, as_text: bool = False) -> StoreValue:
    """The value as the store keeps it, or Refused. Blank text is no value at all."""
    if isinstance(sent, str):
        sent = sent.strip()
        if sent == "":
            return 0 if field.type == "boolean" else None
    if sent is None:
        return _no_value(field, as_text)
    read = READERS.get(field.type, _text)
    try:
        return read(field, sent)
    except (ValueError, InvalidOperation, OverflowError):
        raise _unreadable(field, sent, as_text) from None


def stamp(moment: datetime) -> str:
    """A moment as the store keeps it: UTC, whole seconds, so that text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def moment_of(stored: str) -> datetime:
    return datetime.fromisoformat(stored)


def number_text(value: float | int) -> str:
    """A number as messages and text functions print it: 12 rather than 12.0."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def _no_value(field: OrgField, as_text: bool) -> StoreValue:
    if field.type != "boolean":
        return None
    if as_text:
        return 0
    raise Refused("INVALID_TYPE_ON_FIELD_IN_RECORD", f"{field.label}: value not of required type: null", field.name)


def _unreadable(field: OrgField, sent: object, as_text: bool) -> Refused:
    if as_text:
        text = f"{field.label}: value not of required type: {sent}"
        return Refused("INVALID_TYPE_ON_FIELD_IN_RECORD", text, field.name)
    wanted = {"double": "double", "currency": "double", "percent": "double", "int": "int", "boolean": "boolean"}
    wanted |= {"date": "date", "datetime": "datetime", "time": "time"}
    kind = JSON_NAMES.get(type(sent), "START_OBJECT")
    if sent is False:
        kind = "VALUE_FALSE"
    shown = str(sent).lower() if isinstance(sent, bool) else str(sent)
    return Refused(
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {wanted.get(field.type, 'string')} from {kind} value {shown}"
        " or request may be missing a required field at [line:1, column:1]",
        "",
    )


def _text(field: OrgField, sent: object) -> StoreValue:
    if not isinstance(sent, str):
        raise ValueError
    limit = field.length or LEGACY_LENGTHS.get(field.type, 0)
    if limit and len(sent) > limit:
        text = f"{field.label}: data value too large: {sent} (max length={limit})"
        raise Refused("STRING_TOO_LONG", text, field.name)
    return sent


def _email(field: OrgField, sent: object) -> StoreValue:
    text = _text(field, sent)
    if not EMAIL.fullmatch(str(text)):
        raise Refused("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {sent}", field.name)
    return text


def _boolean(field: OrgField, sent: object) -> StoreValue:
    if isinstance(sent, bool):
        return int(sent)
    if isinstance(sent, str) and sent.lower() in ("true", "1", "false", "0"):
        return int(sent.lower() in ("true", "1"))
    raise ValueError


def _decimal(field: OrgField, sent: object) -> StoreValue:
    if isinstance(sent, bool) or not isinstance(sent, int | float | str):
        raise ValueError
    number = Decimal(str(sent))
    if not number.is_finite():
        raise ValueError
    if field.precision:
        number = number.quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)
        if abs(number) >= Decimal(10) ** (field.precision - field.scale):
            raise _outside(field, sent)
    if field.name.endswith("__Latitude__s") and abs(number) > 90:
        raise _outside(field, sent)
    if field.name.endswith("__Longitude__s") and abs(number) > 180:
        raise _outside(field, sent)
    return float(number)


def _integer(field: OrgField, sent: object) -> StoreValue:
    if isinstance(sent, bool) or not isinstance(sent, int | float | str):
        raise ValueError
    number = Decimal(str(sent))
    if number != number.to_integral_value():
        raise ValueError
    limit = 10**field.precision if field.precision else 2**31
    if abs(number) >= min(limit, 2**31):
        raise _outside(field, sent)
    return int(number)


def _outside(field: OrgField, sent: object) -> Refused:
    text = f"{field.label}: value outside of valid range on numeric field: {sent}"
    return Refused("NUMBER_OUTSIDE_VALID_RANGE", text, field.name)


def _date(field: OrgField, sent: object) -> StoreValue:
    if not isinstance(sent, str):
        raise ValueError
    day = date.fromisoformat(sent[:10])
    if len(sent) > 10 and not STAMP.fullmatch(sent):
        raise ValueError
    return _in_calendar(field, day.year, day.isoformat())


def _datetime(field: OrgField, sent: object) -> StoreValue:
    if not isinstance(sent, str):
        raise ValueError
    if len(sent) == 10:
        return _in_calendar(field, date.fromisoformat(sent).year, f"{sent}T00:00:00.000Z")
    found = STAMP.fullmatch(sent)
    if not found:
        raise ValueError
    day, hour, offset = found.groups()
    moment = datetime.fromisoformat(f"{day}T{hour}{offset or '+00:00'}")
    return _in_calendar(field, moment.year, stamp(moment))


def _in_calendar(field: OrgField, year: int, text: str) -> str:
    if not 1700 <= year <= 4000:
        raise Refused("NUMBER_OUTSIDE_VALID_RANGE", f"{field.label}: invalid date: {text}", field.name)
    return text


def _time(field: OrgField, sent: object) -> StoreValue:
    found = TIME.fullmatch(sent) if isinstance(sent, str) else None
    if not found:
        raise ValueError
    hours, minutes, seconds, fraction = found.groups()
    time(int(hours), int(minutes), int(seconds or 0))
    return f"{hours}:{minutes}:{seconds or '00'}.{(fraction or '0').ljust(3, '0')}Z"


def _picklist(field: OrgField, sent: object) -> StoreValue:
    text = str(_text(field, sent))
    return _offered(field, text) if field.picklist else text


def _multipicklist(field: OrgField, sent: object) -> StoreValue:
    text = str(_text(field, sent))
    chosen = dict.fromkeys(_offered(field, part.strip()) for part in text.split(";") if part.strip())
    rank = {value.value: place for place, value in enumerate(field.picklist)}
    return ";".join(sorted(chosen, key=lambda value: rank.get(value, len(rank)))) or None


def _offered(field: OrgField, text: str) -> str:
    """The value as the list spells it. A list that is not restricted takes any other text too."""
    for value in field.picklist:
        if value.value.lower() == text.lower() and (value.active or not field.restricted):
            return value.value
    if field.restricted:
        raise not_in_list(field, text)
    return text


def not_in_list(field: OrgField, text: str) -> Refused:
    message = f"{field.label}: bad value for restricted picklist field: {text}"
    return Refused("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, field.name)


def _reference(field: OrgField, sent: object) -> StoreValue:
    try:
        return whole_id(sent)
    except MalformedId:
        text = f"{field.label}: id value of incorrect type: {sent}"
        raise Refused("MALFORMED_ID", text, field.name) from None


READERS: dict[str, Callable[[OrgField, object], StoreValue]] = {
    "email": _email,
    "boolean": _boolean,
    "double": _decimal,
    "currency": _decimal,
    "percent": _decimal,
    "int": _integer,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
    "picklist": _picklist,
    "multipicklist": _multipicklist,
    "reference": _reference,
    "id": _reference,
}
