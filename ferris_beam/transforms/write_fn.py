"""The one batched writer: stages batches, commits them with their intervals, masks repeats."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, TypeVar

import pyarrow as pa
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from ferris_beam.batches import Batch, concatenate, from_ipc, to_ipc
from ferris_beam.connector import Receipt, Staged, Writer
from ferris_beam.errors import BadRecordError, ConflictError, FerrisError
from ferris_beam.interval import Origin
from ferris_beam.ledger import CHECKSUMS, Entry
from ferris_beam.reliability import (
    AT_WORK,
    DeadLetterFormat,
    retrying,
    strict_error,
    write_good_rows,
)
from ferris_beam.reliability.dead_letters import SCHEMA, rejects_of_rows
from ferris_beam.transforms.claims import claim
from ferris_beam.transforms.context import PipelineContext, Run
from ferris_beam.transforms.meter import Meter
from ferris_beam.transforms.operator import (
    REJECTS,
    Operator,
    recorded,
    rejected,
    stop_if_failed,
)
from ferris_beam.transforms.stopping import is_stopping

T = TypeVar("T")


@dataclass
class _Gathered:
    """One interval on its way into a commit: whole once the shares of its parts add up to 1."""

    origin: Origin
    rows: int = 0
    share: Fraction = Fraction(0)
    rejects: list[pa.RecordBatch] = field(default_factory=list)
    checksum: int = 0

    def entry(self) -> Entry:
        rejects = to_ipc(concatenate(self.rejects)) if self.rejects else b""
        return Entry(self.origin, self.rows, rejects, self.checksum % CHECKSUMS)


class WriteDoFn(Operator):
    """Main output: a `Receipt` for each commit; rejects: one batch for each committed interval."""

    def __init__(
        self,
        context: PipelineContext,
        connector: str,
        uri: str,
        plan: str,
        strict: bool,
        role: str,
    ) -> None:
        self.run: PipelineContext | Run = context
        self.connector = connector
        self.uri = uri
        self.plan = plan
        self.strict = strict
        self.role = role
        self.sink = ""
        self.writer: Writer | None = None
        self.staged: Staged | None = None

    def description(self) -> str:
        return f"write {self.plan}"

    def start_bundle(self) -> None:
        assert isinstance(self.run, Run)
        with recorded(self.run.identity.run):
            self.gathered: dict[tuple[Any, ...], _Gathered] = {}
            self.letters_alone: list[pa.RecordBatch] = []
            self.began = time.monotonic()
            if self.writer is None:
                self._open(self.run)
            else:
                self.state = retrying(self.writer.ledger, AT_WORK)

    def _open(self, run: Run) -> None:
        identity = run.identity
        self.epoch = claim(run).epoch
        sink = run.sink(self.sink)
        self.tracked = sink.paths is not None
        self.meter = Meter(identity.run, self.connector, self.role)
        self.letters = DeadLetterFormat(identity.name, self.label, self.connector, self.uri)
        retrying(lambda: sink.writer.open(identity), AT_WORK, sink.writer.close)
        self.writer = sink.writer
        self.step = (identity.run, self.sink)
        _count_open(self.step, 1)
        self.state = retrying(self.writer.ledger, AT_WORK)

    def teardown(self) -> None:
        if self.writer is None:
            return
        if self.staged is not None:
            self.writer.rollback(self.staged)
            self.staged = None
        if not _count_open(self.step, -1) and self.writer.endless:
            with suppress(FerrisError):  # what can't be shown now is shown by the next start
                self.writer.roll(self.epoch, everything=True)
        self.writer.close()
        self.writer = None

    # ── bundles ─────────────────────────────────────────────────────────────────────────────

    def process(self, batch: Batch) -> Iterator[Any]:
        assert isinstance(self.run, Run)
        with recorded(self.run.identity.run):
            stop_if_failed(self.run.identity.run)
            origin = batch.origin if self.tracked else None
            if origin is not None and self.state.is_masked(origin):
                yield from self._masked(origin)
                return
            self._stage(batch.records, origin)
            if self._full():
                yield from self._commit()
                self._roll()

    def finish_bundle(self) -> Iterator[Any]:
        assert isinstance(self.run, Run)
        with recorded(self.run.identity.run):
            for output in self._commit():
                if isinstance(output, TaggedOutput):
                    yield TaggedOutput(output.tag, _in_global_window(output.value))
                else:
                    yield _in_global_window(output)
            self._roll()

    def _masked(self, origin: Origin) -> Iterator[Any]:
        """A repeat: its rejected rows go out again, since their sink may have missed them."""
        if any(index for index, _ in origin.parts):
            return
        self.meter.count("masked_intervals")
        if not self.strict:
            outbox = self.state.outbox.get((origin.path, origin.interval))
            letters = from_ipc(outbox) if outbox else None
            yield self._rejected_batch(replace(origin, parts=()), letters)

    # ── staging ─────────────────────────────────────────────────────────────────────────────

    def _stage(self, records: pa.RecordBatch, origin: Origin | None) -> None:
        before = self.staged.checksum if self.staged is not None else 0
        letters = self._write_rows(records, origin) if records.num_columns else None
        rejected_rows = 0 if letters is None else letters.num_rows
        if origin is None:
            if letters is not None:
                self.letters_alone.append(letters)
            return
        whole = replace(origin, parts=())
        gathered = self.gathered.setdefault((origin.path, origin.interval), _Gathered(whole))
        gathered.rows += records.num_rows - rejected_rows
        gathered.share += origin.share
        if self.staged is not None:
            gathered.checksum += self.staged.checksum - before
        if letters is not None:
            gathered.rejects.append(letters)

    def _write_rows(self, records: pa.RecordBatch, origin: Origin | None) -> pa.RecordBatch | None:
        """Stages the rows that the sink takes; the letters of the others, or None."""
        assert self.writer is not None
        if self.staged is None:
            self.staged = self.writer.begin()
        staged = self.staged
        failures = list(
            write_good_rows(records, lambda part: self._timed(lambda: staged.write(part)))
        )
        return self._letters_of(records, failures, origin) if failures else None

    def _letters_of(
        self,
        records: pa.RecordBatch,
        failures: list[tuple[int, BadRecordError]],
        origin: Origin | None,
    ) -> pa.RecordBatch:
        unit = "" if origin is None else origin.interval.unit
        position = 0 if origin is None else origin.interval.start
        place = "a batch" if origin is None else str(origin.interval)
        failures.sort(key=lambda failure: failure[0])
        rejects = rejects_of_rows(records, failures, position, place, "validation")
        self.meter.count("rows_rejected", len(rejects))
        if self.strict:
            raise strict_error(rejects[0], self.uri)
        return self.letters.of_rejects(unit, rejects, records.schema)

    def _full(self) -> bool:
        """Whether enough is staged for a commit, or the run is being stopped, and no interval waits
        for its other parts."""
        assert isinstance(self.run, Run)
        staged, writer = self.staged, self.writer
        enough = (
            is_stopping(self.run.identity.run)
            or len(self.gathered) >= _MOST_INTERVALS
            or time.monotonic() - self.began >= _MOST_SECONDS
            or (
                staged is not None
                and writer is not None
                and (staged.rows >= writer.batch_rows or staged.nbytes >= writer.batch_bytes)
            )
        )
        return enough and self._complete()

    def _complete(self) -> bool:
        return all(gathered.share == 1 for gathered in self.gathered.values())

    # ── committing ──────────────────────────────────────────────────────────────────────────

    def _commit(self) -> Iterator[Any]:
        if self.staged is None and not self.gathered:
            return
        receipt = self._commit_staged()
        gathered, self.gathered, self.staged = self.gathered, {}, None
        letters_alone, self.letters_alone = self.letters_alone, []
        self.began = time.monotonic()
        self.meter.count("commits")
        self.meter.count("rows_written", receipt.rows)
        self.meter.count("bytes_written", receipt.nbytes)
        yield receipt
        if self.strict:
            return
        for interval in gathered.values():
            letters = concatenate(interval.rejects) if interval.rejects else None
            yield self._rejected_batch(interval.origin, letters)
        for letters in letters_alone:
            yield rejected(Batch(letters))

    def _commit_staged(self) -> Receipt:
        """Commits what is staged; an error that waiting can't mend rolls it back."""
        assert self.writer is not None
        writer = self.writer
        if not self._complete():
            raise ConflictError(
                f"{self.uri}: the parts of an interval arrived in different bundles; put no "
                "shuffle between the transform that makes the parts and the sink"
            )
        staged = self.staged if self.staged is not None else writer.begin()
        entries = [gathered.entry() for gathered in self.gathered.values()]
        try:
            receipt = self._timed(lambda: writer.commit(self.epoch, staged, entries))
        except BaseException:
            writer.rollback(staged)
            self.staged, self.gathered = None, {}
            raise
        self.state = retrying(writer.ledger, AT_WORK)
        return receipt

    def _roll(self) -> None:
        """Shows gathered commits that are due; when an endless run is about to stop, all."""
        assert self.writer is not None
        assert isinstance(self.run, Run)
        writer = self.writer
        everything = writer.endless and is_stopping(self.run.identity.run)
        self._timed(lambda: writer.roll(self.epoch, everything))

    def _rejected_batch(self, origin: Origin, letters: pa.RecordBatch | None) -> Any:
        records = _NO_LETTERS if letters is None else letters
        return rejected(Batch(records, self.onward(origin, REJECTS)))

    def _timed(self, action: Callable[[], T]) -> T:
        began = time.perf_counter_ns()
        try:
            return retrying(action, AT_WORK, lambda: self.meter.count("retries"))
        finally:
            self.meter.count("write_micros", (time.perf_counter_ns() - began) // 1000)


def _in_global_window(value: Any) -> WindowedValue:
    return WindowedValue(value, MIN_TIMESTAMP, (GlobalWindow(),))


def _count_open(step: tuple[str, str], change: int) -> int:
    """How many DoFns of this process hold the sink of a run (its id, the sink's label) open."""
    with _open_lock:
        _open_steps[step] += change
        return _open_steps[step] or _open_steps.pop(step)


_open_steps: Counter[tuple[str, str]] = Counter()
_open_lock = threading.Lock()

_MOST_INTERVALS = 64
_MOST_SECONDS = 10.0
"""A commit comes at the latest after so many intervals, or so long after the one before: where few
rows arrive (a filter, dead letters), a restart would otherwise read most of the input again."""

_NO_LETTERS = pa.RecordBatch.from_pylist([], schema=SCHEMA)
