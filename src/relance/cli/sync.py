"""`relance sync`: the sync from the console, through the same verbs as the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .doors import AsJson, CannotRun, Exit, answer_json, relance_open, say

if TYPE_CHECKING:
    from relance.crm.models import Connection

app = typer.Typer(help="The sync with the CRM: run it, look at it, stop it.", no_args_is_help=True)

Name = Annotated[
    str, typer.Option("--connection", help="The connection's name; may be left out when there is only one.")
]
ACTOR = "command line"


@app.command("now")
def ask_now(connection: Name = "", as_json: AsJson = False) -> None:
    """Ask the workers for a cycle, and return at once."""
    with relance_open():
        from relance.crm.tasks import cycle_key, sync_connection

        chosen = _chosen(connection)
        queued = sync_connection.defer_once(cycle_key(chosen.pk), connection_id=chosen.pk)
    if as_json:
        answer_json({"queued": queued})
    else:
        print("A cycle is queued." if queued else "A cycle was waiting already.")


@app.command("run")
def run_here(connection: Name = "", as_json: AsJson = False) -> None:
    """Run one whole cycle here and now, with progress."""
    with relance_open():
        from relance.crm.connection import connection_state
        from relance.crm.dialect import CrmError
        from relance.crm.rules import ConnectionState
        from relance.crm.sync import SyncUnderWay, run_cycle
        from relance.lib.clock import utc_now

        from .demo_steps import SyncProgress

        chosen = _chosen(connection)
        state = connection_state(chosen)
        if state is not ConnectionState.ENABLED:
            raise CannotRun(
                f"{chosen.name} is {state.value}: nothing was read or sent. Resume it with: relance sync resume"
            )
        try:
            with SyncProgress() as progress:
                counts = run_cycle(chosen, utc_now(), progress)
        except SyncUnderWay:
            raise CannotRun(f"A worker syncs {chosen.name} right now; see it with: relance sync status") from None
        except CrmError as error:
            raise CannotRun(
                f"{chosen.name} stopped: {error}. What was read is kept; see: relance sync status"
            ) from error
    told = counts.as_json()
    if as_json:
        answer_json(told)
    else:
        print(
            ", ".join(f"{number} {name}" for name, number in told.items() if number and name != "reasons")
            or "Nothing moved."
        )
    if counts.refused:
        raise typer.Exit(Exit.SOMEBODY_MUST_ACT)


@app.command()
def status(connection: Name = "", as_json: AsJson = False) -> None:
    """How the connection fares: its state, how far behind it may be, what waits, what is refused."""
    with relance_open():
        from relance.crm.facts import overview
        from relance.crm.rules import ConnectionState
        from relance.lib.clock import utc_now

        seen = overview(_chosen(connection), utc_now())
        told = _status(seen)
        is_fine = seen.state is ConnectionState.ENABLED and not seen.refused and not seen.missing
    if as_json:
        answer_json(told)
    else:
        for name, value in told.items():
            print(f"{name.replace('_', ' ')}: {value}")
    if not is_fine:
        raise typer.Exit(Exit.SOMEBODY_MUST_ACT)


@app.command("dry-run")
def dry_run_here(connection: Name = "", as_json: AsJson = False) -> None:
    """Try the draft of the mapping without effect, or the one in force when there is no draft."""
    with relance_open():
        from relance.crm.dialect import CrmError
        from relance.crm.dry_run import dry_run
        from relance.crm.mapping import approved_mapping, draft_mapping

        from .demo_steps import SyncProgress

        chosen = _chosen(connection)
        mapping = draft_mapping(chosen) or approved_mapping(chosen)
        if mapping is None:
            raise CannotRun(f"{chosen.name} has no mapping yet. Make one in CRM › Fields.")
        try:
            with SyncProgress() as progress:
                told = dry_run(mapping, progress=progress)
        except CrmError as error:
            raise CannotRun(f"{chosen.name} did not answer the dry run: {error}. Nothing was changed.") from error
    if as_json:
        answer_json(told)
        return
    for object, done in told["objects"].items():
        print(f"{object}: {done['read']} of {done['total']} read, {done['new']} new, {done['updated']} updated")
        for code, times in done["reasons"].items():
            print(f"  {times:6}  {code}")
    print(f"To send: {told['to_send']}")


@app.command()
def errors(connection: Name = "", as_json: AsJson = False) -> None:
    """What the CRM refuses now, by cause, in its own words."""
    with relance_open():
        from dataclasses import asdict

        from relance.crm.errors import error_groups

        groups = [asdict(group) for group in error_groups(_chosen(connection))]
    if as_json:
        answer_json(groups)
    else:
        for group in groups:
            print(f"{group['cause_key']}  {group['subjects']} × {group['object']}  {group['code']}: {group['message']}")
    if groups:
        raise typer.Exit(Exit.SOMEBODY_MUST_ACT)


@app.command()
def retry(
    cause: Annotated[str, typer.Argument(help="A cause from `relance sync errors`; all of them when left out.")] = "",
    connection: Name = "",
    as_json: AsJson = False,
) -> None:
    """Send refused rows once more, though nothing changed."""
    with relance_open():
        from relance.crm.errors import retry_errors

        again = retry_errors(_chosen(connection), cause, by=None)
    if as_json:
        answer_json({"queued": again})
    else:
        print(f"{again} will be sent with the next cycle.")


@app.command()
def pause(
    why: Annotated[str, typer.Option("--why", help="A word for those who find it paused.")] = "",
    connection: Name = "",
    as_json: AsJson = False,
) -> None:
    """Stop reading and sending at once; changes go on being noted. `relance sync resume` undoes it."""
    with relance_open():
        from dataclasses import asdict

        from relance.crm.connection import pause_connection, preview_pause
        from relance.workspace.auditing import acting_as

        chosen = _chosen(connection)
        effect = asdict(preview_pause(chosen))
        with acting_as(ACTOR):
            pause_connection(chosen, by=None, why=why)
    if as_json:
        answer_json(effect)
    else:
        say(
            f"{chosen.name} is paused: {effect['waiting']} wait to be sent, {effect['linked_people']} people are linked."
        )


@app.command()
def resume(connection: Name = "", as_json: AsJson = False) -> None:
    """Undo a pause, a disabling or a disconnection."""
    with relance_open():
        from relance.crm.connection import connection_state, resume_connection
        from relance.workspace.auditing import acting_as

        chosen = _chosen(connection)
        with acting_as(ACTOR):
            resume_connection(chosen, by=None)
        state = connection_state(chosen).value
    if as_json:
        answer_json({"state": state})
    else:
        print(f"{chosen.name} is {state}.")


def _chosen(name: str) -> Connection:
    from relance.crm.models import Connection

    found = list(Connection.objects.filter(name=name) if name else Connection.objects.order_by("id"))
    if len(found) == 1:
        return found[0]
    if not found:
        raise CannotRun(
            f"There is no connection{f' called {name}' if name else ' yet'}. Make one in CRM, or run: relance demo"
        )
    raise CannotRun(
        f"There are {len(found)} connections: name one with --connection ({', '.join(c.name for c in found)})."
    )


def _status(seen: Any) -> dict[str, Any]:
    return {
        "connection": seen.connection.name,
        "state": seen.state.value,
        "org": seen.connection.org_name,
        "user": seen.connection.crm_username,
        "lag_seconds": round(seen.lag.total_seconds()) if seen.lag is not None else None,
        "waiting": seen.waiting,
        "refused": seen.refused,
        "linked_people": seen.linked_people,
        "linked_companies": seen.linked_companies,
        "missing_rights": list(seen.missing),
        "unmapped_users": seen.unmapped_users,
        "api_used": seen.api_used,
        "api_limit": seen.api_limit,
        "waits_until": seen.waits_until.isoformat() if seen.waits_until else None,
        "last_day": seen.today,
    }
