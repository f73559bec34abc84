"""Rows, schemas and rejected rows as tables that fit the screen.

Nothing here trusts data: control characters are escaped, long values are cut, columns for which
there is no room are only counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from ferris_beam.cli.values import as_text, is_number
from ferris_beam.monitoring.terminal import (
    pairs,
    show_heading,
    show_table,
    table,
    visible,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

    from ferris_beam.connector import Reject

LONGEST_CELL = 40
LONGEST_ROW = 300
LONGEST_TYPE = 60
_MOST_COLUMNS = 50
_MOST_FIELDS = 50
_MARGIN = 4


def shortened(text: str, most: int) -> str:
    """``text`` without control characters, cut to ``most`` characters."""
    shown = visible(text[: most + 1])
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def show_text(screen: Console, line: str, style: str = "") -> None:
    """A line, indented like a table; long ones are wrapped on a terminal."""
    screen.print(Text("  " + visible(line), style))


def show_pairs(screen: Console, facts: Mapping[str, str]) -> None:
    show_table(screen, pairs({name: Text(visible(fact)) for name, fact in facts.items()}, "dim"))


def show_records(screen: Console, title: str, records: pa.RecordBatch) -> None:
    """Rows under a heading."""
    show_heading(screen, title)
    show_rows(screen, records)


def show_rows(screen: Console, records: pa.RecordBatch) -> None:
    """Rows, with as many columns as there is room for."""
    if not records.num_rows or not records.num_columns:
        show_text(screen, "none")
        return
    columns = [_cells(column) for column in records.columns[:_MOST_COLUMNS]]
    names = [shortened(name, LONGEST_CELL) for name in records.schema.names[:_MOST_COLUMNS]]
    room = _room(screen, names, columns)
    shown = table()
    for name, field in zip(names[:room], records.schema, strict=False):
        right = is_number(field.type)
        shown.add_column(name, justify="right" if right else "left", no_wrap=True)
    for row in zip(*columns[:room], strict=True):
        shown.add_row(*row)
    show_table(screen, shown)
    left = records.num_columns - room
    if left:
        show_text(screen, f"and {left:,} more column{'s'[: left > 1]}", "dim")


def _cells(column: pa.Array) -> list[Text]:
    return [_cell(as_text(value)) for value in column]


def _cell(text: str | None) -> Text:
    return Text("null", "dim") if text is None else Text(shortened(text, LONGEST_CELL))


def _room(screen: Console, names: Sequence[str], columns: Sequence[Sequence[Text]]) -> int:
    """How many columns fit beside each other; one always does."""
    used = _MARGIN
    for number, (name, cells) in enumerate(zip(names, columns, strict=True)):
        used += max(cell_len(name), *(cell.cell_len for cell in cells)) + 2
        if used > screen.width and number:
            return number
    return len(names)


def show_schema(screen: Console, schema: pa.Schema) -> None:
    show_heading(screen, f"{len(schema):,} column{'s'[: len(schema) != 1]}")
    shown = table("column", "type")
    for field in list(schema)[:_MOST_FIELDS]:
        kind = shortened(str(field.type), LONGEST_TYPE)
        required = "" if field.nullable else " not null"
        shown.add_row(shortened(field.name, LONGEST_CELL), kind + required)
    show_table(screen, shown)
    if len(schema) > _MOST_FIELDS:
        show_text(screen, f"and {len(schema) - _MOST_FIELDS:,} more; --json lists all", "dim")


def show_rejects(screen: Console, title: str, rejects: Iterable[Reject]) -> None:
    """Rejected rows: where each stood, why it was rejected, and the row itself."""
    show_heading(screen, title)
    for number, reject in enumerate(rejects):
        if number:
            screen.print()
        row = reject.payload[: 4 * LONGEST_ROW].decode("utf-8", "backslashreplace")
        show_rejected(screen, reject.reason, reject.place, row)


def show_rejected(screen: Console, reason: str, place: str, row: str, **more: str) -> None:
    facts = {
        "reason": Text(shortened(reason, LONGEST_ROW), "yellow"),
        "place": Text(shortened(place, LONGEST_ROW)),
        "row": Text(shortened(row.rstrip("\r\n"), LONGEST_ROW)),
    }
    facts.update({name: Text(shortened(text, LONGEST_ROW), "dim") for name, text in more.items()})
    show_table(screen, pairs(facts, "dim"))
