"""The Beam coder of batches: a small header for the origin, then a compact Arrow IPC stream.

Runners only carry the bytes; Java and Go runners need to know nothing of it. Importing this module
registers the coder for `Batch` and for bare `pyarrow.RecordBatch` elements.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import pyarrow as pa
from apache_beam.coders import coder_impl, coders, registry

from ferris_beam.batches.batch import Batch
from ferris_beam.batches.ipc import from_ipc, to_ipc
from ferris_beam.interval import Origin

_HEADER = struct.Struct(">I")
_OVERHEAD = 256


class _BatchCoderImpl(coder_impl.StreamCoderImpl):
    def encode(self, value: Batch) -> bytes:
        origin = b"" if value.origin is None else json.dumps(value.origin.to_json()).encode()
        return b"".join((_HEADER.pack(len(origin)), origin, to_ipc(value.records)))

    def decode(self, encoded: bytes) -> Batch:
        (length,) = _HEADER.unpack_from(encoded)
        body = _HEADER.size + length
        origin = Origin.from_json(json.loads(encoded[_HEADER.size : body])) if length else None
        return Batch(from_ipc(memoryview(encoded)[body:]), origin)

    def encode_to_stream(self, value: Batch, out: Any, nested: bool) -> None:
        out.write(self.encode(value), nested)

    def decode_from_stream(self, in_stream: Any, nested: bool) -> Batch:
        return self.decode(in_stream.read_all(nested))

    def estimate_size(self, value: Batch, nested: bool = False) -> int:
        return value.records.nbytes + _OVERHEAD

    def get_estimated_size_and_observables(
        self, value: Batch, nested: bool = False
    ) -> tuple[int, list[Any]]:
        return self.estimate_size(value, nested), []


class _RecordsCoderImpl(_BatchCoderImpl):
    """The same bytes, for elements that are bare record batches."""

    def encode(self, value: pa.RecordBatch) -> bytes:
        return super().encode(Batch(value))

    def decode(self, encoded: bytes) -> pa.RecordBatch:
        return super().decode(encoded).records

    def estimate_size(self, value: pa.RecordBatch, nested: bool = False) -> int:
        return value.nbytes + _OVERHEAD


class BatchCoder(coders.Coder):
    """Coder of `Batch`."""

    def _create_impl(self) -> coder_impl.CoderImpl:
        return _BatchCoderImpl()

    def encode(self, value: Any) -> bytes:
        return self.get_impl().encode(value)

    def decode(self, encoded: bytes) -> Any:
        return self.get_impl().decode(encoded)

    def is_deterministic(self) -> bool:
        return False

    def to_type_hint(self) -> type:
        return Batch

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))


class RecordsCoder(BatchCoder):
    """Coder of `pyarrow.RecordBatch`."""

    def _create_impl(self) -> coder_impl.CoderImpl:
        return _RecordsCoderImpl()

    def to_type_hint(self) -> type:
        return pa.RecordBatch


registry.register_coder(Batch, BatchCoder)
registry.register_coder(pa.RecordBatch, RecordsCoder)
