"""Joins: by hash partitions, or by a table that every worker holds."""

from __future__ import annotations

from ferris_beam.sql.joins.broadcast import BroadcastJoin
from ferris_beam.sql.joins.hash_join import HashJoin, plan_hash_join
from ferris_beam.sql.joins.hot_keys import HotKeys
from ferris_beam.sql.joins.key_columns import with_key_columns
from ferris_beam.sql.joins.table import GivenTable, SourceTable, Table, table_of

__all__ = [
    "BroadcastJoin",
    "GivenTable",
    "HashJoin",
    "HotKeys",
    "SourceTable",
    "Table",
    "plan_hash_join",
    "table_of",
    "with_key_columns",
]
