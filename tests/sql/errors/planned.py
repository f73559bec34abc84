"""What wrong texts are answered, up to their plan. ``python -m tests.sql.errors.planned`` writes
today's answers to messages.txt, to be read before they are committed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from ferris_beam.errors import SqlError
from ferris_beam.sql.plan import Catalog, plan_program
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText

CASES = Path(__file__).with_name("messages.txt")
SCHEMAS = {
    "orders": pa.schema(
        {
            "id": pa.int64(),
            "customer": pa.int64(),
            "amount": pa.float64(),
            "status": pa.string(),
            "tags": pa.list_(pa.string()),
            "ordered_at": pa.timestamp("us"),
        }
    ),
    "customers": pa.schema({"id": pa.int64(), "country": pa.string()}),
}
_END = "\n════\n"
_BETWEEN = "\n────\n"


def message_of(text: str) -> str | None:
    """The message of the `SqlError`; None where there is none."""
    sql = SqlText(text)
    try:
        plan_program(parse(sql), sql, Catalog(SCHEMAS))
    except SqlError as error:
        return error.message
    return None


def cases() -> Iterator[tuple[str, str]]:
    """Each text and its message."""
    for case in CASES.read_text(encoding="utf-8").split(_END):
        if case.strip():
            text, message = case.split(_BETWEEN)
            yield text, message


def write() -> None:
    answers = [f"{text}{_BETWEEN}{message_of(text)}" for text, _ in cases()]
    CASES.write_text(_END.join([*answers, ""]), encoding="utf-8")


if __name__ == "__main__":
    write()
