"""What the permission walk needs: every address of the product, a small world, and one example for every parameter of an address."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from relance.crm.models import Connection, CrmLink, PushError
from relance.decisions.actions import DecisionLine, record_decision
from relance.decisions.facts import decision_name
from relance.decisions.rules import Decision, skip
from relance.people.catalogue import FieldKind, Subject
from relance.people.models import Company, CustomField, Import, Person, SavedView
from relance.people.schema import create_custom_field
from relance.web.doors import Door
from relance.workspace.models import Brand, Team, User
from relance.workspace.rules import Role
from relance.workspace.setup import NewWorkspace, open_workspace

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
SECRET = "Zéphyrine"  # stands in everything of the other team: no page may say it to who must not see it


@dataclass(frozen=True)
class Address:
    """One pattern of the resolver."""

    name: str
    route: str
    view: Callable[..., HttpResponse]

    @property
    def door(self) -> Door | None:
        return getattr(self.view, "door", None)

    @property
    def is_of_allauth(self) -> bool:
        return self.view.__module__.startswith("allauth.")

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"<(?:[^:<>]+:)?(\w+)>", self.route)

    def __str__(self) -> str:
        return self.name or self.route


def addresses() -> list[Address]:
    """Every address of the product, new ones included without being told."""
    return list(_walk(get_resolver().url_patterns, ""))


def _walk(patterns: list[Any], before: str) -> Iterator[Address]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield Address(pattern.name or "", route, pattern.callback)
        else:
            yield from _walk(pattern.url_patterns, route)


class World:
    """A workspace of two teams. Users are of the north; what carries the secret word is the south's."""

    def __init__(self) -> None:
        open_workspace(NewWorkspace("Hexalis"))
        self.north, self.south = Team.objects.create(name="Nord"), Team.objects.create(name="Sud")
        self.users = {
            role: User.objects.create_user(
                f"{role}@hexalis.example", None, name=f"Aline {role}", role=role.value, team=self.north, language="en"
            )
            for role in Role
        }
        self.stranger = User.objects.create_user(
            "south@hexalis.example", None, name="Bruno Sud", role=Role.MANAGER.value, team=self.south
        )

    def person(self, team: Team) -> Person:
        name = SECRET if team == self.south else "Claire"
        email = f"{name.lower()}{Person.objects.count()}@x.example"
        return Person.objects.create(first_name=name, last_name="Meunier", email=email, team=team)

    def company(self, team: Team) -> Company:
        return Company.objects.create(name=f"{SECRET} SA" if team == self.south else "Boréal", team=team)

    def view(self, team: Team) -> SavedView:
        owner = self.stranger if team == self.south else self.users[Role.MANAGER]
        name = f"{SECRET if team == self.south else 'Chauds'} {SavedView.objects.count()}"
        return SavedView.objects.create(subject="person", name=name, reach="team", team=team, owner=owner)

    def import_of(self, team: Team) -> Import:
        maker = self.stranger if team == self.south else self.users[Role.MANAGER]
        name = f"{SECRET}.csv" if team == self.south else "salon.csv"
        return Import.objects.create(file_name=name, path="", made_by=maker, made_at=NOW, team=team)

    def decision(self, team: Team) -> str:
        person = self.person(team)
        line = DecisionLine(
            "field", person.pk, Decision.of([skip("test.kept", value=person.first_name)]), person_id=person.pk
        )
        return decision_name(record_decision(line, policy="test", now=NOW))

    def refusal(self, team: Team) -> PushError:
        """A person of this team whom the CRM refused, as its error inbox knows it."""
        person, crm = self.person(team), self.connection
        CrmLink.objects.create(
            connection=crm, object="Lead", crm_id=f"00Q{person.pk:015}", person=person, linked_at=NOW
        )
        return PushError.objects.create(
            connection=crm,
            subject="person",
            subject_id=person.pk,
            object="Lead",
            code="REQUIRED_FIELD_MISSING",
            message="Required fields are missing: [Company]",
            fields=["Company"],
            body={"sent": {"FirstName": person.first_name}},
            cause_key="required:Company",
            payload_hash="0",
            first_at=NOW,
            last_at=NOW,
        )

    @cached_property
    def connection(self) -> Connection:
        """A connection to a CRM that answers nobody."""
        return Connection.objects.create(
            name="Salesforce",
            login_method="client_credentials",
            login_url="http://127.0.0.1:9",
            client_id="relance",
            secrets='{"client_secret": "hush"}',
            made_by=self.users[Role.ADMIN],
            made_at=NOW,
        )

    @cached_property
    def custom_field(self) -> CustomField:
        return create_custom_field(Subject.PERSON, "Budget", FieldKind.TEXT, now=NOW)

    @cached_property
    def brand(self) -> Brand:
        return Brand.objects.create(name="Boréal")


# One example a parameter: what it names when it is the north's, or nobody's in particular.
EXAMPLES: dict[str, Callable[[World], Any]] = {
    "person_id": lambda world: world.person(world.north).pk,
    "company_id": lambda world: world.company(world.north).pk,
    "view_id": lambda world: world.view(world.north).pk,
    "import_id": lambda world: world.import_of(world.north).pk,
    "decision": lambda world: world.decision(world.north),
    "connection_id": lambda world: world.connection.pk,
    "field_id": lambda world: world.custom_field.pk,
    "subject": lambda world: "person",
    "user_id": lambda world: world.stranger.pk,
    "team_id": lambda world: world.south.pk,
    "brand_id": lambda world: world.brand.pk,
    "session_id": lambda world: 1,
    "channel": lambda world: "email",
    "token": lambda world: "no-such-token",
    "provider_id": lambda world: "oidc",
    "key": lambda world: "abc",
    "uidb36": lambda world: "1",
    "pk": lambda world: 1,
}

# What belongs to another team: for these, the same address must answer “not found” to who may not see it.
THEIRS: dict[str, Callable[[World], Any]] = {
    "person_id": lambda world: world.person(world.south).pk,
    "company_id": lambda world: world.company(world.south).pk,
    "view_id": lambda world: world.view(world.south).pk,
    "import_id": lambda world: world.import_of(world.south).pk,
    "decision": lambda world: world.decision(world.south),
}


def path_of(address: Address, world: World, examples: dict[str, Callable[[World], Any]] = EXAMPLES) -> str:
    """A real path for an address. KeyError names the parameter nobody gave an example for."""
    if not address.name:
        return "/" + address.route
    given = {name: (examples.get(name) or EXAMPLES[name])(world) for name in address.parameters}
    return reverse(address.name, kwargs=given)


def ask(method: str, path: str, user: User | AnonymousUser) -> HttpResponse:
    """One request of somebody; whatever it did is undone."""
    client = Client(raise_request_exception=False)
    if user.is_authenticated:
        client.force_login(user)
    with transaction.atomic():
        told = {"csrfmiddlewaretoken": "any"} if method == "post" else {}  # no browser sends an empty form
        answer: HttpResponse = getattr(client, method)(path, told)
        transaction.set_rollback(True)
    return answer


def is_sent_to_sign_in(answer: HttpResponse) -> bool:
    return answer.status_code == 302 and answer.headers["Location"].startswith("/accounts/login/")
