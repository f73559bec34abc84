"""Changes of tables, read from a replication slot in the order of their commits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import psycopg
import pyarrow as pa

from ferris_beam.connector import ENDED, Backlog, Chunk, Reader, Split
from ferris_beam.connectors.postgresql.cdc.known import KnownTables
from ferris_beam.connectors.postgresql.cdc.lag import Lag
from ferris_beam.connectors.postgresql.cdc.mark import Progress, earliest
from ferris_beam.connectors.postgresql.cdc.names import default_slot, shape_of
from ferris_beam.connectors.postgresql.cdc.once import read_once
from ferris_beam.connectors.postgresql.cdc.positions import needed
from ferris_beam.connectors.postgresql.cdc.records import Shaper
from ferris_beam.connectors.postgresql.cdc.rows import RowReader
from ferris_beam.connectors.postgresql.cdc.session import Session, Source
from ferris_beam.connectors.postgresql.cdc.slots import Replication
from ferris_beam.connectors.postgresql.cdc.stream import open_stream
from ferris_beam.connectors.postgresql.cdc.tables import Tables, parse_tables
from ferris_beam.connectors.postgresql.cdc.tuples import Decoder
from ferris_beam.connectors.postgresql.diagnosis import diagnose_changes
from ferris_beam.connectors.postgresql.failures import explained
from ferris_beam.connectors.postgresql.options import PostgresqlSourceOptions
from ferris_beam.connectors.postgresql.server import Server
from ferris_beam.errors import TransientError
from ferris_beam.findings import Finding
from ferris_beam.interval import Interval
from ferris_beam.uri import Uri

_PATIENCE_SECONDS = 5.0


class ChangeReader(Reader):
    """The changes of one table, of several or of schemas; before them the rows that are there.

    The unit is the slot: one reader, in commit order. Exactly once into any sink: positions are
    those of the log, and the server keeps what is not confirmed. Where several sinks stand apart
    when a pipeline is started again in the midst of the snapshot, rows that the server had told
    some of them are told again, as they are then.

    With ``snapshot=only`` it is bounded and needs no slot: all tables under one snapshot, which
    can't be read a second time.
    """

    ordered = True

    def __init__(self, uri: Uri, options: PostgresqlSourceOptions) -> None:
        several = len(uri.hosts) > 1 and options.target_session_attrs == "any"
        # Of several hosts the one that takes writes has the slot; after a failover another one.
        attributes = "read-write" if several else options.target_session_attrs
        self._server = Server.of(uri, options, attributes)
        self._options = options
        self._written = (*((options.table,) if options.table else ()), *options.tables)
        self._shape = shape_of(options.format, self._written)
        slot = options.slot or default_slot(self._server.database, self._written)
        self._replication = Replication(
            slot,
            options.publication or slot,
            self._server.display,
            options.create,
            options.failover,
        )
        self.bounded = options.snapshot == "only"
        self.replayable = self.confirms = self.cuts = not self.bounded
        self._control: psycopg.Connection[Any] | None = None
        self._session: Session | None = None
        self._tables: Tables | None = None
        self._server_process = 0
        self._lag = Lag(self._replication)

    # ── opening ─────────────────────────────────────────────────────────────────────────────

    def open(self) -> None:
        self._control = self._server.connect(autocommit=True)

    def close(self) -> None:
        self._hang_up()
        self._tables = None
        if self._control is not None:
            self._control.close()
            self._control = None

    def _hang_up(self) -> None:
        if self._session is not None:
            self._session.stream.close()
            self._session = None

    @property
    def _connection(self) -> psycopg.Connection[Any]:
        if self._control is None:
            self.open()
        assert self._control is not None
        return self._control

    def _wanted(self) -> Tables:
        if self._tables is None:
            options = self._options
            self._tables = parse_tables(self._connection, options.table, options.tables)
        return self._tables

    def diagnose(self) -> Iterator[Finding]:
        return diagnose_changes(self._server, self._options, self._replication)

    # ── what there is ───────────────────────────────────────────────────────────────────────

    def schema(self) -> pa.Schema:
        with explained(self._server.display):
            known = self._known(Progress())
            names = self._wanted().matching(self._connection)
            return self._shaper().schema(known.in_catalog(names[0]))

    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        """One: the slot, which is made here where there is none."""
        with explained(self._server.display):
            self._wanted().matching(self._connection)
            end = ENDED if self.bounded else None
            if not self.bounded:
                self._replication.check_server(self._connection)
                self._prepare()
            return [
                Split(
                    Interval(self._unit, 0, end),
                    identity=self._cluster(),
                    divisible=False,
                    ordered=True,
                )
            ]

    @property
    def _unit(self) -> str:
        name = "snapshot" if self.bounded else self._replication.slot
        return f"{self._server.database}/{name}"

    def _cluster(self) -> str:
        """The cluster that positions belong to; a standby that took over has the same."""
        row = self._connection.execute(
            "SELECT system_identifier::text FROM pg_control_system()"
        ).fetchone()
        return str(row[0]) if row else ""

    def _prepare(self) -> None:
        self._replication.ensure_publication(self._connection, self._wanted())
        self._replication.ensure_slot(self._connection)

    # ── reading ─────────────────────────────────────────────────────────────────────────────

    def read(self, split: Split) -> Iterator[Chunk]:
        with explained(self._server.display):
            if self.bounded:
                names = self._wanted().matching(self._connection)
                tables = map(self._known(Progress()).in_catalog, names)
                yield from read_once(
                    self._connection, list(tables), self._shaper(), self._options.batch_rows
                )
                return
            yield from self._session_at(split).chunks(split.borders)

    def _session_at(self, split: Split) -> Session:
        """The one that is open, where it stands there; else a new one."""
        session, position = self._session, split.interval.start
        if session is None or not session.stands_at(position, split.mark):
            self._hang_up()
            self._session = session = self._opened(position, split.mark)
        return session

    def _opened(self, position: int, mark: str) -> Session:
        progress = self._progress_at(position, mark)
        state = self._replication.state(self._connection)
        assert state is not None
        start = max(needed(position), state.confirmed)
        self._replication.free(self._connection, self._server_process)
        stream = open_stream(
            self._server,
            self._replication.slot,
            self._replication.publication,
            start,
            state.confirmed,
            _PATIENCE_SECONDS,
        )
        self._server_process = stream.server_process
        shaper, known = self._shaper(), self._known(progress)
        options = self._options
        rows = RowReader(self._connection, self._wanted(), known, shaper, options.batch_rows)
        source = Source(
            stream,
            known,
            shaper,
            rows,
            options.batch_rows,
            options.heartbeat.total_seconds(),
            options.poll_interval.total_seconds(),
        )
        try:
            return Session(source, position, progress, mark)
        except BaseException:
            stream.close()
            raise

    def _progress_at(self, position: int, mark: str) -> Progress:
        """How far the snapshot is; with a slot that has all that follows."""
        connection, replication = self._connection, self._replication
        why = replication.check_whole(connection, needed(position)) if position else ""
        if not position:
            self._prepare()
            why = replication.check_whole(connection, 0)
        if why:
            if self._options.on_slot_lost == "fail":
                raise replication.lost(why)
            replication.drop_slot(connection)
            self._prepare()
            return Progress(anew=True)
        if not position and self._options.snapshot == "never":
            return Progress(done=True)
        return Progress.decode(mark)

    def _known(self, progress: Progress) -> KnownTables:
        options = self._options
        return KnownTables(
            self._connection, self._wanted(), options, options.on_schema_change, progress.columns
        )

    def _shaper(self) -> Shaper:
        return Shaper(self._shape, Decoder(self._connection), self._server.display)

    # ── progress ────────────────────────────────────────────────────────────────────────────

    def earliest(self, marks: Sequence[str]) -> str:
        return earliest(marks)

    def acknowledge(self, split: Split, position: int) -> None:
        """Confirms the end of the last transaction below ``position``."""
        if self._session is not None:
            self._session.stream.confirm(needed(position))

    def backlog(self, split: Split, position: int) -> Backlog | None:
        session = self._session
        if session is None:
            return None
        try:
            with explained(self._server.display):
                session.stream.tell(ask=True)
                return self._lag.behind(self._connection, session.read_up_to)
        except TransientError:
            self.close()  # the next read connects again
            return None
