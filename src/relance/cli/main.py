"""The `relance` command: every door of the command line, and what an ending means."""

from __future__ import annotations

import json
import sys
from importlib import import_module

import typer
from typer.exceptions import TyperException

from relance import __version__

from .doors import CannotRun, Exit

app = typer.Typer(
    name="relance",
    help="Marketing automation, two-way CRM sync and sales cadences that answer why.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

# Each module brings either commands of the top level (`add_commands(app)`) or a sub-application (`app`).
TOP_LEVEL = ("demo", "up", "why", "scenarios", "reference", "test")
GROUPS = {
    "sandbox": "sandbox",
    "sync": "sync",
    "person": "people",
    "user": "users",
    "secrets": "secrets",
    "bench": "relance.bench.command",  # named, not imported: the benchmark stands above this layer
    "soak": "relance.bench.soak_command",
}

for _module in TOP_LEVEL:
    import_module(f"relance.cli.{_module}").add_commands(app)
for _name, _module in GROUPS.items():
    app.add_typer(import_module(_module if "." in _module else f"relance.cli.{_module}").app, name=_name)


@app.callback(invoke_without_command=True)
def entry(version: bool = typer.Option(False, "--version", help="Print the version and stop.")) -> None:
    """Marketing automation, two-way CRM sync and sales cadences that answer why."""
    if version:
        print(__version__)
        raise typer.Exit


def main(arguments: list[str] | None = None) -> None:
    """Run a command line and end with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run a command line; returns the exit code: 0 done, 1 done but a person must act, 2 could not run, 130 interrupted."""
    try:
        ended = app(arguments, standalone_mode=False)
        return ended if isinstance(ended, int) else Exit.DONE
    except typer.Exit as ended:
        return ended.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    except SystemExit as ended:  # the environment could not be read: its words, or a number
        return (
            _report(ended.code, as_json="--json" in arguments) if isinstance(ended.code, str) else int(ended.code or 0)
        )
    except TyperException as wrong:
        return _report(wrong.format_message(), as_json="--json" in arguments)
    except _could_not_run() as error:
        return _report(str(error), as_json="--json" in arguments)


def _could_not_run() -> tuple[type[BaseException], ...]:
    """Errors that say what to do by themselves; all others are ours and keep their traceback."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import OperationalError

    from relance.crm.dialect import CrmError
    from relance.lib.home import HomeUnusable
    from relance.lib.postgres import DatabaseNotRunning, PostgresRefused
    from relance.lib.postgres_binaries import NoPostgres
    from relance.lib.postgres_owner import NoUserForPostgres
    from relance.lib.sealing import KeyIsGone
    from relance.lib.supervisor import AlreadyRunning, ProgramFailed

    ours = (CannotRun, CrmError, DatabaseNotRunning, PostgresRefused, NoPostgres, KeyIsGone)
    return (
        *ours,
        HomeUnusable,
        NoUserForPostgres,
        AlreadyRunning,
        ProgramFailed,
        ImproperlyConfigured,
        OperationalError,
    )


def _report(words: str, *, as_json: bool) -> int:
    print(words.strip(), file=sys.stderr)
    if as_json:
        print(json.dumps({"error": words.strip()}))
    return Exit.COULD_NOT_RUN
