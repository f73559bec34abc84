"""Rows to folders: a template of their time, and hive partitioning below it.

A partition's folder is ``column=value``, one below the other. Values are escaped as Hive and Spark
do it (FileUtils.escapePathName): ASCII characters that mean something in a path become ``%XX``,
all others stay. Null and the empty text are ``__HIVE_DEFAULT_PARTITION__``, as in Hive and Spark,
which don't tell the two apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.connectors.file.layout import Layout
from ferris_beam.connectors.file.options import FileSinkOptions
from ferris_beam.connectors.file.template import PathTemplate
from ferris_beam.errors import BadRecordError, ConfigurationError, SchemaError

NULL = "__HIVE_DEFAULT_PARTITION__"

_ESCAPED = re.compile(r'[\x00-\x1f"#%\'*/:=?\\\x7f{}\[\]^]')
_LONGEST_NAME = 255
"""Bytes of a file name on all usual file systems (NAME_MAX)."""

_NO_TEXT = (pa.types.is_nested, pa.types.is_binary, pa.types.is_large_binary)


@dataclass(frozen=True, slots=True)
class Partitioning:
    """The columns that name the folders; they are not kept in the files. A template's path goes
    ahead of these folders; the column of the time is kept."""

    columns: tuple[str, ...] = ()
    template: PathTemplate | None = None

    def split(self, records: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
        """(folder, its rows) of each partition in a batch, in the order of the folders' first
        rows; rows keep their order.

        Raises `SchemaError` where a column is missing or of no use as a name, and `BadRecordError`
        where a value makes no file name.
        """
        if not self.columns and self.template is None:
            yield "", records
            return
        encoded = [] if self.template is None else [self.template.encoded(records)]
        rest = records
        if self.columns:
            self._check(records.schema)
            encoded += [_encoded(name, records[name]) for name in self.columns]
            rest = records.drop_columns(list(self.columns))
        for row, rows in _groups(_combined(encoded, len(records)), rest):
            yield "/".join(names[indices[row]] for indices, names in encoded), rows

    def _check(self, schema: pa.Schema) -> None:
        for name in self.columns:
            if schema.get_field_index(name) < 0:
                raise SchemaError(
                    f"partition_by: there is no column {name!r} (or two of them); the rows have "
                    f"{', '.join(schema.names)}"
                )
            kind = schema.field(name).type
            if pa.types.is_dictionary(kind):
                kind = kind.value_type
            if any(refused(kind) for refused in _NO_TEXT):
                raise _no_text(name, kind)
        if len(schema) == len(set(self.columns)):
            raise SchemaError("partition_by names all columns: nothing is left for the files")


def _no_text(name: str, kind: pa.DataType) -> SchemaError:
    return SchemaError(
        f"partition_by: column {name!r} is {kind}, which makes no folder name; use a column of "
        "text, numbers, dates or times"
    )


def _encoded(name: str, column: pa.Array) -> tuple[Any, list[str]]:
    """For each row the index of its folder's name, and the names."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    encoded = pc.dictionary_encode(column, null_encoding="encode")
    try:
        values = pc.cast(encoded.dictionary, pa.string()).to_pylist()
    except pa.ArrowException as error:
        raise _no_text(name, column.type) from error
    names = [f"{escaped(name)}={escaped(value) if value else NULL}" for value in values]
    indices = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    for at, folder in enumerate(names):
        if len(folder.encode("utf-8", "surrogatepass")) > _LONGEST_NAME:
            raise BadRecordError(
                f"{name!r} makes a folder name of more than {_LONGEST_NAME} bytes: "
                f"{folder[:60]}…; partition by a shorter column",
                "partition value too long",
                int(np.argmax(indices == at)),
            )
    return indices, names


def _combined(encoded: Sequence[tuple[Any, list[str]]], rows: int) -> Any:
    """One number for each row, equal where all its indices are; in 16 bits where that is enough,
    since numpy sorts these in linear time."""
    codes, size = np.zeros(rows, np.int64), 1
    for indices, names in encoded:
        if size * len(names) >= 1 << 62:
            _, codes = np.unique(codes, return_inverse=True)
            size = rows
        codes = codes * len(names) + indices
        size *= len(names)
    return codes.astype(np.uint16) if size <= 1 << 16 else codes


def _groups(codes: Any, rows: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
    """(first row, all rows) of each code, from one stable sort and slices of it."""
    if not len(codes):
        return
    if (codes == codes[0]).all():
        yield 0, rows
        return
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    ends = np.r_[starts[1:], len(ordered)]
    sorted_rows = rows.take(pa.array(order))
    for at in np.argsort(order[starts], kind="stable"):
        start, end = int(starts[at]), int(ends[at])
        yield int(order[start]), sorted_rows.slice(start, end - start)


def escaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: f"%{ord(found[0]):02X}", text)


def partitioning_of(layout: Layout, options: FileSinkOptions) -> Partitioning:
    """Raises `ConfigurationError` where path and options don't go together."""
    if options.partition_by and layout.in_order:
        raise ConfigurationError(
            f"{layout.display}: partition_by needs a folder; end the URI with '/'"
        )
    if bool(layout.template) != bool(options.event_time):
        raise ConfigurationError(
            f"{layout.display}: the path is made of the rows' time; say by event_time=COLUMN "
            "which column holds it"
            if layout.template
            else f"{layout.display}: event_time= fills names such as ${{year}} in the path, and "
            "there are none; write them, or leave it out"
        )
    template = None
    if options.event_time:
        template = PathTemplate(layout.template.rstrip("/"), options.event_time, options.zone)
    return Partitioning(tuple(options.partition_by), template)
