"""`pages`: the main pages of a signed-in administrator on the product's own web server, four people at once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import urlencode

from django.urls import reverse

from relance.cli.doors import CannotRun
from relance.cli.prepare import collect_files
from relance.cli.programs import answers, granian_command, reserve_port
from relance.lib import sql
from relance.lib.clock import utc_now
from relance.lib.processes import tethered
from relance.people.models import Person
from relance.workspace.models import User, Workspace

from .browsing import Answer, Browser, Visit, visit_together
from .crm_ground import link_everybody, make_connection, merge_changes, plan_of
from .filling import fill_people, settle
from .grounds import Plot
from .rules import Bar, Measure, percentile
from .scenario import SEED, Timed

AT_ONCE = 4
ROUNDS = 10  # times each of them asks for every page
MOST_MERGED = 20_000
REFUSED_ONE_IN = 200
PASSWORD = "long-enough-for-a-benchmark"  # noqa: S105
READY_WITHIN = 120.0


class MainPages:
    """The slowest page counts: the 95th percentile of its answers."""

    name: ClassVar[str] = "pages"
    says: ClassVar[str] = (
        "Home, people, a person, companies, CRM, errors, settings, search: four people at once; the slowest page counts."
    )
    floor_says: ClassVar[str] = "A page of the same server that does nothing, with the same session and middleware."
    unit: ClassVar[str] = "answer"
    bar: ClassVar[Bar] = Bar(Measure.MILLISECONDS, 500.0, 150.0, 80.0)

    def prepare(self, scale: int, plot: Plot) -> None:
        now = utc_now()
        fill_people(scale, now=now)
        connection = make_connection(now=now)
        link_everybody(connection, now=now)
        settle("crm_link")
        merge_changes(plan_of(connection), part=max(2, scale // MOST_MERGED), now=now)
        sql.run("bench", "fill_history", now=now)
        sql.run("bench", "fill_refusals", connection=connection.pk, one_in=REFUSED_ONE_IN, now=now)
        settle("person", "crm_link", "crm_push", "crm_push_error", "decision", "activity")
        self._connection = connection.pk
        self._people = scale
        self._emails = _make_users()
        self._start_server(plot)
        self._browsers = [Browser(self._port, email, PASSWORD) for email in self._emails]

    def ready(self, place: int) -> None:
        self._place = place
        self._walks = [self._walk(random.Random(SEED + place * AT_ONCE + user)) for user in range(AT_ONCE)]  # noqa: S311
        visit_together(self._browsers, [walk[: len(walk) // ROUNDS] for walk in self._walks])  # warm

    def run_product(self) -> Timed:
        self._answers, wall = _timed_visits(self._browsers, self._walks)
        taken = defaultdict(list)
        for answer in self._answers:
            taken[answer.visit.page].append(answer.seconds)
        worst = {page: percentile(times, 0.95) for page, times in taken.items()}
        return Timed(
            max(worst.values()), len(self._answers), wall, {page: round(s * 1000, 1) for page, s in worst.items()}
        )

    def run_floor(self) -> Timed:
        nothing = Visit("nothing", "/bench/nothing", "ok")
        self._floor_answers, wall = _timed_visits(self._browsers, [[nothing] * len(walk) for walk in self._walks])
        taken = [answer.seconds for answer in self._floor_answers]
        return Timed(percentile(taken, 0.95), len(taken), wall)

    def run_peers(self) -> dict[str, Timed]:
        return {}

    def check(self) -> list[str]:
        bad = [answer for answer in [*self._answers, *self._floor_answers] if not answer.is_right]
        return [
            f"{answer.visit.address} answered {answer.status}, and “{answer.visit.holds}” was expected on it."
            for answer in bad[:5]
        ]

    def close(self) -> None:
        for browser in getattr(self, "_browsers", []):
            browser.close()
        if hasattr(self, "_server"):
            self._server.send_signal(signal.SIGTERM)
            try:
                self._server.wait(20)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()

    def _walk(self, chance: random.Random) -> list[Visit]:
        """Every page once, in any order; then again, with other people and other words."""
        walk = []
        for _ in range(ROUNDS):
            once = self._pages(chance)
            chance.shuffle(once)
            walk += once
        return walk

    def _pages(self, chance: random.Random) -> list[Visit]:
        person = Person.objects.get(pk=chance.randint(1, self._people))
        word = (person.last_name or "")[:5].lower()
        return [
            Visit("home", reverse("home"), "Aline"),
            Visit("people", reverse("people"), ".example"),
            Visit("person", reverse("person", args=[person.pk]), person.email or ""),
            Visit("companies", reverse("companies"), "/companies/"),
            Visit("crm", reverse("crm-connection", args=[self._connection]), "Salesforce"),
            Visit("errors", reverse("crm-errors", args=[self._connection]), "Status"),
            Visit("settings", reverse("settings"), reverse("settings-users")),
            Visit("search", f"{reverse('palette')}?{urlencode({'q': word})}", "/people/", is_fragment=True),
        ]

    def _start_server(self, plot: Plot) -> None:
        """As the product serves itself, but for one more address."""
        collect_files()
        self._port = reserve_port(None, usual=0)
        command = [
            "relance.bench.served:application" if word == "relance.site.wsgi:application" else word
            for word in granian_command(self._port)
        ]
        log = (plot.home / "log" / "web.log").open("ab")
        with log:
            self._server = subprocess.Popen(
                command,
                env=os.environ | {"DATABASE_URL": plot.address, "RELANCE_HOME": str(plot.home)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=tethered(signal.SIGTERM),
            )
        until = time.monotonic() + READY_WITHIN
        while not answers(self._port):
            if self._server.poll() is not None or time.monotonic() > until:
                raise CannotRun(f"The web server did not start. Its log is {log.name}.")
            time.sleep(0.1)


def _make_users() -> list[str]:
    Workspace.objects.update_or_create(pk=1, defaults={"name": "Relance", "language": "en"})
    emails = [f"admin{number}@bench.example" for number in range(AT_ONCE)]
    for email in emails:
        User.objects.create_user(email, PASSWORD, name="Aline Martin", role="admin", language="en")
    return emails


def _timed_visits(browsers: Sequence[Browser], walks: Sequence[Sequence[Visit]]) -> tuple[list[Answer], float]:
    began = time.perf_counter()
    told = visit_together(browsers, walks)
    return told, time.perf_counter() - began
