"""Fields made of other fields: the name of a person, an address, a location."""

from __future__ import annotations

from relance.sandbox.schema import OrgField, OrgObject
from relance.sandbox.values import StoreValue

Row = dict[str, StoreValue]
ADDRESS_PARTS = {
    "Street": "street",
    "City": "city",
    "State": "state",
    "PostalCode": "postalCode",
    "Country": "country",
    "StateCode": "stateCode",
    "CountryCode": "countryCode",
    "Latitude": "latitude",
    "Longitude": "longitude",
    "GeocodeAccuracy": "geocodeAccuracy",
}


def compound_value(thing: OrgObject, row: Row, field: OrgField) -> object:
    """Text for a name, a dictionary for an address or a location, None when every part is blank."""
    if field.type == "address":
        return _address(thing, row, field)
    if field.type == "location":
        return _location(row, field)
    return person_name(row)


def person_name(row: Row) -> str | None:
    """First and last name, as the compound Name of people shows them."""
    parts = (row.get("FirstName"), row.get("LastName"))
    return " ".join(str(part) for part in parts if part) or None


def _address(thing: OrgObject, row: Row, field: OrgField) -> dict[str, object] | None:
    prefix = field.name.removesuffix("Address")
    address: dict[str, object] = {}
    for part, name in ADDRESS_PARTS.items():
        if prefix + part in thing.fields:
            address[name] = row.get(prefix + part)
    return address if any(value is not None for value in address.values()) else None


def _location(row: Row, field: OrgField) -> dict[str, object] | None:
    root = field.name.removesuffix("__c")
    latitude, longitude = row.get(f"{root}__Latitude__s"), row.get(f"{root}__Longitude__s")
    if latitude is None or longitude is None:
        return None
    return {"latitude": latitude, "longitude": longitude}
