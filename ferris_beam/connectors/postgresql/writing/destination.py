"""Where the rows of one writer go until its input has ended, and then."""

from __future__ import annotations

from collections.abc import Callable

from ferris_beam.connectors.postgresql.options import PostgresqlSinkOptions
from ferris_beam.connectors.postgresql.writing.apply import Apply
from ferris_beam.connectors.postgresql.writing.modes import Append, Mode
from ferris_beam.connectors.postgresql.writing.names import TableName
from ferris_beam.connectors.postgresql.writing.publishing import move, replace_all
from ferris_beam.connectors.postgresql.writing.session import Session
from ferris_beam.connectors.postgresql.writing.tables import Rules, TargetTable
from ferris_beam.connectors.postgresql.writing.upsert import Upsert, key_of
from ferris_beam.connectors.postgresql.writing.waiting import WaitingTable, drop


class Destination:
    """The table, in front of it the one in which rows wait where they must, and the mode.

    ``prefix`` begins the names of waiting tables, ``generation`` says which one is this run's.
    Without a ``name``, changes say which tables they are for.
    """

    def __init__(
        self,
        session: Session,
        name: TableName | None,
        options: PostgresqlSinkOptions,
        waits: bool,
        prefix: str,
        generation: Callable[[], int],
    ) -> None:
        self._session = session
        self._options = options
        self._prefix = prefix
        self._target = self._table(name) if name is not None else None
        self._waiting = (
            WaitingTable(self._target, prefix, generation) if waits and self._target else None
        )
        self.mode = self._mode(name)

    def _table(self, name: TableName) -> TargetTable:
        options = self._options
        key = options.key if options.mode in ("upsert", "apply") else ()
        return TargetTable(self._session, name, Rules(options.create_table, options.columns), key)

    def _mode(self, name: TableName | None) -> Mode:
        session, options = self._session, self._options
        if options.mode == "apply":
            return Apply(session, self._table, name, options.key, options.position)
        table = self._waiting or self._target
        assert table is not None
        if options.mode == "upsert":
            return Upsert(session, table, options.key, options.position)
        return Append(session, table)

    def publish(self) -> None:
        """Makes what waited visible, in the open transaction."""
        if self._waiting is None or self._target is None:
            return
        self._target.forget()
        target, waiting = self._target.table, self._waiting.waiting()
        if target is None:
            return
        if self._options.mode == "overwrite":
            replace_all(self._session, waiting, target)
        elif waiting is not None:
            keyed = self._options.mode == "upsert"
            key = key_of(target, self._options.key) if keyed else ()
            move(self._session, waiting, target, key, self._options.position)
        self.drop_waiting()

    def drop_waiting(self, kept: int | None = None) -> None:
        """Drops what waits of this pipeline, in the open transaction; not that of ``kept``."""
        drop(self._session, self._prefix, kept)
        if self._target is not None:
            self._target.forget()
        if self._waiting is not None:
            self._waiting.forget()
