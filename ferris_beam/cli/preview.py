"""``python -m ferris_beam preview --source URI --sink URI``: a dry run of a copy."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ferris_beam.cli.command import DONE, MISCONFIGURED
from ferris_beam.cli.discover import (
    facts,
    reject_document,
    schema_document,
    splits_document,
)
from ferris_beam.cli.documents import print_json
from ferris_beam.cli.values import plain_rows
from ferris_beam.monitoring.figures import human_count

if TYPE_CHECKING:
    from rich.console import Console

    from ferris_beam.cli.plan import Plan, Reading
    from ferris_beam.connector import Outline

_MOST_FIELDS = 50
_SHOWN_REJECTS = 5
_LISTED_REJECTS = 100


def run(arguments: argparse.Namespace) -> int:
    from ferris_beam.cli.plan import plan_of

    plan = plan_of(arguments)
    if arguments.json:
        print_json(as_document(plan))
    else:
        _show(plan)
    return MISCONFIGURED if plan.problems else DONE


# ── for machines ────────────────────────────────────────────────────────────────────────────────


def as_document(plan: Plan) -> dict[str, Any]:
    reading, progress = plan.reading, plan.progress
    kind, why = plan.delivery
    return {
        "source": {
            "uri": reading.source.uri,
            "connector": reading.source.connector.name,
            "formats": reading.extent.formats,
            "splits": splits_document(reading.extent),
            "estimated_rows": reading.sample.estimated_rows(reading.extent.size),
            "limit": reading.limit,
        },
        "columns": _columns_document(plan),
        "sinks": [_sink_document(plan, sink) for sink in plan.sinks],
        "delivery": {"kind": kind, "why": why},
        "identity": {
            "name": plan.run.identity.name,
            "named": plan.run.identity.name != plan.run.identity.run,
            "state": progress.state,
            "why": progress.why,
            "rows_committed": progress.rows,
            "splits_done": progress.splits_done,
        },
        "sample": {
            "rows": plain_rows(reading.sample.records),
            "rejected": list(map(reject_document, reading.sample.rejects[:_LISTED_REJECTS])),
            "rows_read": reading.sample.rows_read,
            "rows_rejected": len(reading.sample.rejects),
        },
        "problems": plan.problems,
    }


def _columns_document(plan: Plan) -> list[dict[str, Any]]:
    outline = _data_outline(plan)
    return [
        {
            **column,
            "sink_type": outline.types.get(column["name"]),
            "refused": outline.refused.get(column["name"]),
        }
        for column in schema_document(plan.reading.schema)
    ]


def _sink_document(plan: Plan, sink: Any) -> dict[str, Any]:
    outline = plan.outlines.get(sink.label)
    return {
        "uri": sink.uri,
        "connector": sink.connector,
        "role": sink.role,
        "place": sink.writer.place,
        "facts": {} if outline is None else dict(outline.facts),
    }


def _data_outline(plan: Plan) -> Outline:
    return next(iter(plan.outlines.values()))


# ── for people ──────────────────────────────────────────────────────────────────────────────────


def _show(plan: Plan) -> None:
    from ferris_beam.cli.tables import show_records, show_rejects
    from ferris_beam.monitoring.terminal import console

    screen = console()
    _show_source(screen, plan.reading)
    _show_columns(screen, plan)
    _show_sinks(screen, plan)
    _show_run(screen, plan)
    show_records(screen, "First rows, as they would be written", plan.reading.sample.records)
    rejects = plan.reading.sample.rejects
    if rejects:
        read = human_count(plan.reading.sample.rows_read)
        show_rejects(
            screen, f"Rejected, of {read} rows read: {len(rejects):,}", rejects[:_SHOWN_REJECTS]
        )
    _show_verdict(screen, plan)


def _show_source(screen: Console, reading: Reading) -> None:
    from ferris_beam.cli.tables import show_pairs
    from ferris_beam.monitoring.terminal import show_heading

    told = {"from": reading.source.uri, **facts(reading.source, reading.extent, reading.sample)}
    if reading.limit is not None:
        told["limit"] = f"the first {human_count(reading.limit)} rows"
    show_heading(screen, "Read")
    show_pairs(screen, told)


def _show_columns(screen: Console, plan: Plan) -> None:
    from rich.text import Text

    from ferris_beam.cli.tables import LONGEST_CELL, LONGEST_ROW, LONGEST_TYPE, shortened, show_text
    from ferris_beam.monitoring.terminal import show_heading, show_table, table

    schema, outline = plan.reading.schema, _data_outline(plan)
    show_heading(screen, f"Map {len(schema):,} column{'s'[: len(schema) != 1]}")
    shown = table("column", "in the source", "in the sink")
    for name, column in list(zip(schema.names, schema, strict=True))[:_MOST_FIELDS]:
        refused = outline.refused.get(name)
        kept = Text(shortened(outline.types.get(name, "as it is"), LONGEST_TYPE))
        if refused is not None:
            kept = Text(f"can't be written: {shortened(refused, LONGEST_ROW)}", "red")
        kind = shortened(str(column.type), LONGEST_TYPE)
        shown.add_row(shortened(name, LONGEST_CELL), kind, kept)
    show_table(screen, shown)
    if len(schema) > _MOST_FIELDS:
        show_text(screen, f"and {len(schema) - _MOST_FIELDS:,} more; --json lists all", "dim")


def _show_sinks(screen: Console, plan: Plan) -> None:
    from ferris_beam.cli.tables import show_pairs
    from ferris_beam.monitoring.terminal import show_heading

    show_heading(screen, "Write")
    told: dict[str, str] = {}
    for sink in plan.sinks:
        if sink.role == "data":
            told.update({"to": sink.writer.place, **plan.outlines[sink.label].facts})
    letters = [sink.writer.place for sink in plan.sinks if sink.role != "data"]
    told["rejected rows"] = letters[0] if letters else "the first one stops the copy"
    show_pairs(screen, told)


def _show_run(screen: Console, plan: Plan) -> None:
    from ferris_beam.cli.tables import show_pairs
    from ferris_beam.monitoring.terminal import show_heading

    show_heading(screen, "Run")
    announced = dict(plan.announced)
    if plan.run.identity.name == plan.run.identity.run:
        announced["identity"] = "a new one (--name gives a lasting one)"
    progress = plan.progress
    words = f"{progress.state}: {progress.why}"
    if progress.state == "resume":
        total = len(plan.reading.extent.splits)
        words += (
            f"; {human_count(progress.rows)} rows are committed, "
            f"{human_count(progress.splits_done)} of {human_count(total)} splits are done"
        )
    show_pairs(screen, {**announced, "progress": words})


def _show_verdict(screen: Console, plan: Plan) -> None:
    from rich.text import Text

    from ferris_beam.monitoring.terminal import visible

    screen.print()
    for problem in plan.problems:
        screen.print(Text.assemble(("error: ", "bold red"), visible(problem)), soft_wrap=True)
    if plan.problems:
        screen.print("nothing was written; the copy would not start, or fail")
    elif plan.progress.state == "finished":
        screen.print("nothing was written, and the copy would do nothing")
    else:
        screen.print("nothing was written; python -m pipelines.copy with the same flags does it")
