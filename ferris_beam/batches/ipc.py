"""Record batches and schemas as bytes: the Arrow IPC stream format.

Source: https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format. A slice is written
as what it shows, not as the buffers it shares with its parent. Importing this module also makes
``pickle`` use the same form for a `pyarrow.RecordBatch`, whose own one carries the whole parent.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable

import pyarrow as pa


def to_ipc(records: pa.RecordBatch) -> bytes:
    """One batch, with its schema, as a complete stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, records.schema) as stream:
        stream.write_batch(records)
    return sink.getvalue().to_pybytes()


def from_ipc(data: bytes | memoryview | pa.Buffer) -> pa.RecordBatch:
    """The batch of `to_ipc`; its columns refer to ``data`` without a copy."""
    return pa.ipc.open_stream(pa.py_buffer(data)).read_next_batch()


def schema_to_ipc(schema: pa.Schema) -> bytes:
    return schema.serialize().to_pybytes()


def schema_from_ipc(data: bytes) -> pa.Schema:
    return pa.ipc.read_schema(pa.py_buffer(data))


def _reduce(records: pa.RecordBatch) -> tuple[Callable[..., pa.RecordBatch], tuple[bytes]]:
    return from_ipc, (to_ipc(records),)


copyreg.pickle(pa.RecordBatch, _reduce)
