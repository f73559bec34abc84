"""Values of expressions, for each row of a batch."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.kernel import Kernel, fragment, types_of
from ferris_beam.sql.text import SqlText


class Expressions:
    """Evaluates expressions over batches of ``schema``; plain columns cost nothing.

    Raises `SqlError` where a type doesn't fit.
    """

    def __init__(
        self,
        expressions: Sequence[exp.Expression],
        schema: pa.Schema,
        text: SqlText | None = None,
    ) -> None:
        self.types = [
            schema.field(each.name).type if is_column(each) else types_of([each], schema, text)[0]
            for each in expressions
        ]
        computed = [each for each in expressions if not is_column(each)]
        self._columns = [each.name if is_column(each) else None for each in expressions]
        self._kernel: Kernel | None = None
        if computed:
            items = [
                exp.alias_(each.copy(), f"value {number}", quoted=True)
                for number, each in enumerate(computed)
            ]
            self._kernel = Kernel(fragment(exp.select(*items).from_("input_0"), [schema], text))

    def values(self, records: pa.RecordBatch) -> list[pa.Array]:
        """A column for each expression. Raises `BadRecordError` for a row that has no value."""
        computed = iter(self._kernel.run([records]).columns if self._kernel else ())
        return [next(computed) if name is None else records.column(name) for name in self._columns]


def is_column(expression: exp.Expression) -> bool:
    return isinstance(expression, exp.Column)
