"""What must hold of two rows besides equal keys."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from sqlglot import exp

from ferris_beam.batches.words import Flags, Positions
from ferris_beam.sql.kernel import Kernel, fragment
from ferris_beam.sql.nodes import columns_in
from ferris_beam.sql.text import SqlText


class Condition:
    """An expression over columns of both sides, evaluated for many pairs of rows at once."""

    def __init__(
        self,
        expression: exp.Expression,
        left: pa.Schema,
        right: pa.Schema,
        text: SqlText | None = None,
    ) -> None:
        self.spoken = expression.sql()
        needed = columns_in(expression)
        self._left = [name for name in left.names if name in needed]
        self._right = [name for name in right.names if name in needed and name not in self._left]
        fields = [left.field(name) for name in self._left]
        fields += [right.field(name) for name in self._right]
        self._needs_no_column = not fields
        self._schema = pa.schema(fields or [pa.field("row", pa.bool_())])
        query = exp.select(exp.alias_(expression.copy(), "holds", quoted=True)).from_("input_0")
        self._kernel = Kernel(fragment(query, [self._schema], text))

    def holds(
        self,
        left: pa.RecordBatch,
        left_rows: Positions,
        right: pa.RecordBatch,
        right_rows: Positions,
    ) -> Flags:
        """Whether row ``left_rows[i]`` and row ``right_rows[i]`` meet it; unknown is no."""
        columns = [left.column(name).take(pa.array(left_rows)) for name in self._left]
        columns += [right.column(name).take(pa.array(right_rows)) for name in self._right]
        if self._needs_no_column:
            columns = [pa.nulls(len(left_rows), pa.bool_())]
        pairs = pa.RecordBatch.from_arrays(columns, schema=self._schema)
        holds = self._kernel.run([pairs]).column(0)
        return np.asarray(holds.fill_null(False).to_numpy(zero_copy_only=False), dtype=bool)
