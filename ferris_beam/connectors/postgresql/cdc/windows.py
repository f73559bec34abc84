"""Which changes of a table are left out while its rows are read by the snapshot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from ferris_beam.connectors.postgresql.cdc.log import Index, Mask
from ferris_beam.connectors.postgresql.cdc.mark import KeyText, Progress, Window
from ferris_beam.connectors.postgresql.cdc.tables import Table, TableName
from ferris_beam.connectors.postgresql.cdc.visibility import Visibility
from ferris_beam.connectors.postgresql.types import Column

Bound = tuple[pa.Scalar, ...]


@dataclass(frozen=True)
class Untold:
    """Leaves out what the open window's snapshot has told, and what a later one will tell.

    Keys whose order is the same here as on the server are compared with the window's bounds. Of
    others (texts, whose order is that of a collation) ``keys`` holds those that were read: what
    lies ahead is told then, and told again by the snapshot.
    """

    table: TableName
    key: tuple[str, ...]
    window: Window | None
    first: Bound | None
    ahead: Bound | None
    """Keys behind this one were not read yet; None: all were."""
    keys: pa.Array | None

    @classmethod
    def of(cls, table: Table, progress: Progress, keys: pa.RecordBatch | None) -> Untold:
        """``keys``: those of the window's rows, where `needs_keys`."""
        window, columns = progress.window, key_columns(table)
        compared = is_ordered(table)
        first = _bound(window.first, columns) if window is not None and compared else None
        ahead = _bound(progress.cursor, columns) if compared and not progress.finished else None
        texts = None if keys is None else key_texts(keys)
        return cls(table.name, table.key.columns, window, first, ahead, texts)

    @property
    def compares(self) -> bool:
        return self.keys is not None or self.first is not None or self.ahead is not None

    def seen(self, xids: Index) -> Mask:
        """Of which transactions the window's rows tell."""
        if self.window is None:
            return np.zeros(len(xids), bool)
        return Visibility.parse(self.window.seen).sees(xids)

    def mask(self, keys: pa.RecordBatch, seen: Mask) -> Mask:
        """bool[rows]: the changes, with these keys, that are left out."""
        if self.keys is not None:
            return seen & _numpy(pc.is_in(key_texts(keys), self.keys))
        ahead = _above(keys, self.ahead) if self.ahead is not None else seen & False
        within = _above(keys, self.first) if self.first is not None else ~(seen & False)
        return (seen & within) | ahead


def needs_keys(table: Table, progress: Progress) -> bool:
    """Whether the keys of a window's rows must be known one by one."""
    window = progress.window
    return window is not None and not window.whole and not is_ordered(table)


def key_columns(table: Table) -> list[Column]:
    return [table.columns[index] for index in table.key_indices]


def is_ordered(table: Table) -> bool:
    """Whether Arrow orders the key's values as the server does."""
    kinds = (pt.is_integer, pt.is_date, pt.is_timestamp, pt.is_decimal)
    return all(
        column.base.name == "uuid" or any(is_kind(column.type) for is_kind in kinds)
        for column in key_columns(table)
    )


def key_texts(keys: pa.RecordBatch) -> pa.Array:
    """One binary value for each row, the same for the same key."""
    parts = [_as_binary(column) for column in keys.columns]
    if len(parts) == 1:
        return parts[0]
    lengths = [pc.binary_length(part).cast(pa.string()).cast(pa.binary()) for part in parts]
    joined = [piece for pair in zip(lengths, parts, strict=True) for piece in pair]
    return pc.binary_join_element_wise(*joined, pa.scalar(b":", pa.binary()))


def _as_binary(column: pa.Array) -> pa.Array:
    if pt.is_binary(column.type):
        return column
    return column.cast(pa.string()).cast(pa.binary())


def _bound(texts: KeyText | None, columns: list[Column]) -> Bound | None:
    if texts is None:
        return None
    return tuple(
        pa.scalar(text).cast(column.type) for text, column in zip(texts, columns, strict=True)
    )


def _above(keys: pa.RecordBatch, bound: Bound) -> Mask:
    """bool[rows]: whether keys come behind ``bound``, column by column."""
    above = np.zeros(keys.num_rows, bool)
    equal = ~above
    for column, limit in zip(keys.columns, bound, strict=True):
        values = column.cast(limit.type)
        above |= equal & _numpy(pc.greater(values, limit))
        equal &= _numpy(pc.equal(values, limit))
    return above


def _numpy(mask: pa.Array) -> Mask:
    return np.asarray(pc.fill_null(mask, False).to_numpy(zero_copy_only=False))
