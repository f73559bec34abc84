"""From a planned program to a pipeline: every stream once, every sink written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import apache_beam as beam
from apache_beam.pvalue import PCollection

from ferris_beam.sql.execution.compiler import Compiler, Streams
from ferris_beam.sql.execution.options import HELD_FACTOR, MB, SqlOptions
from ferris_beam.sql.execution.scans import StoreAggregates
from ferris_beam.sql.joins.table import TABLE_BYTES
from ferris_beam.sql.nodes import Node
from ferris_beam.sql.plan.program import Output, Program
from ferris_beam.sql.rules import optimize, size_streams
from ferris_beam.sql.text import SqlText
from ferris_beam.transforms.factory import create_sink

if TYPE_CHECKING:
    from ferris_beam.transforms.dead_letters import DeadLetters


@dataclass(frozen=True)
class Built:
    """What was built: the branches of each output in order, by name, the receipts of those that are
    written, what each transform computes, by its label, and what workers load for joins."""

    results: Mapping[str, Streams]
    receipts: Mapping[str, PCollection]
    labels: Mapping[str, list[Node]] = field(default_factory=dict)
    tables: Mapping[str, list[Node]] = field(default_factory=dict)
    plans: Mapping[str, Node] = field(default_factory=dict)
    """The nodes that are run, of each stream and each output, by name."""


def run_program(
    pipeline: beam.Pipeline,
    program: Program,
    *,
    given: Mapping[str, PCollection] | None = None,
    text: SqlText | None = None,
    dead_letters: DeadLetters | None = None,
) -> Built:
    """Applies the transforms of ``program``; writes each output that has a sink.

    ``given``: PCollections of Batch by the names under which the program reads them. Rows that
    can't be read, computed or written go to ``dead_letters``; without it the first one stops the
    job.
    """
    options = pipeline.options.view_as(SqlOptions)
    limit = options.broadcast_limit * MB
    can_aggregate = StoreAggregates(
        [*program.streams.values(), *(output.node for output in program.outputs)]
    )
    plans: dict[str, Node] = {}

    def optimized(node: Node) -> Node:
        sized = size_streams(node, plans)
        return optimize(sized, broadcast_limit=limit, can_aggregate=can_aggregate)

    for name, node in program.streams.items():
        plans[name] = optimized(node)
    held = max(TABLE_BYTES, HELD_FACTOR * limit)
    memory = options.sql_memory_limit and options.sql_memory_limit * MB
    compiler = Compiler(pipeline, given or {}, plans, text, dead_letters, held, memory)
    outputs = [(_name(output, n), output) for n, output in enumerate(program.outputs)]
    nodes = [plans.get(output.name) or optimized(output.node) for _, output in outputs]
    compiler.expect([*plans.values(), *nodes])
    results, receipts = {}, {}
    for (name, output), node in zip(outputs, nodes, strict=True):
        results[name] = compiler.stream(name) if name in plans else compiler.build(name, node)
        if output.sink is not None:
            receipts[name] = _written(name, output, results[name], dead_letters)
    run = {name: node for (name, _), node in zip(outputs, nodes, strict=True)}
    return Built(results, receipts, compiler.labels, compiler.tables, {**plans, **run})


def _name(output: Output, number: int) -> str:
    """The stream's name, or one that the labels of a query without a name begin with."""
    return output.name or f"query {number + 1}"


def _written(
    name: str, output: Output, streams: Streams, dead_letters: DeadLetters | None
) -> PCollection:
    assert output.sink is not None
    write = create_sink(output.sink.uri, dead_letters=dead_letters, **output.sink.options)
    write.stream = output.name
    return streams | f"{name}: {write.default_label()}" >> write
