"""What a relation of a query reads."""

from __future__ import annotations

from sqlglot import exp

from ferris_beam.sql.statements import Endpoint
from ferris_beam.sql.text import span_of


def uri_of(table: exp.Expr) -> str | None:
    """The URI of a relation that is a quoted string; None for names, queries and functions."""
    if isinstance(table, exp.Table) and isinstance(table.this, exp.Literal):
        return str(table.this.this)
    return None


def endpoint_of(table: exp.Expr) -> Endpoint | None:
    """As `uri_of`, with the options of the relation's own ``WITH (…)``."""
    uri = uri_of(table)
    if uri is None:
        return None
    span = span_of(table.this) or (0, 1)
    settings = table.meta.get("settings")
    if settings is None:
        return Endpoint(uri, span)
    return Endpoint(uri, span, settings.values, settings.spans)
