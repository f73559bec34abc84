"""A whole SQL text becomes a program: results and where they go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql import nodes
from ferris_beam.sql import statements as parsed
from ferris_beam.sql.nodes import Node
from ferris_beam.sql.plan.builder import Builder, CommonTable
from ferris_beam.sql.plan.catalog import Catalog, Entry, pointing
from ferris_beam.sql.plan.changelog import check_changes, is_bounded
from ferris_beam.sql.plan.live import (
    WindowOptions,
    refuse_idle_options,
    window_options,
    with_live_windows,
)
from ferris_beam.sql.statements import Emit, Endpoint, Statement
from ferris_beam.sql.syntax.relations import endpoint_of
from ferris_beam.sql.text import SqlText
from ferris_beam.transforms.endpoint import Direction
from ferris_beam.transforms.endpoint import Endpoint as Pointed


@dataclass(frozen=True)
class Output:
    """A result: ``node`` goes to ``sink``, or is printed where there is none. ``name`` is the
    stream's (empty: it has none). ``options`` are those of WITH, of sink and pipeline alike."""

    name: str
    node: Node
    sink: Endpoint | None
    emit: Emit | None
    options: Mapping[str, Any]
    statement: Statement


@dataclass(frozen=True)
class Program:
    """``outputs`` in the order of their statements; ``streams`` are the plans of named queries:
    a `nodes.Given` with ``stream`` reads one of these."""

    outputs: tuple[Output, ...]
    streams: Mapping[str, Node] = field(default_factory=dict)
    catalog: Catalog = field(default_factory=Catalog)


def plan_program(statements: Iterable[Statement], text: SqlText, catalog: Catalog) -> Program:
    """The plan of all statements; sources are discovered, nothing is run.

    A named query without INTO is put out if its statement is the last one. DESCRIBE and SHOW put
    out rows. Raises `SqlError`.
    """
    planner = _Planner(text, catalog)
    every = list(statements)
    for place, statement in enumerate(every):
        planner.add(statement, last=place == len(every) - 1)
    return Program(tuple(planner.outputs), planner.streams, catalog)


class _Planner:
    def __init__(self, text: SqlText, catalog: Catalog) -> None:
        self.text = text
        self.catalog = catalog
        self.outputs: list[Output] = []
        self.streams: dict[str, Node] = {}
        self.shared: dict[CommonTable, tuple[str, Node]] = {}

    def add(self, statement: Statement, last: bool) -> None:
        if isinstance(statement, parsed.DeclareStream):
            self.catalog.declare(statement, self.text)
        elif isinstance(statement, parsed.Explain):
            self._explained(statement)
        elif isinstance(statement, parsed.CreateStream):
            self._create(statement, last)
        elif isinstance(statement, parsed.Select):
            self._select(statement, statement)
        elif isinstance(statement, parsed.Describe):
            self._print(self._describe(statement), statement)
        else:
            self._print(self._show(statement), statement)

    def _explained(self, statement: parsed.Explain) -> None:
        inner = statement.statement
        if isinstance(inner, parsed.Select):
            self._select(inner, statement)
        else:
            self._check_sink(inner)
            node = self._created(inner)
            self._put_out(inner, node, statement)

    def _create(self, statement: parsed.CreateStream, last: bool) -> None:
        self._check_sink(statement)
        node = self._created(statement)
        if statement.name:
            bounded = is_bounded(node, self.catalog)
            entry = Entry(statement.name, node.schema, bounded=bounded, is_table=statement.is_table)
            self.catalog.define(entry, statement.span, self.text)
            self.streams[statement.name] = node
        if statement.sink is not None or last:
            self._put_out(statement, node, statement)

    def _put_out(self, query: parsed.CreateStream, node: Node, statement: Statement) -> None:
        self.outputs.append(
            Output(query.name, node, query.sink, query.emit, query.options, statement)
        )

    def _check_sink(self, query: parsed.CreateStream) -> None:
        """Before the query is planned, for which sources are asked over the network."""
        if query.sink is not None:
            check_endpoint(query.sink, self.text, "sink")

    def _check_sources(self, query: exp.Query) -> None:
        """All of them, before the first one is asked over the network."""
        for table in query.find_all(exp.Table):
            endpoint = endpoint_of(table)
            if endpoint is not None:
                check_endpoint(endpoint, self.text, "source")

    def _select(self, query: parsed.Select, statement: Statement) -> None:
        node = self._query(query.query, query.emit, WindowOptions())
        self.outputs.append(Output("", node, None, query.emit, {}, statement))

    def _print(self, node: Node, statement: Statement) -> None:
        self.outputs.append(Output("", node, None, None, {}, statement))

    def _created(self, statement: parsed.CreateStream) -> Node:
        options = window_options(statement, self.text)
        node = self._query(statement.query, statement.emit, options)
        refuse_idle_options(node, statement, self.text)
        return node

    def _query(self, query: exp.Query, emit: Emit | None, options: WindowOptions) -> Node:
        self._check_sources(query)
        node = Builder(self.catalog, self.text, shared=self.shared).plan(query).node
        self.streams.update(self.shared.values())
        check_changes(node, emit, query, self.text, self.catalog)
        return with_live_windows(node, emit, options, self.catalog, self.streams)

    def _describe(self, statement: parsed.Describe) -> Node:
        if statement.is_uri:
            endpoint = Endpoint(
                statement.target, statement.span, statement.options, statement.option_spans
            )
            schema = self.catalog.source(endpoint, self.text).schema
        else:
            schema = self.catalog.require(statement.target, statement.span, self.text).schema
        return text_rows(("column", "type"), [(each.name, str(each.type)) for each in schema])

    def _show(self, statement: parsed.ShowStreams) -> Node:
        rows = [
            (each.name, "table" if each.is_table else "stream")
            for each in self.catalog.entries
            if each.is_table or not statement.tables_only
        ]
        return text_rows(("name", "kind"), rows)


def check_endpoint(endpoint: Endpoint, text: SqlText, direction: Direction) -> None:
    """Judges URI and options, and touches nothing; `SqlError` with a caret."""
    options = dict(endpoint.options)
    pointing(endpoint, text, lambda: Pointed.of(endpoint.uri, options, direction))


def text_rows(names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> nodes.Rows:
    """Rows of text."""
    schema = pa.schema([pa.field(name, pa.string()) for name in names])
    cells = tuple(tuple(exp.Literal.string(cell) for cell in row) for row in rows)
    return nodes.Rows(schema, cells)
