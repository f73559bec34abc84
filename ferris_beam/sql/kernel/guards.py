"""Keeps the promise that CASE, COALESCE, AND and OR compute only what they need.

DataFusion turns a CASE of booleans into AND and OR, and computes both sides of those for all rows
of a batch, so that ``b <> 0 AND a / b > 1`` fails where b is 0. What it leaves alone is a CASE with
an operand: ``CASE TRUE WHEN …``. That takes longer, so that a query is run in this form only when
the plain one has failed: where nothing fails both give the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

_SURE = (
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.And, exp.Or,
    exp.Not, exp.Is, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ,
    exp.NullSafeNEQ, exp.Like, exp.ILike, exp.In, exp.Between, exp.Case, exp.If, exp.Coalesce,
    exp.Nullif, exp.Star, exp.Alias, exp.TableAlias, exp.DataType, exp.Interval, exp.Var,
)  # fmt: skip
"""What has a value whatever the row."""
_CLAUSES = ("expressions", "group", "having", "qualify", "order", "distinct", "joins")


def guarded(query: exp.Expr) -> exp.Expr:
    """``query``, changed in place: parts that may fail are computed only for rows that need them.

    >>> from sqlglot import parse_one
    >>> guarded(parse_one("b = 0 OR a / b > 1")).sql()
    '(CASE TRUE WHEN (b = 0) THEN TRUE WHEN (a / b > 1) THEN TRUE ELSE (b = 0 OR a / b > 1) END)'
    """
    for child in list(query.iter_expressions()):
        if isinstance(query, exp.Select) and child.arg_key == "where":
            child.set("this", _filter(child.this))
            if _reads_a_query(query):
                child.set("this", _kept_above(child.this))
            continue
        replacement = guarded(child)
        if replacement is not child:
            child.replace(replacement)
    if isinstance(query, (exp.And, exp.Or)):
        return _connected(query)
    if isinstance(query, exp.Case):
        return _case(query)
    if isinstance(query, exp.Coalesce):
        return _coalesce(query)
    return query


def needs_guards(query: exp.Expr) -> bool:
    """Whether `guarded` could make another query of this one."""
    for node in query.find_all(exp.And, exp.Or, exp.Case, exp.Coalesce, exp.Where):
        if not isinstance(node, exp.Where):
            if may_fail(node):
                return True
        elif isinstance(node.parent, exp.Select) and _reads_a_query(node.parent):
            return True
    return False


def may_fail(node: exp.Expr) -> bool:
    """Whether a row could make ``node`` fail.

    >>> from sqlglot import parse_one
    >>> may_fail(parse_one("a > 1 AND b IS NULL")), may_fail(parse_one("a / b > 1"))
    (False, True)
    """
    if isinstance(node, exp.Anonymous) and _is_constant(node):
        return False
    if not isinstance(node, _SURE):
        return True
    return any(may_fail(child) for child in node.iter_expressions())


def _is_constant(node: exp.Anonymous) -> bool:
    return bool(node.expressions) and all(
        isinstance(each, exp.Literal) or (isinstance(each, exp.Anonymous) and _is_constant(each))
        for each in node.expressions
    )


def _filter(condition: exp.Expr) -> exp.Expr:
    """A WHERE: NULL is as good as FALSE, and what can't fail comes first."""
    parts = list(condition.flatten()) if isinstance(condition, exp.And) else [condition]
    sure = [part.copy() for part in parts if not may_fail(part)]
    unsure = [guarded(part.copy()) for part in parts if may_fail(part)]
    if len(parts) == 1 or not unsure:
        return guarded(condition)
    steps = ([exp.and_(*sure, copy=False)] if sure else []) + unsure
    stops = [exp.Not(this=exp.Is(this=_paren(step), expression=exp.true())) for step in steps[:-1]]
    return _lazy(stops, [exp.false()] * len(stops), _paren(steps[-1]))


def _connected(node: exp.Expr) -> exp.Expr:
    """AND and OR: the first part that decides ends it; if none does, nothing fails any more."""
    if isinstance(node.parent, type(node)):
        return node
    parts = [part.copy() for part in node.flatten()]
    if not any(may_fail(part) for part in parts[1:]):
        return node
    decides = isinstance(node, exp.Or)
    steps = [exp.If(this=_paren(part), true=exp.Boolean(this=decides)) for part in parts]
    default = _paren(node.copy())
    return _paren(exp.Case(this=exp.Boolean(this=decides), ifs=steps, default=default))


def _case(node: exp.Case) -> exp.Expr:
    if node.this is not None or not may_fail(node):
        return node
    steps, default = node.args["ifs"], node.args.get("default")
    return _lazy(
        [step.this.copy() for step in steps],
        [step.args["true"].copy() for step in steps],
        default.copy() if default is not None else None,
    )


def _coalesce(node: exp.Coalesce) -> exp.Expr:
    values = [node.this, *node.expressions]
    if not any(may_fail(value) for value in values[1:]):
        return node
    present = [
        exp.Not(this=exp.Is(this=_paren(value.copy()), expression=exp.null()))
        for value in values[:-1]
    ]
    return _lazy(present, [value.copy() for value in values[:-1]], values[-1].copy())


def _lazy(
    conditions: Sequence[exp.Expr],
    values: Sequence[exp.Expr],
    default: exp.Expr | None,
) -> exp.Case:
    """A CASE that DataFusion leaves as it is."""
    steps = [
        exp.If(this=_paren(condition), true=value)
        for condition, value in zip(conditions, values, strict=True)
    ]
    return exp.Case(this=exp.true(), ifs=steps, default=default)


def _paren(node: exp.Expr) -> exp.Expr:
    return node if isinstance(node, exp.Paren) else exp.Paren(this=node)


def _reads_a_query(select: exp.Select) -> bool:
    source = select.args.get("from_")
    return bool(select.args.get("joins")) or not (
        source is not None and isinstance(source.this, exp.Table) and _is_input(source.this)
    )


def _is_input(table: exp.Table) -> bool:
    """A name of WITH is no input."""
    return table.name.startswith("input_")


def _kept_above(condition: exp.Expr) -> exp.Expr:
    """A filter that DataFusion doesn't push down, to what the filters and joins below have yet to
    remove: since it looks as if it were another one for each row."""
    always = exp.GTE(this=exp.Anonymous(this="random"), expression=exp.Literal.number(0))
    step = exp.If(this=exp.true(), true=condition)
    return exp.Case(this=_paren(always), ifs=[step])
