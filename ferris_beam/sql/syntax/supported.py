"""What sqlglot reads and no plan can hold is refused by name, here: nothing is dropped."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from ferris_beam.sql.syntax.fault import Fault
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
    query = _as_query(parsed)
    for node in query.walk():
        _check_node(node)
        _check_arguments(node)
    return query


def _check_node(node: exp.Expr) -> None:
    if isinstance(node, exp.Select) and not node.expressions:
        at = node.meta["start"], node.meta["end"] + 1
        raise Fault("SELECT names no columns", at, "SELECT * takes all of them")
    if isinstance(node, exp.In) and not any(node.args.get(name) for name in _IN_HOLDS):
        raise Fault("IN () holds nothing", span_of(node), "write the values it may have")
    if isinstance(node, exp.Distinct) and any(isinstance(e, exp.Star) for e in node.expressions):
        hint = "write DISTINCT and the columns, or COUNT(*) over SELECT DISTINCT *"
        raise Fault("DISTINCT * in a function is not supported", span_of(node), hint)
    if isinstance(node, exp.Window) and isinstance(node.this, exp.Func) and node.this.find(exp.Order):
        hint = "the order of a window stands in OVER (ORDER BY …)"
        raise Fault("ORDER BY in a function with OVER is not supported", span_of(node.this), hint)
    if isinstance(node, exp.Interval) and node.unit and not _is_unit(node.unit):
        hint = "write MICROSECOND, MILLISECOND, SECOND, MINUTE, HOUR, DAY, WEEK, MONTH or YEAR"
        raise Fault(f"{node.unit.name} is no unit of time", span_of(node), hint)
    found = _NODES.get(type(node))
    if found:
        what, hint = found
        raise Fault(f"{what} is not supported", span_of(node), hint)
    if isinstance(node, exp.Join) and node.method not in ("", "NATURAL"):
        raise Fault(f"{node.method} JOIN is not supported", span_of(node))
    if isinstance(node, exp.Join) and not _has_condition(node):
        hint = "CROSS JOIN, or a comma, pairs every row with every other"
        raise Fault("JOIN needs ON or USING (…)", span_of(node.this), hint)
    if isinstance(node, exp.Lateral) and node.args.get("cross_apply") is not None:
        raise Fault("APPLY is not supported", span_of(node), "write CROSS JOIN UNNEST(…)")


_IN_HOLDS = ("expressions", "query", "unnest", "field")
_UNIT_NAMES = """
    MICROSECOND MILLISECOND SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR DECADE CENTURY
"""
_UNITS = frozenset(_UNIT_NAMES.split())


def _is_unit(unit: exp.Expr) -> bool:
    name = unit.name.upper()
    return name in _UNITS or (name.endswith("S") and name[:-1] in _UNITS) or name == "CENTURIES"


def _has_condition(join: exp.Join) -> bool:
    """A join with UNNEST or LATERAL needs none."""
    if join.kind == "CROSS" or isinstance(join.this, (exp.Unnest, exp.Lateral)):
        return True
    return bool(join.args.get("on") or join.args.get("using") or join.method)


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


def _as_query(parsed: exp.Expr) -> exp.Query:
    """Without parentheses around queries, VALUES as a SELECT, FETCH as LIMIT."""
    holder = exp.Paren(this=parsed)
    for fetch in list(holder.find_all(exp.Fetch)):
        fetch.replace(_limit_of(fetch))
    for subquery in list(holder.find_all(exp.Subquery)):
        _simplify(subquery)
    top = holder.this.pop()
    if isinstance(top, exp.Values):
        top = _select_from(exp.alias_(top, "_values", table=True))
    if not isinstance(top, exp.Query) or isinstance(top, exp.Subquery):
        raise Fault("expected a query", span_of(top))
    return top


def _limit_of(fetch: exp.Fetch) -> exp.Limit:
    options = fetch.args.get("limit_options")
    if options and (options.args.get("percent") or options.args.get("with_ties")):
        raise Fault("FETCH with PERCENT or TIES is not supported", span_of(fetch))
    count = fetch.args.get("count") or exp.Literal.number(1)
    return exp.Limit(expression=count)


_MODIFIERS = ("with_", "order", "limit", "offset")


def _simplify(subquery: exp.Subquery) -> None:
    """``(q) ORDER BY …`` becomes ``SELECT * FROM (q) ORDER BY …``; ``(q)`` for a query is q."""
    modifiers = {name: subquery.args[name] for name in _MODIFIERS if subquery.args.get(name)}
    for name in modifiers:
        subquery.set(name, None)
    if modifiers:
        alias = subquery.args.get("alias")
        subquery.set("alias", exp.TableAlias(this=exp.to_identifier("_query")))
        outer = _select_from(subquery.copy())
        for name, value in modifiers.items():
            outer.set(name, value)
        subquery.replace(exp.Subquery(this=outer, alias=alias) if alias else outer)
    elif not subquery.alias and isinstance(subquery.parent, (exp.SetOperation, exp.Paren)):
        subquery.replace(subquery.this)


def _select_from(relation: exp.Expr) -> exp.Select:
    star = exp.Star()
    return exp.Select(expressions=[star], from_=exp.From(this=relation))
