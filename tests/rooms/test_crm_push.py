"""Sending a batch: decided together, written together, whatever came back."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from relance.crm.dialect import CrmBusy, KnownCode, Layer, Move, PushOutcome, Retry, RowError
from relance.crm.dirty import watch_changes
from relance.crm.models import DirtyField, PushError, QueuedPush
from relance.crm.push import push_batch, recover_sent
from relance.crm.rules import ConnectionState, RunKind
from relance.crm.runs import run_told
from relance.people.models import Person
from tests.rooms.crm_cast import NOW, connect, crm_id, map_objects, merge, plans, record, settle

pytestmark = pytest.mark.django_db


class PretendCrm:
    """Answers an update of any rows as it was told to, and remembers what it was sent."""

    def __init__(self, answer) -> None:
        self._answer = answer
        self.sent: list = []

    def update(self, name, rows):
        self.sent += rows
        return tuple(self._answer(row) for row in rows)

    def known(self, error: RowError) -> KnownCode:
        retry = Retry.LATER if error.code == "UNABLE_TO_LOCK_ROW" else Retry.ON_CHANGE
        return KnownCode(Layer.RULE, Move.OWNER, retry, "read_the_message")


def taken(row) -> PushOutcome:
    return PushOutcome(row.key, ok=True, crm_id=row.crm_id)


def refused(row) -> PushOutcome:
    return PushOutcome(
        row.key, ok=False, crm_id=row.crm_id, errors=(RowError("STRING_TOO_LONG", "too long", ("Score__c",)),)
    )


def locked(row) -> PushOutcome:
    return PushOutcome(row.key, ok=False, crm_id=row.crm_id, errors=(RowError("UNABLE_TO_LOCK_ROW", "locked"),))


@pytest.fixture
def connection():
    connection = connect()
    map_objects(connection)
    watch_changes(connection, plans(connection))
    return connection


def queue(connection, people: int) -> None:
    """So many people whose score was changed here."""
    lead = plans(connection)["Lead"]
    merge(lead, *(record(f"00Q{number:03}", LastName=str(number), Score__c=1) for number in range(people)))
    Person.objects.update(score=50)
    settle(lead)


def push(connection, crm) -> SimpleNamespace:
    with run_told(connection, RunKind.PUSH, policy="mapping:1@1", now=NOW) as book:
        push_batch(book, crm, plans(connection), state=ConnectionState.ENABLED, now=NOW)
    return book.counts


@pytest.mark.parametrize("answer", [taken, refused, locked])
def test_a_batch_takes_as_many_queries_for_fifty_people_as_for_five(connection, answer, django_assert_max_num_queries):
    queue(connection, 5)
    with django_assert_max_num_queries(60) as few:
        push(connection, PretendCrm(answer))
    Person.objects.all().delete()
    QueuedPush.objects.all().delete()
    DirtyField.objects.all().delete()

    queue(connection, 50)
    with django_assert_max_num_queries(len(few)):
        push(connection, PretendCrm(answer))


def test_only_what_changed_is_sent(connection):
    queue(connection, 1)
    crm = PretendCrm(taken)

    counts = push(connection, crm)

    assert [dict(row.fields) for row in crm.sent] == [{"Score__c": 50}]
    assert crm.sent[0].crm_id == crm_id("00Q000")
    assert counts.pushed == 1
    assert not DirtyField.objects.exists()
    assert not QueuedPush.objects.exists()


def test_a_value_changed_while_it_was_on_its_way_is_sent_again(connection):
    queue(connection, 1)

    def meanwhile(row):
        Person.objects.update(score=60)
        return taken(row)

    push(connection, PretendCrm(meanwhile))
    settle(plans(connection)["Lead"])
    crm = PretendCrm(taken)
    push(connection, crm)

    assert [dict(row.fields) for row in crm.sent] == [{"Score__c": 60}]


def test_a_refused_row_is_not_sent_again_until_something_about_it_changed(connection):
    queue(connection, 1)
    push(connection, PretendCrm(refused))
    crm = PretendCrm(taken)

    QueuedPush.objects.update(state="waiting")
    push(connection, crm)
    assert crm.sent == []
    assert QueuedPush.objects.get().reason == "crm.refused_before"

    Person.objects.update(score=51)
    settle(plans(connection)["Lead"])
    push(connection, crm)
    assert len(crm.sent) == 1
    assert PushError.objects.get().resolved_at is not None


def test_a_locked_row_is_tried_again_by_itself(connection):
    queue(connection, 1)

    push(connection, PretendCrm(locked))

    waiting = QueuedPush.objects.get()
    assert (waiting.state, waiting.due_at > NOW) == ("waiting", True)
    assert not PushError.objects.exists()


def test_a_busy_crm_holds_the_whole_batch_back(connection):
    queue(connection, 3)

    def busy(row):
        raise CrmBusy(code="REQUEST_LIMIT_EXCEEDED", message="limit", whole_org=True)

    with pytest.raises(CrmBusy):
        push(connection, PretendCrm(busy))

    assert set(QueuedPush.objects.values_list("state", flat=True)) == {"waiting"}


def test_rows_that_left_with_a_dead_process_are_unknown(connection):
    queue(connection, 2)
    QueuedPush.objects.update(state="sent")

    assert recover_sent(connection) == 2
    assert set(QueuedPush.objects.values_list("state", flat=True)) == {"unknown"}
