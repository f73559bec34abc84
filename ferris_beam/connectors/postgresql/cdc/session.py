"""A slot that is read from a position on: its stream, and the snapshot in between.

Three positions matter: `Session.told`, the end of the last chunk; `Session.position`, below which
all that is to be told was told (changes of other tables move only this one); and what the server
was told that it may forget, which is never more than all sinks hold.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ferris_beam.connector import Chunk
from ferris_beam.connectors.postgresql.cdc.assembly import Assembler
from ferris_beam.connectors.postgresql.cdc.known import KnownTables
from ferris_beam.connectors.postgresql.cdc.log import Changes, LogReader
from ferris_beam.connectors.postgresql.cdc.lots import Lots
from ferris_beam.connectors.postgresql.cdc.mark import Progress
from ferris_beam.connectors.postgresql.cdc.positions import LOW_BITS, at_end, needed
from ferris_beam.connectors.postgresql.cdc.records import Piece, Shaper
from ferris_beam.connectors.postgresql.cdc.rows import RowReader
from ferris_beam.connectors.postgresql.cdc.stream import ReplicationStream
from ferris_beam.connectors.postgresql.cdc.tables import TableName
from ferris_beam.connectors.postgresql.cdc.windows import Untold

_DISORDER_MICROS = 1_000_000
"""Commit times follow the clock, and the log the commits: these differ by less."""
_STEP_SECONDS = 0.05
_CATCH_UP_SECONDS = 1.0
_PATIENT_WAITS = 4


@dataclass
class Source:
    """What a session reads with."""

    stream: ReplicationStream
    known: KnownTables
    shaper: Shaper
    rows: RowReader
    batch_rows: int
    heartbeat: float
    poll: float


class Session:
    def __init__(self, source: Source, position: int, progress: Progress, mark: str) -> None:
        self.told = position
        self.mark = mark
        self.busy = False
        self.stream = source.stream
        self.position = max(position, at_end(source.stream.confirmed))
        self.latest_time: int | None = None
        self._source = source
        self._progress = progress
        self._lots = Lots(source.stream, source.batch_rows)
        self._log = LogReader()
        self._assembler = Assembler(source.known, source.shaper)
        self._untold: Untold | None = source.rows.untold(progress)
        self._borders: list[int] = []
        self._beat = time.monotonic()
        self._waits = 0

    def stands_at(self, position: int, mark: str) -> bool:
        """Whether the next chunk begins there."""
        return not self.busy and self.told == position and self.mark == mark

    @property
    def read_up_to(self) -> int:
        """The LSN below which all is told."""
        told = needed(self.position)
        quiet = not (self._lots.unfinished or self._log.in_transaction)
        return max(told, self.stream.reached) if quiet else told

    def chunks(self, borders: Sequence[int]) -> Iterator[Chunk]:
        """What there is now, or comes soon; no chunk crosses one of ``borders``."""
        self.busy = True
        self._borders = sorted(border for border in borders if border > self.told)
        gave = waited = False
        deadline = time.monotonic() + _CATCH_UP_SECONDS
        while True:
            lot = False
            for chunk in self._next_lot():
                lot = gave = True
                yield chunk
            for chunk in self._quiet(lot or self._lots.unfinished):
                gave = True
                yield chunk
            if self._may_read_rows():
                for chunk in self._next_rows():
                    yield chunk
                gave = True
            elif lot:
                continue
            elif self._progress.window is not None and time.monotonic() < deadline:
                self._catch_up()
            elif gave or waited:
                break
            else:
                waited = True
                self.stream.wait(self._source.poll)
        self.busy = False

    # ── changes ─────────────────────────────────────────────────────────────────────────────

    def _next_lot(self) -> Iterator[Chunk]:
        messages = self._lots.receive()
        if messages is None:
            return
        for found in self._log.changes(messages):
            if isinstance(found, tuple):
                self._source.known.describe(*found)
                continue
            for changes in self._parts(found):
                chunk = self._chunk_of(changes)
                if chunk is not None:
                    yield chunk

    def _parts(self, changes: Changes) -> Iterator[Changes]:
        """What is new of ``changes``, cut at borders."""
        if changes.end <= self.position:
            return
        if self._log_begins_below(changes):
            changes = changes.select(~changes.below(self.position))
        for border in [border for border in self._borders if border < changes.end]:
            below = changes.below(border)
            yield changes.select(below, end=border)
            changes = changes.select(~below)
        yield changes

    def _log_begins_below(self, changes: Changes) -> bool:
        return len(changes) > 0 and bool(changes.below(self.position)[0])

    def _chunk_of(self, changes: Changes) -> Chunk | None:
        """None where nothing is to be told, and no border ends here."""
        self.position = changes.end
        if changes.truncated:
            piece = self._truncated(changes)
        else:
            piece = self._assembler.records(changes, self._progress, self._untold)
            if not self._progress.done and len(changes):
                self._source.rows.remember(changes.xid)
        nbytes = len(changes.data)
        if piece is None:
            return self._empty(changes.end) if changes.end in self._borders else None
        return self._chunk(piece, changes.end, nbytes)

    def _truncated(self, changes: Changes) -> Piece | None:
        if not len(changes):
            return None
        tables = self._assembler.truncated(changes, self._progress)
        for table in tables:
            if self._reads(table.name):
                self._progress = self._source.rows.restarted(self._progress, table.name)
                self._untold = None
        return self._assembler.truncations(changes, tables)

    def _reads(self, name: TableName) -> bool:
        """Whether a table's rows are being told: it must be begun anew when it is emptied."""
        progress = self._progress
        in_hand = progress.table == name and not progress.done
        return in_hand and (not progress.finished or self._progress.window is not None)

    # ── where nothing changes ───────────────────────────────────────────────────────────────

    def _quiet(self, moving: bool) -> Iterator[Chunk]:
        """Closes the window when the log is read so far; chunks without rows, up to borders that
        are behind, and as heartbeats, so that the server can forget what is read."""
        reached = self.stream.reached
        if self._log.in_transaction:
            return
        window = self._progress.window
        if window is not None and max(reached, self.position >> LOW_BITS) >= window.high:
            self._progress = self._progress.without_window()
            self._untold = self._source.rows.untold(self._progress)
        for border in list(self._borders):
            if border >> LOW_BITS < reached and border > self.told:
                yield self._empty(border)
        if moving or time.monotonic() - self._beat < self._source.heartbeat:
            return
        self._beat = time.monotonic()
        end = max(self.position, at_end(self._heard()))
        if end > self.told and not self._lots.unfinished and not self._borders:
            yield self._empty(end)

    def _heard(self) -> int:
        """The end of the log, as the server says when it is asked; what comes meanwhile waits."""
        self.stream.tell(ask=True)
        before = self.stream.clock
        deadline = time.monotonic() + _CATCH_UP_SECONDS
        while self.stream.clock == before and time.monotonic() < deadline:
            self.stream.wait(_STEP_SECONDS)
            if self._lots.look():
                return 0
        return self.stream.reached

    def _catch_up(self) -> None:
        """Waits for a window's end, which may lie in log that nobody has asked to be written."""
        self._waits += 1
        if self._waits == _PATIENT_WAITS:
            self._source.rows.nudge()
        self.stream.tell(ask=True)
        self.stream.wait(_STEP_SECONDS)

    # ── rows that are there already ─────────────────────────────────────────────────────────

    def _may_read_rows(self) -> bool:
        return not (
            self._progress.done
            or self._progress.window is not None
            or self._log.in_transaction
            or self._borders
            or not self._source.rows.settled()
        )

    def _next_rows(self) -> Iterator[Chunk]:
        """The next rows of a table, at positions of their own; an empty chunk says that all are
        read."""
        for part in self._source.rows.next(self._progress, self.position):
            self._progress, self._untold = part.progress, part.untold
            self._waits = 0
            end = self.position + max(1, part.count)
            yield self._chunk(part.piece, end, part.piece.records.nbytes, of_stream=False)

    # ── chunks ──────────────────────────────────────────────────────────────────────────────

    def _chunk(self, piece: Piece, end: int, nbytes: int, of_stream: bool = True) -> Chunk:
        timestamp = int(piece.times.min()) if len(piece.times) else None
        watermark = None
        if of_stream and timestamp is not None:
            self.latest_time = max(self.latest_time or 0, int(piece.times.max()))
            watermark = self.latest_time - _DISORDER_MICROS
        return self._given(Chunk(piece.records, end, piece.rejects, nbytes, timestamp, watermark))

    def _empty(self, end: int) -> Chunk:
        return self._given(Chunk(self._source.rows.nothing(), end))

    def _given(self, chunk: Chunk) -> Chunk:
        self._progress = replace(self._progress, columns=dict(self._source.known.columns))
        self.mark = self._progress.encode()
        self.position = max(self.position, chunk.end)
        self.told = chunk.end
        self._borders = [border for border in self._borders if border > self.told]
        self._beat = time.monotonic()
        return replace(chunk, mark=self.mark)
