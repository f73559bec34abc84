"""A model with one option of each type."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Literal

from ferris_beam.options import (
    ByteSize,
    Duration,
    Options,
    Secret,
    at_least_one,
    exclusive,
    option,
    requires,
)


class Acks(Enum):
    ALL = "all"
    NONE = "none"


class Everything(Options):
    """Options of shop:// sources."""

    rules = (
        exclusive("table", "query"),
        at_least_one("table", "query"),
        requires("slot", "publication", mode="cdc"),
    )
    tuning = frozenset({"rows"})
    uri_variables = ("SHOP_URL",)
    uri_schemes = ("store",)
    host_variables = ("SHOP_HOSTS",)

    table: str | None = option(None, description="The table to read.", example="orders")
    query: str | None = option(None, description="The query to read.", example="SELECT 1")
    schema_name: str = option("public", name="schema", description="Its schema.", example="x")
    mode: Literal["table", "cdc"] = option("table", description="What is read.", example="cdc")
    slot: str | None = option(None, description="The slot.", example="s1", max_length=8)
    publication: str | None = option(None, description="The publication.", example="p1")
    rows: int = option(1000, description="Rows of a batch.", example=500, ge=1, le=100_000)
    ratio: float = option(0.5, description="A share.", example=0.1, gt=0, lt=1)
    size: ByteSize = option("64MB", description="The size of a file.", example="1GiB", ge=1)
    idle: Duration | None = option("5s", description="When it is idle.", example="1h30m")
    watch: bool = option(False, description="Whether to go on.")
    acks: Acks = option(Acks.ALL, description="Who confirms.", example="none")
    parallel: int | Literal["auto"] = option("auto", description="How many.", example=4)
    columns: tuple[str, ...] = option((), description="The columns.", example="id,name")
    parts: list[int] | None = option(None, description="The parts.", example=[1, 2])
    folder: Path | None = option(None, description="A folder.", example="tmp/x")
    endpoint: str | None = option(None, description="A service.", example="http://h/")
    user: str | None = option(
        None, description="The user.", example="app", uri_part="user", environment=["SHOP_USER"]
    )
    password: Secret | None = option(
        None,
        description="The password.",
        example="env:SHOP_PASSWORD",
        uri_part="password",
        environment=["SHOP_PASSWORD"],
    )
    api_key: Secret | None = option(None, description="A key.", example="file:/run/key")


class Required(Options):
    """Options of a sink that can't do without a table, and knows no user."""

    table: str = option(description="The table to write.", example="orders")
    rows: int = option(1000, description="Rows of a batch.", example=500, ge=1)
