"""``postgresql://host/database?table=…``: tables, queries and change data capture of PostgreSQL."""

from ferris_beam.connectors.postgresql.declaration import CONNECTOR

__all__ = ["CONNECTOR"]
