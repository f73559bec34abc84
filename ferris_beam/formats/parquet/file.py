"""A byte source as a file of pyarrow's, and its footer."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ferris_beam.errors import FatalError
from ferris_beam.formats.base import ByteSource, read_bytes
from ferris_beam.formats.source_file import SourceFile


def open_parquet(source: ByteSource, dictionaries: bool = False) -> pq.ParquetFile:
    """Reads the footer; raises `FatalError` where there is none.

    With ``dictionaries`` columns of few texts come as such: reading and filtering them costs a
    fraction.
    """
    try:
        file = SourceFile(source).arrow()
        plain = _opened(file)
        if _is_signed(source, plain.metadata):
            raise _encrypted(source)
        few = _columns_of_few_texts(plain) if dictionaries else ()
        if not few:
            return plain
        return _opened(file, metadata=plain.metadata, read_dictionary=few)
    except (pa.ArrowException, OSError) as error:
        if "encrypted" in str(error):
            raise _encrypted(source) from error
        raise FatalError(
            f"{source.name}: no readable Parquet file ({error}); it may be truncated, or somebody "
            "still writes it"
        ) from error


def _is_signed(source: ByteSource, metadata: pq.FileMetaData) -> bool:
    """Whether a signature follows the footer: then columns may be encrypted although the footer
    is not, and pyarrow aborts the process when it is asked about such a column."""
    length = int.from_bytes(read_bytes(source, source.size_limit - 8, 4), "little")
    return bool(length - metadata.serialized_size == _SIGNATURE)


def _encrypted(source: ByteSource) -> FatalError:
    return FatalError(
        f"{source.name}: the Parquet file is encrypted, in whole or in part, and its keys are not "
        "known here; write it without encryption"
    )


def _opened(file: pa.PythonFile, **options: Any) -> pq.ParquetFile:
    """Times of 96 bits, which old writers have, come in µs: ns don't hold years before 1677."""
    return pq.ParquetFile(file, pre_buffer=False, coerce_int96_timestamp_unit="us", **options)


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


_SIGNATURE = 28
"""Bytes of a nonce and a tag (Parquet Modular Encryption, 5.5)."""

_FEW_BYTES = 2
"""Bytes of a value, dictionary included, up to which reading as a dictionary pays."""
