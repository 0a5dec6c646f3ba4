"""A small org without listeners: standard objects, the fixed cast as leads, and the desk to ask."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from relance.sandbox.actors import act_or_say
from relance.sandbox.bulk_jobs import Jobs
from relance.sandbox.desk import answer
from relance.sandbox.exchange import Request, Response, split_path
from relance.sandbox.org import Org
from relance.sandbox.outcomes import Caller, WriteOptions
from relance.sandbox.records import Records
from relance.sandbox.schema import OrgField, OrgSchema, PermissionSet, PicklistValue
from relance.sandbox.seed import seed_org
from relance.sandbox.sessions import App
from relance.sandbox.standard import standard_schema
from relance.sandbox.store import Store

NOW = datetime(2026, 3, 2, 10, 0, 0, tzinfo=UTC)  # a Monday
BASE = "/services/data/v66.0"
TOKEN = "00D!token"
APP = App("the-app", "the-secret", "", "")
PLANTED = WriteOptions(planted=True)


@dataclass
class Desk:
    """Asks the org as a client would, without a socket."""

    org: Org
    token: str = TOKEN

    def ask(
        self,
        method: str,
        address: str,
        body: object = None,
        *,
        headers: dict[str, str] | None = None,
        bare: bool = False,
    ) -> Response:
        path, _mark, query = address.partition("?")
        path = path if path.startswith("/") else f"{BASE}/{path}"
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {} if bare else {"authorization": f"Bearer {self.token}"}
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        request = Request(
            method,
            path,
            split_path(path),
            dict(parse_qsl(query, keep_blank_values=True)),
            sent,
            content,
            "http://localhost:1",
        )
        return answer(self.org, request)

    def get(self, address: str, **query: str) -> Any:
        response = self.ask("GET", f"{address}?{urlencode(query)}")
        assert response.status == 200, response.body
        return json.loads(response.body)

    def query(self, soql: str, **more: str) -> Any:
        return self.get("query", q=soql, **more)

    def names(self, soql_where: str) -> list[str]:
        """Last names of the leads a WHERE keeps."""
        found = self.query(f"SELECT LastName FROM Lead WHERE {soql_where} ORDER BY LastName")
        return [record["LastName"] for record in found["records"]]

    def refusal(self, soql: str) -> dict[str, str]:
        response = self.ask("GET", "query?" + urlencode({"q": soql}))
        assert response.status == 400, response.body
        (error,) = json.loads(response.body)
        return error


def small_schema() -> OrgSchema:
    """Standard objects, an external id, a list of interests, and a profile that sees little."""
    schema = standard_schema()
    lead = schema.objects["Lead"]
    lead.fields.add(
        "Relance_Id__c",
        OrgField("Relance_Id__c", "Relance Id", "string", 40, custom=True, external_id=True, unique=True),
    )
    lead.fields.add("Reference__c", OrgField("Reference__c", "Reference", "string", 40, custom=True, external_id=True))
    interests = tuple(PicklistValue(value, value) for value in ("Vins", "Fromages", "Pains"))
    lead.fields.add(
        "Interets__c", OrgField("Interets__c", "Intérêts", "multipicklist", 4099, custom=True, picklist=interests)
    )
    initials = OrgField(
        "Initiale__c", "Initiale", "string", 1300, custom=True, calculated=True, formula="LEFT(LastName, 1)"
    )
    initials.createable = initials.updateable = False
    lead.fields.add("Initiale__c", initials)
    reads = PermissionSet(
        "Reader",
        "Reader",
        is_profile=True,
        objects={"Lead": frozenset({"read", "edit"}), "User": frozenset({"read"})},
        fields={"Lead.Relance_Id__c": frozenset({"read"}), "Lead.Phone": frozenset()},
    )
    schema.permission_sets.append(reads)
    return schema


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    schema = small_schema()
    store = Store(tmp_path / "org.sqlite3", schema)
    records = Records(store, schema, lambda: NOW)
    seeded = seed_org(records, None)
    org = Org(tmp_path, records, user_id=seeded.user_id, org_id=seeded.org_id, password="pass", clock=lambda: NOW)
    org.faults.perform = partial(act_or_say, org)
    org.sessions.keep_app(App(APP.client_id, APP.client_secret, seeded.user_id, ""))
    org.sessions.keep_fixed(TOKEN, seeded.user_id, APP.client_id, NOW)
    jobs = org.jobs = Jobs(org)
    jobs.start()
    plant_cast(records, Caller(seeded.user_id, all_rights=True))
    yield Desk(org)
    jobs.stop()
    org.close()


def plant_cast(records: Records, caller: Caller) -> None:
    """Aline, Bruno, Chloé and Denis, one lead each, and two companies of which one has contacts."""
    cast = [
        {
            "LastName": "Aline",
            "FirstName": "A.",
            "Company": "Alpha",
            "Email": "aline@alpha.example",
            "Interets__c": "Vins;Pains",
        },
        {
            "LastName": "Bruno",
            "Company": "Beta",
            "AnnualRevenue": 5000,
            "Interets__c": "Fromages",
            "HasOptedOutOfEmail": True,
        },
        {
            "LastName": "Chloé",
            "Company": "Alpha",
            "Email": "chloe@alpha.example",
            "AnnualRevenue": 20000,
            "Phone": "01",
        },
        {"LastName": "Denis", "Company": "100% O'Denis", "Description": "long", "NumberOfEmployees": 12},
    ]
    with records.transaction():
        for number, values in enumerate(cast, start=1):
            stamps = {"CreatedDate": f"2026-02-2{number}T12:00:00Z", "SystemModstamp": f"2026-02-2{number}T12:00:00Z"}
            common = {"Status": "Open - Not Contacted", "OwnerId": caller.user_id, "Relance_Id__c": f"r{number}"}
            made = records.insert(caller, "Lead", {**common, **stamps, **values}, PLANTED)
            assert made.success, made
        alpha = records.insert(caller, "Account", {"Name": "Alpha"}, WriteOptions())
        records.insert(caller, "Account", {"Name": "Beta"}, WriteOptions())
        for name in ("Zoé", "Yves", "Xavier"):
            contact = {"LastName": name, "AccountId": alpha.id, "MailingCity": "Lyon", "MailingPostalCode": "69001"}
            assert records.insert(caller, "Contact", contact, WriteOptions()).success
