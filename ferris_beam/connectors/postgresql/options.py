"""Options of the PostgreSQL connector."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ferris_beam.options import (
    ByteSize,
    Duration,
    Options,
    Secret,
    byte_size,
    conflicts,
    duration,
    exclusive,
    option,
    requires,
    requires_either,
)

SslMode: TypeAlias = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
SessionAttributes: TypeAlias = Literal[
    "any", "read-write", "read-only", "primary", "standby", "prefer-standby"
]


class ConnectionOptions(Options):
    """How a server is reached; sources and sinks share these."""

    uri_variables = ("DATABASE_URL",)
    uri_schemes = ("postgresql", "postgres")

    user: str | None = option(
        None,
        description="The role; by default that of the operating system's user.",
        example="app",
        environment=["PGUSER"],
        uri_part="user",
    )
    password: Secret | None = option(
        None,
        description="The password; without one, libpq looks into ~/.pgpass.",
        example="env:PGPASSWORD",
        environment=["PGPASSWORD"],
        uri_part="password",
    )
    sslmode: SslMode = option(
        "prefer",
        description="Whether the connection is encrypted, and the server's certificate checked.",
        example="verify-full",
        environment=["PGSSLMODE"],
    )
    sslrootcert: str | None = option(
        None,
        description="The file of certificate authorities to trust; `system` for those of the "
        "machine.",
        example="/etc/ssl/postgresql-ca.pem",
        environment=["PGSSLROOTCERT"],
    )
    sslcert: str | None = option(
        None,
        description="The file of the client's certificate.",
        example="client.crt",
        environment=["PGSSLCERT"],
    )
    sslkey: str | None = option(
        None,
        description="The file of the client's key.",
        example="client.key",
        environment=["PGSSLKEY"],
    )
    connect_timeout: Duration = option(
        duration("5s"),
        description="How long one host may take to answer.",
        example=duration("10s"),
        ge=duration("1s"),
    )
    statement_timeout: Duration = option(
        duration("0s"),
        description="How long a statement may take before the server cancels it; 0: for ever.",
        example=duration("10m"),
    )
    application_name: str = option(
        "ferris_beam", description="What pg_stat_activity shows.", example="orders-export"
    )


class PostgresqlSourceOptions(ConnectionOptions):
    """How a database is read: a table, a query, or the changes of tables."""

    tuning = frozenset(
        {"pool_size", "connect_timeout", "statement_timeout", "application_name", "poll_interval"}
        | {"heartbeat", "batch_rows"}
    )
    rules = (
        exclusive("table", "query"),
        exclusive("table", "tables"),
        exclusive("query", "tables"),
        exclusive("query", "cursor"),
        *(conflicts(name, mode="cdc", cdc=True) for name in ("query", "cursor", "lookup")),
        requires("cursor_lag", "cursor"),
        *(
            requires_either(name, mode="cdc", cdc=True)
            for name in (
                "tables",
                "slot",
                "publication",
                "snapshot",
                "create",
                "failover",
                "format",
                "heartbeat",
                "on_schema_change",
                "on_slot_lost",
            )
        ),
        requires("lookup_cache", lookup=True),
        requires("lookup_ttl", lookup=True),
    )

    mode: Literal["table", "cdc"] = option(
        "table",
        description="What is read: the rows as they are now, or the changes as they are committed.",
        example="cdc",
    )
    cdc: bool | None = option(None, description="The same as mode=cdc.", example=True)
    table: str | None = option(
        None,
        description="The table, view or partitioned table, with its schema where that isn't on "
        "the search path. Without it: the table named like the database, or the only one.",
        example="public.orders",
    )
    query: str | None = option(
        None, description="Reads the result of this query.", example="SELECT * FROM orders"
    )
    target_session_attrs: SessionAttributes = option(
        "any",
        description="Which of several hosts is taken.",
        example="prefer-standby",
        environment=["PGTARGETSESSIONATTRS"],
    )
    numeric: Literal["decimal", "float", "text"] = option(
        "decimal",
        description="What a numeric without precision becomes: decimal(38, 9), where a value that "
        "doesn't fit is a rejected row; a double; or its text.",
        example="text",
    )
    unmapped: Literal["error", "text"] = option(
        "error",
        description="Columns whose type Arrow doesn't have: refuse them, or read their text.",
        example="text",
    )
    split_by: str | None = option(
        None,
        description="The column by whose ranges a view or query is read in parallel: an integer, "
        "a date or a timestamp. Tables are cut into ranges of blocks without it.",
        example="id",
    )
    batch_rows: int = option(65_536, description="Rows of a batch.", example=8192, ge=1)
    pool_size: int = option(
        4, description="How many connections a process opens at most.", example=2, ge=1
    )
    cursor: str | None = option(
        None,
        description="Reads only rows that came or changed since the last run: the column that "
        "rises with each change (an integer, date or timestamp).",
        example="updated_at",
    )
    cursor_lag: Duration | None = option(
        None,
        description="Rows younger than this are left for the next run, since transactions that "
        "began earlier may still commit older ones. Needs a cursor of timestamps.",
        example=duration("10s"),
    )
    lookup: bool = option(
        False,
        description="In a join: asks for the keys of each batch instead of reading the table.",
        example=True,
    )
    lookup_cache: int = option(
        100_000, description="How many keys a worker remembers.", example=1_000_000, ge=0
    )
    lookup_ttl: Duration = option(
        duration("1m"),
        description="How long a worker believes what it remembers.",
        example=duration("10s"),
    )
    tables: tuple[str, ...] = option(
        (),
        description="Changes of several tables; `schema.*` stands for all of a schema.",
        example=("public.orders", "public.customers"),
    )
    slot: str | None = option(
        None,
        description="The replication slot; by default one named after the pipeline's tables.",
        example="ferris_orders",
    )
    publication: str | None = option(
        None, description="The publication; by default named like the slot.", example="orders"
    )
    create: bool = option(
        True, description="Whether slot and publication may be created.", example=False
    )
    failover: bool = option(
        False,
        description="Whether the slot lives on in standbys (PostgreSQL 17 and later).",
        example=True,
    )
    snapshot: Literal["initial", "never", "only"] = option(
        "initial",
        description="Whether the rows that are there come first; `only`: nothing after them.",
        example="never",
    )
    format: Literal["flat", "envelope"] | None = option(
        None,
        name="format",
        description="Changes as the table's columns beside _operation, _lsn, _commit_time and "
        "_position (flat; the default for one table), or as operation, before and after "
        "(envelope; JSON texts where there are several tables).",
        example="envelope",
    )
    heartbeat: Duration = option(
        duration("10s"),
        description="How often an idle slot's progress is committed, so that the server can "
        "remove WAL.",
        example=duration("1m"),
        ge=duration("100ms"),
    )
    on_schema_change: Literal["evolve", "ignore", "fail"] = option(
        "evolve",
        description="When a table's columns change: batches change with it, keep their columns, "
        "or the pipeline stops.",
        example="fail",
    )
    on_slot_lost: Literal["fail", "snapshot"] = option(
        "fail",
        description="When the server has removed WAL that was not read: stop, or start again "
        "with a snapshot.",
        example="snapshot",
    )
    poll_interval: Duration = option(
        duration("1s"), description="How often an idle stream is looked at.", ge=duration("10ms")
    )

    @property
    def captures_changes(self) -> bool:
        return self.mode == "cdc" or bool(self.cdc)


class PostgresqlSinkOptions(ConnectionOptions):
    """How a database is written."""

    tuning = frozenset(
        {"connect_timeout", "statement_timeout", "application_name", "batch_rows", "batch_bytes"}
    )
    table: str | None = option(
        None,
        description="The table, with its schema where that isn't on the search path. Without it: "
        "the name of the stream, or, for changes of several tables, that of each change.",
        example="public.orders",
    )
    mode: Literal["append", "upsert", "apply", "overwrite"] = option(
        "append",
        description="Adds rows; replaces those with the same key; applies changes (insert, "
        "update, delete, truncate); or replaces the table once all is written.",
        example="upsert",
    )
    key: tuple[str, ...] = option(
        (),
        description="The columns that tell rows apart; by default the table's primary key.",
        example=("id",),
    )
    create_table: bool = option(
        True,
        description="Whether a table that isn't there is created, with the columns of the rows.",
        example=False,
    )
    columns: Literal["match", "evolve", "ignore"] = option(
        "match",
        description="Columns that the table lacks: refuse them, add them to it, or leave them out.",
        example="evolve",
    )
    position: str | None = option(
        None,
        description="The column of rising positions: a row with a lower one than the table's row "
        "is left out (modes upsert and apply).",
        example="_position",
    )
    isolation: Literal["read committed", "repeatable read", "serializable"] = option(
        "read committed",
        description="The isolation level of each commit's transaction.",
        example="serializable",
    )
    on_failure: Literal["rows", "batch"] = option(
        "rows",
        description="When rows are refused: only they are rejected, or the whole transaction is "
        "rolled back and the pipeline stops.",
        example="batch",
    )
    batch_rows: int = option(65_536, description="Rows of one transaction.", ge=1)
    batch_bytes: ByteSize = option(
        byte_size("64MiB"), description="Bytes of rows, in memory, of one transaction.", ge=1
    )
