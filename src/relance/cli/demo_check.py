"""`relance demo --check`: the demo in a directory of its own, records changed on both sides, and proof that they crossed."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from relance.lib.clock import utc_now

from .demo import DemoReady, run_demo
from .doors import Exit, say

if TYPE_CHECKING:
    from relance.crm.models import Connection, CrmLink

PATIENCE_SECONDS = 90.0
API = "/services/data/v66.0"
PHONE_OF_RECORD = "+33 1 99 00 12 34"
FAKE_PHONE = "01 02 03 04 05"
REASON = "Pas de budget"


def check_demo(port: int | None) -> int:
    """Run the whole check; prints one JSON summary as the last line. 0 when every change crossed as it should, 1 otherwise."""
    began = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="relance-check-"))
    home.chmod(0o711)
    os.environ["RELANCE_HOME"] = str(home)
    summary: dict[str, Any] = {"ok": False}

    def verify(ready: DemoReady) -> int:
        crossings = Crossings(ready)
        summary.update(crossings.check(), ok=crossings.is_fine)
        return Exit.DONE if crossings.is_fine else Exit.SOMEBODY_MUST_ACT

    try:
        ended = run_demo(home, port, verify)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    print(json.dumps({**summary, "seconds": round(time.monotonic() - began, 1)}), flush=True)
    return ended


@dataclass(slots=True)
class Crossings:
    """The changes made on either side, and whether each ended as the mapping says."""

    ready: DemoReady
    failures: list[str] = field(default_factory=list)

    @property
    def is_fine(self) -> bool:
        return not self.failures

    def check(self) -> dict[str, Any]:
        """Change both sides, let the workers carry it, look at both sides."""
        from django.db import connections

        from relance.crm.models import Connection

        try:
            connection = Connection.objects.get()
            with _Org(self.ready.sandbox) as org:
                self._change_both_sides(connection, org)
            return {"pulled": self.ready.pulled, **_totals(connection), "failures": self.failures}
        finally:
            connections.close_all()

    def _change_both_sides(self, connection: Connection, org: _Org) -> None:
        """Six people, one change each; then one round of the workers' own syncing settles them all.

        1. A title changed in the CRM comes here. 2. A score given here goes there. 3. A fake phone typed here is put back.
        4. A score tampered with in the CRM is put back there. 5. A status without its reason is refused, then released.
        6. A person made here becomes a lead there, once.
        """
        pulled, scored, faked, tampered, refused = _some_leads(connection, 5)
        org.change(pulled, {"Title": "Directrice des essais"})
        org.change(faked, {"Phone": PHONE_OF_RECORD})
        _change_here(scored, score=71)
        _change_here(tampered, score=64)
        made = _make_person_here()
        self._sync(connection)
        self._wait("a title from the CRM", lambda: _here(pulled, "job_title") == "Directrice des essais")
        self._wait("the phone from the CRM", lambda: _here(faked, "phone") == PHONE_OF_RECORD)
        self._wait("a score to the CRM", lambda: org.value(scored, "Score_Relance__c") == 71)
        self._wait("another score to the CRM", lambda: org.value(tampered, "Score_Relance__c") == 64)
        self._wait("a person made in the CRM, once", lambda: org.count(f"Relance_Id__c = '{made}'") == 1)

        _change_here(faked, phone=FAKE_PHONE)
        org.change(tampered, {"Score_Relance__c": 3})
        _change_here(refused, status="Disqualifié")
        self._sync(connection)
        self._wait("a fake phone put back", lambda: _here(faked, "phone") == PHONE_OF_RECORD)
        self._same("the CRM's phone", lambda: org.value(faked, "Phone"), PHONE_OF_RECORD)
        self._wait("a score put back in the CRM", lambda: org.value(tampered, "Score_Relance__c") == 64)
        self._same("our score", lambda: _here(tampered, "score"), 64)
        self._wait("a refusal with its rule", lambda: _refusals(connection, refused) == 1)
        self._same("the status in the CRM", lambda: org.value(refused, "Status") != "Disqualifié", True)

        _change_here(refused, **{_reason_field(): REASON})
        self._sync(connection)
        self._wait("the refused change, released", lambda: org.value(refused, "Status") == "Disqualifié")
        self._wait("no refusal left open", lambda: _refusals(connection, refused) == 0)
        self._same("a reason for the phone", lambda: "crm.reverted_to_crm" in _reasons(faked, "phone"), True)
        self._same("one lead for the person made here", lambda: org.count(f"Relance_Id__c = '{made}'"), 1)

    def _sync(self, connection: Connection) -> None:
        """Ask the workers for a cycle, as the button does."""
        from relance.crm.tasks import cycle_key, sync_connection

        sync_connection.defer_once(cycle_key(connection.pk), connection_id=connection.pk)

    def _wait(self, what: str, is_there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if is_there():
                say(f"Crossed: {what}.")
                return
            time.sleep(0.3)
        self._fail(f"{what} did not cross in {PATIENCE_SECONDS:.0f} s")

    def _same(self, what: str, seen: Callable[[], Any], wanted: Any) -> None:
        found = seen()
        if found != wanted:
            self._fail(f"{what} is {found!r}, {wanted!r} was expected")

    def _fail(self, what: str) -> None:
        say(f"FAILED: {what}.")
        self.failures.append(what)


class _Org:
    """The CRM's side, by its own REST interface, as one of its users would change it."""

    def __init__(self, told: dict[str, Any]) -> None:
        headers = {"Authorization": f"Bearer {told['token']}"}
        self._client = httpx.Client(base_url=told["http"] + API, headers=headers, timeout=20, trust_env=False)

    def __enter__(self) -> _Org:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._client.close()

    def change(self, link: CrmLink, values: dict[str, Any]) -> None:
        self._client.patch(f"/sobjects/{link.object}/{link.crm_id}", json=values).raise_for_status()

    def value(self, link: CrmLink, name: str) -> Any:
        answer = self._client.get(f"/sobjects/{link.object}/{link.crm_id}", params={"fields": name})
        return answer.raise_for_status().json()[name]

    def count(self, condition: str) -> int:
        answer = self._client.get("/query", params={"q": " ".join(("SELECT COUNT() FROM Lead WHERE", condition))})
        return int(answer.raise_for_status().json()["totalSize"])


def _person_of(link: CrmLink) -> int:
    assert link.person_id is not None  # only links that lead a person were chosen
    return link.person_id


def _some_leads(connection: Connection, how_many: int) -> list[CrmLink]:
    """Leads that lead a person, are open, and have an address: each check changes its own."""
    from relance.crm.models import CrmLink

    links = CrmLink.objects.filter(
        connection=connection, object="Lead", role="leading", deleted_at=None, converted_to="", person__isnull=False
    )
    open_leads = links.exclude(person__email=None).exclude(person__status__in=("Disqualifié", "Converti"))
    return list(open_leads.select_related("person").order_by("pk")[:how_many])


def _change_here(link: CrmLink, **values: Any) -> None:
    from relance.people.change import change_person
    from relance.people.models import Person

    with _in_a_transaction():
        change_person(Person.objects.get(pk=_person_of(link)), values, actor="system", now=utc_now())


def _make_person_here() -> str:
    from relance.people.change import create_person
    from relance.workspace.models import User

    owner = User.objects.get(email="yanis.belkacem@hexalis.example")
    values = {
        "email": "nouvelle.venue@essai.example",
        "first_name": "Nouvelle",
        "last_name": "Venue",
        "company_name": "Essai SARL",
        "owner": owner.pk,
    }
    with _in_a_transaction():
        return str(create_person(values, actor="system", now=utc_now()).uid)


@contextmanager
def _in_a_transaction() -> Iterator[None]:
    from django.db import transaction

    with transaction.atomic():
        yield


def _here(link: CrmLink, key: str) -> Any:
    from relance.people.facts import values_of

    return values_of([_person_of(link)], [key])[_person_of(link)][key]


def _reason_field() -> str:
    from relance.people.models import CustomField

    return CustomField.objects.get(label="Raison de la disqualification").column


def _refusals(connection: Connection, link: CrmLink) -> int:
    from relance.crm.models import PushError

    open_errors = PushError.objects.filter(connection=connection, resolved_at=None)
    return open_errors.filter(subject="person", subject_id=_person_of(link)).count()


def _reasons(link: CrmLink, key: str) -> set[str]:
    from relance.decisions.facts import decisions_about

    told = decisions_about(_person_of(link), field=key)
    return {reason.code for decision in told for reason in decision.decision.reasons}


def _totals(connection: Connection) -> dict[str, int]:
    """What the runs of the check counted, over all of them."""
    from relance.crm.models import SyncRun

    names = ("pushed", "reverted", "refused", "created", "updated", "converted", "deleted", "skipped")
    counts = list(SyncRun.objects.filter(connection=connection).values_list("counts", flat=True))
    return {name: sum(int(count.get(name, 0)) for count in counts) for name in names}
