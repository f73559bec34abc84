"""The ledger's table in the target database: `TableLedger`'s rows, and its lock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from psycopg import errors, sql

from ferris_beam.commitlog import TableLedger
from ferris_beam.connectors.postgresql.writing.names import TableName, lock_number
from ferris_beam.connectors.postgresql.writing.session import Session
from ferris_beam.errors import BadRecordError, ConfigurationError, FerrisError, TransientError
from ferris_beam.ledger import Identity, LedgerState

LEDGER = "_ferris_ledger"

_COLUMNS = """
    sink text NOT NULL, pipeline text NOT NULL, number bigint NOT NULL, record text NOT NULL,
    PRIMARY KEY (sink, pipeline, number)
"""


class LedgerTable:
    """The rows of one sink and one pipeline (`commitlog.LedgerRows`).

    ``table`` is the ledger's: in the schema of the target table where one is given, else on the
    search path. ``lock`` holds until the transaction ends: two writers can't commit one interval.
    """

    def __init__(self, session: Session, table: TableName, sink: str, pipeline: str) -> None:
        self._session = session
        self._name = table
        self._key = (sink, pipeline)
        self._lock = lock_number("ledger", sink, pipeline)

    @property
    def table(self) -> sql.Identifier:
        return self._name.identifier

    def exists(self) -> bool:
        quoted = self.table.as_string(None)
        ((found,),) = self._session.rows("SELECT to_regclass(%s) IS NOT NULL", [quoted])
        return bool(found)

    def create(self) -> None:
        """Creates the table where it is missing; workers that start at once do so in turn."""
        if self.exists():
            return
        try:
            with self._session.transaction():
                number = lock_number("create", LEDGER)
                self._session.execute("SELECT pg_advisory_xact_lock(%s)", [number])
                query = sql.SQL("CREATE TABLE IF NOT EXISTS {} ({})")
                self._session.execute(query.format(self.table, sql.SQL(_COLUMNS)))
        except ConfigurationError as error:
            if not isinstance(error.__cause__, errors.InsufficientPrivilege):
                raise
            statement = " ".join(f"CREATE TABLE {self._name} ({_COLUMNS})".split())
            raise ConfigurationError(
                f"{self._session.display}: progress is kept in the table {self._name}, which this "
                f"role may not create. Let another one do it: {statement}; GRANT SELECT, INSERT, "
                f"DELETE ON {self._name} TO …"
            ) from error

    def lock(self) -> None:
        self._session.execute("SELECT pg_advisory_xact_lock(%s)", [self._lock])

    @contextmanager
    def lock_of_session(self) -> Iterator[None]:
        """The same lock, held over transactions."""
        self._session.execute("SELECT pg_advisory_lock(%s)", [self._lock])
        try:
            yield
        finally:
            self._unlock()

    def _unlock(self) -> None:
        """Never raises: a lost connection has lost its locks, too."""
        self._session.rollback()
        if self._session.is_connected:
            try:
                self._session.execute("SELECT pg_advisory_unlock(%s)", [self._lock])
            except FerrisError:
                self._session.close()

    # ── LedgerRows ──────────────────────────────────────────────────────────────────────────

    def read(self, start: int) -> Iterable[tuple[int, bytes]]:
        query = sql.SQL(
            "SELECT number, record FROM {} WHERE sink = %s AND pipeline = %s AND number >= %s "
            "ORDER BY number"
        )
        found = self._session.rows(query.format(self.table), (*self._key, start))
        return [(number, record.encode("ascii")) for number, record in found]

    def append(self, number: int, record: bytes) -> None:
        query = sql.SQL("INSERT INTO {} VALUES (%s, %s, %s, %s)").format(self.table)
        try:
            self._session.execute(query, (*self._key, number, record.decode("ascii")))
        except BadRecordError as error:  # the number is taken
            raise TransientError(f"another writer added to the ledger at once: {error}") from error

    def delete(self, below: int) -> None:
        query = sql.SQL("DELETE FROM {} WHERE sink = %s AND pipeline = %s AND number < %s")
        self._session.execute(query.format(self.table), (*self._key, below))


def ledgers(session: Session, table: TableName, sink: str) -> dict[str, LedgerState]:
    """The ledgers of all pipelines at one sink, by their names; of claimed ones only."""
    found: dict[str, LedgerState] = {}
    if not LedgerTable(session, table, sink, "").exists():
        return found
    query = sql.SQL("SELECT DISTINCT pipeline FROM {} WHERE sink = %s ORDER BY pipeline")
    for (pipeline,) in session.rows(query.format(table.identifier), [sink]):
        rows = LedgerTable(session, table, sink, pipeline)
        state = TableLedger(Identity(pipeline, "")).state(rows)
        if state.epoch:
            found[pipeline] = state
    return found
