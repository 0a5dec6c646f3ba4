"""What `relance sandbox start` runs: reads the tree, opens or fills the org, listens, says it is ready, and stops cleanly when told to."""

from __future__ import annotations

import fcntl
import secrets
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from relance.sandbox.actors import act_or_say
from relance.sandbox.bulk_jobs import Jobs
from relance.sandbox.fault_file import add_faults, read_fault_file
from relance.sandbox.fault_kinds import FaultMisasked
from relance.sandbox.org import Org, utc_now
from relance.sandbox.records import Records
from relance.sandbox.schema_changes import FILE, replay_changes
from relance.sandbox.seed import seed_org
from relance.sandbox.server import Listener, serve_in_thread
from relance.sandbox.sessions import App, new_token
from relance.sandbox.store import Store
from relance.sandbox.tls import ensure_app_key, ensure_certificates, public_half, server_context
from relance.sandbox.tree import read_tree

Say = Callable[[str], None]


class CannotStart(Exception):
    """The org cannot start; the message says what is in the way and what to do."""


@dataclass(frozen=True, slots=True)
class OrgOptions:
    """`home` holds one folder per org, named for its http port. `token`: one to accept for ever, whatever the restarts."""

    tree: Path
    home: Path
    http_port: int
    https_port: int
    data: Path | None = None
    token: str | None = None
    fresh: bool = False
    faults: Path | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """All a client needs to speak to the org."""

    http: str
    https: str
    token: str
    refresh_token: str
    ca_file: str
    client_id: str
    client_secret: str
    username: str
    password: str
    org_id: str
    user_id: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def run_org(options: OrgOptions, *, when_ready: Callable[[Ready], None], say: Say) -> None:
    """Runs until SIGINT or SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    with running_org(options, say=say) as (_org, ready):
        when_ready(ready)
        stop.wait()


@contextmanager
def running_org(options: OrgOptions, *, say: Say) -> Iterator[tuple[Org, Ready]]:
    """The org, listening, for as long as the block lasts."""
    if not options.tree.is_dir():
        raise CannotStart(
            f"There is no directory {options.tree}. Nothing was changed. Make one with: relance sandbox new {options.tree}"
        )
    plain = listen(options.http_port)
    secure = listen(options.https_port)
    home = options.home / str(plain.port)
    try:
        with only_process(home):
            if options.fresh:
                empty_home(home)
            org = open_org(options, home, say=say)
            begin_faults(org, options.faults)
            ca_file, leaf_file = ensure_certificates(home, f"Relance sandbox {plain.port}")
            secure.context = server_context(leaf_file)
            plain.org = secure.org = org
            jobs = org.jobs = Jobs(org)
            jobs.start()
            threads = [serve_in_thread(listener) for listener in (plain, secure)]
            try:
                yield org, make_ready(org, options, plain, secure, ca_file)
            finally:
                for listener in (plain, secure):
                    listener.finish()
                for thread in threads:
                    thread.join(timeout=5)
                jobs.stop()
                org.close()
    finally:
        plain.server_close()
        secure.server_close()


def listen(port: int) -> Listener:
    """Bound before anything else is done, so that a taken port is said at once."""
    try:
        return Listener(port)
    except OSError as taken:
        raise CannotStart(
            f"Port {port} of 127.0.0.1 cannot be listened on ({taken.strerror}). Nothing was changed. Choose another port."
        ) from taken


@contextmanager
def only_process(home: Path) -> Iterator[None]:
    """Two processes on one org would each believe its own memory: the second is refused."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            raise CannotStart(
                f"An org already runs on {home}. It is untouched. Stop it, or choose another port."
            ) from held
        yield


def empty_home(home: Path) -> None:
    """Everything but the certificates, which clients may already trust."""
    for pattern in ("org.sqlite3*", "journal.sqlite3*", FILE):
        for path in home.glob(pattern):
            path.unlink()
    shutil.rmtree(home / "jobs", ignore_errors=True)


def open_org(options: OrgOptions, home: Path, *, say: Say) -> Org:
    schema = read_tree(options.tree)
    schema.skipped += replay_changes(home, schema)
    records = Records(Store(home / "org.sqlite3", schema), schema, utc_now)
    seeded = seed_org(records, options.data)
    for line in [*schema.skipped, *seeded.skipped]:
        say(line)
    password = kept_secret(records.store, "password", lambda: secrets.token_urlsafe(12))
    org = Org(home, records, user_id=seeded.user_id, org_id=seeded.org_id, password=password)
    org.faults.perform = partial(act_or_say, org)
    return org


def begin_faults(org: Org, file: Path | None) -> None:
    if file is None:
        return
    try:
        add_faults(org.faults, read_fault_file(file))
    except FaultMisasked as misasked:
        org.close()
        raise CannotStart(f"The faults of {file} cannot be used: {misasked} Nothing was started.") from misasked


def make_ready(org: Org, options: OrgOptions, plain: Listener, secure: Listener, ca_file: Path) -> Ready:
    """The app, the token and the grant: made at the first start, kept for the next ones."""
    store, now = org.store, org.clock()
    client_id = kept_secret(store, "client_id", lambda: "3MVG9" + secrets.token_urlsafe(60))
    client_secret = kept_secret(store, "client_secret", lambda: secrets.token_hex(32).upper())
    public_key = public_half(ensure_app_key(org.home))
    before = org.sessions.app(client_id)
    org.sessions.keep_app(
        App(client_id, client_secret, org.user_id, public_key, before.redirect_uris if before else "")
    )
    if options.token:
        store.keep_fact("token", options.token)
    token = kept_secret(store, "token", lambda: new_token(org.org_id))
    org.sessions.keep_fixed(token, org.user_id, client_id, now)
    refresh_token = kept_secret(store, "refresh_token", lambda: org.sessions.grant(org.user_id, client_id, now))
    row = store.connection().execute('SELECT "Username" FROM "User" WHERE "Id" = ?', (org.user_id,)).fetchone()
    return Ready(
        http=f"http://localhost:{plain.port}",
        https=f"https://localhost:{secure.port}",
        token=token,
        refresh_token=refresh_token,
        ca_file=str(ca_file),
        client_id=client_id,
        client_secret=client_secret,
        username=str(row[0]),
        password=org.password,
        org_id=org.org_id,
        user_id=org.user_id,
    )


def kept_secret(store: Store, name: str, make: Callable[[], str]) -> str:
    """A secret of the org: made once, the same at every start."""
    kept = store.fact(name)
    if kept is None:
        kept = make()
        store.keep_fact(name, kept)
    return kept
