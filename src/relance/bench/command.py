"""`relance bench`: how fast the product is against the least work possible, measured in turns on this machine."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from relance.cli.doors import AsJson, CannotRun, Exit, answer_json, say

from .rules import Level, read_scales, read_seconds

if TYPE_CHECKING:
    from rich.console import Console

    from .record import NoRecords

app = typer.Typer(
    help="Measure the product against the least work possible, in turns, on this machine.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

STDOUT = Path("-")


@app.command("list")
def list_scenarios(as_json: AsJson = False) -> None:
    """What can be measured: the path of the product, its floor and the bars."""
    from relance.cli.doors import start_django

    from .scenarios import SCENARIOS, scenario_class

    start_django()
    known = [scenario_class(name) for name in SCENARIOS]
    if as_json:
        answer_json([{"scenario": e.name, "says": e.says, "floor": e.floor_says, "bar": asdict(e.bar)} for e in known])
        return
    for each in known:
        bar = each.bar
        print(
            f"{each.name}\n  {each.says}\n  Floor: {each.floor_says}\n"
            f"  Bars ({bar.measure.value}): pass {bar.passes:g}, goal {bar.goal:g}, moonshot {bar.moonshot:g}"
        )


@app.command()
def run(
    scenarios: Annotated[list[str] | None, typer.Argument(help="Which to run; all when none is named.")] = None,
    scale: Annotated[str, typer.Option(help="How many people, several separated by commas: 10k,100k,1M.")] = "10k,100k",
    budget: Annotated[
        str, typer.Option(help="Most time to measure one scenario at one scale, such as 60s or 5m.")
    ] = "60s",
    repeat: Annotated[int, typer.Option(min=1, max=50, help="Pairs of product and floor.")] = 3,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the measurements to this file; - for standard output.")
    ] = None,
    db: Annotated[
        str,
        typer.Option(help="embedded, or the address of a server: databases of its own are made there and dropped."),
    ] = "embedded",
    keep: Annotated[bool, typer.Option("--keep", help="Leave the databases in place afterwards.")] = False,
) -> None:
    """Measure scenarios. Ends with 1 when a result was wrong, whatever its speed; missing a bar is only told."""
    names, scales, seconds = _known(scenarios or []), _scales(scale), _seconds(budget)
    from .grounds import grounds_open

    with grounds_open(db, keep=keep, say=say) as grounds:
        from .record import write_records
        from .running import run_scenarios

        records = run_scenarios(grounds, names, scales, repeat=repeat, budget=seconds, keep=keep, say=say)
    if json_file == STDOUT:
        answer_json(records)
    else:
        if json_file:
            write_records(records, json_file)
        from .telling import print_records

        print_records(records, _console())
    if not all(told["correct"] for told in records):
        raise typer.Exit(Exit.SOMEBODY_MUST_ACT)


@app.command()
def compare(
    base: Annotated[Path, typer.Argument(help="The JSON of the earlier run.")],
    new: Annotated[Path, typer.Argument(help="The JSON of the later run.")],
    fail_on: Annotated[Level, typer.Option(help="The bar that must be met: pass, goal or moonshot.")] = Level.PASS,
    as_json: AsJson = False,
) -> None:
    """Compare two runs. Ends with 1 when a bar is missed, a result is wrong or gone, or a ratio is a fifth worse."""
    from .record import NoRecords, read_records
    from .rules import compare_records
    from .telling import print_comparison

    try:
        lines = compare_records(read_records(base), read_records(new), least=fail_on)
    except NoRecords as refused:
        raise _unusable(refused) from refused
    if as_json:
        answer_json([asdict(line) | {"fails": line.fails} for line in lines])
    else:
        print_comparison(lines, _console())
    if any(line.fails for line in lines):
        raise typer.Exit(Exit.SOMEBODY_MUST_ACT)


@app.command()
def report(path: Annotated[Path, typer.Argument(help="The JSON of a run.")]) -> None:
    """Show a run: times, ratios, bars met, how cost grows with the scale."""
    from .record import NoRecords, read_records
    from .telling import print_records

    try:
        print_records(read_records(path), _console())
    except NoRecords as refused:
        raise _unusable(refused) from refused


def _known(names: list[str]) -> list[str]:
    from .scenarios import SCENARIOS

    for name in names:
        if name not in SCENARIOS:
            raise typer.BadParameter(f"There is no scenario {name}. Known: {', '.join(SCENARIOS)}.")
    return names or list(SCENARIOS)


def _scales(text: str) -> list[int]:
    try:
        scales = read_scales(text)
    except ValueError as wrong:
        raise typer.BadParameter(f"{text} is no scale: write 10k,100k,1M.", param_hint="--scale") from wrong
    if not scales:
        raise typer.BadParameter("Name at least one scale, such as 10k.", param_hint="--scale")
    return scales


def _seconds(text: str) -> float:
    try:
        return read_seconds(text)
    except ValueError as wrong:
        raise typer.BadParameter(f"{text} is no time: write 60s or 5m.", param_hint="--budget") from wrong


def _unusable(refused: NoRecords) -> CannotRun:
    return CannotRun(f"{refused} Nothing was compared.")


def _console() -> Console:
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=160)
