"""From what the store keeps to what clients read: JSON values of REST, cells of Bulk, texts of SOAP."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from relance.sandbox.schema import OrgField

ADDRESS_KEYS = (
    "city",
    "country",
    "countryCode",
    "geocodeAccuracy",
    "latitude",
    "longitude",
    "postalCode",
    "state",
    "stateCode",
    "street",
)
FLOATING = frozenset({"double", "currency", "percent"})
Read = Callable[[tuple[object, ...]], object]


def cell(field: OrgField | None, value: object) -> str:
    """A stored value as Bulk writes it: empty for nothing, moments with Z."""
    if value is None:
        return ""
    if field is not None and field.type == "boolean":
        return "true" if value else "false"
    return str(value)


def reader_of(field: OrgField | None, column: int, parts: Sequence[OrgField] = ()) -> Read | None:
    """How to make one value from a row of the statement, chosen once and not for each row; None if it is shown as it is kept."""
    if field is None:
        return None
    if field.type == "address":
        return _address_reader(field, column, parts)
    if field.type == "location":
        return lambda row: location(row[column], row[column + 1]) if len(parts) == 2 else None
    if field.type == "boolean":
        return lambda row: bool(row[column])
    if field.type == "datetime":
        return lambda row: None if row[column] is None else f"{str(row[column])[:-1]}+0000"
    if field.type == "complexvalue":
        return lambda row: None if row[column] is None else json.loads(str(row[column]))
    if field.type in FLOATING:
        return lambda row: with_fraction(row[column])
    return None


def with_fraction(value: object) -> object:
    return float(value) if isinstance(value, int) else value


def _address_reader(field: OrgField, first: int, parts: Sequence[OrgField]) -> Read:
    keys = [part_key(field.name, part.name) for part in parts]
    return lambda row: address(dict(zip(keys, row[first : first + len(keys)], strict=True)))


def part_key(compound: str, part: str) -> str:
    """`MailingPostalCode` of `MailingAddress` is its postalCode."""
    key = part.removeprefix(compound.removesuffix("Address")) if compound.endswith("Address") else part
    return key[:1].lower() + key[1:]


def address(parts: dict[str, object]) -> dict[str, object] | None:
    """The object REST shows for an address; None when every part is empty."""
    if all(value is None for value in parts.values()):
        return None
    return {key: parts.get(key) for key in ADDRESS_KEYS if key in parts or key not in ("stateCode", "countryCode")}


def location(latitude: object, longitude: object) -> dict[str, object] | None:
    return None if latitude is None or longitude is None else {"latitude": latitude, "longitude": longitude}
