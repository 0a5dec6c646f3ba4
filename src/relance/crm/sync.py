"""The cycle: describe when it is time, read every object, settle what changed here, send. One at a time per connection.

It stops between two pages when the connection is paused, and goes on from there when it runs again. What goes wrong is named by
whose move it is: a busy CRM is called again later, a misconfigured one breaks the connection until somebody acted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta

from django.db import connection as database
from django.db import transaction

from relance.lib.clock import utc_now
from relance.people.catalogue import Subject
from relance.workspace.models import User

from .budget import decide_pace, forget_old_hours
from .connection import connection_state, mark_broken
from .describing import DescribeChange, is_description_stale, refresh_descriptions
from .dialect import CrmBusy, CrmDialect, CrmError, CrmMisconfigured, Layer
from .dirty import watch_changes
from .errors import release_refused
from .mapping import approved_mapping
from .models import Connection, CrmLink, KnownCrmUser, Mapping, QueuedPush
from .opening import crm_opened
from .plan import ObjectPlan, plans_of
from .pull import Progress, pull_object, read_unagreed, settle_changes
from .push import push_batch, recover_sent
from .rules import FIRST_LANE, ConnectionState, LinkRole, Pace, PushState, RunKind
from .runs import Counts, RunBook, close_left_runs, run_told
from .sweep import is_formula_reading_due, is_sweep_due, read_formulas, start_schedules, sweep_object

LOCK_CLASS = 0x52E1
BUSY_FOR = timedelta(minutes=1)
MOST_BATCHES = 500  # a cycle ends by itself; what is left is sent by the next


class SyncUnderWay(Exception):
    """Another worker syncs this connection now: its cycle will carry what this one would have."""


def _no_progress(object: str, done: int, total: int | None) -> None:
    """For workers, whom nobody watches."""


def run_cycle(connection: Connection, now: datetime | None = None, progress: Progress | None = None) -> Counts:
    """One whole cycle of an enabled connection. Nothing happens when it is not, or when the CRM asked us to wait.

    Raises SyncUnderWay when another worker is at it, and the CrmError that ended it, after writing it down.
    """
    now = now or utc_now()
    counts = Counts()
    with _alone(connection):
        connection.refresh_from_db()
        mapping = approved_mapping(connection)
        if mapping is None or not _may_run(connection, now):
            return counts
        close_left_runs(connection, now=now)
        recover_sent(connection)
        try:
            with crm_opened(connection) as crm:
                Cycle(connection, mapping, crm, counts, now=now, progress=progress or _no_progress).run()
        except CrmBusy as error:
            _wait(connection, error, now=now)
            raise
        except CrmMisconfigured as error:
            mark_broken(connection, error, now=now)
            raise
    return counts


class Cycle:
    """One cycle under way."""

    def __init__(
        self,
        connection: Connection,
        mapping: Mapping,
        crm: CrmDialect,
        counts: Counts,
        *,
        now: datetime,
        progress: Progress,
    ) -> None:
        self.connection = connection
        self.mapping = mapping
        self.crm = crm
        self.counts = counts
        self.now = now
        self.progress = progress

    def run(self) -> None:
        """Once more with fresh descriptions when a field we know is gone; a second time it is somebody's move."""
        if is_description_stale(self.connection, now=self.now):
            self._describe()
        try:
            self._run()
        except CrmMisconfigured as error:
            if error.layer is not Layer.SCHEMA:
                raise
            self._describe()
            self._run()

    def _describe(self) -> list[DescribeChange]:
        """Read the CRM's description again, hourly. What was refused on an object that changed gets another chance."""
        refresh_users(self.connection, self.crm)
        forget_old_hours(self.connection, now=self.now)
        changes = refresh_descriptions(self.connection, self.crm, now=self.now)
        release_refused(self.connection, {change.object for change in changes}, now=self.now)
        return changes

    def _run(self) -> None:
        plans = plans_of(self.mapping)
        watch_changes(self.connection, plans)
        pace = decide_pace(self.connection, now=self.now)
        for plan in plans.values() if pace is not Pace.FIRST_ONLY else ():
            if not self._pull(plan):
                return
        for plan in plans.values():
            self._settle(plan)
        self._push(plans, least=FIRST_LANE if pace is Pace.FIRST_ONLY else 0)
        for plan in plans.values() if pace is Pace.ALL else ():
            self._look_again(plan)

    def _look_again(self, plan: ObjectPlan) -> None:
        """What no stamp tells, when its day has come."""
        place = self.connection.cursors.filter(object=plan.object).first()
        if place is None or not self._may_go_on():
            return
        start_schedules(place, now=self.now)
        if is_sweep_due(place, now=self.now):
            with self._told(RunKind.SWEEP, plan) as book:
                sweep_object(book, self.crm, plan, place, now=self.now)
                self.counts.add(book.counts)
        if is_formula_reading_due(place, plan, now=self.now):
            with self._told(RunKind.FORMULAS, plan) as book:
                read_formulas(book, self.crm, plan, place, may_go_on=self._may_go_on, now=self.now)
                self.counts.add(book.counts)

    def _told(self, kind: RunKind, plan: ObjectPlan) -> AbstractContextManager[RunBook]:
        return run_told(self.connection, kind, object=plan.object, policy=self.mapping.policy, now=self.now)

    def _pull(self, plan: ObjectPlan) -> bool:
        kind = (
            RunKind.PULL
            if self.connection.cursors.filter(object=plan.object, is_initial=False).exists()
            else RunKind.INITIAL
        )
        with run_told(self.connection, kind, object=plan.object, policy=self.mapping.policy, now=self.now) as book:
            try:
                went_on = pull_object(
                    book, self.crm, plan, progress=self.progress, may_go_on=self._may_go_on, now=self.now
                )
                if went_on:
                    read_unagreed(book, self.crm, plan, now=self.now)
            finally:
                self.counts.add(book.counts)
        return went_on and self._may_go_on()

    def _settle(self, plan: ObjectPlan) -> None:
        with run_told(
            self.connection, RunKind.SETTLE, object=plan.object, policy=self.mapping.policy, now=self.now
        ) as book:
            settle_changes(book, plan, now=self.now)
            self.counts.add(book.counts)

    def _push(self, plans: dict[str, ObjectPlan], *, least: int) -> None:
        with run_told(self.connection, RunKind.PUSH, policy=self.mapping.policy, now=self.now) as book:
            try:
                for _ in range(MOST_BATCHES):
                    state = connection_state(self.connection)
                    if state is not ConnectionState.ENABLED:
                        return
                    now = utc_now_not_before(self.now)
                    if not push_batch(book, self.crm, plans, state=state, now=now, least=least):
                        return
            finally:
                self.counts.add(book.counts)

    def _may_go_on(self) -> bool:
        return connection_state(self.connection) is ConnectionState.ENABLED


def utc_now_not_before(now: datetime) -> datetime:
    """What was queued a moment ago by this very cycle is due, whatever the database's clock says."""
    return max(now, utc_now())


# ── Users ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def refresh_users(connection: Connection, crm: CrmDialect) -> int:
    """The CRM's users, each with the user here who has the same address: owners are told by them."""
    ours = {email.lower(): id for id, email in User.objects.values_list("pk", "email")}
    told = [
        KnownCrmUser(
            connection=connection,
            crm_id=user.id,
            email=user.email,
            name=user.name,
            is_active=user.active,
            user_id=ours.get(user.email.lower()),
        )
        for user in crm.users()
    ]
    KnownCrmUser.objects.bulk_create(
        told,
        update_conflicts=True,
        unique_fields=["connection", "crm_id"],
        update_fields=["email", "name", "is_active", "user"],
    )
    return len(told)


# ── One person ───────────────────────────────────────────────────────────────────────────────────────────────────────


def sync_person(person_id: int, *, now: datetime | None = None) -> list[int]:
    """Put a person before all others in the next cycle, both ways; returns the connections a cycle should be asked for."""
    now = now or utc_now()
    links = CrmLink.objects.filter(person_id=person_id, role=LinkRole.LEADING.value, deleted_at=None).select_related(
        "connection"
    )
    asked = []
    with transaction.atomic():
        for link in links:
            QueuedPush.objects.update_or_create(
                connection=link.connection,
                subject=Subject.PERSON.value,
                subject_id=person_id,
                defaults={"object": link.object, "due_at": now, "priority": 10, "payload_hash": "", "reason": ""},
                create_defaults={"object": link.object, "due_at": now, "priority": 10, "queued_at": now},
            )
            QueuedPush.objects.filter(
                connection=link.connection,
                subject_id=person_id,
                subject=Subject.PERSON.value,
                state=PushState.REFUSED.value,
            ).update(state=PushState.WAITING.value)
            CrmLink.objects.filter(pk=link.pk).update(agreed_at=None, crm_modified_at=None)
            asked.append(link.connection_id)
    return asked


# ── Who may run ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _may_run(connection: Connection, now: datetime) -> bool:
    if connection.waits_until and now < connection.waits_until:
        return False
    return connection_state(connection) is ConnectionState.ENABLED


def _wait(connection: Connection, error: CrmBusy, *, now: datetime) -> None:
    """The CRM asked the whole organisation to wait; trouble with one call is tried again a minute later anyway."""
    if error.whole_org:
        connection.waits_until = utc_now_not_before(now) + (error.retry_after or BUSY_FOR)
        connection.save(update_fields=["waits_until"])


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """One cycle at a time per connection, over all workers; a worker that dies lets go with its database session."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_CLASS, connection.pk])
        if not cursor.fetchone()[0]:
            raise SyncUnderWay(connection.name)
    try:
        yield
    finally:
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_CLASS, connection.pk])


__all__ = ["Counts", "CrmError", "SyncUnderWay", "refresh_users", "run_cycle", "sync_person"]
