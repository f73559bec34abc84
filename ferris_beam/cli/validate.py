"""``python -m ferris_beam validate URI``: everything that is wrong or odd, before anything starts.

Touches neither network nor disk (but for the file of connections, where the URI names one) unless
it is told to connect.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import Any

from ferris_beam.cli.command import DONE, FAILED, MISCONFIGURED
from ferris_beam.cli.documents import print_json
from ferris_beam.cli.findings import (
    CONNECTION_FAILED,
    Finding,
    attempted,
    has_errors,
    problems_of_variables,
)
from ferris_beam.connector import Connector
from ferris_beam.errors import ConfigurationError
from ferris_beam.options import Options, Resolved, resolve_endpoint
from ferris_beam.registry import connector_for
from ferris_beam.uri import Uri


def run(arguments: argparse.Namespace) -> int:
    direction = "sink" if arguments.sink else "source"
    found = judged(arguments.uri, direction, connect=arguments.connect)
    shown = shown_uri(arguments.uri)
    if arguments.json:
        print_json(_document(shown, direction, found))
    else:
        _show(shown, direction, found)
    return exit_code(found)


def exit_code(found: Sequence[Finding]) -> int:
    errors = [finding for finding in found if finding.level == "error"]
    if not errors:
        return DONE
    only_connecting = all(finding.code == CONNECTION_FAILED for finding in errors)
    return FAILED if only_connecting else MISCONFIGURED


def shown_uri(text: str) -> str:
    """The URI without secrets; of one that can't be parsed nothing is repeated."""
    try:
        return str(Uri.parse(text))
    except ConfigurationError:
        return "the URI"


def judged(text: str, direction: str, connect: bool = False) -> list[Finding]:
    """All findings, errors first."""
    found: list[Finding] = []
    uri: Uri | None = attempted(lambda: Uri.parse(text), found)
    if uri is None:
        return found
    connector: Connector | None = attempted(lambda: connector_for(uri.scheme), found)
    if connector is None:
        return found
    model: type[Options] | None = attempted(lambda: _model(connector, direction), found)
    if model is None:
        return found
    unset = problems_of_variables(uri.expanded, os.environ)
    resolved: Resolved | None = attempted(lambda: resolve_endpoint(model, uri), found, unset)
    if resolved is not None:
        _try_endpoint(connector, resolved, direction, connect, found)
    options = None if resolved is None else resolved.options
    return [*found, *_warnings(connector, uri, direction, model, options)]


def _try_endpoint(
    connector: Connector, resolved: Resolved, direction: str, connect: bool, found: list[Finding]
) -> None:
    """Makes the reader or writer, which judges what concerns path and options together."""
    uri, options = resolved
    if direction == "source":
        reader = attempted(lambda: connector.reader(uri, options), found)
        attempted(lambda: _check_format(uri, options), found)
        if connect and reader is not None and not has_errors(found):
            attempted(lambda: _read_schema(reader), found)
    else:
        writer = attempted(lambda: connector.writer(uri, options), found)
        if connect and writer is not None:
            attempted(lambda: _open_writer(writer), found)


def _check_format(uri: Uri, options: Options) -> None:
    """Options of a format that the URI names, but that this format does not understand."""
    from ferris_beam.formats.options import ReadOptions, check_options

    if isinstance(options, ReadOptions) and options.format is not None:
        from ferris_beam.formats.registry import format_named

        form = format_named(options.format)
        check_options(options, form, form.read_options)


def _read_schema(reader: Any) -> None:
    from ferris_beam.cli.opening import opened

    with opened(reader):
        reader.schema()


def _open_writer(writer: Any) -> None:
    """Under an identity of its own, which has nothing to be redone."""
    import uuid

    from ferris_beam.ledger import Identity

    name = f"validate-{uuid.uuid4().hex}"
    try:
        writer.open(Identity(name, name))
    finally:
        writer.close()


def _model(connector: Connector, direction: str) -> type[Options]:
    return connector.source_options() if direction == "source" else connector.sink_options()


def _warnings(
    connector: Connector, uri: Uri, direction: str, model: type[Options], options: Options | None
) -> list[Finding]:
    from ferris_beam.cli.oddities import Subject, warnings_of
    from ferris_beam.options.fields import fields_of

    others = {
        name
        for end in ("source", "sink")
        if getattr(connector, end) is not None
        for name in fields_of(_model(connector, end)).by_name
    }
    return warnings_of(Subject(uri, direction, model, options, os.environ, frozenset(others)))


# ── output ──────────────────────────────────────────────────────────────────────────────────────


def _document(uri: str, direction: str, found: Sequence[Finding]) -> dict[str, Any]:
    return {
        "uri": uri,
        "direction": direction,
        "valid": not has_errors(found),
        "errors": [finding.document() for finding in found if finding.level == "error"],
        "warnings": [finding.document() for finding in found if finding.level == "warning"],
        "exit_code": exit_code(found),
    }


def _show(uri: str, direction: str, found: Sequence[Finding]) -> None:
    from rich.text import Text

    from ferris_beam.monitoring.terminal import console, visible

    screen = console()
    for finding in found:
        style = "bold red" if finding.level == "error" else "yellow"
        first, *others = finding.text.splitlines()
        head = (f"{finding.level} [{finding.code}]", style)
        screen.print(Text.assemble(head, " ", visible(first)), soft_wrap=bool(others))
        for line in others:
            screen.print(Text("  " + visible(line)), soft_wrap=True)
    screen.print(visible(f"{uri} is {_verdict(found)} as a {direction}"), soft_wrap=True)


def _verdict(found: Sequence[Finding]) -> str:
    errors = sum(finding.level == "error" for finding in found)
    warnings = len(found) - errors
    counts = [
        f"{count} {what}{'s'[: count != 1]}"
        for count, what in ((errors, "error"), (warnings, "warning"))
        if count
    ]
    verdict = "invalid" if errors else "valid"
    return f"{verdict} ({', '.join(counts)})" if counts else verdict
