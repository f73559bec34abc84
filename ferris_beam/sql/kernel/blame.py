"""Which part of a query can't be planned, and why: looked for only when planning has failed."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pyarrow as pa
from sqlglot import exp

from ferris_beam.errors import FerrisError, SqlError
from ferris_beam.sql import functions
from ferris_beam.sql.kernel.checking import Checker
from ferris_beam.sql.kernel.faults import readable, row_fault
from ferris_beam.sql.kernel.normalising import normalised
from ferris_beam.sql.kernel.rendering import Refused
from ferris_beam.sql.kernel.types import spoken, spoken_name
from ferris_beam.sql.text import SqlText, did_you_mean

_UNKNOWN_COLUMN = re.compile(r"No field named (\S+?)\.?(?:\s|$)")
_NO_VALUES = (exp.Literal, exp.Identifier, exp.Star, exp.Table, exp.PropertyEQ, exp.Slice)
_COERCE = re.compile(r"Cannot (?:coerce arithmetic expression|infer common argument type)")
_INVALID_FUNCTION = re.compile(r"Invalid function '(\w+)'")
_TYPES = re.compile(
    r"No function matches the given name and argument types '(\w+)\((.*?)\)'", re.DOTALL
)
_RUST = re.compile(
    r"\b(?:U?Int(?:8|16|32|64)|Float(?:16|32|64)|(?:Large)?Utf8(?:View)?|Boolean|Date(?:32|64)|"
    r"(?:Large)?Binary(?:View)?|Decimal(?:128|256)(?:\([^)]*\))?|Timestamp\([^)]*\)|"
    r"Interval\([^)]*\)|Time(?:32|64)\([^)]*\))"
)
_PLANNING = re.compile(r"^This feature is not implemented: ")
_CANDIDATES = re.compile(r"Candidate functions:\s*(.*)", re.DOTALL)


def planning_error(
    error: BaseException,
    query: exp.Expr,
    tables: Mapping[str, pa.Schema],
    text: SqlText | None,
) -> FerrisError:
    """A `SqlError` that points at the smallest expression of ``query`` that fails by itself."""
    if isinstance(error, FerrisError):
        return error
    schema = _all_columns(tables)
    for node in _smallest_first(query):
        said = _fault_of(node, schema)
        if said is not None:
            return _shown(said, node, schema, text)
    words = str(error)
    return (text or SqlText("")).error(
        row_fault(words) or f"this can't be computed: {spoken_words(words)}"
    )


def _shown(
    said: BaseException, node: exp.Expr, schema: pa.Schema, text: SqlText | None
) -> SqlError:
    if isinstance(said, SqlError):
        return said
    if isinstance(said, Refused):
        return said.shown(text)
    message, hint = _words(str(said), node, schema)
    return (text or SqlText("")).error(message, node if text is not None else None, hint)


def _smallest_first(query: exp.Expr) -> list[exp.Expr]:
    nodes = [
        node
        for node in query.walk()
        if isinstance(node, (exp.Condition, exp.Window, exp.AggFunc, exp.Interval))
        and not isinstance(node, _NO_VALUES)
        and node.find_ancestor(exp.Lambda) is None
    ]
    return list(reversed(nodes))


def _fault_of(node: exp.Expr, schema: pa.Schema) -> BaseException | None:
    try:
        checker = Checker(schema)
        checker.type_of(checker.check(functions.rewrite(normalised(node))), fully=True)
    except Exception as error:
        return error
    return None


def _all_columns(tables: Mapping[str, pa.Schema]) -> pa.Schema:
    fields = {field.name: field for schema in tables.values() for field in schema}
    return pa.schema(list(fields.values()))


def _words(said: str, node: exp.Expr, schema: pa.Schema) -> tuple[str, str]:
    """The message and the hint."""
    reason = row_fault(said)
    if reason is not None:
        return reason, ""
    column = _UNKNOWN_COLUMN.search(said)
    if column is not None:
        name = column[1].strip('"')
        return f"there is no column {name!r}", did_you_mean(name, schema.names)
    unknown = _INVALID_FUNCTION.search(said)
    if unknown is not None:
        near = functions.near(unknown[1])
        if unknown[1] in near:  # known, and of another kind
            return (
                f"{unknown[1]} can't be called like this",
                "docs/functions.md shows how it is called",
            )
        return f"there is no function {unknown[1]}", f"did you mean {near[0]}?" if near else ""
    if _COERCE.search(said) and isinstance(node, exp.Binary):
        return _operands(node, schema)
    types = _TYPES.search(said)
    if types is not None:
        return _overloads(types, said)
    return f"this can't be computed: {spoken_words(said)}", ""


def _operands(node: exp.Binary, schema: pa.Schema) -> tuple[str, str]:
    found = []
    for side in (node.this, node.expression):
        checker = Checker(schema)
        found.append(spoken(checker.type_of(checker.check(functions.rewrite(normalised(side))))))
    verb = "compared" if isinstance(node, exp.Predicate) else "combined"
    message = f"{found[0]} and {found[1]} can't be {verb} by {_operator(node)}"
    return message, f"convert one of the two: CAST(… AS {found[0]})"


def _operator(node: exp.Binary) -> str:
    symbols = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%", exp.EQ: "=",
               exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}  # fmt: skip
    return symbols.get(type(node), node.key.upper())


def _overloads(types: re.Match[str], said: str) -> tuple[str, str]:
    given = ", ".join(spoken_name(name) for name in _split(types[2]))
    message = f"{types[1]} does not take ({given})" if given else f"{types[1]} needs arguments"
    known = functions.find(types[1])
    if known is not None:
        return message, f"it is called like this: {known.signature}"
    candidates = _CANDIDATES.search(said)
    return message, f"it takes {' '.join(candidates[1].split())}" if candidates else ""


def _split(types: str) -> list[str]:
    """`Utf8, Decimal128(10, 2)` at the commas that are not in brackets."""
    return [part.strip() for part in re.split(r",\s*(?![^()]*\))", types) if part.strip()]


def spoken_words(said: str) -> str:
    """DataFusion's words with SQL's names of types.

    >>> spoken_words("Error during planning: got Int64, not Utf8")
    'got BIGINT, not VARCHAR'
    """
    text = _PLANNING.sub("", readable(said))
    return _RUST.sub(lambda found: spoken_name(found[0]), text)
