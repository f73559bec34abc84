"""What a decoder is: values of messages to the rows of a batch, many at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from ferris_beam.formats.text import Flaw


@dataclass(frozen=True, slots=True)
class Decoded:
    """One row for each good value, in order, and why the others, by their numbers, are bad."""

    records: pa.RecordBatch
    bad: Mapping[int, Flaw] = field(default_factory=dict)


class ValueDecoder(ABC):
    """Decodes values into ``schema``; one thread uses it at a time."""

    schema: pa.Schema

    @abstractmethod
    def decode(self, values: Sequence[bytes]) -> Decoded:
        """Never raises for a value that can't be decoded."""

    def narrowed(self, columns: Sequence[str]) -> ValueDecoder:
        """One that decodes these columns only, and finds the same values bad as far as they are
        looked at."""
        return _Narrowed(self, columns)


class _Narrowed(ValueDecoder):
    """Decodes everything and drops columns."""

    def __init__(self, inner: ValueDecoder, columns: Sequence[str]) -> None:
        self._inner = inner
        self._columns = list(columns)
        self.schema = pa.schema([inner.schema.field(name) for name in columns])

    def decode(self, values: Sequence[bytes]) -> Decoded:
        decoded = self._inner.decode(values)
        return Decoded(decoded.records.select(self._columns), decoded.bad)
