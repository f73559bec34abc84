"""Which reader a PostgreSQL source needs."""

from __future__ import annotations

from ferris_beam.connector import Reader
from ferris_beam.connectors.postgresql.options import PostgresqlSourceOptions
from ferris_beam.uri import Uri


def postgresql_reader(uri: Uri, options: PostgresqlSourceOptions) -> Reader:
    """The reader of changes, of what is new since the last run, or of what is there now."""
    if options.captures_changes:
        from ferris_beam.connectors.postgresql.cdc.reader import ChangeReader

        return ChangeReader(uri, options)
    if options.cursor is not None:
        from ferris_beam.connectors.postgresql.reading.cursor import CursorReader

        return CursorReader(uri, options)
    from ferris_beam.connectors.postgresql.reading.reader import TableReader

    return TableReader(uri, options)
