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


@app.command("act")
def act_as(
    name: Annotated[
        str, typer.Argument(help="What is done: convert, merge, delete, rename_field …; `list` tells all.")
    ],
    told: Annotated[
        list[str] | None,
        typer.Argument(help="What it is told: record=00Q…, object=Lead, where=\"Email = 'x'\", values={…}."),
    ] = None,
    http: Annotated[int, typer.Option("--http", help="Port of the org's http listener.")] = 4720,
    as_json: AsJson = False,
) -> None:
    """Let a rep or an administrator act in a running org, while others synchronise with it."""
    import httpx

    address = f"http://127.0.0.1:{http}/sandbox/act"
    try:
        if name == "list":
            answer = httpx.get(address, trust_env=False, timeout=30)
        else:
            answer = httpx.post(
                address, json={"name": name, "with": told_pairs(told or [])}, trust_env=False, timeout=60
            )
    except httpx.HTTPError as unreachable:
        raise CannotRun(f"No org answers on port {http}. Nothing was done. Name its port with --http.") from unreachable
    if answer.status_code != 200:
        error = answer.json()[0]
        raise CannotRun(f"{error['errorCode']}: {error['message']} Nothing was changed.")
    content = answer.json()
    if as_json:
        print(json.dumps(content), flush=True)
    elif name == "list":
        for each in content["actors"]:
            print(f"{each['name']}: {each['says']} Needs {', '.join(each['needs']) or 'nothing'}.")
    else:
        print(", ".join(f"{key} {value}" for key, value in content.items() if value is not None), flush=True)


def told_pairs(pairs: list[str]) -> dict[str, object]:
    """`name=value`; a value that is a JSON object or list is read as one."""
    told: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise CannotRun(f"{pair} is not of the form name=value. Nothing was done.")
        try:
            told[name] = json.loads(value) if value[:1] in ("{", "[") else value
        except ValueError as unreadable:
            raise CannotRun(f"{pair} is not readable JSON after the equals sign. Nothing was done.") from unreadable
    return told


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
