"""Batches to Arrow IPC."""

from __future__ import annotations

from typing import IO

import pyarrow as pa
import pyarrow.types as pt

from ferris_beam.batches.rebatch import Rebatcher
from ferris_beam.formats.base import FormatWriter


class ArrowWriter(FormatWriter):
    """Writes record batches of 64k rows. A file's dictionaries only grow, as the format demands:
    each batch's values are appended to those before."""

    def __init__(
        self, target: IO[bytes], schema: pa.Schema, compression: str | None, stream: bool
    ) -> None:
        codec = None if compression in (None, "none") else compression
        options = pa.ipc.IpcWriteOptions(compression=codec, emit_dictionary_deltas=True)
        create = pa.ipc.new_stream if stream else pa.ipc.new_file
        self._writer = create(target, schema, options=options)
        self._rebatcher = Rebatcher()
        self._grown: dict[int, pa.Array] = {
            at: pa.nulls(0, field.type)
            for at, field in enumerate(schema)
            if _has_dictionary(field.type)
        }

    def write(self, records: pa.RecordBatch) -> None:
        if self._grown:
            records = self._with_grown_dictionaries(records)
        for batch in self._rebatcher.add(records):
            self._writer.write_batch(batch)

    def close(self) -> None:
        for batch in self._rebatcher.flush():
            self._writer.write_batch(batch)
        self._writer.close()

    def _with_grown_dictionaries(self, records: pa.RecordBatch) -> pa.RecordBatch:
        columns = list(records.columns)
        for at, known in self._grown.items():
            columns[at] = pa.concat_arrays([known, columns[at]])
        self._grown = {at: columns[at].slice(0, 0) for at in self._grown}
        return pa.RecordBatch.from_arrays(columns, schema=records.schema)


def _has_dictionary(kind: pa.DataType) -> bool:
    if pt.is_dictionary(kind):
        return True
    if isinstance(kind, pa.BaseExtensionType):
        return _has_dictionary(kind.storage_type)
    return any(_has_dictionary(kind.field(at).type) for at in range(kind.num_fields))
