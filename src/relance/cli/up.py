"""`relance up` and its parts: the web server, a worker, the migrations; backup and restore."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from relance.lib.home import relance_home
from relance.lib.postgres import Cluster, check_reachable
from relance.lib.processes import tethered
from relance.lib.supervisor import Program, Supervisor

from .backups import backup, restore
from .doors import AsJson, answer_json, relance_open, say, start_django
from .prepare import collect_files, migrate_database, prepare_instance
from .programs import USUAL_PORT, granian_command, reserve_port, usual_processes, web_program, worker_programs

Port = Annotated[
    int | None, typer.Option(min=1, max=65535, help="Port of the pages: 8000, or a free one when that is taken.")
]
Processes = Annotated[
    int | None, typer.Option(min=1, max=64, help="Processes that serve pages: one a processor, at most four.")
]
Concurrency = Annotated[int, typer.Option(min=1, max=50, help="Jobs a worker runs at the same time.")]


def add_commands(app: typer.Typer) -> None:
    for command in (up, web, worker, migrate, backup, restore):
        app.command()(command)


def up(
    port: Port = None,
    processes: Processes = None,
    workers: Annotated[int, typer.Option(min=0, max=32, help="Worker processes for the queue.")] = 1,
    concurrency: Concurrency = 4,
    as_json: AsJson = False,
) -> None:
    """Run Relance: the database, the web server and the workers, until Ctrl-C. An empty one prints a set-up link."""
    home = relance_home()
    chosen: list[int] = []

    def programs() -> list[Program]:
        chosen.append(reserve_port(port, usual=USUAL_PORT))
        return [*worker_programs(workers, concurrency=concurrency), web_program(chosen[-1], processes=processes)]

    def tell(_supervisor: Supervisor) -> None:
        url = f"http://localhost:{chosen[-1]}"
        _tell(url, setup_link(url), home, as_json=as_json)

    raise typer.Exit(run_instance(home, programs, tell))


def run_instance(
    home: Path, programs: Callable[[], Sequence[Program]], work: Callable[[Supervisor], int | None]
) -> int:
    """Run an instance until it is stopped: the database, this version's tables and files, then the programs.

    `work` runs in a thread once all is up; Django is ready in it. A number it returns ends the run with that code.
    """
    named = os.environ.get("DATABASE_URL")
    if named:
        check_reachable(named)
    cluster = None if named else Cluster(home, say=say)

    def prepare() -> None:
        if cluster is not None:
            os.environ["DATABASE_URL"] = cluster.dsn()  # for Django here, and for the programs
        start_django()
        prepare_instance()

    return Supervisor(home, programs, cluster=cluster, prepare=prepare, say=say).run(work)


def setup_link(url: str) -> str | None:
    """The one-time link for the first administrator of an empty database; None when somebody is there already."""
    from django.urls import reverse

    from relance.lib.clock import utc_now
    from relance.workspace.setup import AlreadySetUp, make_setup_link

    try:
        return url + reverse("setup", kwargs={"token": make_setup_link(utc_now())})
    except AlreadySetUp:
        return None


def _tell(url: str, link: str | None, home: Path, *, as_json: bool) -> None:
    if as_json:
        answer_json({"url": url, "setup_link": link, "home": str(home)})
        return
    print(f"Relance runs at {url}. Ctrl-C stops it; data and logs are in {home}.", flush=True)
    if link is not None:
        print(
            f"Nobody can sign in yet. Make the workspace and its first administrator here, once:\n  {link}", flush=True
        )


def web(port: Port = None, processes: Processes = None, as_json: AsJson = False) -> None:
    """Serve the pages, nothing else, until Ctrl-C."""
    chosen = reserve_port(port, usual=USUAL_PORT)
    with relance_open():
        collect_files()
        say(f"Serving the pages at http://localhost:{chosen}.")
        if as_json:
            answer_json({"url": f"http://localhost:{chosen}"})
        raise typer.Exit(_in_foreground(granian_command(chosen, processes=processes or usual_processes())))


def worker(
    queue: Annotated[list[str] | None, typer.Option(help="Only this queue; may be given several times.")] = None,
    concurrency: Concurrency = 4,
    name: Annotated[str, typer.Option(help="What the worker is called in the list of workers.")] = "worker",
    as_json: AsJson = False,
) -> None:
    """Work on queued jobs, nothing else, until Ctrl-C. Jobs under way are finished first."""
    with relance_open():
        from relance.lib.queue import QUEUES, run_worker

        if as_json:
            answer_json({"worker": name, "queues": list(queue or QUEUES), "concurrency": concurrency})
        run_worker(queue or QUEUES, concurrency=concurrency, name=name)


def migrate(as_json: AsJson = False) -> None:
    """Bring the database to this version of Relance."""
    with relance_open(migrated=False):
        done = migrate_database()
    if as_json:
        answer_json({"migrations": done})
    else:
        say(f"{len(done)} migrations were run; the database is at this version." if done else "Nothing was to be done.")


def _in_foreground(command: Sequence[str]) -> int:
    """Run a command as ours: what would stop us stops it, and we end when it has ended."""
    process = subprocess.Popen(command, start_new_session=True, preexec_fn=tethered(signal.SIGTERM))

    def pass_on(_number: int, _frame: FrameType | None) -> None:
        process.send_signal(signal.SIGTERM)

    for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(kind, pass_on)
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            process.kill()
        sys.stdout.flush()
