"""Measurements as tables for people: times, ratios, bars met, how cost grows, what became worse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from .rules import Compared, Finding, Measure, spelt


def print_records(records: Sequence[dict[str, Any]], console: Console) -> None:
    """The product's measurements, then where their time went."""
    table = Table(title="Product against floor, measured in turns", title_justify="left")
    for heading in ("scenario", "scale", "n", "product", "floor", "ratio", "per second", "grows", "bar", "met"):
        table.add_column(heading, justify="left" if heading in ("scenario", "bar", "met") else "right", no_wrap=True)
    products = [told for told in records if told["variant"] == "product"]
    for told in products:
        table.add_row(*_row(told, _floor_of(told, records)))
    console.print(table)
    for told in products:
        _print_phases(told, console)
    for told in records:
        if told["variant"].startswith("peer:"):
            console.print(
                f"{told['scenario']} at {spelt(told['scale'])}, {told['variant'][5:]}: {told['per_s']:,.0f} a second"
            )
    _print_host(products, console)


def _row(told: dict[str, Any], floor: dict[str, Any] | None) -> list[str]:
    if not told["correct"]:
        return [told["scenario"], spelt(told["scale"]), "", "", "", "", "", "", _bar(told["bar"]), "INCORRECT"]
    return [
        told["scenario"],
        spelt(told["scale"]),
        f"{told['n']:,}",
        _seconds(told["median_s"]),
        _seconds(floor["median_s"]) if floor else "",
        f"{told['ratio_to_floor']:.2f}" + ("~" if told["noisy"] else ""),
        f"{told['per_s']:,.0f}",
        f"^{told['growth']['exponent']:.2f}" if told["growth"] else "",
        _bar(told["bar"]),
        told["bar"]["met"] or "missed",
    ]


def _floor_of(told: dict[str, Any], records: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    wanted = (told["scenario"], told["scale"], "floor")
    return next((each for each in records if (each["scenario"], each["scale"], each["variant"]) == wanted), None)


def _bar(bar: dict[str, Any]) -> str:
    unit = "×" if bar["measure"] == Measure.RATIO.value else " ms"
    return f"≤ {bar['pass']:g} / {bar['goal']:g} / {bar['moonshot']:g}{unit}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def _print_phases(told: dict[str, Any], console: Console) -> None:
    phases = sorted(told["phases_ms"].items(), key=lambda phase: -phase[1])
    if phases:
        listed = ", ".join(f"{name} {took:,.4g}" for name, took in phases)
        console.print(f"{told['scenario']} at {spelt(told['scale'])}, ms: {listed}", highlight=False)


def _print_host(products: Sequence[dict[str, Any]], console: Console) -> None:
    if not products:
        return
    host = products[-1]["host"]
    console.print(
        f"{host['cpus']} processors, {host['mem_gb']:g} GB, Python {host['python']}, PostgreSQL {host['postgres']}, "
        f"load {host['load1']:g}. Ratios compare; times are of this machine.",
        highlight=False,
    )
    if any(told["noisy"] for told in products):
        console.print("~ the machine was restless during one of these pairs, even when it was repeated.")


def print_comparison(lines: Sequence[Compared], console: Console) -> None:
    """What became of each measurement."""
    table = Table(title="Ratio to the floor, before and after", title_justify="left")
    for heading in ("scenario", "scale", "before", "after", "met", "finding"):
        table.add_column(heading, justify="right" if heading in ("scale", "before", "after") else "left", no_wrap=True)
    for line in lines:
        table.add_row(
            line.scenario,
            spelt(line.scale),
            f"{line.before:.2f}" if line.before else "",
            f"{line.after:.2f}" if line.after else "",
            line.met.value if line.met else "",
            _finding(line.finding),
        )
    console.print(table)


def _finding(finding: Finding) -> str:
    return {Finding.UNDER_BAR: "UNDER THE BAR", Finding.WORSE: "WORSE", Finding.INCORRECT: "INCORRECT"}.get(
        finding, finding.value
    )
