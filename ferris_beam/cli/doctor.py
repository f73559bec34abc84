"""``python -m ferris_beam doctor URI``: whether an endpoint can be used, and what mends it.

Connects and looks; changes nothing that lasts. What is found is shown as soon as it is known.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from ferris_beam.cli.command import DONE, FAILED
from ferris_beam.cli.documents import print_json
from ferris_beam.cli.opening import sink_of, source_of
from ferris_beam.findings import Finding

_STYLES = {"ok": "green", "warning": "yellow", "problem": "bold red"}


def run(arguments: argparse.Namespace) -> int:
    direction = "sink" if arguments.sink else "source"
    uri, findings = _examined(arguments.uri, arguments.sink)
    if arguments.json:
        found = list(findings)
        print_json(_document(uri, direction, found))
    else:
        found = list(_shown(findings))
        _show_verdict(uri, direction, found)
    return exit_code(found)


def exit_code(found: Iterable[Finding]) -> int:
    return FAILED if any(finding.state == "problem" for finding in found) else DONE


def _examined(text: str, as_sink: bool) -> tuple[str, Iterator[Finding]]:
    """The URI without secrets and options, and what is found, one after the other."""
    if as_sink:
        sink = sink_of(text)
        return str(sink.resolved.uri.without_options()), sink.writer.diagnose()
    source = source_of(text)
    return source.uri, source.reader.diagnose()


def _document(uri: str, direction: str, found: Sequence[Finding]) -> dict[str, Any]:
    return {
        "uri": uri,
        "direction": direction,
        "healthy": exit_code(found) == DONE,
        "findings": [asdict(finding) for finding in found],
        "exit_code": exit_code(found),
    }


def _shown(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The same findings, each shown when it passes by."""
    from rich.table import Table
    from rich.text import Text

    from ferris_beam.monitoring.terminal import console, show_table, visible

    screen = console()
    for finding in findings:
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style=_STYLES[finding.state], no_wrap=True, min_width=len("problem"))
        grid.add_column(overflow="fold")
        grid.add_row(finding.state, Text(f"{finding.check}: {visible(finding.seen)}"))
        for line in finding.fix.splitlines():
            grid.add_row("", Text(visible(line)))
        show_table(screen, grid)
        yield finding


def _show_verdict(uri: str, direction: str, found: Sequence[Finding]) -> None:
    from ferris_beam.monitoring.terminal import console, visible

    problems = sum(finding.state == "problem" for finding in found)
    warnings = sum(finding.state == "warning" for finding in found)
    counts = [
        f"{count} {what}{'s'[: count != 1]}"
        for count, what in ((problems, "problem"), (warnings, "warning"))
        if count
    ]
    verdict = ", ".join(counts) or "all is well"
    console().print(visible(f"{uri} as a {direction}: {verdict}"), overflow="fold")
