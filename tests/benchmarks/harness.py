"""Runs a case: contenders in turn, each run in a fresh process, the first round as a warm-up.

The harness itself stays small: it imports no library that a contender uses, since the memory of a
process counts into its children's peak until they have started their own program.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks import peers
from tests.benchmarks.model import Case, Contender, Measurement, Paths

ROOT = Path(__file__).resolve().parents[2]
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class ContenderError(Exception):
    """A contender failed, or its rows differ from the others'."""


@dataclass
class Outcome:
    """What running a case gave: measurements by contender, and each output's `facts`."""

    case: Case
    results: dict[str, list[Measurement]] = field(default_factory=dict)
    facts: dict[str, Mapping[str, Any]] = field(default_factory=dict)


def run_case(
    case: Case, cache: Path, repeat: int, warm_up: bool, progress: Callable[[str], None]
) -> Outcome:
    """Runs all contenders of ``case`` in ``repeat`` counted rounds.

    The rows that contenders write are compared once, in the first round; raises `ContenderError`
    where they differ.
    """
    for dataset in case.datasets:
        if not dataset.path(cache).exists():
            progress(f"{case.name}: generating {dataset.rows:,} rows of {dataset.form}")
        dataset.ensure(cache)
    outcome = Outcome(case, {contender.name: [] for contender in case.contenders})
    with case.service(cache) as environment:
        _run_rounds(outcome, cache, environment, repeat, warm_up, progress)
    return outcome


def _run_rounds(
    outcome: Outcome,
    cache: Path,
    environment: Mapping[str, str],
    repeat: int,
    warm_up: bool,
    progress: Callable[[str], None],
) -> None:
    case, rounds = outcome.case, repeat + warm_up
    for number in range(rounds):
        for contender in case.contenders:
            progress(f"{case.name}: round {number + 1} of {rounds}, {contender.name}")
            measured, facts = _run(contender, cache, environment, check=number == 0)
            if number >= warm_up:
                outcome.results[contender.name].append(measured)
            if facts is not None:
                outcome.facts[contender.name] = facts
        _compare(outcome)


def _compare(outcome: Outcome) -> None:
    by_rows: dict[int, list[str]] = {}
    for contender in outcome.case.contenders:
        if contender.name in outcome.facts:
            by_rows.setdefault(contender.rows, []).append(contender.name)
    for first, *others in by_rows.values():
        for other in others:
            if outcome.facts[first] != outcome.facts[other]:
                raise ContenderError(
                    f"{outcome.case.name}: the rows of {first} and {other} differ: "
                    f"{outcome.facts[first]} and {outcome.facts[other]}"
                )


def _run(
    contender: Contender, cache: Path, environment: Mapping[str, str], check: bool
) -> tuple[Measurement, Mapping[str, Any] | None]:
    """One run in a fresh output folder; with ``check`` the facts of what it wrote."""
    with tempfile.TemporaryDirectory(dir=cache, prefix="out-") as output:
        arguments = contender.arguments(Paths(cache, Path(output)))
        os.sync()
        python = peers.interpreter() if contender.foreign else sys.executable
        variables = {**environment, **contender.environment}
        spent, said = _spawn(contender.function, arguments, variables, python)
        facts, nbytes = None, 0
        if contender.output is not None:
            nbytes = sum(file.stat().st_size for file in data_files(output, contender.output))
            if check:
                facts = facts_of(output, contender.output)
    return Measurement(
        process_seconds=spent.seconds,
        process_cpu_seconds=spent.cpu_seconds,
        seconds=said["seconds"],
        cpu_seconds=said["cpu_seconds"],
        peak_bytes=spent.peak_bytes,
        output_bytes=nbytes,
    ), facts


def facts_of(output: str, extension: str) -> Mapping[str, Any]:
    """The `tests.benchmarks.oracle.facts` of an output, asked for in another process."""
    files = [str(file) for file in data_files(output, extension)]
    _, said = _spawn("tests.benchmarks.oracle:facts", {"files": files}, {})
    facts: Mapping[str, Any] = said["result"]
    return facts


def data_files(output: str, extension: str) -> list[Path]:
    """The files of a format in a folder and below, without hidden folders (``_…``, ``.…``)."""
    found = Path(output).rglob(f"*{extension}")
    hidden = ("_", ".")
    return sorted(
        file
        for file in found
        if not any(part.startswith(hidden) for part in file.relative_to(output).parts)
    )


@dataclass(frozen=True, slots=True)
class _Spent:
    seconds: float
    cpu_seconds: float
    peak_bytes: int


def _spawn(
    function: str,
    arguments: Mapping[str, Any],
    environment: Mapping[str, str],
    python: str = sys.executable,
) -> tuple[_Spent, Mapping[str, Any]]:
    """Runs a worker; what it cost, and the line of JSON that it printed last."""
    command = [python, "-m", "tests.benchmarks.worker", function, json.dumps(arguments)]
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=stdout, stderr=stderr
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        stdout.seek(0)
        lines = stdout.read().splitlines()
        if process.returncode != 0 or not lines:
            stderr.seek(0)
            raise ContenderError(
                f"{function} {json.dumps(arguments)} exited {process.returncode}:\n{stderr.read()}"
            )
    spent = _Spent(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _MAXRSS_UNIT)
    return spent, json.loads(lines[-1])
