"""Values as they are: bytes, texts, or what a function of the user's makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import pyarrow as pa

from ferris_beam.batches.casting import cast_column
from ferris_beam.connectors.kafka.decoding.base import Decoded, ValueDecoder
from ferris_beam.errors import ConfigurationError, SchemaError
from ferris_beam.formats.text import Flaw

VALUE = "value"


class BytesDecoder(ValueDecoder):
    """One column ``value``."""

    schema = pa.schema([(VALUE, pa.binary())])

    def decode(self, values: Sequence[bytes]) -> Decoded:
        return Decoded(pa.record_batch([pa.array(values, pa.binary())], schema=self.schema))


class StringDecoder(ValueDecoder):
    """One column ``value``; what is not UTF-8 is bad."""

    schema = pa.schema([(VALUE, pa.string())])

    def decode(self, values: Sequence[bytes]) -> Decoded:
        cast = cast_column(pa.array(values, pa.binary()), pa.string(), name=VALUE)
        bad = {int(number): Flaw("not UTF-8") for number in cast.bad}
        column = cast.column
        if bad:
            kept = np.delete(np.arange(len(values)), list(bad))
            column = column.take(pa.array(kept))
        return Decoded(pa.record_batch([column], schema=self.schema), bad)


class FunctionDecoder(ValueDecoder):
    """A function over a binary array, which returns one row for each value.

    Where it raises, the values are halved until the bad ones are found. Its schema is that of no
    values at all.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._function = _function(name)
        self.schema = self._call([]).schema

    def decode(self, values: Sequence[bytes]) -> Decoded:
        bad: dict[int, Flaw] = {}
        parts: list[pa.RecordBatch] = []
        spans = [(0, len(values))] if values else []
        while spans:
            first, last = spans.pop()
            try:
                parts.append(self._call(values[first:last]))
            except SchemaError:
                raise
            except Exception as error:  # whatever the user's function raises
                if last - first == 1:
                    bad[first] = Flaw(f"{type(error).__name__}: {error}")
                else:
                    middle = (first + last) // 2
                    spans += [(middle, last), (first, middle)]
        table = pa.Table.from_batches(parts, schema=self.schema).combine_chunks()
        batches = table.to_batches() or [pa.RecordBatch.from_pylist([], schema=self.schema)]
        return Decoded(batches[0], bad)

    def _call(self, values: Sequence[bytes]) -> pa.RecordBatch:
        made = self._function(pa.array(values, pa.binary()))
        if isinstance(made, pa.Table):
            made = (made.combine_chunks().to_batches() or [_empty(made.schema)])[0]
        if not isinstance(made, pa.RecordBatch) or made.num_rows != len(values):
            what = f"{made.num_rows} rows" if isinstance(made, pa.RecordBatch) else type(made)
            raise SchemaError(
                f"the decoder {self._name} made {what} of {len(values)} values; it must return a "
                "pyarrow.RecordBatch with one row for each"
            )
        known = getattr(self, "schema", None)
        if known is not None and not made.schema.equals(known):
            raise SchemaError(
                f"the decoder {self._name} returned\n{made.schema}\nwhere it returned\n{known}\n"
                "for no values; its schema must always be the same"
            )
        return made


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=schema)


def _function(name: str) -> Callable[[pa.Array], Any]:
    module, _, attribute = name.partition(":")
    try:
        found: Any = import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(
            f"decoder={name}: it can't be imported where it is needed ({error}); install its "
            "package on the workers"
        ) from error
    if not callable(found):
        raise ConfigurationError(f"decoder={name} is no function")
    return found
