"""``python -m ferris_beam discover URI``: what a source holds, from as little of it as possible."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from ferris_beam.cli.documents import print_json
from ferris_beam.cli.opening import Source, opened, source_of
from ferris_beam.cli.sample import Extent, Sample, sample
from ferris_beam.cli.values import plain_rows
from ferris_beam.monitoring.figures import human_count, human_number, human_size

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

    from ferris_beam.connector import Reject

_LISTED_UNITS = 10
_LISTED_SPLITS = 100
_SHOWN_REJECTS = 5


def run(arguments: argparse.Namespace) -> None:
    source = source_of(arguments.uri)
    with opened(source.reader) as reader:
        schema = reader.schema()
        extent = Extent(list(reader.splits({})))
        found = sample(reader, extent.splits, schema)
    if arguments.json:
        print_json(as_document(source, schema, extent, found))
    else:
        _show(source, schema, extent, found)


def as_document(source: Source, schema: pa.Schema, extent: Extent, found: Sample) -> dict[str, Any]:
    reader = source.reader
    return {
        "uri": source.uri,
        "connector": source.connector.name,
        "formats": extent.formats,
        "bounded": reader.bounded,
        "replayable": reader.replayable,
        "ordered": reader.ordered,
        "schema": schema_document(schema),
        "splits": splits_document(extent),
        "estimated_rows": found.estimated_rows(extent.size),
        "sample": {
            "rows": plain_rows(found.records),
            "rejected": list(map(reject_document, islice(found.rejects, _LISTED_SPLITS))),
            "rows_read": found.rows_read,
            "rows_rejected": len(found.rejects),
        },
    }


def schema_document(schema: pa.Schema) -> list[dict[str, Any]]:
    return [
        {"name": field.name, "type": str(field.type), "nullable": field.nullable}
        for field in schema
    ]


def splits_document(extent: Extent) -> dict[str, Any]:
    return {
        "count": len(extent.splits),
        "divisible": extent.divisible,
        "units": len(extent.units),
        "endless": extent.endless,
        "bytes": extent.size,
        "listed": [
            {
                "unit": split.interval.unit,
                "start": split.interval.start,
                "end": split.interval.end,
                "bytes": split.size,
                "format": split.format,
            }
            for split in extent.splits[:_LISTED_SPLITS]
        ],
    }


def reject_document(reject: Reject) -> dict[str, str]:
    from ferris_beam.reliability.dead_letters import readable

    payload, encoding = readable(reject.payload)
    return {
        "category": reject.category,
        "reason": reject.reason,
        "place": reject.place,
        "payload": payload,
        "payload_encoding": encoding,
    }


# ── for people ──────────────────────────────────────────────────────────────────────────────────


def _show(source: Source, schema: pa.Schema, extent: Extent, found: Sample) -> None:
    from ferris_beam.cli.tables import show_pairs, show_records, show_rejects, show_schema
    from ferris_beam.monitoring.terminal import console

    screen = console()
    show_pairs(screen, {"source": source.uri, **facts(source, extent, found)})
    show_units(screen, extent.units)
    show_schema(screen, schema)
    show_records(screen, "First rows", found.records)
    if found.rejects:
        title = f"Rejected, of {human_count(found.rows_read)} rows read: {len(found.rejects):,}"
        show_rejects(screen, title, found.rejects[:_SHOWN_REJECTS])


def facts(source: Source, extent: Extent, found: Sample) -> dict[str, str]:
    """What is known of all there is to read, in words."""
    told = {}
    if extent.formats:
        told["format"] = formats_in_words(extent)
    told["size"] = "unknown" if extent.size is None else human_size(extent.size)
    told["rows"] = _rows_in_words(extent, found)
    told["splits"] = _splits_in_words(extent)
    reader = source.reader
    told["replay"] = (
        "can be read again with the same result" if reader.replayable else "can't be read again"
    )
    if extent.endless or not reader.bounded:
        told["end"] = "never: it is read until the pipeline is stopped"
    return told


def formats_in_words(extent: Extent) -> str:
    formats = extent.formats
    if len(formats) == 1:
        return next(iter(formats))
    return "; ".join(f"{name} ({human_count(count)})" for name, count in formats.items())


def _rows_in_words(extent: Extent, found: Sample) -> str:
    rows = found.estimated_rows(extent.size)
    if rows is None:
        return "unknown"
    return human_count(rows) if found.whole else f"about {human_number(rows)}"


def _splits_in_words(extent: Extent) -> str:
    count, divisible = len(extent.splits), extent.divisible
    words = f"{human_count(count)} of {_counted(len(extent.units), 'unit')}"
    if not count:
        return "none: there is nothing to read"
    if divisible == count:
        return f"{words}, divisible"
    return f"{words}, {'none' if not divisible else human_count(divisible)} of them divisible"


def _counted(count: int, what: str) -> str:
    return f"{human_count(count)} {what}{'s'[: count != 1]}"


def show_units(screen: Console, units: Sequence[str]) -> None:
    from ferris_beam.cli.tables import show_text
    from ferris_beam.monitoring.terminal import show_heading

    show_heading(screen, f"{_counted(len(units), 'unit')}")
    for unit in _first(units, _LISTED_UNITS):
        show_text(screen, unit)
    if len(units) > _LISTED_UNITS:
        show_text(screen, f"and {len(units) - _LISTED_UNITS:,} more", "dim")


def _first(items: Iterable[str], count: int) -> Iterable[str]:
    return islice(items, count)
