"""``python -m ferris_beam describe SCHEME``: every option of a source and of its sink."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ferris_beam.cli.connectors import as_json
from ferris_beam.cli.documents import print_json
from ferris_beam.cli.endpoints import Endpoint, endpoints, in_uri
from ferris_beam.connector import Connector
from ferris_beam.registry import connector_for

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from ferris_beam.options import OptionRow


def run(arguments: argparse.Namespace) -> None:
    scheme = arguments.scheme.partition(":")[0].lower()
    connector = connector_for(scheme)
    if arguments.json:
        print_json(described(connector, scheme))
    else:
        _show(connector, scheme)


def described(connector: Connector, scheme: str) -> dict[str, Any]:
    """What `connectors --json` says of it, with the options of source and sink."""
    facts = as_json(connector)
    for end in endpoints(connector):
        facts[end.direction]["options"] = [row._asdict() for row in end.options(scheme)]
    return facts


def _show(connector: Connector, scheme: str) -> None:
    from rich.text import Text

    from ferris_beam.monitoring.terminal import console

    screen = console()
    screen.print(Text.assemble((connector.name, "bold"), f"  {connector.summary}"))
    if connector.example:
        screen.print(Text(f"for instance {connector.example}", "dim"), soft_wrap=True)
    for end in endpoints(connector):
        _show_endpoint(screen, end, scheme)


def _show_endpoint(screen: Console, end: Endpoint, scheme: str) -> None:
    from rich.text import Text

    from ferris_beam.monitoring.terminal import pairs, show_heading, show_table

    show_heading(screen, f"As a {end.direction}")
    facts = {"unit of parallelism": Text(end.unit), "delivery": Text(end.delivery)}
    show_table(screen, pairs(facts, "dim"))
    screen.print()
    show_table(
        screen, pairs({row.name: _in_words(row) for row in end.options(scheme)}, "bold cyan")
    )


def _in_words(row: OptionRow) -> Text:
    """What an option does, on the first lines; below, what is allowed and how it is given."""
    from rich.text import Text

    allowed = "; ".join(part for part in (row.type, _default(row)) if part)
    given = " · ".join(part for part in (in_uri(row), *row.variables) if part)
    return Text.assemble(row.description, "\n", (f"{allowed}\n{given}", "dim"))


def _default(row: OptionRow) -> str:
    if row.required:
        return "required"
    return "" if row.default is None else f"default: {row.default or 'empty'}"
