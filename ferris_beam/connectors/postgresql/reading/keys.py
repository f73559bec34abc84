"""Columns whose values are integers on a scale: what pieces and cursors go by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from ferris_beam.connectors.postgresql.types import Column
from ferris_beam.errors import ConfigurationError

_INTEGERS = ("int2", "int4", "int8")
_BIGGEST = 2**63 - 1
_DAY = 86_400_000_000
_YEARS = (date(1, 1, 1), date(9999, 12, 31))


@dataclass(frozen=True)
class Key:
    """A column of integers, dates (days since 1970) or timestamps (microseconds since 1970)."""

    name: str
    kind: str

    @classmethod
    def of(cls, name: str, option: str, columns: Sequence[Column]) -> Key:
        """Raises `ConfigurationError`, naming ``option``, where the column isn't one."""
        found = {column.name: column for column in columns}.get(name)
        if found is None:
            names = ", ".join(column.name for column in columns)
            raise ConfigurationError(f"{option}={name}: there is no such column; there are {names}")
        base = found.base
        fits = base.builtin and base.kind == "scalar"
        if not fits or base.name not in {*_INTEGERS, "date", "timestamp", "timestamptz"}:
            raise ConfigurationError(
                f"{option}={name} has the type {base.name}: it must be an integer, a date or a "
                "timestamp"
            )
        return cls(name, base.name)

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.name)

    @property
    def is_time(self) -> bool:
        return self.kind in ("timestamp", "timestamptz")

    @property
    def has_infinity(self) -> bool:
        return self.kind not in _INTEGERS

    @property
    def finite(self) -> sql.Composable:
        """The condition that a value has a place on the scale: years from 1 to 9999."""
        if self.kind in _INTEGERS:
            return sql.SQL("{} IS NOT NULL").format(self.identifier)
        first, last = (sql.Literal(each.isoformat()) for each in _YEARS)
        return sql.SQL("({0} >= {1}::date AND {0} < {2}::date)").format(
            self.identifier, first, last
        )

    def number(self, expression: sql.Composable) -> sql.Composable:
        """An expression of the key's type as the server computes its integer."""
        if self.kind in _INTEGERS:
            return sql.SQL("({})::int8").format(expression)
        if self.kind == "date":
            return sql.SQL("({} - '1970-01-01'::date)::int8").format(expression)
        return sql.SQL("(extract(epoch FROM {}) * 1000000)::int8").format(expression)

    def literal(self, number: int) -> sql.Composable:
        """The value of an integer; beyond all values, one that is as good."""
        if self.kind in _INTEGERS:
            fitting = max(-_BIGGEST - 1, min(number, _BIGGEST))
            return sql.SQL("{}::int8").format(sql.Literal(str(fitting)))
        if self.kind == "date":
            return self._time("date", number * _DAY)
        zone = "+00" if self.kind == "timestamptz" else ""
        return self._time(self.kind, number, zone)

    @staticmethod
    def _time(kind: str, microseconds: int, zone: str = "") -> sql.Composable:
        try:
            moment = datetime(1970, 1, 1) + timedelta(microseconds=microseconds)
        except OverflowError:
            text = "infinity" if microseconds > 0 else "-infinity"
        else:
            text = moment.date().isoformat() if kind == "date" else moment.isoformat() + zone
        return sql.SQL("{}::{}").format(sql.Literal(text), sql.SQL(kind))

    def numbers(self, values: pa.Array) -> pa.Array:
        """Arrow's values of the column as int64."""
        if pa.types.is_date(values.type):
            values = values.cast(pa.int32())
        return pc.cast(values, pa.int64())

    def bounds(self, connection: Any, source: sql.Composable) -> tuple[int, int] | None:
        """The lowest and the highest value, None where there is none."""
        lowest, highest = (
            self.number(sql.SQL("{}({})").format(sql.SQL(function), self.identifier))
            for function in ("min", "max")
        )
        row = connection.execute(
            sql.SQL("SELECT {}, {} FROM {} WHERE {}").format(lowest, highest, source, self.finite)
        ).fetchone()
        return None if row is None or row[0] is None else (row[0], row[1])
