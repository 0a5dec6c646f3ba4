"""`relance sandbox`: a pretend Salesforce org on this machine, defined by a source tree."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .doors import AsJson, CannotRun, Exit, say

if TYPE_CHECKING:
    from relance.sandbox.start import Ready

app = typer.Typer(
    help="A pretend Salesforce org on this machine, defined by a source tree.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.command()
def start(
    org: Annotated[Path, typer.Option("--org", help="The Salesforce DX source tree that defines the org.")],
    http: Annotated[int, typer.Option("--http", help="Port of the http listener; 0 takes a free one.")] = 4720,
    https: Annotated[int, typer.Option("--https", help="Port of the https listener; 0 takes a free one.")] = 4721,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Records to begin with: a file or directory of `sf data tree` JSON or CSV."),
    ] = None,
    token: Annotated[str | None, typer.Option("--token", help="A token the org always accepts.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Empty the org's store first.")] = False,
    faults: Annotated[
        Path | None,
        typer.Option("--faults", help="Faults to begin with: a JSON or TOML file, as POST /sandbox/faults takes."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Start an org and run it until Ctrl-C. Several may run at once, each on its own pair of ports."""
    from relance.lib.home import HomeUnusable, home_as_asked
    from relance.sandbox.start import CannotStart, OrgOptions, run_org

    def tell(ready: Ready) -> None:
        if as_json:
            print(json.dumps(ready.as_json()), flush=True)
        else:
            print(
                f"The org is ready on {ready.http} and {ready.https}, user {ready.username}. Ctrl-C stops it.",
                flush=True,
            )

    try:
        options = OrgOptions(org, home_as_asked() / "sandbox", http, https, data, token, fresh, faults)
        run_org(options, when_ready=tell, say=say)
    except (CannotStart, HomeUnusable) as refused:
        raise CannotRun(str(refused)) from refused


@app.command()
def new(
    directory: Annotated[Path, typer.Argument(help="Where to write the tree; it must not exist yet, or be empty.")],
    as_json: AsJson = False,
) -> None:
    """Write the demo's org: a French B2B company, with its fields, rules and queues, and under data/ its records."""
    from relance.sandbox.demo import FolderInUse, write_demo_org

    try:
        rows = write_demo_org(directory, datetime.now().astimezone().date())
    except FolderInUse as used:
        raise CannotRun(f"{directory} exists and is not empty. Nothing was written. Name another directory.") from used
    data = directory / "data"
    if as_json:
        print(json.dumps({"org": str(directory), "data": str(data), "rows": rows}), flush=True)
    else:
        print(f"The demo's org is in {directory}. Start it with: relance sandbox start --org {directory} --data {data}")


def main() -> None:
    """The group alone, without the rest of the product."""
    try:
        app(standalone_mode=True)
    except CannotRun as refused:
        say(str(refused))
        sys.exit(Exit.COULD_NOT_RUN)


if __name__ == "__main__":
    main()
