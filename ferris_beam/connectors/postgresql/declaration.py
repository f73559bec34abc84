"""What the PostgreSQL connector declares."""

from __future__ import annotations

from ferris_beam.connector import Connector, SinkFacts, SourceFacts

_PACKAGE = "ferris_beam.connectors.postgresql"

CONNECTOR = Connector(
    name="postgresql",
    schemes=("postgresql", "postgres"),
    summary="PostgreSQL 14 and later: tables, queries, lookups, change data capture.",
    source=SourceFacts(
        options=f"{_PACKAGE}.options:PostgresqlSourceOptions",
        reader=f"{_PACKAGE}.choose:postgresql_reader",
        unit="ranges of blocks or keys of a table, in any order; a query; with cursor= a table in "
        "the order of the column; with mode=cdc a replication slot, in commit order",
        delivery="a table or query is read once under one snapshot: all or nothing, or "
        "effectively once into a sink with a key; cursor= and mode=cdc: exactly once",
    ),
    sink=SinkFacts(
        options=f"{_PACKAGE}.options:PostgresqlSinkOptions",
        writer=f"{_PACKAGE}.writer:PostgresqlWriter",
        unit="a transaction; any number in parallel",
        delivery="exactly once: rows and ledger change in one transaction",
    ),
    extra="postgresql",
    example="postgresql://app@localhost/shop?table=orders",
)
