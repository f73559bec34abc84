"""``python -m tests.benchmarks [NAME …] [--rows N] [--repeat N] [--json FILE]``: all or some cases.

Exits 1 where a target is missed, 2 where a contender fails or its rows are wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.benchmarks.cases import all_cases
from tests.benchmarks.harness import ContenderError, Outcome, run_case
from tests.benchmarks.machine import description
from tests.benchmarks.model import Case
from tests.benchmarks.report import as_json, show, show_machine

CACHE = Path.home() / ".cache" / "ferris-beam" / "benchmarks"
_WIDTH = 140


def arguments_parser() -> argparse.ArgumentParser:
    names = list(all_cases())
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Compares the framework with DuckDB and Polars, each run in a fresh process.",
        epilog="exit code: 0 all targets met, 1 some missed, 2 a contender failed",
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"of {', '.join(names)}")
    parser.add_argument("--rows", type=int, metavar="N", help="instead of each case's own number")
    parser.add_argument("--repeat", type=int, default=5, metavar="N", help="counted rounds (5)")
    parser.add_argument("--no-warm-up", action="store_true", help="counts the first round, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes all rounds for machines")
    parser.add_argument("--cache", type=Path, default=CACHE, help=f"where data lies ({CACHE})")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    parser = arguments_parser()
    arguments = parser.parse_args(argv)
    cases = all_cases(arguments.rows)
    unknown = [name for name in arguments.names if name not in cases]
    if unknown:
        parser.error(f"no case {unknown[0]!r}; there are {', '.join(cases)}")
    if arguments.repeat < 1 or (arguments.rows is not None and arguments.rows < 1):
        parser.error("--repeat and --rows are above 0")
    try:
        outcomes = run_all([cases[name] for name in arguments.names or cases], arguments)
    except ContenderError as error:
        print(error, file=sys.stderr)
        return 2
    targets = [(target, outcome) for outcome in outcomes for target in outcome.case.targets]
    missed = any(target.is_met(outcome.results) is False for target, outcome in targets)
    return 1 if missed else 0


def run_all(cases: Sequence[Case], arguments: argparse.Namespace) -> list[Outcome]:
    """Runs and shows one case after the other; the file of JSON grows with each."""
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    machine = description()
    show_machine(machine, console)
    outcomes: list[Outcome] = []
    with Console(stderr=True).status("") as status:
        for case in cases:
            outcome = run_case(
                case, arguments.cache, arguments.repeat, not arguments.no_warm_up, status.update
            )
            outcomes.append(outcome)
            show(outcome, console)
            if arguments.json is not None:
                text = json.dumps(as_json(machine, outcomes), indent=1)
                arguments.json.write_text(text, encoding="utf-8")
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
