"""The types of CSV columns, from a sample of the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.types as pt

from ferris_beam.formats.base import Discovery
from ferris_beam.formats.csv.foreign import foreign_counts
from ferris_beam.formats.csv.parser import CsvParser
from ferris_beam.formats.csv.rows import Dialect
from ferris_beam.formats.inference import PATTERNS, can_cast, counts_of, matches, usual
from ferris_beam.formats.widening import widened_type
from ferris_beam.formats.window import Block

_CODE = r"^[+-]?0[0-9xX]"
"""Codes rather than numbers: '007' and '0x1F' would not come out as they went in."""

_DIGITS = r"^[+-]?[0-9]+$"
_TOO_WIDE = r"^[+-]?[0-9]{39}"
_WIDE_INTEGER = pa.decimal128(38, 0)


def infer_schema(
    names: Sequence[str], blocks: Iterable[Block], dialect: Dialect, exact: bool = False
) -> Discovery:
    """int64, double, bool, date32, timestamp in µs (of UTC where zones are given; in ns where µs
    don't do), decimal(38, 0) for integers that an int64 can't hold, else string; a column without a
    value is a string.

    The types hold all values of the blocks, but for a few that are nothing of the kind (`usual`);
    with ``exact`` those count as well.
    """
    strings = pa.schema([(name, pa.string()) for name in names])
    parser = CsvParser(names, strings, replace(dialect, comment=None))
    columns = [_Column() for _ in names]
    rows = 0
    for block in blocks:
        texts = parser.parse(block).records
        rows += texts.num_rows
        kinds = _guess(names, block, dialect) if texts.num_rows else ()
        for column, kind, values in zip(columns, kinds, texts.columns, strict=False):
            column.add(kind, values, dialect, exact)
    if not rows:
        return Discovery(strings, False, frozenset(names))
    named = list(zip(names, columns, strict=True))
    schema = pa.schema([(name, column.kind(exact)) for name, column in named])
    return Discovery(schema, True, frozenset(name for name, column in named if not column.values))


@dataclass
class _Column:
    """What is known of a column: the type that ``holds`` all values (null: none so far), how many
    values there are, and how many of each type."""

    holds: pa.DataType = field(default_factory=pa.null)
    values: int = 0
    counts: Counter[pa.DataType] = field(default_factory=Counter)
    codes: bool = False

    def add(self, guess: pa.DataType, texts: pa.Array, dialect: Dialect, exact: bool) -> None:
        texts = texts.filter(pc.invert(pc.is_in(texts, _nulls(dialect))))  # quoted or not
        texts = texts.drop_null()
        values = len(texts)
        if not values or (exact and pt.is_string(self.holds)):
            return
        if dialect.notation.is_usual:
            kind = self._settle(guess, texts)
            counts = Counter() if exact else _counts(kind, values, texts)
        else:
            counts = foreign_counts(texts, dialect.notation)
            kind = next((known for known in PATTERNS if counts[known] == values), pa.string())
        self.holds = _united(self.holds, kind)
        self.values += values
        self.counts.update(counts)

    def kind(self, exact: bool) -> pa.DataType:
        if pt.is_null(self.holds):
            return pa.string()
        if exact or not pt.is_string(self.holds):
            return self.holds
        kind = usual(self.counts, self.values)
        return pa.string() if self.codes and not pt.is_temporal(kind) else kind

    def _settle(self, guess: pa.DataType, texts: pa.Array) -> pa.DataType:
        """What pyarrow guessed, where no value is lost by it."""
        if pt.is_timestamp(guess):
            micros = pa.timestamp("us", guess.tz)
            return micros if can_cast(texts, micros) else pa.timestamp("ns", guess.tz)
        if pt.is_boolean(guess) or pt.is_date(guess):
            return guess
        if pt.is_floating(guess) and pc.all(pc.match_substring_regex(texts, _DIGITS)).as_py():
            self.codes = self.codes or matches(texts, _TOO_WIDE) > 0
            guess = _WIDE_INTEGER
        if not pt.is_floating(guess):
            self.codes = self.codes or _any_code(texts)
        number = pt.is_integer(guess) or pt.is_floating(guess) or pt.is_decimal(guess)
        return guess if number and not self.codes else pa.string()


def _nulls(dialect: Dialect) -> pa.Array:
    return pa.array(dialect.null_values, pa.string())


def _any_code(texts: pa.Array) -> bool:
    return bool(pc.any(pc.match_substring_regex(texts, _CODE)).as_py())


def _counts(kind: pa.DataType, values: int, texts: pa.Array) -> Counter[pa.DataType]:
    """How many values are of each type, given one that holds them all."""
    if pt.is_string(kind):
        return counts_of(texts)
    if pt.is_timestamp(kind):
        return Counter({pa.timestamp("us", kind.tz): values})
    if pt.is_integer(kind) or pt.is_decimal(kind):
        return Counter({kind: values, pa.float64(): values})
    return Counter({kind: values})


def _united(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    """The type whose texts are those of both, as far as each is read without loss."""
    if pt.is_null(left) or left == right:
        return right
    numbers = all(
        pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind) for kind in (left, right)
    )
    times = all(pt.is_date(kind) or pt.is_timestamp(kind) for kind in (left, right))
    zones = {getattr(kind, "tz", None) for kind in (left, right)}
    return widened_type(left, right) if numbers or (times and len(zones) == 1) else pa.string()


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
            convert_options=pacsv.ConvertOptions(
                null_values=list(dialect.null_values),
                true_values=list(dialect.notation.true_values),
                false_values=list(dialect.notation.false_values),
            ),
        )

    if not dialect.notation.is_usual:
        return [pa.string()] * len(names)
    try:
        return list(read("utf8").schema.types)
    except pa.ArrowInvalid:  # a row with a wrong number of fields that is not UTF-8
        return list(read("latin1").schema.types)
