"""Options of the pipeline that statements set in their ``WITH (…)``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ferris_beam.sql.statements import CreateStream, Explain, Span, Statement
from ferris_beam.sql.syntax.grammar import PIPELINE_OPTIONS
from ferris_beam.sql.text import SqlText

_FLAGS = ("rerun", "reset")
_DELIVERIES = ("exactly_once", "at_least_once")


def pipeline_options(statements: Iterable[Statement], text: SqlText) -> dict[str, Any]:
    """What the statements say together, by the names of the command's flags.

    A program is one pipeline: two statements that say different things are an error. Without a
    ``name`` the only stream that is written gives its own. Raises `SqlError`.
    """
    found: dict[str, Any] = {}
    written = []
    for each in statements:
        statement = each
        if isinstance(statement, Explain) and statement.analyze:
            statement = statement.statement
        if not isinstance(statement, CreateStream):
            continue
        if statement.sink is not None:
            written.append(statement.name)
        for name, value in statement.options.items():
            span = statement.option_spans[name]
            _check(name, value, span, text)
            if found.setdefault(name, value) != value:
                hint = f"all statements of one text are one pipeline; leave out one {name}"
                raise text.error(f"{name} was {found[name]!r} before", span, hint)
    if "name" not in found and len(written) == 1 and written[0]:
        found["name"] = written[0]
    return found


def refuse_pipeline_options(statements: Iterable[Statement], text: SqlText) -> None:
    """For a text that is a part of a pipeline, whose options are those of its program."""
    for statement in statements:
        for name, span in getattr(statement, "option_spans", {}).items():
            if isinstance(statement, CreateStream):
                hint = f"set it where the pipeline starts: PipelineOptions(['--{name}…'])"
                raise text.error(f"{name} is an option of the whole pipeline", span, hint)


def _check(name: str, value: Any, span: Span, text: SqlText) -> None:
    assert name in PIPELINE_OPTIONS
    if name in _FLAGS and not isinstance(value, bool):
        raise text.error(f"{name} is TRUE or FALSE, not {value!r}", span)
    if name == "name" and (not isinstance(value, str) or not value):
        raise text.error(f"name is a text, not {value!r}", span, "name = 'revenue'")
    if name == "delivery" and value not in _DELIVERIES:
        choices = " or ".join(repr(each) for each in _DELIVERIES)
        raise text.error(f"delivery is {choices}, not {value!r}", span)
