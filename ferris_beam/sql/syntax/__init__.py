"""From a SQL text to statements: our dialect for sqlglot, and errors that point into the text."""

from __future__ import annotations

from ferris_beam.sql.syntax.dialect import Ferris
from ferris_beam.sql.syntax.parse import parse
from ferris_beam.sql.syntax.relations import endpoint_of, uri_of
from ferris_beam.sql.syntax.variables import replace_variables

__all__ = ["Ferris", "endpoint_of", "parse", "replace_variables", "uri_of"]
