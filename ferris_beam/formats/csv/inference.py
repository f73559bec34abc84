"""The types of CSV columns, from the rows of the first cell."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.types as pt

from ferris_beam.formats.base import Discovery
from ferris_beam.formats.csv.parser import CsvParser
from ferris_beam.formats.csv.rows import Dialect
from ferris_beam.formats.inference import can_cast, mostly
from ferris_beam.formats.window import Block

_NOT_DECIMAL = r"^[+-]?0[0-9xX]"
"""Codes rather than numbers: '007' and '0x1F' would not come out as they went in."""


def infer_schema(names: Sequence[str], block: Block, dialect: Dialect) -> Discovery:
    """int64, double, bool, date32, timestamp in µs (of UTC where zones are given; in ns where µs
    don't do), else string; a column without a value is a string. A few values that are nothing
    of the kind don't change a column's type (`mostly`)."""
    strings = pa.schema([(name, pa.string()) for name in names])
    texts = CsvParser(names, strings, dialect).parse(block).records
    if not texts.num_rows:
        return Discovery(strings, certain=False)
    guessed = _guess(names, block, dialect)
    fields = [
        pa.field(name, _settle(kind, texts.column(at)))
        for at, (name, kind) in enumerate(zip(names, guessed, strict=True))
    ]
    return Discovery(pa.schema(fields), certain=True)


def _guess(names: Sequence[str], block: Block, dialect: Dialect) -> list[pa.DataType]:
    def read(encoding: str) -> pa.Table:
        return pacsv.read_csv(
            block.arrow(),
            read_options=pacsv.ReadOptions(
                use_threads=False,
                block_size=2 * len(block) + 1,
                column_names=list(names),
                encoding=encoding,
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=dialect.delimiter,
                quote_char=dialect.quote or False,
                escape_char=dialect.escape or False,
                invalid_row_handler=lambda row: "skip",
            ),
            convert_options=pacsv.ConvertOptions(null_values=list(dialect.null_values)),
        )

    try:
        return list(read("utf8").schema.types)
    except pa.ArrowInvalid:  # a row with a wrong number of fields that is not UTF-8
        return list(read("latin1").schema.types)


def _settle(kind: pa.DataType, texts: pa.Array) -> pa.DataType:
    if pt.is_timestamp(kind):
        return _timestamp(kind, texts)
    if pt.is_integer(kind) and pc.any(pc.match_substring_regex(texts, _NOT_DECIMAL)).as_py():
        return pa.string()
    kept = pt.is_integer(kind) or pt.is_floating(kind) or pt.is_boolean(kind) or pt.is_date(kind)
    return kind if kept else mostly(texts)


def _timestamp(kind: pa.TimestampType, texts: pa.Array) -> pa.DataType:
    micros = pa.timestamp("us", kind.tz)
    return micros if can_cast(texts, micros) else pa.timestamp("ns", kind.tz)
