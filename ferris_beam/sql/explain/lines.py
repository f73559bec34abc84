"""What EXPLAIN says of each kind of node: a headline, and facts below it."""

from __future__ import annotations

from functools import singledispatch

from ferris_beam.sql.explain.words import duration, named, ordering, rows, shown, size, window
from ferris_beam.sql.nodes import (
    Aggregate,
    AggregatedScan,
    Duration,
    Filter,
    Given,
    Join,
    Live,
    Node,
    Over,
    Project,
    Rows,
    Scan,
    Sort,
    Union,
    Unnest,
)
from ferris_beam.sql.rules.lookups import lookup_keys, lookup_scan
from ferris_beam.transforms.partitioned import PARTITIONS

Lines = list[str]


@singledispatch
def lines_of(node: Node) -> Lines:
    """The headline first."""
    return [type(node).__name__]


@lines_of.register
def _(node: Scan) -> Lines:
    alias = f" AS {node.alias}" if node.alias and node.alias != node.endpoint.display else ""
    found = [f"Scan {node.endpoint.display}{alias}", f"columns: {', '.join(node.names) or 'none'}"]
    if node.predicate is not None:
        found.append(f"pushed to the source: WHERE {shown(node.predicate)}")
    if node.limit is not None:
        found.append(f"pushed to the source: LIMIT {node.limit:,}")
    facts = ["never ends"] if not node.bounded else []
    if node.nbytes is not None:
        facts.append(f"{size(node.nbytes)} as stored")
    if node.rows is not None:
        facts.append(f"about {rows(node.rows)}")
    if facts:
        found.append("source: " + ", ".join(facts))
    return found


@lines_of.register
def _(node: AggregatedScan) -> Lines:
    calls = [f"{call.function}({call.column or '*'})" for call in node.calls]
    by = f" by {', '.join(node.keys)}" if node.keys else ""
    headline, _, *facts = lines_of(node.scan)
    pushed = f"aggregates pushed to the source: {', '.join(calls) or 'distinct rows'}{by}"
    return [headline, pushed, *facts]


@lines_of.register
def _(node: Given) -> Lines:
    kind = "Stream" if node.stream else "PCollection"
    alias = f" AS {node.alias}" if node.alias not in ("", node.name) else ""
    return [f"{kind} {node.name}{alias}"]


@lines_of.register
def _(node: Rows) -> Lines:
    return [f"Values: {rows(len(node.rows))}"]


@lines_of.register
def _(node: Project) -> Lines:
    return [f"Project {named(node.columns) or 'no columns'}"]


@lines_of.register
def _(node: Filter) -> Lines:
    return [f"Filter {shown(node.condition)}"]


@lines_of.register
def _(node: Unnest) -> Lines:
    found = [f"Unnest {shown(node.expression)} AS {node.name}"]
    if node.outer:
        found.append("rows without items are kept")
    if node.position:
        found.append(f"positions: {node.position}")
    return found


@lines_of.register
def _(node: Aggregate) -> Lines:
    what = "Aggregate" if node.calls or node.window else "Distinct"
    found = [f"{what} {named(node.calls)}".rstrip()]
    if node.keys:
        found.append(f"by {named(node.keys)}")
    if node.window:
        found.append(f"window {window(node.window)} AS {node.window.start}, {node.window.end}")
        found += _live(node.live) if node.live else [_BOUNDED_STATE]
    elif node.keys:
        found.append("state: one partial result for each key")
    return found


_BOUNDED_STATE = "state: one partial result for each window and key; final at the input's end"


def _live(live: Live) -> Lines:
    """When windows over input that never ends fire, and what is kept until then."""
    if live.refused:
        return [f"refused: {live.refused}"]
    waits = f" and {duration(Duration(micros=live.lateness))} more" if live.lateness else ""
    behind = f" - {duration(Duration(micros=live.delay))}" if live.delay else ""
    late = "go to the dead letters" if live.late == "dead_letter" else "are dropped"
    return [
        f"fires: when the watermark, {live.time}{behind}, has passed the window's end{waits}",
        f"late rows: counted, and {late}",
        f"state: one partial result for each open window and key, in {PARTITIONS} partitions",
        "ticks: each partition commits its results at the ends of windows, also where it has none",
    ]


@lines_of.register
def _(node: Join) -> Lines:
    keys = " AND ".join(f"{shown(left)} = {shown(right)}" for left, right in node.keys)
    found = [f"{node.kind.capitalize()} join" + (f" on {keys}" if keys else ": every pair of rows")]
    if node.residual is not None:
        found.append(f"and only where {shown(node.residual)}")
    special = {
        "null_aware": "NOT IN: a NULL on the right side matches everything",
        "single": "a scalar subquery: a second match is an error",
        "nulls_equal": "NULL matches NULL",
    }
    found += [words for name, words in special.items() if getattr(node, name)]
    if node.strategy:
        found.append(f"strategy: {_STRATEGIES.get(node.strategy, node.strategy)}, since {node.why}")
    if node.strategy == "lookup":
        found.append(_lookup(node))
    return found


def _lookup(node: Join) -> str:
    scan = lookup_scan(node.right)
    assert scan is not None
    assert scan.lookup is not None
    keys = ", ".join(dict.fromkeys(lookup_keys(node).values()))
    cache = f"{scan.lookup.cache:,} keys for {scan.lookup.seconds:g} seconds"
    return f"asked for: {keys}; cache: up to {cache}, in each thread of a worker"


_STRATEGIES = {
    "broadcast": "broadcast (each worker holds the right side)",
    "hash": "hash (both sides are partitioned by the keys)",
    "lookup": "lookup (the right side is asked for the keys of each batch)",
}


@lines_of.register
def _(node: Over) -> Lines:
    found = [f"Window functions {named(node.calls)}"]
    if node.partition:
        found.append(f"partitioned by {', '.join(shown(key) for key in node.partition)}")
    else:
        found.append("without PARTITION BY: all rows in one partition")
    return found


@lines_of.register
def _(node: Sort) -> Lines:
    if not node.order:
        found = [f"Limit {node.limit:,}" if node.limit is not None else "Offset"]
    elif node.limit is not None:
        found = [f"Top {node.limit:,} by {ordering(node.order)}"]
    else:
        found = [f"Sort by {ordering(node.order)}"]
    if node.offset:
        found.append(f"offset {node.offset:,}")
    return found


@lines_of.register
def _(node: Union) -> Lines:
    return ["Union all"]
