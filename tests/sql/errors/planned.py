"""What a wrong text is answered, up to its plan."""

from __future__ import annotations

import pyarrow as pa

from ferris_beam.errors import SqlError
from ferris_beam.sql.plan import Catalog, plan_program
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText

SCHEMAS = {
    "orders": pa.schema({
        "id": pa.int64(),
        "customer": pa.int64(),
        "amount": pa.float64(),
        "status": pa.string(),
        "tags": pa.list_(pa.string()),
        "ordered_at": pa.timestamp("us"),
    }),
    "customers": pa.schema({"id": pa.int64(), "country": pa.string()}),
}


def message_of(text: str) -> str | None:
    """The message of the `SqlError`; None where there is none."""
    sql = SqlText(text)
    try:
        plan_program(parse(sql), sql, Catalog(SCHEMAS))
    except SqlError as error:
        return error.message
    return None
