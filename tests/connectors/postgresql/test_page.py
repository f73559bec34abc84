"""docs/postgresql.md says what the code does."""

from __future__ import annotations

import re

from psycopg import sql

from ferris_beam.connectors.postgresql.options import (
    PostgresqlSinkOptions,
    PostgresqlSourceOptions,
)
from ferris_beam.connectors.postgresql.refusals import REFUSALS
from ferris_beam.connectors.postgresql.types import Choices, columns_of
from ferris_beam.options import describe
from tests.pseudo_terminal import REPOSITORY
from tests.services.database import Database

PAGE = (REPOSITORY / "docs" / "postgresql.md").read_text(encoding="utf-8")


def rows_of(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    section = PAGE.split(f"{heading}\n", 1)[1].split("\n#", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in line.split("|")[1:-1]] for line in lines]


def test_every_type_becomes_what_the_page_says(database: Database) -> None:
    types = rows_of("### Types")
    names = [f"c{number}" for number in range(len(types))]
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in zip(names, types, strict=True))
    database.execute(f"CREATE TABLE all_types ({columns})")
    with database.connect() as connection:
        found = columns_of(connection, sql.Identifier("all_types"), Choices())
    assert [
        [kind, str(column.type)] for (kind, _), column in zip(types, found, strict=True)
    ] == types


def test_every_option_of_the_page_is_there() -> None:
    models = (PostgresqlSourceOptions, PostgresqlSinkOptions)
    known = {row.name for model in models for row in describe(model, "postgresql")}
    used = set(re.findall(r"[`?&]([a-z][a-z_]+)=", PAGE))
    assert used - known == {"ignore_startup_parameters"}, "that one is PgBouncer's"


def test_every_error_of_the_page_that_is_the_driver_s_is_known() -> None:
    told = [text for text, _ in rows_of("## Troubleshooting")]
    known = [text for text in told if any(each.text.search(text) for each in REFUSALS)]
    assert len(known) >= 10
    assert "Connection refused" in known
