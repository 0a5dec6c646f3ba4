"""A workspace with a CRM that has lived: thirty days of runs, three causes of refusal, values put back. For looking at the pages."""

from __future__ import annotations

from datetime import timedelta

from relance.crm.models import Connection
from relance.people.models import Company, Person
from relance.workspace.models import User
from tests.rooms.crm_pages_cast import (
    enabled_connection,
    has_read,
    has_run,
    is_put_back,
    is_refused,
    knows_owner,
    link,
    workspace,
)

NAMES = (
    ("Claire", "Meunier", "Meunier Logistique", "+33 4 72 40 18 33", "01 02 03 04"),
    ("Jonas", "Kessler", "Kessler GmbH", "+49 711 220 41 90", "0711 2204190"),
    ("Paul", "Garnier", "Boréal Énergie", "+33 1 44 90 12 00", "0000000000"),
    ("Ingrid", "Vandamme", "Vandamme et Fils", "+32 2 555 12 12", "12345"),
    ("Owen", "Price", "Brightwell Foods", "+44 20 7946 0018", "07"),
)


def lived_connection(by: User) -> Connection:
    """The same on every call but for the hour."""
    workspace()
    connection = enabled_connection(by, api_used=61_204, api_limit=150_000)
    has_read(connection)
    people = []
    for place in range(24):
        first, last, employer, phone, wrong = NAMES[place % 5]
        company = Company.objects.create(name=employer if place < 5 else f"{employer} {place}")
        person = Person.objects.create(
            first_name=first, last_name=last, email=f"{first}.{last}.{place}@acme.example".lower(), phone=phone, company=company,
            company_name=employer, owner=by if place % 2 else None,
        )  # fmt: skip
        link(connection, person, f"00Q{place:03}", owner="005X" if place < 9 else "")
        people.append(person)
        if place < 5:
            is_put_back(connection, person, wrong, phone)
    knows_owner(connection, "005X", "Marc Aubry")
    for person in people[:8]:
        is_refused(connection, person)
    for person in people[8:11]:
        is_refused(
            connection,
            person,
            code="DUPLICATES_DETECTED",
            cause="twin",
            message="Use one of these records?",
            field="Email",
        )
    is_refused(connection, people[12], code="INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", cause="right", message="insufficient access rights on cross-reference id: 001", field="AccountId")  # fmt: skip
    for day in range(30):
        has_run(
            connection,
            ago=timedelta(days=day, hours=1),
            read=400,
            updated=60 + day * 37 % 90,
            new=5,
            pushed=20 + day * 13 % 40,
            reverted=day % 4,
        )
    for hour in range(1, 22):
        has_run(connection, ago=timedelta(hours=hour), read=12, state="failed" if hour == 6 else "done")
    return connection
