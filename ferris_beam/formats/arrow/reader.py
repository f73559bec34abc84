"""Arrow IPC to batches.

Source: https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc.
A file ends with an index of its record batches, which are read in any order; a stream is read from
front to back. Offsets and texts are checked before anybody uses them: Arrow itself trusts them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa

from ferris_beam.errors import FatalError
from ferris_beam.formats.base import ByteSource, Piece, read_bytes
from ferris_beam.formats.columns import check_names, projected
from ferris_beam.formats.groups import ROW_BITS, GroupReader, Rows, RowsReader
from ferris_beam.formats.source_file import SourceFile
from ferris_beam.formats.text import empty

_FILE_MAGIC = b"ARROW1"
_FEATHER_1 = b"FEA1"


def is_file(source: ByteSource) -> bool:
    """Whether it is the file format; else the stream's.

    Raises `FatalError` for Feather V1, which is none of the two, and for an empty file.
    """
    magic = read_bytes(source, 0, len(_FILE_MAGIC))
    if not magic:
        raise FatalError(
            f"{source.name}: no Arrow IPC file: it is empty; one without rows has its schema. "
            "Write it again, or leave it out"
        )
    if magic.startswith(_FEATHER_1):
        raise FatalError(
            f"{source.name}: this is Feather V1, which Arrow no longer writes; read it with "
            "pyarrow.feather.read_table and write it again"
        )
    return magic == _FILE_MAGIC


@contextmanager
def described(name: str, place: str = "") -> Iterator[None]:
    """Raises what Arrow says of damaged data as `FatalError`."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        what = f"{place} can't be read" if place else "no readable Arrow IPC"
        raise FatalError(
            f"{name}: {what} ({error}); it may be truncated or damaged, or somebody still writes it"
        ) from error


def open_file(source: ByteSource, fields: Sequence[int] = ()) -> pa.RecordBatchFileReader:
    """The file's index and, later, the batches with only these columns (all where none)."""
    with described(source.name):
        return pa.ipc.open_file(SourceFile(source).arrow(), options=_options(fields))


def open_stream(
    file: SourceFile, name: str, fields: Sequence[int] = ()
) -> pa.RecordBatchStreamReader:
    with described(name):
        return pa.ipc.open_stream(file.arrow(), options=_options(fields))


def stored_schema(source: ByteSource) -> pa.Schema:
    """The schema with all that the writer noted."""
    if is_file(source):
        return open_file(source).schema
    return open_stream(SourceFile(source), source.name).schema


class ArrowFileReader(GroupReader):
    """Reads the record batches of one file; only the buffers of the columns that are asked for."""

    kind = "record batch"

    def __init__(
        self, source: ByteSource, schema: pa.Schema, columns: Sequence[str] | None = None
    ) -> None:
        super().__init__(source.name, projected(schema, columns))
        found = open_file(source).schema.names
        check_names(source.name, found, schema.names)
        self._file = SourceFile(source)
        with described(source.name):
            self._batches = pa.ipc.open_file(
                self._file.arrow(), options=_options(_numbers(found, self.schema))
            )

    def _read_group(self, group: int) -> Iterator[Rows]:
        if group >= self._batches.num_record_batches:
            return
        before = self._file.nbytes
        with described(self._name, f"record batch {group}"):
            records = self._batches.get_batch(group)
            records.validate(full=True)
        records = records.select(self.schema.names)
        yield Rows(records, self._file.nbytes - before)


class ArrowStreamReader(RowsReader):
    """Reads a stream from front to back. A batch's number is the byte at which it starts."""

    kind = "the record batch at byte"

    def __init__(
        self, source: ByteSource, schema: pa.Schema, columns: Sequence[str] | None = None
    ) -> None:
        super().__init__(source.name, projected(schema, columns))
        self._source = source
        self._found = open_stream(SourceFile(source), source.name).schema.names
        check_names(source.name, self._found, schema.names)

    def read(self, start: int, end: int) -> Iterator[Piece]:
        for first, stop, rows in self._batches():
            behind = min(end, stop << ROW_BITS)
            if behind > start:
                pieces = self._cut(iter((rows,)))
                yield from self._pieces(pieces, first << ROW_BITS, start, behind)
            if behind == end:
                return
        yield Piece(empty(self.schema), end)

    def _batches(self) -> Iterator[tuple[int, int, Rows]]:
        """The bytes at which each batch starts and ends, and the batch."""
        file = SourceFile(self._source)
        stream = open_stream(file, self._name, _numbers(self._found, self.schema))
        while True:
            start = file.tell()
            with described(self._name, f"the record batch at byte {start:,}"):
                try:
                    records = stream.read_next_batch()
                except StopIteration:
                    break
                records.validate(full=True)
            stop = file.tell()
            if not read_bytes(self._source, stop, 1):
                raise self._truncated(stop)
            yield start, stop, Rows(records.select(self.schema.names), stop - start)
        self._check_end(start, file.tell())

    def _check_end(self, last: int, end: int) -> None:
        """Raises `FatalError` where the mark at the stream's end is missing or not the last."""
        if end == last:
            raise self._truncated(end)
        if read_bytes(self._source, end, 1):
            raise FatalError(
                f"{self._name}: more bytes follow the end of the stream at byte {end:,}; if it is "
                "several streams in a row, take them apart"
            )

    def _truncated(self, at: int) -> FatalError:
        return FatalError(
            f"{self._name}: the stream stops at byte {at:,} without the mark of its end; it is "
            "truncated, or somebody still writes it"
        )


def _numbers(found: Sequence[str], wanted: pa.Schema) -> list[int]:
    return sorted(list(found).index(name) for name in wanted.names)


def _options(fields: Sequence[int]) -> pa.ipc.IpcReadOptions:
    return pa.ipc.IpcReadOptions(included_fields=list(fields), use_threads=False)
