"""A byte source as a file of pyarrow's, and its footer."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from ferris_beam.errors import FatalError
from ferris_beam.formats.base import ByteSource, read_bytes


class SourceFile(io.RawIOBase):
    """A seekable file over a source; closing it leaves the source open."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def size(self) -> int:
        return self._source.size_limit

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size()}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        length = self.size() - self._at if size < 0 else size
        data = read_bytes(self._source, self._at, max(0, length))
        self._at += len(data)
        return data

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        count = self._source.read_into(self._at, memoryview(target).cast("B"))
        self._at += count
        return count


def open_parquet(source: ByteSource, dictionaries: bool = False) -> pq.ParquetFile:
    """Reads the footer; raises `FatalError` where there is none.

    With ``dictionaries`` columns of few texts come as such: reading and filtering them costs a
    fraction.
    """
    try:
        file = pa.PythonFile(SourceFile(source), mode="r")
        plain = pq.ParquetFile(file, pre_buffer=False)
        few = _columns_of_few_texts(plain) if dictionaries else ()
        if not few:
            return plain
        return pq.ParquetFile(file, metadata=plain.metadata, read_dictionary=few, pre_buffer=False)
    except pa.ArrowException as error:
        raise FatalError(
            f"{source.name}: no readable Parquet file ({error}); it may be truncated, or somebody "
            "still writes it"
        ) from error


def plain_schema(file: pq.ParquetFile) -> pa.Schema:
    """The columns and their types, without what else the writer noted; all may be null, since the
    next file's may be."""
    return pa.schema([pa.field(field.name, field.type) for field in file.schema_arrow])


def row_groups(predicate: pc.Expression, source: ByteSource) -> frozenset[int]:
    """The row groups whose statistics don't exclude that a row fits."""
    file = pa.PythonFile(SourceFile(source), mode="r")
    fragment = ds.ParquetFileFormat().make_fragment(file)
    return frozenset(group.id for group in fragment.subset(filter=predicate).row_groups)


def _columns_of_few_texts(file: pq.ParquetFile) -> list[str]:
    """The text columns that are stored by dictionary, with fewer bytes than texts."""
    metadata = file.metadata
    paths = {metadata.schema.column(at).path: at for at in range(metadata.num_columns)}
    return [
        field.name
        for field in file.schema_arrow
        if pa.types.is_string(field.type)
        and field.name in paths
        and all(
            _is_small_dictionary(metadata.row_group(group).column(paths[field.name]))
            for group in range(metadata.num_row_groups)
        )
    ]


def _is_small_dictionary(chunk: pq.ColumnChunkMetaData) -> bool:
    return bool(
        chunk.has_dictionary_page and chunk.total_uncompressed_size < _FEW_BYTES * chunk.num_values
    )


_FEW_BYTES = 2
"""Bytes of a value, dictionary included, up to which reading as a dictionary pays."""
