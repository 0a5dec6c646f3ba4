"""A soak run of the sync: a pretend CRM, a database and two workers of its own, everything going wrong, and the reckoning at the end.

Who is right about a field is known beforehand: the phone is the CRM's, the score is ours. The last value written on the right side,
and known to be written, is what both sides must hold in the end; whatever else differs must have a reason in the books.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from relance.cli.doors import start_django
from relance.lib.postgres import Cluster
from relance.lib.postgres_tuning import throwaway

API = "/services/data/v66.0"
WORKERS = 2
SECONDS_BETWEEN_KILLS = 4.0
SECONDS_BETWEEN_DATABASE_KILLS = 25.0
SECONDS_TO_SETTLE = 90.0
QUIET_ROUNDS = 3
FAULTS: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("drop_before", {"path": "composite/sobjects"}, {}),
    ("drop_after", {"path": "composite/sobjects"}, {}),
    ("drop_body", {"path": "composite/sobjects"}, {}),
    ("drop_before", {"path": "/queryAll"}, {}),
    ("drop_body", {"path": "/queryAll"}, {}),
    ("unavailable", {}, {"retry_after": 30}),
    ("rate_concurrent", {}, {}),
    ("rate_total", {}, {}),
    ("lock_row", {}, {}),
    ("session_expired", {}, {}),
    ("session_policy", {}, {}),
    ("late_commit", {}, {"seconds": 90}),
    ("partial", {"every": 3}, {}),
)


@dataclass
class Verdict:
    """What was done, and everything that does not agree."""

    seed: int
    did: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        return {"seed": self.seed, "holds": self.holds, "did": dict(self.did), "findings": self.findings}

    def lines(self) -> list[str]:
        did = ", ".join(f"{times} {what}" for what, times in sorted(self.did.items()))
        said = "Both sides agree, nobody is doubled, every difference has its reason."
        return [f"Seed {self.seed}: {did}.", *(self.findings or [said])]


class Soak:
    """One run, from an empty directory to the reckoning. Everything it starts ends with it."""

    def __init__(self, *, seed: int, minutes: float, say: Callable[[str], None]) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.seconds = minutes * 60
        self.say = say
        self.verdict = Verdict(seed)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.theirs: dict[str, str] = {}  # by record: the phone last written in the CRM
        self.ours: dict[int, int] = {}  # by person: the score last written here
        self.number = 0

    def run(self) -> Verdict:
        home = Path(tempfile.mkdtemp(prefix="relance-soak-", dir="/tmp"))
        home.chmod(0o711)  # PostgreSQL may run as somebody else
        settings = throwaway() | {"synchronous_commit": "on"}  # what was said to be kept is kept, kill -9 or not
        self.cluster = Cluster(home, settings=settings, death_signal=signal.SIGQUIT, say=lambda _sentence: None)
        org = None
        try:
            os.environ["DATABASE_URL"] = self.cluster.start()
            os.environ["RELANCE_HOME"] = str(home)
            os.environ["RELANCE_ALLOW_PRIVATE_ADDRESSES"] = "true"
            org = self._start_org(home)
            start_django()
            self._connect()
            self._disturb()
            self._settle()
            self._reckon()
        finally:
            self._end_workers()
            if org is not None:
                org.send_signal(signal.SIGINT)
                org.wait(30)
            self.cluster.stop(grace=5)
            shutil.rmtree(home, ignore_errors=True)
        return self.verdict

    # ── Standing it up ───────────────────────────────────────────────────────────────────────────────────────────

    def _start_org(self, home: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "relance.cli.sandbox"]
        subprocess.run([*command, "new", str(home / "tree")], check=True, capture_output=True, timeout=60)
        org = subprocess.Popen(
            [*command, "start", "--org", str(home / "tree"), "--http", "0", "--https", "0", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert org.stdout is not None
        self.told = json.loads(org.stdout.readline())
        headers = {"Authorization": f"Bearer {self.told['token']}", "Sforce-Auto-Assign": "FALSE"}
        self.crm = httpx.Client(base_url=self.told["http"], headers=headers, timeout=60)
        return org

    def _connect(self) -> None:
        from django.core.management import call_command

        from .soak_ground import connect

        call_command("migrate", verbosity=0)
        self.connection, self.admin = connect(self.told)
        for _ in range(20):
            self._make_lead()

    # ── Going wrong ──────────────────────────────────────────────────────────────────────────────────────────────

    def _disturb(self) -> None:
        began = time.monotonic()
        next_kill, next_database = SECONDS_BETWEEN_KILLS, min(SECONDS_BETWEEN_DATABASE_KILLS, self.seconds / 2)
        while (passed := time.monotonic() - began) < self.seconds:
            self._keep_workers()
            self.chance.choice(self._edits())()
            if self.chance.random() < 0.15:
                self._add_fault()
            if passed > next_kill:
                next_kill += SECONDS_BETWEEN_KILLS * self.chance.uniform(0.5, 1.5)
                self._kill_worker()
            if passed > next_database:
                next_database += SECONDS_BETWEEN_DATABASE_KILLS
                self._kill_database()
            time.sleep(self.chance.uniform(0.02, 0.2))

    def _edits(self) -> tuple[Callable[[], None], ...]:
        often = (self._make_lead, self._change_phone, self._change_score, self._change_score_there, self._fake_phone)
        return (*often, *often[1:], self._make_person, self._delete_lead)

    def _keep_workers(self) -> None:
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        while len(self.workers) < WORKERS:
            self.workers.append(
                subprocess.Popen(
                    [sys.executable, "-m", "relance.bench.soak_worker"],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )

    def _kill_worker(self) -> None:
        self.chance.choice(self.workers).kill()
        self.verdict.did["workers killed"] += 1

    def _kill_database(self) -> None:
        from django.db import connections

        connections.close_all()
        assert self.cluster.process is not None
        self.cluster.process.kill()
        self.cluster.process.wait()
        self.cluster.process = None
        self.cluster.start()
        self.verdict.did["database kills"] += 1

    def _add_fault(self) -> None:
        kind, match, options = self.chance.choice(FAULTS)
        times = self.chance.randint(1, 3)
        path = match.get("path") or (f"{API}/" if kind not in ("lock_row", "partial") else "")
        wanted = {**match, "times": times} | ({"path": path} if path else {})
        told = {"kind": kind, "match": wanted, "with": options}
        self.crm.post("/sandbox/faults", json=told).raise_for_status()
        self.verdict.did["faults"] += 1

    # ── Edits ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _act(self, name: str, **told: Any) -> dict[str, Any]:
        """What a rep does in the CRM; no fault meets it."""
        answer = self.crm.post("/sandbox/act", json={"name": name, "with": told})
        answer.raise_for_status()
        done: dict[str, Any] = answer.json()
        return done

    def _make_lead(self) -> None:
        self.number += 1
        name, phone = f"Crm{self.number}", self._phone()
        values = {"LastName": name, "Company": "Soak", "Email": f"{name.lower()}@soak.example", "Phone": phone}
        made = self._act("create", object="Lead", values=values)
        self.theirs[str(made["id"])] = phone
        self.verdict.did["leads made in the CRM"] += 1

    def _change_phone(self) -> None:
        """The phone is the CRM's: what a rep writes there is right."""
        record, phone = self.chance.choice(sorted(self.theirs)), self._phone()
        self._act("edit", record=record, values={"Phone": phone})
        self.theirs[record] = phone
        self.verdict.did["phones changed in the CRM"] += 1

    def _change_score_there(self) -> None:
        """The score is ours: what a rep writes there is put back."""
        self._act(
            "edit",
            record=self.chance.choice(sorted(self.theirs)),
            values={"Score_Relance__c": self.chance.randint(0, 99)},
        )
        self.verdict.did["scores changed in the CRM"] += 1

    def _delete_lead(self) -> None:
        if self.chance.random() < 0.2 and len(self.theirs) > 10:
            record = self.chance.choice(sorted(self.theirs))
            self._act("delete", record=record)
            del self.theirs[record]
            self.verdict.did["leads deleted in the CRM"] += 1

    def _make_person(self) -> None:
        from relance.people.models import Person

        self.number += 1
        name = f"Ici{self.number}"
        made = Person.objects.create(
            last_name=name, company_name="Soak", email=f"{name.lower()}@soak.example", owner=self.admin, score=1
        )
        self.ours[made.pk] = 1
        self.verdict.did["people made here"] += 1

    def _change_score(self) -> None:
        from relance.people.models import Person

        ids = list(Person.objects.order_by("id").values_list("pk", flat=True))
        if ids:
            id, score = self.chance.choice(ids), self.chance.randint(1, 99)
            Person.objects.filter(pk=id).update(score=score)
            self.ours[id] = score
            self.verdict.did["scores changed here"] += 1

    def _fake_phone(self) -> None:
        """The phone is the CRM's: what somebody types here goes back."""
        from relance.people.models import Person

        ids = list(Person.objects.exclude(crm_links=None).order_by("id").values_list("pk", flat=True))
        if ids:
            Person.objects.filter(pk=self.chance.choice(ids)).update(phone=self._phone())
            self.verdict.did["phones changed here"] += 1

    def _phone(self) -> str:
        return f"01{self.chance.randint(0, 99_999_999):08}"

    # ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _end_workers(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
            worker.wait()
        self.workers = []

    def _settle(self) -> None:
        """Calm: no faults, no killing, everything that was refused may try again; until nothing moves any more."""
        from relance.crm.dialect import CrmError
        from relance.crm.errors import retry_errors
        from relance.crm.models import PushError, QueuedPush, SyncRun
        from relance.crm.sync import run_cycle

        from .soak_worker import make_due

        self._end_workers()
        met = self.crm.get("/sandbox/faults").json()["faults"]
        self.verdict.did["requests struck by a fault"] += sum(fault["hits"] for fault in met)
        self.verdict.did["runs of the sync"] += SyncRun.objects.count()
        self.crm.delete("/sandbox/faults").raise_for_status()
        until, quiet = time.monotonic() + SECONDS_TO_SETTLE, 0
        while quiet < QUIET_ROUNDS and time.monotonic() < until:
            make_due()
            if PushError.objects.filter(resolved_at=None).exists():
                retry_errors(self.connection, by=self.admin)
            try:
                counts = run_cycle(self.connection)
            except CrmError as error:
                self.say(f"Not calm yet: {error}")
                continue
            quiet = quiet + 1 if counts.is_idle and not QueuedPush.objects.exists() else 0
        if quiet < QUIET_ROUNDS:
            self.verdict.findings.append(
                f"After {SECONDS_TO_SETTLE:.0f} s of calm something still moves: {QueuedPush.objects.count()} rows wait."
            )

    def _reckon(self) -> None:
        from relance.crm.models import CrmLink, DirtyField, PushError
        from relance.people.models import Person

        answer = self.crm.get(
            f"{API}/query",
            params={"q": "SELECT Id, Phone, Score_Relance__c, Relance_Id__c, Email FROM Lead LIMIT 2000"},
        )
        answer.raise_for_status()
        leads = {row["Id"]: row for row in answer.json()["records"]}
        links = {link.crm_id: link for link in CrmLink.objects.filter(object="Lead", deleted_at=None)}
        people = {person.pk: person for person in Person.objects.all()}
        found = self.verdict.findings
        emails = Counter(row["Email"] for row in leads.values() if str(row["Email"]).endswith("@soak.example"))
        found += [f"{email} is {times} leads in the CRM." for email, times in emails.items() if times > 1]
        found += [f"Lead {id} is nobody here." for id in self.theirs if id not in links]
        found += [f"Person {id} made here is in the CRM under no link." for id in self._unlinked(people, links)]
        for id, link in links.items():
            if id in leads and link.role == "leading" and link.person_id in people:
                self.compare(leads[id], people[link.person_id])
        # Whose record was deleted has no other side to differ from.
        led = [link.person_id for link in links.values() if link.person_id and link.role == "leading"]
        found += [
            f"{left.field_key} of {left.subject} {left.subject_id} differs, and nobody decided why."
            for left in DirtyField.objects.filter(code=None, subject="person", subject_id__in=led)
        ]
        found += [f"{left.code} is still open: {left.message}" for left in PushError.objects.filter(resolved_at=None)]

    def _unlinked(self, people: dict[int, Any], links: dict[str, Any]) -> list[int]:
        """People with an owner become a lead; those whose lead was deleted stay without one."""
        from relance.crm.models import CrmLink

        known = set(CrmLink.objects.values_list("person_id", flat=True))
        return [id for id, person in people.items() if person.owner_id == self.admin.pk and id not in known]

    def compare(self, lead: dict[str, Any], person: Any) -> None:
        found, id = self.verdict.findings, lead["Id"]
        told = f"Lead {id}, person {person.pk}"
        if (lead["Phone"] or None) != (person.phone or None):
            found.append(f"{told}: phone {lead['Phone']} there, {person.phone} here.")
        if id in self.theirs and lead["Phone"] != self.theirs[id]:
            found.append(f"{told}: the CRM's own phone {self.theirs[id]} became {lead['Phone']}.")
        if (lead["Score_Relance__c"] or None) != (person.score or None):
            found.append(f"{told}: score {lead['Score_Relance__c']} there, {person.score} here.")
        if person.pk in self.ours and person.score != self.ours[person.pk]:
            found.append(f"{told}: our own score {self.ours[person.pk]} became {person.score}.")
