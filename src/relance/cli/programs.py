"""The programs of a running Relance: the web server and the queue's workers, as the supervisor starts them."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import closing

from relance.lib.supervisor import Program

from .doors import CannotRun

USUAL_PORT = 8000
_THREADS = 4  # a process; well below the pool, for a thread that waits for a connection answers late
_LOCAL = "127.0.0.1"
_RESERVED: list[socket.socket] = []
_PROBE = "/accounts/login/"  # needs no sign-in, touches the database, and warms what every page needs


def web_program(port: int, *, processes: int | None = None) -> Program:
    """Granian on the pages. It restarts its own processes; the supervisor restarts it."""
    return Program(
        "web",
        [*granian_command(port, processes=processes)],
        is_ready=lambda: answers(port),
        grace=25,
    )


def granian_command(port: int, *, processes: int | None = None) -> Sequence[str]:
    """The web server's command line: synchronous pages, a few threads, no worker that survives its end."""
    return [
        *(sys.executable, "-m", "granian", "relance.site.wsgi:application", "--interface", "wsgi"),
        *("--host", _LOCAL, "--port", str(port), "--no-ws"),
        *("--workers", str(processes or usual_processes()), "--blocking-threads", str(_THREADS)),
        *("--respawn-failed-workers", "--workers-kill-timeout", "20"),
    ]


def worker_programs(count: int, *, concurrency: int) -> list[Program]:
    """The queue's workers. Killed with their supervisor: one without a database takes its time to end politely."""
    names = ["worker", *(f"worker-{number}" for number in range(2, count + 1))][:count]
    command = [sys.executable, "-m", "relance.cli", "worker", "--concurrency", str(concurrency)]
    return [
        Program(name, [*command, "--name", name], grace=30, death_signal=signal.SIGKILL, settles_after=1.0)
        for name in names
    ]


def usual_processes() -> int:
    """Web processes by the machine: one a processor, at most four."""
    return min(4, os.cpu_count() or 1)


def reserve_port(wanted: int | None, *, usual: int) -> int:
    """Like `choose_port`, and kept from other Relances until this process ends.

    Granian shares its port with whoever else shares it: two that chose the same one in the same second would both
    serve it. The reservation is a socket that does not listen; only Granian, as the same user, may bind beside it.
    """
    tries = [wanted] if wanted is not None else [usual, 0]
    for port in tries:
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of an earlier run may linger
        try:
            held.bind((_LOCAL, port))
        except OSError:
            held.close()
            continue
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        _RESERVED.append(held)
        return int(held.getsockname()[1])
    raise _taken(wanted)


def choose_port(wanted: int | None, *, usual: int) -> int:
    """The port asked for, or the usual one, or a free one when that is taken. CannotRun when the one asked for is taken."""
    if wanted is not None and not is_free(wanted):
        raise _taken(wanted)
    return wanted or (usual if is_free(usual) else free_port())


def is_free(port: int) -> bool:
    """True when a server could listen on the port now."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOCAL, port))
        except OSError:
            return False
    return True


def _taken(port: int | None) -> CannotRun:
    return CannotRun(
        f"Port {port} of this machine is taken by another program. Nothing was started. "
        "Choose another with --port, or leave it out to get a free one."
    )


def free_port() -> int:
    """A port nobody uses at this moment."""
    with closing(socket.socket()) as probe:
        probe.bind((_LOCAL, 0))
        return int(probe.getsockname()[1])


def answers(port: int, path: str = _PROBE) -> bool:
    """True when a web server answers on the port without an error of its own."""
    connection = http.client.HTTPConnection(_LOCAL, port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
