"""What sqlglot reads and no plan can hold is refused by name, here: nothing is dropped."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from ferris_beam.sql.syntax.checks import CHECKS
from ferris_beam.sql.syntax.fault import Fault
from ferris_beam.sql.syntax.normal import as_query
from ferris_beam.sql.text import span_of

_SET_OPERATION = "this expression distinct with_ order limit offset"
_ARGUMENTS: Mapping[type[exp.Expr], frozenset[str]] = {
    kind: frozenset(names.split())
    for kind, names in {
        exp.Select: "with_ distinct expressions from_ joins laterals where group having qualify "
        "windows order limit offset ferris_window",
        exp.Subquery: "this alias",
        exp.Union: _SET_OPERATION + " by_name",
        exp.Intersect: _SET_OPERATION,
        exp.Except: _SET_OPERATION,
        exp.Table: "this alias joins",
        exp.TableAlias: "this columns",
        exp.From: "this",
        exp.Join: "this on using side kind method",
        exp.With: "expressions",
        exp.CTE: "this alias",
        exp.Group: "expressions all",
        exp.Order: "this expressions",
        exp.Ordered: "this desc nulls_first",
        exp.Limit: "expression",
        exp.Offset: "expression",
        exp.Values: "expressions alias",
        exp.Unnest: "expressions alias offset",
        exp.Lateral: "this alias outer",
        exp.Window: "this partition_by order spec alias over",
        exp.WindowSpec: "kind start start_side end end_side",
        exp.Star: "except_ replace rename",
        exp.Column: "this table db catalog",
        exp.Cast: "this to",
        exp.TryCast: "this to safe",
    }.items()
}
"""What each kind of node may hold; anything else that is set is refused."""

_NAMES = {
    "hint": "a hint",
    "kind": "SELECT AS STRUCT",
    "into": "INTO",
    "sample": "TABLESAMPLE",
    "pivots": "PIVOT",
    "connect": "CONNECT BY",
    "match": "MATCH_RECOGNIZE",
    "recursive": "WITH RECURSIVE",
    "materialized": "MATERIALIZED",
    "key_expressions": "USING KEY",
    "udfs": "a function in WITH",
    "search": "SEARCH",
    "cube": "CUBE",
    "rollup": "ROLLUP",
    "grouping_sets": "GROUPING SETS",
    "totals": "WITH TOTALS",
    "side": "an outer set operation",
    "hints": "a hint",
    "locks": "FOR UPDATE",
    "sort": "SORT BY",
    "cluster": "CLUSTER BY",
    "distribute": "DISTRIBUTE BY",
    "prewhere": "PREWHERE",
    "with_fill": "WITH FILL",
    "percent": "a percentage in LIMIT",
    "limit_options": "WITH TIES, or a percentage in LIMIT,",
    "when": "time travel",
    "version": "time travel",
    "ordinality": "WITH ORDINALITY here",
    "exclude": "EXCLUDE in a frame",
    "only": "ONLY",
    "rows_from": "ROWS FROM",
    "format": "FORMAT in CAST",
    "nearest": "NEAREST",
    "match_condition": "MATCH_CONDITION",
    "db": "a name with a dot",
    "ilike": "* ILIKE",
}
_HINTS = {
    "WITH RECURSIVE": "each query is one pass over its inputs",
    "PIVOT": "write one aggregate with FILTER (WHERE …) for each column",
    "TABLESAMPLE": "write WHERE random() < 0.1",
    "a name with a dot": "streams have plain names; a quoted URI names what lies elsewhere",
    "a percentage in LIMIT": "LIMIT takes a number of rows",
    "MATERIALIZED": "leave it out: it would change nothing",
}

_NODES: Mapping[type[exp.Expr], tuple[str, str]] = {
    exp.Placeholder: ("a parameter", "values are put in by ${NAME} and --set NAME=value"),
    exp.Parameter: ("a parameter", "values are put in by ${NAME} and --set NAME=value"),
    exp.SessionParameter: ("a session variable", "values are put in by ${NAME}"),
    exp.Command: ("this statement", ""),
    exp.Pivot: ("PIVOT", _HINTS["PIVOT"]),
    exp.TableSample: ("TABLESAMPLE", _HINTS["TABLESAMPLE"]),
    exp.TableFromRows: ("this table function", "TABLE(TUMBLE(…)), HOP and SESSION are known"),
    exp.Cube: ("CUBE", "write one query for each grouping and UNION ALL"),
    exp.Rollup: ("ROLLUP", "write one query for each grouping and UNION ALL"),
    exp.GroupingSets: ("GROUPING SETS", "write one query for each grouping and UNION ALL"),
    exp.Into: ("INTO", ""),
    exp.AtIndex: ("AT", ""),
    exp.PositionalColumn: ("a column by its number", "write the column's name"),
    exp.Comprehension: ("a list comprehension", "write list_transform(l, x -> …)"),
    exp.Columns: ("COLUMNS(…)", "write * EXCEPT (…) or the columns' names"),
    exp.Collate: ("COLLATE", "texts compare by their characters' code points"),
    exp.NextValueFor: ("a sequence", ""),
    exp.MatchRecognize: ("MATCH_RECOGNIZE", ""),
    exp.Summarize: ("SUMMARIZE", "python -m ferris_beam discover URI shows what a source holds"),
    exp.Describe: ("DESCRIBE in a query", ""),
    exp.Introducer: ("a character set", ""),
    exp.MultitableInserts: ("an INSERT of several tables", "write one INSERT for each"),
    exp.Stream: ("STREAM before a table", "leave it out"),
}


def check_supported(parsed: exp.Expr | None) -> exp.Query:
    """``parsed`` in the forms that plans are made from; `Fault` for what none can hold."""
    if parsed is None:
        raise Fault("expected a query", None)
    query = as_query(parsed)
    for node in query.walk():
        _check_node(node)
        _check_arguments(node)
    return query


def _check_node(node: exp.Expr) -> None:
    found = _NODES.get(type(node))
    if found:
        what, hint = found
        raise Fault(f"{what} is not supported", span_of(node), hint)
    check = CHECKS.get(type(node))
    if check:
        check(node)


def _check_arguments(node: exp.Expr) -> None:
    allowed = _ARGUMENTS.get(type(node))
    if allowed is None:
        return
    for name, value in node.args.items():
        if name in allowed or not value:
            continue
        what = _NAMES.get(name, f"{name.strip('_').upper()} here")
        raise Fault(
            f"{what} is not supported", _place(value) or span_of(node), _HINTS.get(what, "")
        )


def _place(value: object) -> tuple[int, int] | None:
    first = value[0] if isinstance(value, list) else value
    return span_of(first) if isinstance(first, exp.Expr) else None
