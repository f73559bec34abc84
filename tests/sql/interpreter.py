"""What a plan means: each node computed by DuckDB over tables in memory, one after the other.

Small and slow on purpose, and independent of `ferris_beam.sql.execution`: it says which rows a plan
has, so that planner and rules are tested without Beam. Each node's result is computed whole, so an
expression that fails on a row that reaches it fails here, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, singledispatchmethod
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.nodes import (
    Aggregate,
    Filter,
    Given,
    Join,
    Leaf,
    Named,
    Node,
    Over,
    Project,
    Rows,
    Scan,
    Sort,
    Union,
    Unnest,
    Window,
)


class MoreThanOneRow(Exception):
    """A scalar subquery had several rows for one row."""


def run(node: Node, tables: Mapping[str, pa.Table | Node] | None = None) -> pa.Table:
    """The rows of ``node``. A `Scan` whose endpoint is a `pyarrow.Table` reads that; others are
    read through the connector. A Given is looked up by its name; a stream may be given by its
    plan."""
    return Interpreter(tables or {}).run(node)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def sql(expression: exp.Expression) -> str:
    return expression.sql(dialect="duckdb")


def listed(named: Iterable[Named]) -> str:
    return ", ".join(f"{sql(each.expression)} AS {quoted(each.name)}" for each in named)


@cache
def connection() -> duckdb.DuckDBPyConnection:
    """One for all: tables are registered anew for each question."""
    opened = duckdb.connect(config={"threads": 1})
    opened.execute("SET TimeZone = 'UTC'; SET integer_division = true")
    return opened


class Interpreter:
    def __init__(self, tables: Mapping[str, pa.Table | Node]) -> None:
        self.tables = tables
        self.connection = connection()

    def run(self, node: Node) -> pa.Table:
        inputs = [self.run(below) for below in node.inputs]
        result = self.compute(node, *inputs)
        assert result.schema.names == node.schema.names, (node, result.schema)
        return result.cast(node.schema) if node.schema.names else result

    def query(self, text: str, **tables: pa.Table) -> pa.Table:
        """DuckDB has no tables without columns, and plans have: one is lent to them."""
        for name, table in tables.items():
            lent = pa.table({"no column": pa.nulls(table.num_rows)})
            self.connection.register(name, table if table.schema.names else lent)
        found = self.connection.sql(text).to_arrow_table()
        return found.select([name for name in found.column_names if name != "no column"])

    @singledispatchmethod
    def compute(self, node: Node, *inputs: pa.Table) -> pa.Table:
        raise NotImplementedError(type(node).__name__)

    @compute.register
    def _(self, node: Scan) -> pa.Table:
        table = self.table_of(node).select(list(node.names)).rename_columns(node.schema.names)
        if node.predicate is not None:
            table = self.query(f"SELECT * FROM input WHERE {sql(node.predicate)}", input=table)
        return table.slice(0, node.limit)

    @compute.register
    def _(self, node: Given) -> pa.Table:
        return self.table_of(node).select(list(node.names)).rename_columns(node.schema.names)

    def table_of(self, node: Scan | Given) -> pa.Table:
        if isinstance(node, Given):
            found = self.tables[node.name]
            return self.run(found) if isinstance(found, Node) else found
        if isinstance(node.endpoint, pa.Table):
            return node.endpoint
        return read(node.endpoint)

    @compute.register
    def _(self, node: Rows) -> pa.Table:
        if not node.schema.names:
            return pa.table({"": pa.nulls(len(node.rows))}).select([])
        if not node.rows:
            return node.schema.empty_table()
        rows = ", ".join(f"({', '.join(map(sql, row))})" for row in node.rows)
        names = ", ".join(map(quoted, node.schema.names))
        return self.query(f"SELECT * FROM (VALUES {rows}) AS input({names})")

    @compute.register
    def _(self, node: Project, table: pa.Table) -> pa.Table:
        return self.select(listed(node.columns), table)

    @compute.register
    def _(self, node: Filter, table: pa.Table) -> pa.Table:
        return self.select(f"* FROM input WHERE {sql(node.condition)}", table)

    def select(self, text: str, table: pa.Table) -> pa.Table:
        return self.query(f"SELECT {_from(text)}", input=table)

    @compute.register
    def _(self, node: Unnest, table: pa.Table) -> pa.Table:
        items = f"SELECT *, {sql(node.expression)} AS items FROM input"
        if node.outer:
            items = f"SELECT * EXCLUDE items, CASE WHEN len(items) > 0 THEN items ELSE [NULL] END \
                AS items FROM ({items})"
        position = f", generate_subscripts(items, 1) AS {quoted(node.position)}"
        text = f"SELECT * EXCLUDE items, unnest(items) AS {quoted(node.name)}"
        text += f"{position if node.position else ''} FROM ({items})"
        return self.query(text, input=table)

    @compute.register
    def _(self, node: Aggregate, table: pa.Table) -> pa.Table:
        keys = [f"{sql(key.expression)} AS {quoted(key.name)}" for key in node.keys]
        bounds: list[str] = []
        if node.window is not None:
            table = self.windows(node.window, node.keys, table)
            bounds = [quoted(node.window.start), quoted(node.window.end)]
        calls = [f"{sql(call.expression)} AS {quoted(call.name)}" for call in node.calls]
        positions = ", ".join(str(at + 1) for at in range(len(bounds) + len(keys)))
        by = f" GROUP BY {positions}" if positions else ""
        if not calls and not positions:
            return pa.table({"": pa.nulls(1)}).select([])
        return self.select(", ".join(bounds + keys + calls) + " FROM input" + by, table)

    def windows(self, window: Window, keys: Iterable[Named], table: pa.Table) -> pa.Table:
        """``table`` with the columns of the window that each row falls into."""
        time = f"epoch_us({sql(window.time)})"
        start, end = quoted(window.start), quoted(window.end)
        if window.kind == "session":
            return self.sessions(window, keys, table)
        if window.size.months or window.slide.months or window.zone:
            raise NotImplementedError("windows of the calendar")
        size, slide, offset = window.size.micros, window.slide.micros, window.offset.micros
        last = f"({time} - {offset}) - ((({time} - {offset}) % {slide}) + {slide}) % {slide}"
        first = -(-size // slide) * slide
        starts = f"range(({last}) - {first}, ({last}) + 1, {slide})"
        each = f"SELECT *, {time} AS t, unnest({starts}) + {offset} AS micros FROM input"
        text = f"SELECT * EXCLUDE (t, micros), make_timestamp(micros) AS {start}, \
            make_timestamp(micros + {size}) AS {end} FROM ({each}) \
            WHERE micros <= t AND t < micros + {size}"
        return self.query(text, input=table)

    def sessions(self, window: Window, keys: Iterable[Named], table: pa.Table) -> pa.Table:
        by = ", ".join(sql(key.expression) for key in keys) or "NULL"
        key_list = f"[{', '.join(f'CAST({sql(k.expression)} AS VARCHAR)' for k in keys)}]"
        timed = f"SELECT *, epoch_us({sql(window.time)}) AS t, {key_list} AS k FROM input"
        gap = window.gap.micros
        new = f"SELECT *, CASE WHEN t - lag(t) OVER (PARTITION BY {by} ORDER BY t) <= {gap} \
            THEN 0 ELSE 1 END AS new FROM ({timed})"
        numbered = f"SELECT *, sum(new) OVER (PARTITION BY {by} ORDER BY t) AS n FROM ({new})"
        text = f"SELECT * EXCLUDE (t, k, new, n), \
            make_timestamp(min(t) OVER (PARTITION BY k, n)) AS {quoted(window.start)}, \
            make_timestamp(max(t) OVER (PARTITION BY k, n) + {gap}) AS {quoted(window.end)} \
            FROM ({numbered})"
        return self.query(text, input=table)

    @compute.register
    def _(self, node: Join, left: pa.Table, right: pa.Table) -> pa.Table:
        left, right = _with_row(left, "left row"), _with_row(right, "right row")
        on = self.condition(node)
        if node.single:
            self.check_single(on, left, right)
        text = f"SELECT * FROM l {node.kind.upper()} JOIN r ON {on}"
        if node.kind in ("semi", "anti"):
            negated = "NOT " if node.kind == "anti" else ""
            text = f"SELECT * FROM l WHERE {negated}EXISTS (SELECT 1 FROM r WHERE {on})"
        return self.query(text, l=left, r=right).select(node.schema.names)

    def condition(self, node: Join) -> str:
        equal = "IS NOT DISTINCT FROM" if node.nulls_equal else "="
        parts = [f"(({sql(left)}) {equal} ({sql(right)}))" for left, right in node.keys]
        if node.null_aware:
            parts = [f"(({' AND '.join(parts)}) IS NOT FALSE)"]
        if node.residual is not None:
            parts.append(f"({sql(node.residual)})")
        return " AND ".join(parts) or "TRUE"

    def check_single(self, on: str, left: pa.Table, right: pa.Table) -> None:
        text = f'SELECT 1 FROM l JOIN r ON {on} GROUP BY l."left row" HAVING count(*) > 1'
        if self.query(text, l=left, r=right).num_rows:
            raise MoreThanOneRow(on)

    @compute.register
    def _(self, node: Over, table: pa.Table) -> pa.Table:
        return self.select(f"*, {listed(node.calls)}", table)

    @compute.register
    def _(self, node: Sort, table: pa.Table) -> pa.Table:
        if not node.order:
            return table.slice(node.offset, node.limit)
        items = [
            f"{sql(each.expression)} {'DESC' if each.descending else 'ASC'}"
            f" NULLS {'FIRST' if each.nulls_first else 'LAST'}"
            for each in node.order
        ]
        limit = "" if node.limit is None else f" LIMIT {node.limit}"
        text = f"* FROM input ORDER BY {', '.join(items)}{limit} OFFSET {node.offset}"
        return self.select(text, table)

    @compute.register
    def _(self, node: Union, *tables: pa.Table) -> pa.Table:
        return pa.concat_tables([each.rename_columns(node.schema.names) for each in tables])


def _from(text: str) -> str:
    return text if " FROM input" in text else f"{text} FROM input"


def _with_row(table: pa.Table, name: str) -> pa.Table:
    return table.append_column(name, pa.array(range(table.num_rows), pa.int64()))


def read(endpoint: Any) -> pa.Table:
    """All rows of a bounded source, without Beam."""
    reader = endpoint.reader(endpoint.resolved())
    reader.open()
    try:
        splits = list(reader.splits({}))
        batches = [chunk.records for split in splits for chunk in reader.read(split)]
        return pa.Table.from_batches(batches, reader.schema())
    finally:
        reader.close()


def leaves(node: Node) -> list[Leaf]:
    if isinstance(node, Leaf):
        return [node]
    return [leaf for below in node.inputs for leaf in leaves(below)]
