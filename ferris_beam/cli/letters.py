"""Dead letters of any source: reading, filtering and counting them, batch by batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.batches.casting import cast_records
from ferris_beam.cli.opening import Source, opened
from ferris_beam.errors import SchemaError
from ferris_beam.reliability.dead_letters import SCHEMA

_NEEDED = ("category", "reason", "stage", "source", "place", "payload", "time")
_LOOSE = pa.schema([field.with_nullable(True) for field in SCHEMA])
_QUOTED = r"'[^']*'"
_MOST_KINDS = 10_000
OTHERS = "(other reasons)"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters are meant; None: all. ``reason`` and ``stage`` are parts of the text, in
    upper or lower case."""

    reason: str | None = None
    category: str | None = None
    stage: str | None = None

    def kept(self, letters: pa.RecordBatch) -> pa.RecordBatch:
        if self.category is not None:
            letters = letters.filter(pc.equal(letters["category"], self.category))
        for name, part in (("reason", self.reason), ("stage", self.stage)):
            if part is not None:
                found = pc.match_substring(letters[name], part, ignore_case=True)
                letters = letters.filter(found)
        return letters


@dataclass(slots=True)
class Tally:
    """What letters have in common. Texts in quotes within a reason are left out of it, so that
    rows with the same fault are counted together. ``unreadable`` rows were no letters."""

    rows: int = 0
    unreadable: int = 0
    first: str = ""
    last: str = ""
    by: dict[str, Counter[str]] = field(
        default_factory=lambda: {"category": Counter(), "source": Counter(), "stage": Counter()}
    )
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, letters: pa.RecordBatch) -> None:
        if not letters.num_rows:
            return
        self.rows += letters.num_rows
        for name, counter in self.by.items():
            _count(counter, letters[name])
        patterns = pc.replace_substring_regex(letters["reason"], _QUOTED, "'…'")
        _count(self.reasons, patterns)
        self._stretch(pc.min_max(letters["time"]))

    def _stretch(self, times: pa.StructScalar) -> None:
        if not times["min"].is_valid:
            return
        first, last = (str(times[end].cast(pa.string()).as_py()) for end in ("min", "max"))
        self.first = min(self.first, first) if self.first else first
        self.last = max(self.last, last)


def _count(counter: Counter[str], column: pa.Array) -> None:
    for found in pc.value_counts(column).to_pylist():
        value = found["values"] or ""
        known = value in counter or len(counter) < _MOST_KINDS
        counter[value if known else OTHERS] += found["counts"]


class Letters:
    """The dead letters in a source. ``unreadable`` counts rows of it that can't be read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.unreadable = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Batches with the columns of dead letters; those that are missing are null.

        Raises `SchemaError` where the source holds something else.
        """
        with opened(self._source.reader) as reader:
            self._check(reader.schema())
            for split in reader.splits({}):
                for chunk in reader.read(split):
                    cast = cast_records(chunk.records, _LOOSE, safe=False)
                    self.unreadable += len(chunk.rejects)
                    self.unreadable += chunk.records.num_rows - cast.records.num_rows
                    yield cast.records

    def _check(self, schema: pa.Schema) -> None:
        missing = [name for name in _NEEDED if name not in schema.names]
        if missing:
            raise SchemaError(
                f"{self._source.uri} holds no dead letters: it has no column "
                f"{', '.join(missing)}; give the URI that --dead-letters was given"
            )
