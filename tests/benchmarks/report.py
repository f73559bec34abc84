"""Showing outcomes: tables for people, JSON for machines."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks.harness import Outcome
from tests.benchmarks.model import Contender, Measurement, Target, times_as_fast


def show_machine(machine: Mapping[str, Any], console: Console) -> None:
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    console.print(
        f"{machine['cores']} cores, of which two threads use {machine['speedup_of_two_threads']}; "
        f"Python {machine['python']}, {packages}\n",
        highlight=False,
    )


def show(outcome: Outcome, console: Console) -> None:
    console.print(_contenders(outcome))
    if outcome.case.targets:
        console.print(_targets(outcome))
    console.print()


def _contenders(outcome: Outcome) -> Table:
    rounds = len(next(iter(outcome.results.values())))
    compared = any(contender.rival for contender in outcome.case.contenders)
    table = Table(
        title=f"{outcome.case.name}: {outcome.case.title}",
        caption=f"Medians of {rounds} rounds. Work: without start-up and imports; process: all of "
        "it." + (" Ours is …× as fast, by work / by process." if compared else ""),
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("contender", no_wrap=True)
    for column in (
        *("rows", "M rows/s", "work s", "min–max", "CPU s", "process s", "CPU s", "peak MB"),
        *(("out MB", "ours is") if compared else ("out MB",)),
    ):
        table.add_column(column, justify="right", no_wrap=True)
    for contender in outcome.case.contenders:
        cells = _cells(contender, outcome.results[contender.name])
        table.add_row(contender.name, *cells, *([_ratios(outcome, contender)] if compared else []))
    return table


def _cells(contender: Contender, runs: Sequence[Measurement]) -> list[str]:
    work = [run.seconds for run in runs]
    output = median(run.output_bytes for run in runs) / 1e6
    return [
        f"{contender.rows:,}" if contender.rows else "",
        f"{contender.rows / median(work) / 1e6:.2f}" if contender.rows else "",
        _seconds(median(work)),
        f"{_seconds(min(work))}–{_seconds(max(work))}",
        f"{median(run.cpu_seconds for run in runs):.2f}",
        f"{median(run.process_seconds for run in runs):.2f}",
        f"{median(run.process_cpu_seconds for run in runs):.2f}",
        f"{median(run.peak_bytes for run in runs) / 1e6:,.0f}",
        f"{output:,.1f}" if output else "",
    ]


def _seconds(value: float) -> str:
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def _ratios(outcome: Outcome, contender: Contender) -> str:
    if contender.rival is None:
        return ""
    results = outcome.results
    work = times_as_fast(contender.rival, contender.name).reached(results)
    rounds = zip(results[contender.name], results[contender.rival], strict=True)
    process = median(peer.process_seconds / own.process_seconds for peer, own in rounds)
    return f"{work:.2f} / {process:.2f}×"


def _targets(outcome: Outcome) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("figure", "median", "min–max", "target", ""):
        table.add_column(column, justify="left" if column in ("figure", "") else "right")
    for target in outcome.case.targets:
        values = target.values(outcome.results)
        spread = f"{_figure(min(values))}–{_figure(max(values))}"
        reached = f"{_figure(target.reached(outcome.results))}{target.unit}"
        table.add_row(target.text, reached, spread, target.goal, _verdict(target, outcome))
    return table


def _verdict(target: Target, outcome: Outcome) -> str:
    met = target.is_met(outcome.results)
    return "" if met is None else "[green]met[/]" if met else "[red]missed[/]"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def median(values: Iterable[float]) -> float:
    return statistics.median(list(values))


# ── JSON ────────────────────────────────────────────────────────────────────────────────────────


def as_json(machine: Mapping[str, Any], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {"machine": machine, "cases": [_case(outcome) for outcome in outcomes]}


def _case(outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.case.name,
        "title": outcome.case.title,
        "contenders": [
            {
                "name": contender.name,
                "rows": contender.rows,
                "rounds": [asdict(run) for run in outcome.results[contender.name]],
                "facts": outcome.facts.get(contender.name),
            }
            for contender in outcome.case.contenders
        ],
        "targets": [
            {
                "figure": target.text,
                "values": list(target.values(outcome.results)),
                "median": target.reached(outcome.results),
                "at_least": target.at_least,
                "at_most": target.at_most,
                "unit": target.unit.strip(),
                "met": target.is_met(outcome.results),
            }
            for target in outcome.case.targets
        ],
    }
