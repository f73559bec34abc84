"""Options as rows of a table, for the command line and the generated pages."""

from __future__ import annotations

from typing import NamedTuple

from ferris_beam.options.fields import fields_of
from ferris_beam.options.options import Options

__all__ = ["OptionRow", "describe"]


class OptionRow(NamedTuple):
    """One option in words. Texts are as one writes them in a URI."""

    name: str
    type: str
    default: str | None
    required: bool
    variables: tuple[str, ...]
    example: str | None
    description: str


def describe(model: type[Options], scheme: str) -> list[OptionRow]:
    """The options of a model in their order, for URIs of this scheme; `connection` comes last."""
    rows = [
        OptionRow(
            name,
            field.allowed,
            field.default,
            field.is_required,
            field.variables(scheme),
            field.example,
            field.description,
        )
        for name, field in fields_of(model).by_name.items()
    ]
    return sorted(rows, key=lambda row: row.name == "connection")
