"""One form for each meaning: what sqlglot has several trees for, plans are made from one."""

from __future__ import annotations

from sqlglot import exp

from ferris_beam.sql.syntax.fault import Fault
from ferris_beam.sql.text import span_of


def as_query(parsed: exp.Expr) -> exp.Query:
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
