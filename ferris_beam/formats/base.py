"""What a format is: bytes to batches and back, without knowing where the bytes live.

Reading works over a `ByteSource` (a file, an object of a store, a decompressor over either);
writing works over a binary file object. A format cuts its unit at borders that depend on nothing
but the bytes and constants of this package, so that every process cuts alike.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc

    from ferris_beam.formats.options import ReadOptions, WriteOptions


class ByteSource(Protocol):
    """Random access to the bytes of one unit; one thread uses it at a time.

    Reads into the caller's memory: a fresh block for every cell costs more than reading it (page
    faults of 4 MiB take as long as a fifth of the parsing).
    """

    @property
    def name(self) -> str:
        """How a person knows the unit: a path, a URI."""

    @property
    def size(self) -> int | None:
        """Bytes there are; None where only reading to the end tells (compressed)."""

    @property
    def size_limit(self) -> int:
        """Bytes there are at most, as far as can be known without reading."""

    def read_into(self, offset: int, target: memoryview) -> int:
        """Fills ``target`` from ``offset`` on; returns how many bytes there were (fewer than
        asked for only at the end)."""

    def close(self) -> None:
        """Releases what was opened."""


def read_bytes(source: ByteSource, offset: int, length: int) -> bytes:
    """A copy of at most ``length`` bytes."""
    block = bytearray(length)
    count = source.read_into(offset, memoryview(block))
    return bytes(memoryview(block)[:count])


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row that could not be read: its position on the unit's scale, its place in words,
    the reason, and its raw bytes. ``category`` is 'parsing' or 'schema'."""

    position: int
    place: str
    reason: str
    payload: bytes
    category: str = "parsing"


@dataclass(frozen=True, slots=True)
class Piece:
    """One batch of a unit, up to the position ``end``; ``nbytes`` were read for it."""

    records: pa.RecordBatch
    end: int
    bad_rows: Sequence[BadRow] = ()
    nbytes: int = 0


@dataclass(frozen=True, slots=True)
class Discovery:
    """The columns of a unit; ``certain`` where rows or a footer told their types. No columns at
    all where the unit is empty."""

    schema: pa.Schema
    certain: bool
    unknown: frozenset[str] = frozenset()
    """Columns without any value so far: their type is but a guess."""


@dataclass(frozen=True, slots=True)
class Extent:
    """The positions ``[0, end)`` of a unit, whether they may be read in any order, and the
    multiples at which they may be divided."""

    end: int
    divisible: bool = True
    grain: int = 1


class FormatReader(ABC):
    """One opened unit."""

    schema: pa.Schema
    """The schema of the pieces, with only the columns that were asked for."""

    dictionaries: bool = False
    """Set by who opens the unit: text columns may come dictionary-encoded, where that is how they
    are stored."""

    @abstractmethod
    def read(self, start: int, end: int) -> Iterator[Piece]:
        """The pieces of the positions ``[start, end)``; their ends rise, the last one's is
        ``end``."""


class FormatWriter(ABC):
    """Batches to bytes. Closing writes what is held back; the file stays the caller's."""

    @abstractmethod
    def write(self, records: pa.RecordBatch) -> None:
        """Adds rows; their schema is the writer's. After an error nothing of them is written."""

    @abstractmethod
    def close(self) -> None:
        """Completes the format; without it the file may be unreadable."""


class Format(ABC):
    """One format. ``read_options`` and ``write_options`` name the options that it understands
    besides ``format`` and ``compression``."""

    name: ClassVar[str]
    extensions: ClassVar[tuple[str, ...]]
    read_options: ClassVar[frozenset[str]]
    write_options: ClassVar[frozenset[str]]
    compressions: ClassVar[tuple[str, ...]]
    """What the writer takes as ``compression``; the first one is the default."""
    wrapped: ClassVar[bool]
    """Whether a compressed file is the format inside of a compressor (text), as opposed to a
    format that compresses by itself (Parquet)."""
    appendable: ClassVar[bool]
    """Whether two files' bytes in a row are one file with the rows of both."""

    @abstractmethod
    def discover(self, source: ByteSource, options: ReadOptions) -> Discovery:
        """The schema of a unit, from its first bytes or its footer."""

    def names(self, source: ByteSource, options: ReadOptions) -> Sequence[str] | None:
        """The columns of a unit, in its order, more cheaply than `discover` where that is possible;
        None where every row may have other ones."""
        return list(self.discover(source, options).schema.names)

    @abstractmethod
    def extent(self, source: ByteSource, options: ReadOptions) -> Extent:
        """The positions of a unit."""

    @abstractmethod
    def open(
        self,
        source: ByteSource,
        schema: pa.Schema,
        options: ReadOptions,
        columns: Sequence[str] | None = None,
        predicate: pc.Expression | None = None,
    ) -> FormatReader:
        """A reader of a unit whose columns are ``schema``'s; ``columns`` of them are read.

        Raises `SchemaError` where the unit's columns differ. A ``predicate`` is only given to a
        format whose ``filters`` is true.
        """

    @abstractmethod
    def create(
        self, target: IO[bytes], schema: pa.Schema, options: WriteOptions, *, header: bool = True
    ) -> FormatWriter:
        """A writer to ``target``. ``header`` is false for what continues another file."""

    filters: ClassVar[bool] = False
    """Whether `open` takes a predicate and applies all of it."""

    def written_schema(self, source: ByteSource) -> pa.Schema | None:
        """The schema that a whole file was written with, where a file holds rows of one schema
        only; None where rows of several may be in one file."""
        return None

    def merge(self, target: IO[bytes], parts: Iterable[ByteSource], options: WriteOptions) -> None:
        """Writes the rows of whole files of this format, in order, as one file, within bounded
        memory. Each part is closed when the next one is asked for. Where a file has one schema, all
        parts have it; the first part may be of another writer than ours.

        What is appendable needs no merging: its bytes are put one behind the other.
        """
        raise NotImplementedError(f"{self.name} files are not merged")
