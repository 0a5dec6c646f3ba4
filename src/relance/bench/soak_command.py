"""`relance soak`: the sync under random edits, random faults and kill -9, and whether both sides agree in the end."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from relance.cli.doors import AsJson, Exit, say

app = typer.Typer(
    help="Let everything go wrong for a while, and see that nothing is lost or doubled.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def soak() -> None:
    """Let everything go wrong for a while, and see that nothing is lost or doubled."""


@app.command()
def sync(
    minutes: Annotated[
        float, typer.Option(min=0.1, help="How long both sides are edited and everything goes wrong.")
    ] = 2,
    seed: Annotated[
        int, typer.Option(help="Where chance begins. What each edit and fault meets still depends on the machine.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Two workers and a pretend CRM: edits on both sides, faults, kill -9 of workers and database; then both sides are compared."""
    from .soak import Soak

    verdict = Soak(seed=seed, minutes=minutes, say=say).run()
    if as_json:
        print(json.dumps(verdict.as_json()))
    else:
        for line in verdict.lines():
            print(line)
    raise typer.Exit(Exit.DONE if verdict.holds else Exit.SOMEBODY_MUST_ACT)
