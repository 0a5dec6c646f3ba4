"""`relance demo`: a sandbox Salesforce org and Relance beside it, connected and in sync, with accounts to sign in with."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relance.lib.supervisor import Program, Supervisor, answer_of

from .doors import AsJson, answer_json, say
from .programs import USUAL_PORT, choose_port, reserve_port, web_program, worker_programs
from .up import Port, run_instance

if TYPE_CHECKING:
    from relance.crm.models import Connection
    from relance.workspace.models import User

SANDBOX_PORTS = (4720, 4721)
SANDBOX = "sandbox"

# Who works at the demo's company: the reps are users of its Salesforce org too, so that owners cross.
STAFF = (
    ("admin", "Camille Renaud", "camille.renaud@hexalis.example", ""),
    ("marketer", "Inès Morel", "ines.morel@hexalis.example", ""),
    ("rep", "Yanis Belkacem", "yanis.belkacem@hexalis.example", "Lyon"),
    ("manager", "Sophie Lambert", "sophie.lambert@hexalis.example", "Lyon"),
)
COLLEAGUES = (
    ("rep", "Léa Marchetti", "lea.marchetti@hexalis.example", "Lyon"),
    ("rep", "Thomas Dubreuil", "thomas.dubreuil@hexalis.example", "Paris"),
    ("rep", "Nadia Koné", "nadia.kone@hexalis.example", "Paris"),
)
THREE_THINGS = (
    "Open a person who came from Salesforce, type another phone number, save: within a minute the sync puts the CRM's "
    "number back, and “Why?” on the timeline says who is right and why.",
    "Set a lead's status to “Disqualifié” without a reason: Salesforce refuses it, CRM › Errors shows the rule, and the "
    "change leaves as soon as a reason is given.",
    "Ask on the command line: relance why --person EMAIL --field phone",
)


@dataclass(frozen=True, slots=True)
class Account:
    """Someone to sign in as."""

    role: str
    name: str
    email: str
    password: str
    team: str = ""


def add_commands(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the demo's data and start over.")] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Do it all in a directory of its own, change records on both sides, verify, remove it."
        ),
    ] = False,
    port: Port = None,
    as_json: AsJson = False,
) -> None:
    """Stand up a sandbox Salesforce org and Relance, connect them and keep them in two-way sync, until Ctrl-C."""
    if check:
        from .demo_check import check_demo

        raise typer.Exit(check_demo(port))
    from relance.lib.home import relance_home

    home = relance_home()
    if fresh:
        forget_demo(home)
    raise typer.Exit(run_demo(home, port, lambda ready: _tell(ready, as_json=as_json)))


@dataclass(frozen=True, slots=True)
class DemoReady:
    """A demo that is up and in sync."""

    url: str
    accounts: list[Account]
    sandbox: dict[str, Any]
    pulled: int

    def as_json(self) -> dict[str, Any]:
        shown = [{"role": who.role, "email": who.email, "password": who.password} for who in self.accounts]
        return {"url": self.url, "accounts": shown, "sandbox": self.sandbox}


def run_demo(home: Path, port: int | None, when_ready: Callable[[DemoReady], int | None]) -> int:
    """Run the demo until it is stopped, or until `when_ready` returns a code.

    1. Write the org's tree, once; start its sandbox, the workers and the pages under one supervisor.
    2. Make the workspace and its accounts, connect to the org, approve a mapping after its dry run: once.
    3. Sync, with progress; then say that all is ready.
    """
    os.environ["RELANCE_ALLOW_PRIVATE_ADDRESSES"] = "true"  # the org is on this machine
    tree = write_demo_tree(home)
    chosen: list[int] = []

    def programs() -> Sequence[Program]:
        chosen.append(reserve_port(port, usual=USUAL_PORT))
        return [sandbox_program(home, tree), *worker_programs(1, concurrency=2), web_program(chosen[-1], processes=1)]

    def work(_supervisor: Supervisor) -> int | None:
        from django.db import connections

        from .demo_steps import first_sync

        org = answer_of(home, SANDBOX) or {}
        try:
            accounts = open_demo_workspace(home)
            connection = connect_demo(org, by=_user(accounts[0]))
            pulled = first_sync(connection, by=_user(accounts[0]))
        finally:
            connections.close_all()
        return when_ready(DemoReady(f"http://localhost:{chosen[-1]}", accounts, org, pulled))

    return run_instance(home, programs, work)


def write_demo_tree(home: Path) -> Path:
    """The source tree of the demo's org, written the first time."""
    tree = home / "demo-org"
    if not (tree / "sfdx-project.json").exists():
        from relance.sandbox.demo import write_demo_org

        shutil.rmtree(tree, ignore_errors=True)
        write_demo_org(tree, datetime.now(UTC).date())
    return tree


def forget_demo(home: Path) -> None:
    """Remove what the demo keeps: database, files, the org and its tree. Refuses while it runs (AlreadyRunning)."""
    from relance.lib.file_locks import hold_alone
    from relance.lib.postgres import Cluster
    from relance.lib.supervisor import AlreadyRunning, end_recorded

    (home / "run").mkdir(parents=True, exist_ok=True)
    with hold_alone(home / "run" / "supervisor.lock") as is_ours:
        if not is_ours:
            raise AlreadyRunning(f"Relance runs on {home}. Nothing was removed. Stop it first.")
        end_recorded(home, say=say)
        cluster = Cluster(home, say=say)
        if cluster.attach():
            cluster.stop_for_all()
        for name in ("postgres", "sandbox", "demo-org", "files"):
            shutil.rmtree(home / name, ignore_errors=True)
        for name in ("demo.json", "secret.key"):
            (home / name).unlink(missing_ok=True)


def port_of_org(home: Path) -> int:
    """The port the demo's org had last, since its folder is named for it; when that one is taken the folder takes the new name."""
    note = home / "sandbox" / "demo-port"
    last = int(note.read_text(encoding="ascii")) if note.exists() else SANDBOX_PORTS[0]
    port = choose_port(None, usual=last)
    before, now = (note.with_name(str(number)) for number in (last, port))
    if port != last and before.exists() and not now.exists():
        before.rename(now)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(str(port), encoding="ascii")
    return port


def sandbox_program(home: Path, tree: Path) -> Program:
    """The org as a program of the supervisor: ready once it has told its addresses and how to sign in."""
    http, https = port_of_org(home), choose_port(None, usual=SANDBOX_PORTS[1])
    command = [
        sys.executable,
        "-m",
        "relance.cli",
        "sandbox",
        "start",
        "--org",
        str(tree),
        "--data",
        str(tree / "data"),
    ]
    return Program(
        SANDBOX,
        [*command, "--http", str(http), "--https", str(https), "--json"],
        uses_database=False,
        answers_once=True,
    )


def open_demo_workspace(home: Path) -> list[Account]:
    """The workspace and its people; passwords are drawn the first time and kept beside the data, for its owner alone."""
    from relance.workspace.setup import NewWorkspace, is_set_up, open_workspace

    note = home / "demo.json"
    if note.exists() and is_set_up():
        return [Account(**told) for told in json.loads(note.read_text(encoding="utf-8"))]
    open_workspace(NewWorkspace("Hexalis"))
    accounts = [Account(*who[:3], secrets.token_urlsafe(12), who[3]) for who in STAFF]
    others = [Account(*who[:3], secrets.token_urlsafe(24), who[3]) for who in COLLEAGUES]
    for account in accounts + others:
        _make_user(account)
    note.touch(mode=0o600)
    note.write_text(json.dumps([asdict(account) for account in accounts]), encoding="utf-8")
    return accounts


def connect_demo(org: dict[str, Any], *, by: User) -> Connection:
    """The connection to the sandbox org, made once; its address is corrected when the ports had to change."""
    from relance.crm.connection import change_connection, create_connection
    from relance.crm.models import Connection
    from relance.crm.rules import LoginMethod

    found = Connection.objects.filter(name="Salesforce").first()
    if found is None:
        return create_connection(
            "Salesforce",
            org["https"],
            login_method=LoginMethod.CLIENT_CREDENTIALS,
            client_id=org["client_id"],
            client_secret=org["client_secret"],
            ca_file=org["ca_file"],
            by=by,
        )
    if found.login_url != org["https"]:
        change_connection(found, login_url=org["https"], ca_file=org["ca_file"])
    return found


def _make_user(account: Account) -> None:
    from relance.workspace.actions import NewUser, create_user
    from relance.workspace.models import Team, User
    from relance.workspace.rules import Role

    if User.objects.filter(email=account.email).exists():
        return
    team = Team.objects.get_or_create(name=account.team)[0] if account.team else None
    create_user(NewUser(account.email, account.name, Role(account.role), team, account.password, "fr"))


def _user(account: Account) -> User:
    from relance.workspace.models import User

    return User.objects.get(email=account.email)


def _tell(ready: DemoReady, *, as_json: bool) -> None:
    if as_json:
        answer_json(ready.as_json())
        return
    lines = [f"\nRelance is ready: {ready.url}", f"The Salesforce org it is connected to: {ready.sandbox['http']}", ""]
    lines += [f"  {who.role:9} {who.email:34} {who.password}" for who in ready.accounts]
    lines += ["", "Three things to try:", *(f"  {n}. {thing}" for n, thing in enumerate(THREE_THINGS, 1))]
    print("\n".join([*lines, "", "Ctrl-C stops everything; the data is kept for the next time."]), flush=True)
