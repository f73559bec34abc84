"""JOIN … ON, USING, NATURAL, CROSS, semi and anti joins."""

from __future__ import annotations

from sqlglot import exp

from ferris_beam.sql.nodes import JoinKind, Node, columns_in
from ferris_beam.sql.plan.binding import Binder
from ferris_beam.sql.plan.builder import Builder
from ferris_beam.sql.plan.clauses import refuse_aggregates
from ferris_beam.sql.plan.conditions import Sorted, sort_conditions
from ferris_beam.sql.plan.lateral import plan_lateral
from ferris_beam.sql.plan.merged_columns import common_names, plan_using
from ferris_beam.sql.plan.outer import is_outer
from ferris_beam.sql.plan.refusing import refuse_others
from ferris_beam.sql.plan.relations import Relation, plan_from, unnested
from ferris_beam.sql.plan.rewriting import conjunction, conjuncts, has_query, unwrapped
from ferris_beam.sql.plan.unnesting import is_lateral_list

_KINDS: dict[tuple[str, str], JoinKind] = {
    ("", ""): "inner",
    ("", "INNER"): "inner",
    ("", "CROSS"): "inner",
    ("LEFT", ""): "left",
    ("LEFT", "OUTER"): "left",
    ("RIGHT", ""): "right",
    ("RIGHT", "OUTER"): "right",
    ("FULL", ""): "full",
    ("FULL", "OUTER"): "full",
    ("", "SEMI"): "semi",
    ("LEFT", "SEMI"): "semi",
    ("", "ANTI"): "anti",
    ("LEFT", "ANTI"): "anti",
}


def plan_join(builder: Builder, left: Relation, join: exp.Join) -> Relation:
    """``left`` joined to the relation of ``join``."""
    refuse_others(join, ("this", "on", "side", "kind", "using", "method"), builder.text)
    kind = _kind(builder, join)
    if is_lateral_list(join.this) or isinstance(join.this, exp.Lateral):
        return _lateral(builder, left, join, kind)
    right = plan_from(builder, join.this, join.this.args.get("joins") or [])
    _check_names(builder, left, right, join)
    if join.args.get("using"):
        names = [
            name if isinstance(name, exp.Identifier) else name.this for name in join.args["using"]
        ]
        return plan_using(builder, left, right, kind, names)
    if join.method.upper() == "NATURAL":
        return plan_using(builder, left, right, kind, common_names(builder, left, right, join))
    if not join.args.get("on") and join.kind.upper() != "CROSS":
        raise builder.text.error(
            "JOIN needs a condition", join.this, "write ON …, USING (…), or CROSS JOIN"
        )
    return _on(builder, left, right, kind, join.args.get("on"))


def _kind(builder: Builder, join: exp.Join) -> JoinKind:
    if join.method and join.method.upper() != "NATURAL":
        raise builder.text.error(f"{join.method.upper()} JOIN is not supported", join.this)
    kind = _KINDS.get((join.side.upper(), join.kind.upper()))
    if kind is None:
        raise builder.text.error(
            f"{join.side} {join.kind} JOIN is not supported".strip(),
            join.this,
            "there are INNER, LEFT, RIGHT, FULL, CROSS, SEMI and ANTI joins",
        )
    return kind


def _lateral(builder: Builder, left: Relation, join: exp.Join, kind: JoinKind) -> Relation:
    """UNNEST and LATERAL: beside each row of what stands before."""
    on = join.args.get("on")
    trivial = on is None or (isinstance(unwrapped(on), exp.Boolean) and unwrapped(on).this)
    if kind not in ("inner", "left") or not trivial or join.args.get("using"):
        raise builder.text.error(
            "UNNEST and LATERAL are joined with CROSS JOIN, or with LEFT JOIN … ON TRUE",
            join.this,
            "put the condition into WHERE",
        )
    if isinstance(join.this, exp.Lateral):
        return plan_lateral(builder, left, join.this, kind)
    return unnested(builder, join.this, left, outer=kind == "left")


def _check_names(builder: Builder, left: Relation, right: Relation, join: exp.Join) -> None:
    taken = {name.lower() for name in left.scope.relations}
    for name in right.scope.relations:
        if name.lower() in taken and join.this.alias_or_name:
            raise builder.text.error(
                f"two relations are called {name!r}", join.this, "give one of them another alias"
            )


def _on(
    builder: Builder, left: Relation, right: Relation, kind: JoinKind, on: exp.Expression | None
) -> Relation:
    scope = left.scope.and_(right.scope)
    binder = Binder(builder.text, scope.within(builder.outer))
    conditions = []
    for each in conjuncts(on):
        if has_query(each):
            raise builder.text.error("ON takes no subqueries", each, "put the condition into WHERE")
        refuse_aggregates(each, "ON", builder.text)
        conditions.append(binder.bind(each))
    node = join_nodes(builder, left.node, right.node, kind, conditions)
    return Relation(node, left.scope if kind in ("semi", "anti") else scope)


def join_nodes(
    builder: Builder, left: Node, right: Node, kind: JoinKind, conditions: list[exp.Expression]
) -> Node:
    """The join under conditions that must all hold. What concerns one side only is asked of that
    side, before the join, where that gives the same."""
    found = sort_conditions(conditions, left.schema.names, right.schema.names)
    construct = builder.construct
    of_left = _take(found.left, kind in ("inner", "right", "semi"), found)
    of_right = _take(found.right, kind in ("inner", "left", "semi", "anti"), found)
    left = construct.filter_all(left, of_left, "ON")
    right = construct.filter_all(right, of_right, "ON")
    keys, nulls_equal = found.keys, False
    if found.null_safe_keys and not keys:
        keys, nulls_equal = found.null_safe_keys, True
    elif found.null_safe_keys:
        found.both += [exp.NullSafeEQ(this=a, expression=b) for a, b in found.null_safe_keys]
    above = [each for each in found.both if kind == "inner" and _is_above(each)]
    residual = conjunction(each for each in found.both if each not in above)
    node = construct.join(left, right, kind, keys, residual, nulls_equal)
    return construct.filter_all(node, above, "ON")


def _is_above(condition: exp.Expression) -> bool:
    """Whether it is of the query around, or of no columns at all: that is no matter of a join."""
    return is_outer(condition) or not columns_in(condition)


def _take(conditions: list[exp.Expression], allowed: bool, found: Sorted) -> list[exp.Expression]:
    """The conditions, if they may be asked before the join; else they join those of both sides."""
    if allowed:
        return conditions
    found.both += conditions
    return []
