"""The thin façade over the job queue: defer, batch, periodic, singleton, rescue. A job is a batch or an errand, never one person."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, ParamSpec

from django.db import connections, transaction
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app as procrastinate_app
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.tasks import Task

QUEUES = ("sync", "import", "default", "builtin")
STALLED_AFTER_SECONDS = 60
FINISHED_KEPT_HOURS = 24
SHUTDOWN_GRACE_SECONDS = 25

log = logging.getLogger(__name__)
Parameters = ParamSpec("Parameters")


class QueuedTask:
    """A task that can be deferred inside the caller's transaction: it appears on commit and is rolled back with it."""

    def __init__(self, task: Task[Any, Any, Any], run: Callable[..., Any]) -> None:
        self._task = task
        self.run = run
        self.name = task.name

    def defer(self, **ids: Any) -> int:
        """Queue the task; returns the job id. Arguments are ids, at most a kilobyte."""
        return int(self._task.defer(**ids))

    def defer_once(self, key: str, **ids: Any) -> bool:
        """Queue the task unless one with the same key is already waiting; tells whether it was queued."""
        return self.defer_in(0, key, **ids)

    def defer_in(self, seconds: int, key: str, **ids: Any) -> bool:
        """Queue the task for later, once per key. No job lock: a waiting job must not hold back the others."""
        options: dict[str, Any] = {"schedule_in": {"seconds": seconds}} if seconds else {}
        try:
            with transaction.atomic():  # a refused twin must not spoil the caller's transaction
                self._task.configure(queueing_lock=key, **options).defer(**ids)
        except AlreadyEnqueued:
            return False
        return True

    def defer_batch(self, batch: Iterable[dict[str, Any]]) -> int:
        """Queue many jobs in one statement; returns how many."""
        return len(self._task.batch_defer(*batch))


def task(queue: str = "default", *, name: str, attempts: int = 5) -> Callable[[Callable[Parameters, Any]], QueuedTask]:
    """Declare a task. It must be repeatable: a job may run twice when its worker dies."""

    def declare(run: Callable[Parameters, Any]) -> QueuedTask:
        retry = RetryStrategy(max_attempts=attempts, exponential_wait=4)
        return QueuedTask(procrastinate_app.task(queue=queue, name=name, retry=retry)(_releasing(run)), run)

    return declare


def periodic(cron: str, *, name: str, queue: str = "default") -> Callable[[Callable[[], Any]], QueuedTask]:
    """Declare a task run at each cron tick, once over all workers, and never twice at a time in the queue."""

    def declare(run: Callable[[], Any]) -> QueuedTask:
        def tick(timestamp: int) -> Any:
            return run()

        queued = procrastinate_app.task(queue=queue, name=name, queueing_lock=name)(_releasing(tick))
        procrastinate_app.periodic(cron=cron)(queued)
        return QueuedTask(queued, run)

    return declare


@procrastinate_app.periodic(cron="* * * * *")
@procrastinate_app.task(queue="builtin", name="lib.rescue_stalled", queueing_lock="rescue")
async def rescue_stalled(timestamp: int) -> None:
    """Give back the jobs of workers that died, and forget finished ones: a killed worker leaves its job 'doing' for ever."""
    manager = procrastinate_app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS):
        log.warning("Job %s (%s) was left by a worker that died; it runs again.", job.id, job.task_name)
        await manager.retry_job(job)
    await manager.delete_old_jobs(nb_hours=FINISHED_KEPT_HOURS, include_failed=False)


def run_worker(
    queues: Sequence[str] = QUEUES, *, concurrency: int = 4, name: str = "worker", until_empty: bool = False
) -> None:
    """Run jobs until told to stop (SIGINT, SIGTERM), or until the queue is empty."""

    async def work() -> None:
        async with app.open_async():
            await app.run_worker_async(
                queues=list(queues),
                name=name,
                concurrency=concurrency,
                wait=not until_empty,
                delete_jobs="successful",
                shutdown_graceful_timeout=SHUTDOWN_GRACE_SECONDS,
                fetch_job_polling_interval=1.0,
            )

    connector = procrastinate_app.connector.get_worker_connector()  # type: ignore[attr-defined]
    with procrastinate_app.replace_connector(connector) as app:
        asyncio.run(work())


def _releasing(run: Callable[..., Any]) -> Callable[..., Any]:
    """A task runs in a thread of its own: its connection must go back to the pool when it ends."""

    @wraps(run)
    def released(*args: Any, **kwargs: Any) -> Any:
        try:
            return run(*args, **kwargs)
        finally:
            connections.close_all()

    return released
