"""From a plan to transforms: one for each node, or for each chain of nodes over single batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

import apache_beam as beam
from apache_beam.pvalue import PCollection

from ferris_beam.errors import PlanError
from ferris_beam.sql.aggregation import plan_aggregate
from ferris_beam.sql.aggregation.live import LiveAggregation
from ferris_beam.sql.execution.broadcast import JoinSideInput, JoinTable
from ferris_beam.sql.execution.chains import steps_of
from ferris_beam.sql.execution.constants import constants
from ferris_beam.sql.execution.lookup import JoinLookup
from ferris_beam.sql.execution.scans import Scans
from ferris_beam.sql.execution.steps import Rename, Step, Steps
from ferris_beam.sql.joins import (
    BroadcastJoin,
    GivenTable,
    plan_hash_join,
    table_of,
    with_key_columns,
)
from ferris_beam.sql.joins.lookup import LookupJoin
from ferris_beam.sql.joins.table import TABLE_BYTES
from ferris_beam.sql.nodes import (
    Aggregate,
    AggregatedScan,
    Filter,
    Given,
    Join,
    Node,
    Over,
    Project,
    Rows,
    Scan,
    Sort,
    Union,
    Unnest,
)
from ferris_beam.sql.ordering import plan_over, plan_sort, row_limit
from ferris_beam.sql.text import SqlText
from ferris_beam.transforms.context import PipelineContext
from ferris_beam.transforms.live import LiveStates
from ferris_beam.transforms.partitioned import Partitioned
from ferris_beam.transforms.stage import Completion, Preparation

if TYPE_CHECKING:
    from ferris_beam.transforms.dead_letters import DeadLetters

Streams = tuple[PCollection, ...]
"""The branches of a result: several behind UNION ALL."""


class _Memory(TypedDict, total=False):
    memory_limit: int


@dataclass
class Compiler:
    """Builds the transforms of one program in one pipeline.

    ``given`` are the PCollections handed in, by name; ``plans`` those of the streams, which are
    built when they are first read. A node that occurs twice is built once.
    """

    pipeline: beam.Pipeline
    given: Mapping[str, PCollection]
    plans: Mapping[str, Node] = field(default_factory=dict)
    text: SqlText | None = None
    dead_letters: DeadLetters | None = None
    table_bytes: int = TABLE_BYTES
    """What the table of one join may take in a worker."""
    memory_limit: int | None = None
    """What one partition of a stage holds at a time, in bytes; None: each stage's own default."""
    streams: dict[str, Streams] = field(default_factory=dict)
    labels: dict[str, list[Node]] = field(default_factory=dict)
    """What each transform computes, by its label."""
    tables: dict[str, list[Node]] = field(default_factory=dict)
    """What workers load for joins, by the label under which it is counted."""

    def __post_init__(self) -> None:
        self._scans = Scans(self.pipeline, self.dead_letters)
        self._built: dict[int, tuple[Node, Streams]] = {}
        self._used: Counter[str] = Counter()
        self._scope = ""
        limit = self.memory_limit
        self._memory: _Memory = {} if limit is None else {"memory_limit": limit}

    def build(self, name: str, node: Node) -> Streams:
        """The transforms of ``node``, under labels that begin with ``name``."""
        outer, self._scope = self._scope, name
        streams = self.compiled(node)
        self._scope = outer
        return streams

    def stream(self, name: str) -> Streams:
        """The stream ``name``, built once."""
        if name not in self.streams:
            self.streams[name] = self.build(name, self.plans[name])
        return self.streams[name]

    def expect(self, plans: list[Node]) -> None:
        """All plans that will be built: what they read together is read once."""
        self._scans.expect(plans)

    def compiled(self, node: Node) -> Streams:
        chain: list[Node] = []
        below = node
        while isinstance(below, (Project, Filter, Unnest)):
            chain.append(below)
            below = below.input
        if not chain and not isinstance(below, (Scan, AggregatedScan, Given)):
            return self._compiled_once(below)
        streams, steps = self._opened(below, chain[-1] if chain else None)
        steps += steps_of(chain[::-1], below.schema, self.text)
        return self._stepped(streams, steps, [*chain, below]) if steps else streams

    def _opened(self, node: Node, above: Node | None = None) -> tuple[Streams, list[Step]]:
        """The batches of a leaf and what gives them the plan's names; of others themselves."""
        if isinstance(node, Scan):
            encoded = self._scans.gives_dictionaries(node)
            return (self._scans.read(node),), [Rename(node.names, node.schema, encoded)]
        if isinstance(node, AggregatedScan):
            return (self._scans.read_aggregates(node),), [Rename(node.names, node.schema)]
        if isinstance(node, Given):
            streams = self.stream(node.name) if node.stream else (self.given[node.name],)
            return streams, [Rename(node.names, node.schema)]
        if isinstance(node, Over) and isinstance(above, Filter):
            limit = row_limit(above.condition, node)
            if limit is not None and id(above) not in self._built:
                preparation, completion = plan_over(node, self.text, limit=limit, **self._memory)
                streams = self._staged("Over", node, (preparation,), completion)
                self._built[id(above)] = above, streams
            if limit is not None:
                return self._built[id(above)][1], []
        return self._compiled_once(node), []

    def _stepped(
        self, streams: Streams, steps: list[Step], nodes: list[Node], kind: str = "Select"
    ) -> Streams:
        return tuple(
            stream | self.label(kind, nodes) >> Steps(steps, dead_letters=self.dead_letters)
            for stream in streams
        )

    def _compiled_once(self, node: Node) -> Streams:
        if id(node) not in self._built:
            self._built[id(node)] = node, self._BUILDERS[type(node)](self, node)
        return self._built[id(node)][1]

    def label(self, kind: str, nodes: list[Node]) -> str:
        """A label of its own, the same whenever the same program is built."""
        base = f"{self._scope}: {kind}"
        self._used[base] += 1
        label = base if self._used[base] == 1 else f"{base} {self._used[base]}"
        self.labels[label] = nodes
        return label

    # ── one for each kind of node ───────────────────────────────────────────────────────────

    def _rows(self, node: Rows) -> Streams:
        return (self.pipeline | self.label("Values", [node]) >> constants(node, self.text),)

    def _union(self, node: Union) -> Streams:
        """Each branch under the names of the union; a branch that occurs twice gets a transform of
        its own by that, so that its paths differ."""
        found: list[PCollection] = []
        for branch in node.branches:
            rename = Rename(tuple(branch.schema.names), node.schema)
            found += self._stepped(self.compiled(branch), [rename], [node])
        return tuple(found)

    def _aggregate(self, node: Aggregate) -> Streams:
        plan = plan_aggregate(node, self.text, **self._memory)
        if node.live is None:
            return self._staged("Aggregate", node, (plan.preparation,), plan.completion)
        label = self.label("Windows", [node])
        if node.live.refused:
            raise PlanError(f"{label!r}: {node.live.refused}")
        preparation = plan.preparation
        lateness, keeps = node.live.lateness, node.live.late == "dead_letter"
        work = LiveAggregation(preparation.inputs, preparation.aggregation, lateness, keeps)
        stage = LiveStates(work, dead_letters=self.dead_letters)
        return (self.compiled(node.input) | label >> stage,)

    def _over(self, node: Over) -> Streams:
        preparation, completion = plan_over(node, self.text, **self._memory)
        return self._staged("Over", node, (preparation,), completion)

    def _sort(self, node: Sort) -> Streams:
        preparation, completion = plan_sort(node, self.text, **self._memory)
        return self._staged("Sort", node, (preparation,), completion)

    def _join(self, node: Join) -> Streams:
        if node.strategy == "broadcast":
            return self._broadcast(node)
        if node.strategy == "lookup":
            return self._looked_up(node)
        plan = plan_hash_join(node, self.text, **self._memory)
        return self._staged("Join", node, (plan.left, plan.right), plan.completion)

    def _looked_up(self, node: Join) -> Streams:
        """The right side is never read: workers ask it for the keys of each batch."""
        join = LookupJoin(node, self.text, self.table_bytes)
        PipelineContext.of(self.pipeline).local_secrets += join.source.local_secrets
        return self._stepped(self.compiled(node.left), [JoinLookup(join)], [node], "Join")

    def _broadcast(self, node: Join) -> Streams:
        """The right side is loaded by the workers, if it is a source; what they can't read or
        compute of it is told once, by a branch that reads it for its dead letters only."""
        letters, right = self.dead_letters, node.right
        if letters is not None:
            node = with_key_columns(node, self.text)
        source = table_of(node.right, letters is None, self.text)
        if source is None:
            table = GivenTable(())
            join = BroadcastJoin(node, table, self.text, self.table_bytes)
            side = self.compiled(node.right)
            return tuple(
                left
                | self.label("Join", [node])
                >> JoinSideInput(join, table, side, dead_letters=letters)
                for left in self.compiled(node.left)
            )
        source.pin()
        source.label = f"{self._scope}: Table {len(self.tables) + 1}"
        self.tables[source.label] = [right]
        if letters is not None:
            self.compiled(node.right)
        steps: list[Step] = [JoinTable(BroadcastJoin(node, source, self.text, self.table_bytes))]
        return self._stepped(self.compiled(node.left), steps, [node], "Join")

    def _staged(
        self,
        kind: str,
        node: Node,
        preparations: tuple[Preparation, ...],
        completion: Completion,
    ) -> Streams:
        inputs = tuple(self.compiled(below) for below in node.inputs)
        stage = Partitioned(preparations, completion, dead_letters=self.dead_letters)
        return (inputs | self.label(kind, [node]) >> stage,)

    _BUILDERS: ClassVar[Mapping[type[Node], Callable[[Any, Any], Streams]]] = {
        Rows: _rows,
        Union: _union,
        Aggregate: _aggregate,
        Over: _over,
        Sort: _sort,
        Join: _join,
    }
