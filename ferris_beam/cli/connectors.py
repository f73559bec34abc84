"""``python -m ferris_beam connectors``: what can be read and written, and how."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ferris_beam.cli.documents import print_json
from ferris_beam.cli.endpoints import endpoints
from ferris_beam.connector import Connector, SinkFacts, SourceFacts
from ferris_beam.registry import connectors, unusable


def run(arguments: argparse.Namespace) -> None:
    found = connectors()
    if arguments.json:
        print_json([as_json(connector) for connector in found])
    else:
        _show(found)
    for problem in unusable():
        print(f"warning: {problem}", file=sys.stderr)


def as_json(connector: Connector) -> dict[str, Any]:
    return {
        "name": connector.name,
        "schemes": list(connector.schemes),
        "summary": connector.summary,
        "example": connector.example,
        "extra": connector.extra,
        "source": _facts(connector.source),
        "sink": _facts(connector.sink),
    }


def _facts(facts: SourceFacts | SinkFacts | None) -> dict[str, str] | None:
    return None if facts is None else {"unit": facts.unit, "delivery": facts.delivery}


def _show(found: list[Connector]) -> None:
    from ferris_beam.monitoring.terminal import console, table

    shown = table("connector", "schemes", "as", "unit of parallelism", "delivery", "extra")
    for connector in found:
        first = (connector.name, ", ".join(connector.schemes))
        for end in endpoints(connector):
            extra = connector.extra or "none"
            shown.add_row(*first, end.direction, end.unit, end.delivery, extra)
            first = ("", "")
        shown.add_section()
    screen = console()
    screen.print(shown)
    screen.print()
    screen.print("python -m ferris_beam describe SCHEME lists every option", soft_wrap=True)
