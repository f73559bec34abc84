"""What a file sink would do with rows like those of a sample: tried out in memory."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pyarrow as pa

from ferris_beam.commitlog import SinkState
from ferris_beam.connector import Outline
from ferris_beam.connectors.file.encoding import Encoding
from ferris_beam.connectors.file.layout import data_files
from ferris_beam.connectors.file.partitions import Partitioning
from ferris_beam.connectors.file.rolling import Rolling
from ferris_beam.connectors.file.target import Target
from ferris_beam.errors import BadRecordError, ConfigurationError, SchemaError

_SHOWN = 5


def outline(
    target: Target, partitioning: Partitioning, sample: pa.RecordBatch, batch_rows: int
) -> Outline:
    """The encoding of each column, the files, and what happens to data that is there."""
    facts = dict(_facts(target, batch_rows))
    try:
        folders = _folders(partitioning, sample)
    except (BadRecordError, SchemaError) as error:
        return Outline(facts=facts, problem=error.message)
    if partitioning.columns or partitioning.template:
        facts["partitions"] = folders
    refused = dict(_refused(target.encoding, sample, frozenset(partitioning.columns)))
    types = {
        field.name: "folder name"
        if field.name in partitioning.columns
        else _kept_as(target.encoding, field)
        for field in sample.schema
        if field.name not in refused
    }
    existing, problem = _existing(target)
    return Outline(types, refused, {**facts, "data there": existing}, problem)


def _facts(target: Target, batch_rows: int) -> Iterator[tuple[str, str]]:
    encoding = target.encoding
    around = encoding.compression if encoding.format.wrapped else encoding.options.compression
    inside = around or encoding.format.compressions[0]
    yield "format", f"{encoding.format.name}, {'uncompressed' if inside == 'none' else inside}"
    if not target.layout.in_order:
        options = encoding.options
        per = " of each partition" if options.partition_by or options.event_time else ""
        rolling = Rolling.of(options, endless=False)
        size = f"up to {batch_rows:,} rows" if rolling is None else f"about {rolling}"
        yield "files", f"part-*{encoding.extension}, one{per} for {size}"
    elif target.layout.many_files:
        how = "grow with each commit" if encoding.grows else "appear when all rows are written"
        yield "files", f"one for each path that the rows' times make; they {how}"
    elif encoding.grows:
        yield "files", "one file, which grows with each commit"
    else:
        yield "files", "one file, which appears when all rows are written"


def _folders(partitioning: Partitioning, sample: pa.RecordBatch) -> str:
    """Of the sample: how many folders the whole input makes, nobody knows yet."""
    named = [folder for folder, _ in partitioning.split(sample)]
    more = f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
    levels = [f"{name}=…/" for name in partitioning.columns]
    if partitioning.template is not None:
        levels.insert(0, f"{partitioning.template.text}{'/' if levels else ''}")
    return f"{''.join(levels)}, in the sample {', '.join(named[:_SHOWN]) or 'none'}{more}"


def _refused(
    encoding: Encoding, sample: pa.RecordBatch, folders: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """The columns that the format can't hold, each tried on its own."""
    for at, field in enumerate(sample.schema):
        if field.name in folders:
            continue
        column = pa.RecordBatch.from_arrays([sample.column(at)], schema=pa.schema([field]))
        try:
            _encode(encoding, column)
        except BadRecordError:
            continue  # that row is at fault, and not the column
        except SchemaError as error:
            yield field.name, error.message
        except (pa.ArrowException, NotImplementedError) as error:
            yield field.name, f"{encoding.format.name} can't hold {field.type} ({error})"


def _encode(encoding: Encoding, records: pa.RecordBatch) -> None:
    writer = encoding.format.create(io.BytesIO(), records.schema, encoding.options)
    writer.write(records)
    writer.close()


def _kept_as(encoding: Encoding, field: pa.Field) -> str:
    return "text" if encoding.format.wrapped else str(field.type)


def _existing(target: Target) -> tuple[str, str]:
    """What happens to the data that is there, and why a run from zero would be refused."""
    try:
        start = target.start(SinkState(), fresh=True)
    except ConfigurationError as error:
        return "refuses to start, as if_exists=error says", error.message
    if start.replaces:
        return "is replaced when all rows are written (if_exists=overwrite)", ""
    there = target.size if target.layout.file else next(data_files(target.layout), None)
    if there:
        return "stays, rows are added to it (if_exists=append)", ""
    return "none", ""
