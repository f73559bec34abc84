"""NOW, RANDOM and UUID that give the same values when the same rows are computed again.

The time is that of the run's start; random values follow from the seed, the number of the row in
its input and the number of the call in the query. The row's number is a column of the input that
only queries with random values read, and that is passed on by the SELECTs in between.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, TypeGuard

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datafusion import ScalarUDF, udf
from sqlglot import exp

from ferris_beam.sql.kernel.expressions import cast_to, set_type
from ferris_beam.sql.kernel.rendering import Refused, call

ROW_NUMBER = "ferris_row_number"
"""The input's column of row numbers."""
_START = "ferris_start"
_TIMES = {
    "now": pa.timestamp("us", "UTC"),
    "current_timestamp": pa.timestamp("us", "UTC"),
    "current_date": pa.date32(),
    "today": pa.date32(),
    "current_time": pa.time64("us"),
}
_RANDOM = {"random": pa.float64(), "uuid": pa.string()}
_Numbers = np.ndarray[Any, np.dtype[np.uint64]]


@dataclass
class Seed:
    """What a session's seeded functions start from; set before each run."""

    text: str = ""

    @property
    def start(self) -> datetime:
        """The run's start, which the seed's text begins with (RFC 3339); without it: now."""
        return _start_of(self.text) or datetime.now(timezone.utc)

    @property
    def chance(self) -> str:
        """What random values depend on: what stands behind the run's start, so that a later run
        that repeats an interval has the same values."""
        return self.text if _start_of(self.text) is None else self.text.partition(" ")[2]


def _start_of(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.partition(" ")[0].replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=timezone.utc)


def is_seeded(node: exp.Expr) -> TypeGuard[exp.Anonymous]:
    return isinstance(node, exp.Anonymous) and node.name.lower() in {*_TIMES, *_RANDOM}


def seeded(query: exp.Expr) -> tuple[exp.Expr, bool]:
    """``query`` with our functions for those that change, and whether there are any. A query's
    own copy is changed in place."""
    found = [node for node in query.walk() if is_seeded(node)]
    for number, node in enumerate(found):
        replacement = _replacement(node, number)
        if node is query:
            query = replacement
        else:
            node.replace(replacement)
    return query, bool(found)


def reads_rows(query: exp.Expr) -> bool:
    """Whether the number of each row is needed."""
    return any(column.name == ROW_NUMBER for column in query.find_all(exp.Column))


def _replacement(node: exp.Anonymous, number: int) -> exp.Expr:
    name = node.name.lower()
    if name in _TIMES:
        return cast_to(set_type(call(_START), _TIMES["now"]), _TIMES[name])
    rows = _row_numbers(node)
    value = call(f"ferris_{name}", exp.Literal.number(number), rows)
    return set_type(value, _RANDOM[name])


def _row_numbers(node: exp.Expr) -> exp.Expr:
    """The numbers of the rows of the SELECT that ``node`` stands in."""
    select = node.find_ancestor(exp.Select)
    if select is None or _pass_on(select):
        return _column()
    if node.find_ancestor(exp.Where, exp.Having, exp.Group, exp.Join, exp.AggFunc) is None:
        return cast_to(exp.Window(this=call("row_number")), pa.int64())
    raise Refused(f"{node.name}() can't be used here", node, "select it in an inner query first")


def _pass_on(select: exp.Select) -> bool:
    """Lets the FROM of ``select`` have the column; False where its rows are not the input's."""
    source = select.args.get("from_")
    if source is None or select.args.get("joins"):
        return False
    relation = source.this
    if isinstance(relation, exp.Table):
        return relation.name == "input_0"
    inner = relation.this if isinstance(relation, exp.Subquery) else None
    if not isinstance(inner, exp.Select) or not _keeps_rows(inner) or not _pass_on(inner):
        return False
    if ROW_NUMBER not in inner.named_selects:
        inner.select(exp.alias_(_column(), ROW_NUMBER, quoted=True), copy=False)
    return True


def _keeps_rows(select: exp.Select) -> bool:
    if any(select.args.get(key) for key in ("group", "distinct", "having", "joins")):
        return False
    return not any(each.find(exp.AggFunc, exp.Explode) for each in select.expressions)


def _column() -> exp.Column:
    return exp.column(exp.to_identifier(ROW_NUMBER, quoted=True))


def with_start(sql: str, seed: Seed) -> str:
    """``sql`` with the time of the run's start written into it."""
    call_of_start = f"{_START}()"
    if call_of_start not in sql:
        return sql
    shown = seed.start.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    literal = f"arrow_cast('{shown}', 'Timestamp(Microsecond, Some(\"UTC\"))')"
    return sql.replace(call_of_start, literal)


def seeded_functions(seed: Seed) -> list[ScalarUDF]:
    """The functions of a session, which read ``seed`` when they run."""
    arguments = [pa.int64(), pa.int64()]

    def function(name: str, run: Callable[[_Numbers], pa.Array], type: pa.DataType) -> ScalarUDF:
        def of_rows(number: pa.Array, rows: pa.Array) -> pa.Array:
            return run(_mixed(seed.chance, number, rows))

        return udf(of_rows, arguments, type, "volatile", name)

    return [
        udf(lambda: pa.array([seed.start], _TIMES["now"]), [], _TIMES["now"], "stable", _START),
        function("ferris_random", _fractions, pa.float64()),
        function("ferris_uuid", _uuids, pa.string()),
    ]


def _mixed(seed: str, number: pa.Array, rows: pa.Array) -> _Numbers:
    """One random 64-bit integer for each row: splitmix64 (Steele, Lea, Flood 2014) of its number,
    started from a hash of the seed and the number of the call."""
    call_number = number[0].as_py() if len(number) else 0
    digest = hashlib.blake2b(f"{call_number} {seed}".encode(), digest_size=8).digest()
    start = np.uint64(int.from_bytes(digest, "little"))
    with np.errstate(over="ignore"):
        return _splitmix(start + rows.to_numpy(zero_copy_only=False).astype(np.uint64) * _GOLDEN)


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _splitmix(state: _Numbers) -> _Numbers:
    mixed = state + _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _fractions(numbers: _Numbers) -> pa.Array:
    """53 bits of each: 0 ≤ x < 1."""
    return pa.array((numbers >> np.uint64(11)).astype(np.float64) * 2.0**-53)


_HEXADECIMAL = np.frombuffer(b"0123456789abcdef", np.uint8)
_DASHES = (8, 12, 16, 20)


def _uuids(numbers: _Numbers) -> pa.Array:
    """Version 4, variant 1 (RFC 9562), as text."""
    with np.errstate(over="ignore"):
        halves = np.stack([numbers, _splitmix(numbers ^ _GOLDEN)], axis=1)
    content = halves.astype(">u8").view(np.uint8).reshape(len(numbers), 16)
    content[:, 6] = content[:, 6] & 0x0F | 0x40
    content[:, 8] = content[:, 8] & 0x3F | 0x80
    nibbles = np.stack([content >> 4, content & 0x0F], axis=2).reshape(len(numbers), 32)
    text = np.insert(_HEXADECIMAL[nibbles], _DASHES, ord("-"), axis=1)
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * 36
    return pa.StringArray.from_buffers(
        len(numbers), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(text))
    )


def row_numbers(start: int, count: int) -> pa.Array:
    return pc.cast(pa.array(np.arange(start, start + count)), pa.int64())
