"""The connector contract: what a data system implements, in plain Python, without Beam.

A connector is a folder that offers one `Connector`: facts as data, a model of its options per
direction, and the dotted names of its `Reader` and `Writer`. The engine turns these into Beam
transforms; splitting, batching, retries, dead letters, metrics and commits are written there, once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from ferris_beam.errors import ConfigurationError, MissingDependencyError
from ferris_beam.findings import Finding, attempted
from ferris_beam.interval import Interval

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc

    from ferris_beam.ledger import Entry, Identity, LedgerState
    from ferris_beam.options import Options
    from ferris_beam.uri import Uri


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Split:
    """A piece of one unit that can be read on its own.

    ``identity`` is the unit's fingerprint (empty where it has none); ``details`` is the
    connector's own and reaches `Reader.read` unchanged in whatever process reads. A divisible
    split may be cut at multiples of ``grain``. ``size`` is an estimate in bytes; ``format`` says
    in words how its rows are kept ('csv, gzip'), where there is a choice.

    The engine adds what ledgers say of an ordered unit: ``mark``, the `Chunk.mark` that was
    committed at the interval's start; ``borders``, positions behind the start up to which sinks
    hold the unit already: chunks must not cross them (only where `Reader.cuts` says that borders
    of chunks may differ from one run to the next).
    """

    interval: Interval
    identity: str = ""
    details: bytes = b""
    divisible: bool = True
    grain: int = 1
    ordered: bool = False
    size: int | None = None
    format: str = ""
    mark: str = ""
    borders: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Reject:
    """One row that could not be read (or written), for the dead letters.

    ``position`` is on the unit's scale; ``place`` says it in a person's words ('byte 1,024 of
    data/a.csv'); ``payload`` is the raw row.
    """

    position: int
    place: str
    reason: str
    payload: bytes
    category: str = "parsing"
    exception: str = ""


ENDED = 1 << 192
"""The position behind all others of an endless unit that has ended."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a read yields: one batch that covers all positions up to ``end``.

    ``nbytes`` is what was read from the store for it. ``timestamp`` is the smallest event time of
    its rows, ``watermark`` the event time below which nothing more will come, both in
    microseconds since 1970; None where the source knows no event time. ``final``: an endless
    unit has ended after all; where it ends at `ENDED`, ledgers know it for ever. ``mark`` is what
    an ordered unit's reader must know, beside the position, to go on behind ``end``: short, since
    it travels with the batch and is kept in ledgers; it comes back in `Split.mark`. ``lost``: so
    many of the positions below ``end`` the store had deleted before they were read, and the
    source's options allow to go on without them.
    """

    records: pa.RecordBatch
    end: int
    rejects: Sequence[Reject] = ()
    nbytes: int = 0
    timestamp: int | None = None
    watermark: int | None = None
    final: bool = False
    mark: str = ""
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is left behind a position, in bytes; ``idle``: the position is the present end.
    ``seconds``: how long ago what is read there happened, where the source can tell."""

    nbytes: int
    idle: bool
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class AggregateCall:
    """An aggregate that a store is asked to compute: ``function`` of a source's ``column`` (None:
    of rows, for count), as the column ``name``. NULLs are not counted, as in SQL."""

    function: Literal["count", "sum", "min", "max"]
    column: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Residual:
    """What `Reader.pushdown` left to be done above the source."""

    columns: Sequence[str] | None = None
    predicate: pc.Expression | None = None
    limit: int | None = None


class Reader(ABC):
    """One source endpoint. Created without touching network or disk, pickled to the workers,
    opened there, and kept warm between bundles. One thread uses it at a time.

    Said without touching anything, and set per endpoint where options decide: ``bounded``, the
    source ends; ``replayable``, an interval yields the same rows later; ``ordered``, a unit's
    batches must be committed in their order; ``poll_seconds``, how often an unbounded source is
    asked for units that came later (0: never); ``incremental``, a bounded source that gets more
    rows later: a finished pipeline goes on behind them when it is started again; ``confirms``, the
    store keeps what was read until `acknowledge` says that all sinks hold it; ``cuts``, chunks may
    have other borders in another run, so that they must keep `Split.borders`; ``looks_up``, a join
    asks for the keys of each batch (`lookup`) instead of reading the source as a whole, and keeps
    up to ``lookup_cache`` keys for ``lookup_seconds``."""

    bounded: bool = True
    replayable: bool = True
    ordered: bool = False
    poll_seconds: float = 0.0
    incremental: bool = False
    confirms: bool = False
    cuts: bool = False
    looks_up: bool = False
    lookup_cache: int = 100_000
    lookup_seconds: float = 60.0

    @abstractmethod
    def schema(self) -> pa.Schema:
        """The schema of the batches, discovered: may touch the store, but cheaply."""

    def pushdown(
        self,
        columns: Sequence[str] | None = None,
        predicate: pc.Expression | None = None,
        limit: int | None = None,
    ) -> tuple[Reader, Residual]:
        """A reader that does as much of this as the store can, and what stays to be done."""
        return self, Residual(columns, predicate, limit)

    def aggregated(
        self, keys: Sequence[str], calls: Sequence[AggregateCall], schema: pa.Schema
    ) -> Reader | None:
        """A reader whose rows are whole aggregates over the rows of this one: one row for each
        combination of the source's columns ``keys`` (NULL is a value), exactly one without keys.

        ``schema`` holds the keys and then the calls, in order: values have exactly these types, and
        one that doesn't fit is an error of the read, never a rounded number. Texts are ordered by
        their bytes in UTF-8, and equal only where these are. None where the store can't do that, or
        not with the same result.
        """
        return None

    def with_dictionaries(self) -> Reader:
        """A reader that may deliver text columns dictionary-encoded, where the store keeps them
        so: groups are found by their codes then. Only a hint."""
        return self

    @abstractmethod
    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        """All there is to read; ``known`` maps the units that ledgers know to their fingerprints.

        Borders must depend only on the unit and constants, so that a restart with another number
        of threads reads the same cells. A split whose interval's end is None never ends.

        A source that is polled is asked again and again, on one reader that stays open; ``known``
        then holds what it gave before, too, and the answer may leave that out. A unit that is given
        twice with different fingerprints is a `SourceChangedError`.
        """

    def open(self) -> None:
        """Connects; called once before the first `read`."""

    def close(self) -> None:
        """Releases everything; may follow an error, and may be called twice."""

    @abstractmethod
    def read(self, split: Split) -> Iterator[Chunk]:
        """The chunks of ``split.interval``, in order, one batch for each.

        The chunks' ends rise strictly; the last one's is the interval's end. Where the interval
        never ends, the iterator ends when there is nothing to read at present, or after a chunk
        that is ``final``.
        """

    def backlog(self, split: Split, position: int) -> Backlog | None:
        """What is left in the split's unit behind ``position``; None where unknown."""
        return None

    def earliest(self, marks: Sequence[str]) -> str:
        """Of marks that different sinks hold for one position, the one to go on from: sinks that
        were apart may have been told different things on the way. The last, where that can't be."""
        return marks[-1]

    def acknowledge(self, split: Split, position: int) -> None:
        """All sinks hold everything of the split's unit below ``position``, durably: the store may
        forget it. Called by the thread that reads, between chunks, about once a second, where
        `confirms` is set; a `TransientError` is ignored, since a later call says more."""

    def lookup(self, keys: pa.RecordBatch) -> pa.RecordBatch:
        """The rows, of the reader's schema and in any order, whose columns equal a row of ``keys``:
        distinct rows without NULL, whose columns are named like the source's. For sources where
        `looks_up` is set; the reader is open. Raises as `read` does."""
        raise ConfigurationError("this source can't be asked for single keys")

    def reads(self, created: str) -> bool:
        """Whether what a sink of this pipeline creates (`Writer.creates`) would be read."""
        return False

    def diagnose(self) -> Iterator[Finding]:
        """Whether this source can be read, one thing after the other, each as soon as it is known.
        Called unopened; raises nothing of ours, changes nothing that lasts, leaves it closed."""

        def read_schema() -> str:
            self.open()
            columns = len(self.schema())
            return f"{columns:,} column{'s'[: columns != 1]}"

        try:
            yield attempted("schema", read_schema)
        finally:
            self.close()


# ── writing ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one commit made visible."""

    rows: int
    nbytes: int


class Staged(ABC):
    """Rows on their way into a sink, not yet visible. ``checksum`` grows with each batch by a
    number that equal batches have in common, for the ledger; 0 where the sink makes none."""

    rows: int = 0
    nbytes: int = 0
    checksum: int = 0

    @abstractmethod
    def write(self, records: pa.RecordBatch) -> None:
        """Adds rows. Atomic: after an error nothing of ``records`` is staged.

        A `BadRecordError` makes the engine halve the batch until the bad rows are found;
        a `TransientError` makes it try again.
        """


@dataclass(frozen=True, slots=True)
class Holding:
    """What a sink holds of one identity: its ledger, and what is committed there but waits for
    the finish to become visible: a number of parts, and their bytes."""

    ledger: LedgerState
    waiting: int = 0
    waiting_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Outline:
    """What a sink would do with rows of a schema, for people: ``types``, how the store would keep
    each column; ``refused``, the columns that it can't take, and why; ``facts``, what else there
    is to know before the start, by name; ``problem``, why a run from zero would be refused."""

    types: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


class Writer(ABC):
    """One sink endpoint and its ledger. Created without touching network or disk, pickled to the
    workers, opened there. One thread uses it at a time; several in parallel share the sink.

    The engine commits when ``batch_rows`` rows or ``batch_bytes`` bytes of Arrow memory are staged,
    and at the end of a bundle. ``needs_end`` says why the sink shows nothing before its input has
    ended, where that is so: unbounded input is refused with it. ``endless`` is set by the engine,
    before `open`, where the input has no end: there `finish` is never called.

    ``can_wait``: the sink can keep everything that is committed out of sight until `finish`; the
    engine sets ``waits`` before `open` where it must, since a source can't be read twice: then all
    sinks `prepare`, and only when all of them have, all `finish`. ``keyed``: rows replace those
    with the same key, so that writing them again does no harm. ``stream`` is set by the engine,
    before all else, where the rows are those of a named SQL stream.

    ``place`` says where it writes, in one spelling and without secrets: a pipeline writes to each
    place once; ``creates`` is the URI of something as it creates it, where a source might list
    that: a pipeline that would read its own output is refused (`Reader.reads`)."""

    place: str
    creates: str = ""
    needs_end: str = ""
    endless: bool = False
    can_wait: bool = False
    waits: bool = False
    keyed: bool = False
    stream: str = ""
    batch_rows: int = 1 << 20
    batch_bytes: int = 64 << 20

    @abstractmethod
    def open(self, identity: Identity) -> None:
        """Connects, and redoes what a killed process left half published."""

    def close(self) -> None:
        """Releases everything; may follow an error, and may be called twice."""

    @abstractmethod
    def ledger(self) -> LedgerState:
        """The ledger as it stands now."""

    @abstractmethod
    def claim(self, epoch: int, generation: int) -> None:
        """Takes the sink for the identity's run under ``epoch``, which must be higher than any
        before (`LedgerState.check_claim`, `LedgerState.claim`, in one step); nothing happens
        where the run holds the ledger already.

        A ``generation`` above the ledger's forgets this identity's progress (what is to become
        of the data it wrote is for the sink's ``if_exists`` to say). Raises `SupersededError`
        where another run holds the ledger with this epoch or a higher one.
        """

    @abstractmethod
    def begin(self) -> Staged:
        """Starts a set of rows that will be committed together."""

    @abstractmethod
    def commit(self, epoch: int, staged: Staged, entries: Sequence[Entry]) -> Receipt:
        """Makes data, intervals and rejects durable and visible in one step.

        Checks the ledger's epoch and ``entries`` (`LedgerState.check_epoch`, `check_entries`)
        in the same step; after an error nothing is visible. Repeating it after a `TransientError`
        whose outcome is unknown is safe.
        """

    @abstractmethod
    def rollback(self, staged: Staged) -> None:
        """Forgets staged rows; after an error too."""

    def roll(self, epoch: int, everything: bool = False) -> None:
        """For sinks that gather small commits: makes visible what has waited long enough, or
        ``everything``. Called after each commit, at the end of each bundle, also of one that held
        nothing, and with ``everything`` when a worker stops writing endless input."""

    def prepare(self, epoch: int) -> None:
        """All bounded input is committed, out of sight (`waits`): says so in the ledger, durably
        (`LedgerState.prepared`). Idempotent. A claim of a higher generation forgets what waited."""
        raise self._unsupported("hold rows back")

    @abstractmethod
    def finish(self, epoch: int) -> None:
        """All bounded input is committed: publishes what waits for that, and says so in the
        ledger. Idempotent."""

    # What people ask of a sink; a connector may leave these as they are.

    def outline(self, sample: pa.RecordBatch) -> Outline:
        """What a run from zero would do with rows like these. Works unopened, changes nothing."""
        return Outline()

    def holdings(self) -> Mapping[str, Holding]:
        """What the sink holds of each identity, by name. Works unopened, changes nothing."""
        raise self._unsupported("list its ledgers")

    def forget(self) -> None:
        """Forgets the progress of the identity that this writer was opened for, and what waited
        for its finish; visible rows stay. A run that works at it meanwhile is superseded."""
        raise self._unsupported("forget progress")

    def diagnose(self) -> Iterator[Finding]:
        """Whether this sink can be written, one thing after the other, each as soon as it is known.
        Called unopened; raises nothing of ours, changes nothing that lasts, leaves it closed."""
        import uuid

        from ferris_beam.ledger import Identity

        def read_ledger() -> str:
            name = f"doctor-{uuid.uuid4().hex}"  # nothing was left half published under it
            self.open(Identity(name, name))
            self.ledger()
            return "progress can be kept there"

        try:
            yield attempted("ledger", read_ledger)
        finally:
            self.close()

    def _unsupported(self, what: str) -> ConfigurationError:
        return ConfigurationError(
            f"the connector of {self.place} can't {what}; run the pipeline with --reset to start "
            "from zero"
        )


# ── declaring ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What is true of a source: its unit of parallelism and its guarantee, in a user's words."""

    options: str
    reader: str
    unit: str
    delivery: str


@dataclass(frozen=True, slots=True)
class SinkFacts:
    """What is true of a sink: its unit of parallelism and its guarantee, in a user's words."""

    options: str
    writer: str
    unit: str
    delivery: str


@dataclass(frozen=True, slots=True)
class Connector:
    """A connector's declaration. ``options``, ``reader`` and ``writer`` of the facts are dotted
    names (``package.module:Class``), imported when they are needed; a class is called as
    ``Class(uri, options)``. ``extra`` is the pip extra that installs its driver."""

    name: str
    schemes: tuple[str, ...]
    summary: str
    source: SourceFacts | None = None
    sink: SinkFacts | None = None
    extra: str | None = None
    example: str = ""

    def source_options(self) -> type[Options]:
        return self._load(self._facts(self.source, "source").options)

    def sink_options(self) -> type[Options]:
        return self._load(self._facts(self.sink, "sink").options)

    def reader(self, uri: Uri, options: Options) -> Reader:
        return self._load(self._facts(self.source, "source").reader, uri, options)

    def writer(self, uri: Uri, options: Options) -> Writer:
        return self._load(self._facts(self.sink, "sink").writer, uri, options)

    def _facts(self, facts: Any, direction: str) -> Any:
        if facts is None:
            raise ConfigurationError(f"the connector {self.name!r} has no {direction}")
        return facts

    def _load(self, dotted: str, *arguments: Any) -> Any:
        """What ``dotted`` names, or what it makes of ``arguments``, which may import more."""
        module, _, name = dotted.partition(":")
        try:
            found = getattr(import_module(module), name)
            return found(*arguments) if arguments else found
        except ModuleNotFoundError as error:
            if self.extra is None or (error.name or "").startswith("ferris_beam"):
                raise
            raise MissingDependencyError(
                f"{self.name} needs the package {error.name!r}: pip install "
                f"'ferris-beam[{self.extra}]'"
            ) from error
