"""Windows over input that never ends: by which watermark they fire, and which can't be computed.

What is refused here is said when the plan is built; a query that is only planned may hold it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from sqlglot import exp

from ferris_beam.sql import nodes
from ferris_beam.sql.nodes import Live, Node, walk
from ferris_beam.sql.plan.catalog import Catalog
from ferris_beam.sql.plan.changelog import is_bounded
from ferris_beam.sql.plan.durations import parse_duration
from ferris_beam.sql.statements import CreateStream, Emit
from ferris_beam.sql.text import SqlText
from ferris_beam.transforms.event_time import EventTime

_DECLARE = (
    "declare it: CREATE STREAM n (…, WATERMARK FOR at AS at - INTERVAL '5' SECOND) FROM 'uri', "
    "and group by a window of that column"
)


@dataclass(frozen=True)
class WindowOptions:
    """What ``WITH (…)`` says of windows; ``lateness`` in microseconds."""

    lateness: int = 0
    late: Literal["drop", "dead_letter"] = "drop"


def window_options(statement: CreateStream, text: SqlText) -> WindowOptions:
    """Raises `SqlError` for values that an option doesn't have."""
    values, spans = statement.windows, statement.window_spans
    late = values.get("late", "drop")
    if late == "update":
        hint = "give rows more time (allowed_lateness), or keep late ones: late = 'dead_letter'"
        raise text.error("late = 'update' is not there: results are final", spans["late"], hint)
    if late not in ("drop", "dead_letter"):
        raise text.error(f"late is 'drop' or 'dead_letter', not {late!r}", spans["late"])
    lateness = _micros(values.get("allowed_lateness", timedelta(0)))
    if lateness is None or lateness < 0:
        raise text.error(
            "allowed_lateness is a fixed length of time, not below zero",
            spans["allowed_lateness"],
            "allowed_lateness = INTERVAL '1' MINUTE",
        )
    return WindowOptions(lateness, late)


def _micros(value: Any) -> int | None:
    if isinstance(value, timedelta):
        return value // timedelta(microseconds=1)
    found = parse_duration(value) if isinstance(value, str) else None
    return None if found is None or found.months else found.micros


def refuse_idle_options(node: Node, statement: CreateStream, text: SqlText) -> None:
    """Raises `SqlError` where options of windows stand at a query without one."""
    windows = [each for each in walk(node) if isinstance(each, nodes.Aggregate) and each.window]
    if statement.windows and not windows:
        name = next(iter(statement.windows))
        raise text.error(
            f"{name} is an option of windows, and this query groups by none",
            statement.window_spans[name],
            "GROUP BY TUMBLE(…), HOP(…) or SESSION(…)",
        )


def with_live_windows(
    node: Node,
    emit: Emit | None,
    options: WindowOptions,
    catalog: Catalog,
    streams: Mapping[str, Node],
) -> Node:
    """``node``, each of whose windows over input that never ends knows its watermark."""
    if is_bounded(node, catalog):
        return node
    return _Marking(emit, options, catalog, streams).marked(node)


@dataclass
class _Marking:
    emit: Emit | None
    options: WindowOptions
    catalog: Catalog
    streams: Mapping[str, Node]

    def __post_init__(self) -> None:
        self._seen: dict[int, tuple[Node, Node]] = {}

    def marked(self, node: Node) -> Node:
        """A node that occurs twice stays one."""
        if id(node) not in self._seen:
            below = [self.marked(each) for each in node.inputs]
            same = all(old is new for old, new in zip(node.inputs, below, strict=True))
            found = node if same else node.with_inputs(*below)
            is_window = isinstance(found, nodes.Aggregate) and found.window is not None
            if is_window and not is_bounded(found, self.catalog):
                assert isinstance(found, nodes.Aggregate)
                found = replace(found, live=self._live(found))
            self._seen[id(node)] = node, found
        return self._seen[id(node)][1]

    def _live(self, node: nodes.Aggregate) -> Live:
        assert node.window is not None
        options = self.options
        live = Live("", 0, options.lateness, options.late)
        if self.emit == "changes":
            why = "EMIT CHANGES of a window over input that never ends: its results are put out "
            return replace(live, refused=f"{why}once, when they are final; say EMIT FINAL")
        if self._has_stage(node.input):
            why = "a window over results that were grouped or joined before, of input that never "
            hint = "ends: write those to a store first, and read that with a WATERMARK of its own"
            return replace(live, refused=why + hint)
        time = node.window.time
        found = self._event_time(node.input, time) if isinstance(time, exp.Column) else None
        if found is None:
            why = "a window over input that never ends goes by the column of a WATERMARK"
            return replace(live, refused=f"{why}: {_DECLARE}")
        return replace(live, time=found.column, delay=found.delay)

    def _has_stage(self, node: Node) -> bool:
        """Whether something below keeps state over input that never ends."""
        for each in walk(node):
            if isinstance(each, nodes.Given) and each.stream and self._has_stage(self._of(each)):
                return True
            keeps = isinstance(each, (nodes.Aggregate, nodes.Sort, nodes.Over))
            if keeps and not is_bounded(each, self.catalog):
                return True
        return False

    def _of(self, stream: nodes.Given) -> Node:
        return self.streams[stream.name]

    def _event_time(self, node: Node, time: exp.Expression) -> EventTime | None:
        """The declared event time that the column is; None: it is something else."""
        if not isinstance(time, exp.Column) or time.name not in node.schema.names:
            return None
        place = node.schema.get_field_index(time.name)
        if isinstance(node, nodes.Scan):
            declared = node.event_time
            named = declared is not None and declared.column == node.names[place]
            return declared if named else None
        if isinstance(node, nodes.Given):
            below = self._of(node) if node.stream else None
            name = node.names[place]
            return self._event_time(below, nodes.column(name)) if below is not None else None
        if isinstance(node, nodes.Project):
            return self._event_time(node.input, node.columns[place].expression)
        if isinstance(node, (nodes.Filter, nodes.Unnest)):
            return self._event_time(node.input, time)
        if isinstance(node, nodes.Join):
            sides = (each for each in node.inputs if time.name in each.schema.names)
            return next((self._event_time(side, time) for side in sides), None)
        if isinstance(node, nodes.Union):
            return self._of_union(node, place)
        return None

    def _of_union(self, node: nodes.Union, place: int) -> EventTime | None:
        """Where all branches have one; the longest delay is told."""
        found = [
            self._event_time(branch, nodes.column(branch.schema.names[place]))
            for branch in node.branches
        ]
        known = [each for each in found if each is not None]
        return max(known, key=lambda each: each.delay) if len(known) == len(found) else None
