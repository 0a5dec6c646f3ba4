"""The log of all that happened: lines are only added, and each consumer sees each of its lines once."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from relance.activity import kinds
from relance.activity.actions import NewActivity, append_activities, append_activity, claim_due
from relance.activity.kinds import declare_consumer, declare_kind
from relance.activity.models import Activity, ActivityDue

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _kinds(monkeypatch):
    """Kinds and a consumer of these tests alone."""
    monkeypatch.setattr(kinds, "_kinds", dict(kinds.activity_kinds()))
    monkeypatch.setattr(kinds, "_consumers", {})
    declare_kind("test.greeted", _("%(who)s was greeted"), group="people", icon="user")
    declare_kind("test.left", _("%(who)s left"), group="people", icon="user")
    declare_consumer("doorman", frozenset({"test.greeted"}))


def greeting(who, **more):
    return NewActivity("test.greeted", "user:7", payload={"who": who}, **more)


@pytest.mark.django_db
def test_what_happened_is_kept_with_who_did_it_and_to_whom():
    id = append_activity(greeting("Aline", person_id=3, decision_id=9), now=NOW)

    kept = Activity.objects.get(pk=id)
    assert (kept.kind, kept.actor, kept.person_id, kept.decision_id) == ("test.greeted", "user:7", 3, 9)
    assert kept.payload == {"who": "Aline"}
    assert kept.at == NOW


@pytest.mark.django_db
def test_a_batch_is_written_in_one_statement_with_ids_in_its_order(django_assert_num_queries):
    with django_assert_num_queries(1):
        ids = append_activities([greeting(f"person {n}") for n in range(200)], now=NOW)

    assert [Activity.objects.get(pk=id).payload["who"] for id in (ids[0], ids[99], ids[199])] == [
        "person 0",
        "person 99",
        "person 199",
    ]
    assert ids == sorted(ids)


@pytest.mark.django_db
def test_nothing_to_say_asks_nothing_of_the_database(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert append_activities([], now=NOW) == []


@pytest.mark.django_db
def test_a_kind_nobody_declared_is_refused_and_nothing_of_the_batch_is_written():
    with pytest.raises(KeyError, match=r"test\.unheard_of"):
        append_activities([greeting("Aline"), NewActivity("test.unheard_of", "system")], now=NOW)

    assert not Activity.objects.exists()


@pytest.mark.django_db
def test_a_consumer_is_told_only_of_the_kinds_it_asked_for():
    append_activities([greeting("Aline"), NewActivity("test.left", "system", payload={"who": "Bruno"})], now=NOW)

    assert [line["payload"]["who"] for line in claim_due("doorman")] == ["Aline"]


@pytest.mark.django_db
def test_what_was_claimed_is_not_told_again():
    append_activities([greeting(str(n)) for n in range(3)], now=NOW)

    assert [line["payload"]["who"] for line in claim_due("doorman", batch=2)] == ["0", "1"]
    assert [line["payload"]["who"] for line in claim_due("doorman", batch=2)] == ["2"]
    assert claim_due("doorman") == []


@pytest.mark.django_db(transaction=True)
def test_what_was_claimed_in_a_transaction_that_failed_is_told_again():
    append_activity(greeting("Aline"), now=NOW)

    with pytest.raises(RuntimeError), transaction.atomic():
        claim_due("doorman")
        raise RuntimeError

    assert [line["payload"]["who"] for line in claim_due("doorman")] == ["Aline"]


@pytest.mark.django_db(transaction=True)
def test_an_activity_goes_with_the_transaction_that_wrote_it():
    with pytest.raises(RuntimeError), transaction.atomic():
        append_activity(greeting("Aline"), now=NOW)
        raise RuntimeError

    assert not Activity.objects.exists()
    assert not ActivityDue.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_consumers_at_work_never_see_the_same_line_and_wait_for_nobody():
    append_activities([greeting(str(n)) for n in range(4)], now=NOW)
    others: list[str] = []

    with transaction.atomic():
        mine = [line["payload"]["who"] for line in claim_due("doorman", batch=2)]
        other = threading.Thread(target=_claim_in_another_session, args=(others,))
        other.start()
        other.join(timeout=30)

    assert (mine, others) == (["0", "1"], ["2", "3"])


@pytest.mark.django_db(transaction=True)
def test_a_line_that_commits_late_is_still_told():
    """Ids commit out of order: a cursor by id would have passed over the slow one."""
    started, go_on = threading.Event(), threading.Event()
    slow = threading.Thread(target=_append_slowly, args=(started, go_on))
    slow.start()
    assert started.wait(timeout=30)
    append_activity(greeting("quick"), now=NOW)
    first = [line["payload"]["who"] for line in claim_due("doorman")]
    go_on.set()
    slow.join(timeout=30)

    assert first == ["quick"]
    assert [line["payload"]["who"] for line in claim_due("doorman")] == ["slow"]


def _claim_in_another_session(into: list[str]) -> None:
    into += [line["payload"]["who"] for line in claim_due("doorman")]
    connection.close()


def _append_slowly(started: threading.Event, go_on: threading.Event) -> None:
    with transaction.atomic():
        append_activity(greeting("slow"), now=NOW)
        started.set()
        go_on.wait(timeout=30)
    connection.close()
