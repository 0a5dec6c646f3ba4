"""The queue: a job belongs to the transaction that made it, and a worker's death loses none."""

import os
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django import app as procrastinate_app
from procrastinate.contrib.django.models import ProcrastinateJob

from relance.lib import queue
from relance.lib.clock import utc_now

pytestmark = pytest.mark.django_db(transaction=True)
ran: list[int] = []


@queue.task(name="test.note")
def note(number: int) -> None:
    ran.append(number)


@queue.task(name="test.break", attempts=2)
def break_once(number: int) -> None:
    ran.append(number)
    raise ValueError("not yet")


@queue.periodic("* * * * *", name="periodic.tick", queue="nobody")
def tick() -> None:
    """On a queue no worker of these tests takes from."""


@pytest.fixture(autouse=True)
def _empty_queue(transactional_db):
    """The queue's tables are not Django's: its flush between tests leaves them alone."""
    ran.clear()
    run_sql("TRUNCATE procrastinate_jobs, procrastinate_workers, procrastinate_periodic_defers CASCADE")


def ours():
    """The jobs of these tests: a worker also queues the periodic ones whose hour has come."""
    return ProcrastinateJob.objects.filter(task_name__startswith="test.")


def waiting():
    return list(ours().filter(status="todo").order_by("id"))


def test_a_job_deferred_in_a_transaction_appears_with_it():
    with transaction.atomic():
        note.defer(number=1)

    queue.run_worker(["default"], until_empty=True)

    assert ran == [1]


def test_a_job_deferred_in_a_transaction_goes_with_it():
    with pytest.raises(KeyError), transaction.atomic():
        note.defer(number=1)
        raise KeyError

    assert waiting() == []


def test_a_job_with_the_key_of_one_that_waits_is_not_queued_twice():
    with transaction.atomic():
        assert note.defer_once("sync-7", number=1)
        assert not note.defer_once("sync-7", number=2)
        note.defer(number=3)  # the refusal spoilt nothing of the transaction

    assert [job.args["number"] for job in waiting()] == [1, 3]


def test_a_key_is_free_again_once_its_job_was_taken():
    note.defer_once("sync-7", number=1)
    queue.run_worker(["default"], until_empty=True)

    assert note.defer_once("sync-7", number=2)


def test_a_job_for_later_waits_and_holds_back_no_other():
    note.defer_in(3600, "later", number=1)
    note.defer(number=2)

    queue.run_worker(["default"], until_empty=True)

    assert ran == [2]
    assert waiting()[0].scheduled_at > utc_now() + timedelta(minutes=50)


def test_a_batch_is_queued_in_one_statement(django_assert_num_queries):
    with transaction.atomic(), django_assert_num_queries(1):
        assert note.defer_batch([{"number": n} for n in range(50)]) == 50


def test_a_job_that_failed_is_tried_again_later_and_then_given_up():
    break_once.defer(number=1)

    queue.run_worker(["default"], until_empty=True)
    [job] = waiting()
    assert (job.attempts, job.scheduled_at > utc_now()) == (1, True)

    run_sql("UPDATE procrastinate_jobs SET scheduled_at = now() - interval '1 second'")
    queue.run_worker(["default"], until_empty=True)
    run_sql("UPDATE procrastinate_jobs SET scheduled_at = now() - interval '1 second' WHERE status = 'todo'")
    queue.run_worker(["default"], until_empty=True)

    assert ours().get().status == "failed"
    assert ran in ([1, 1], [1, 1, 1])


def test_a_periodic_task_is_known_to_the_scheduler_under_its_hour():
    known = {
        periodic.task.name: periodic.cron for periodic in procrastinate_app.periodic_registry.periodic_tasks.values()
    }

    assert known["periodic.tick"] == "* * * * *"
    assert known["workspace.make_partitions"]
    assert known["lib.rescue_stalled"]


def test_a_finished_job_is_forgotten():
    note.defer(number=1)

    queue.run_worker(["default"], until_empty=True)

    assert not ours().exists()


def test_a_failed_job_is_kept_for_whoever_must_look_while_old_finished_ones_go():
    note.defer(number=1)
    break_once.defer(number=2)
    run_sql("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE task_name = 'test.note'")
    run_sql("UPDATE procrastinate_jobs SET status = 'failed' WHERE task_name = 'test.break'")
    run_sql("UPDATE procrastinate_events SET at = now() - interval '3 days'")

    rescue()

    assert [job.task_name for job in ours()] == ["test.break"]


WORKER = """
import os, sys, time
os.environ["DJANGO_SETTINGS_MODULE"] = "relance.site.settings"
import django
django.setup()
from relance.lib import queue

@queue.task(name="test.note")
def note(number):
    print("began", number, flush=True)
    time.sleep(600)

queue.run_worker(["default"])
"""


def test_the_job_of_a_killed_worker_runs_again(worker):
    note.defer(number=1)
    process = worker()
    assert process.stdout.readline().strip() == "began 1"
    process.kill()
    process.wait()
    assert ours().get().status == "doing"

    queue.run_worker(["default"], until_empty=True)
    assert ran == []  # nobody may take it while its worker may still be alive
    run_sql("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '2 minutes'")
    rescue()
    queue.run_worker(["default"], until_empty=True)

    assert ran == [1]


def test_the_job_of_a_worker_that_is_alive_is_left_to_it(worker):
    note.defer(number=1)
    assert worker().stdout.readline().strip() == "began 1"

    rescue()

    assert ours().get().status == "doing"


@pytest.fixture
def worker():
    """Starts a worker in a process of its own, and sees to it that none is left."""
    started = []

    def start():
        started.append(start_worker())
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def start_worker() -> subprocess.Popen[str]:
    parameters = connection.get_connection_params()
    host, port, user, password = (parameters.get(name, "") for name in ("host", "port", "user", "password"))
    name = connection.settings_dict["NAME"]
    address = f"postgresql:///{name}?host={host}&port={port}&user={user}&password={password}"
    return subprocess.Popen(
        [sys.executable, "-c", WORKER], env={**os.environ, "DATABASE_URL": address}, stdout=subprocess.PIPE, text=True
    )


def rescue() -> None:
    """What a worker does every minute."""
    run_sql("DELETE FROM procrastinate_jobs WHERE task_name = 'lib.rescue_stalled'")
    queue.rescue_stalled.defer(timestamp=int(time.time()))
    queue.run_worker(["builtin"], until_empty=True)


def run_sql(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text)
