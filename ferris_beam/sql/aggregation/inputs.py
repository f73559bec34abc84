"""The columns that an aggregation is made of: expressions over its input, each computed once."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.aggregation.arrays import single
from ferris_beam.sql.aggregation.codes import normalised
from ferris_beam.sql.kernel import Fragment, Kernel, fragment, types_of
from ferris_beam.sql.kernel.types import plain
from ferris_beam.sql.text import SqlText


@dataclass(frozen=True)
class Inputs:
    """What is computed of each batch. ``columns``: the input's own columns, and where they go;
    ``computed``: all other columns of ``schema``, by DataFusion, if there are any."""

    schema: pa.Schema
    columns: tuple[tuple[str, str], ...]
    keys: frozenset[str]
    computed: Fragment | None


class Collector:
    """Gives each expression of an aggregation a column; equal ones get one column."""

    def __init__(self, schema: pa.Schema, text: SqlText | None = None) -> None:
        self.schema = schema
        self.text = text
        self._fields: dict[str, pa.Field] = {}
        self._expressions: dict[str, exp.Expression] = {}
        self._keys: set[str] = set()

    def column(self, expression: exp.Expression, name: str = "") -> pa.Field:
        """The field of the column that holds the values of ``expression``."""
        text = expression.sql()
        wanted = name or f"a{len(self._fields)}"
        if not name and text in self._fields:
            return self._fields[text]
        kind = _type_of(expression, self.schema, self.text)
        shown = expression.name if isinstance(expression, exp.Column) else text
        found = pa.field(wanted, kind, metadata={"sql": shown})
        self._fields[f"{name}={text}" if name else text] = found
        self._expressions[wanted] = expression
        if name:
            self._keys.add(wanted)
        return found

    def inputs(self) -> Inputs:
        fields = list(self._fields.values())
        given = {
            name: each.name
            for name, each in self._expressions.items()
            if isinstance(each, exp.Column) and each.name in self.schema.names
        }
        rest = [field for field in fields if field.name not in given]
        computed = None
        if rest:
            select = exp.Select(
                expressions=[
                    exp.alias_(self._expressions[field.name].copy(), field.name, quoted=True)
                    for field in rest
                ]
            ).from_("input_0")
            computed = fragment(select, [self.schema], self.text)
        return Inputs(pa.schema(fields), tuple(given.items()), frozenset(self._keys), computed)


def _type_of(expression: exp.Expression, schema: pa.Schema, text: SqlText | None) -> pa.DataType:
    if isinstance(expression, exp.Column) and expression.name in schema.names:
        kind = plain(schema.field(expression.name).type)
    else:
        kind = types_of([expression], schema, text)[0]
    if pa.types.is_decimal(kind) and kind.bit_width < 128:
        return pa.decimal128(kind.precision, kind.scale)
    return kind


class Evaluation:
    """Computes `Inputs` of batches."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._kernel = Kernel(inputs.computed) if inputs.computed else None

    def run(self, records: pa.RecordBatch, seed: str = "") -> pa.RecordBatch:
        found = {name: records[column] for name, column in self._inputs.columns}
        if self._kernel is not None:
            computed = self._kernel.run([records], seed=seed)
            found.update(zip(computed.schema.names, computed.columns, strict=True))
        arrays = [self._column(field, single(found[field.name])) for field in self._inputs.schema]
        if not arrays:  # COUNT(*): of the rows only their number counts
            return records.select([])
        return pa.RecordBatch.from_arrays(arrays, names=self._inputs.schema.names)

    def _column(self, field: pa.Field, values: pa.Array) -> pa.Array:
        """Keys stay dictionaries: so they needn't be hashed."""
        if field.name in self._inputs.keys:
            keep = pa.types.is_dictionary(values.type) and values.type.value_type == field.type
            return values if keep else normalised(_as(field.type, values))
        return _as(field.type, values)


def _as(kind: pa.DataType, values: pa.Array) -> pa.Array:
    return values if values.type.equals(kind) else values.cast(kind)
