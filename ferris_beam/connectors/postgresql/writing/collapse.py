"""Many changes of a batch as the few that they come to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.connectors.postgresql.writing.changes import (
    DELETE,
    INSERT,
    TRUNCATE,
    Changes,
    Index,
    Mask,
)

_NONE = -1


@dataclass(frozen=True)
class Net:
    """What changes come to for each key.

    ``deleted`` and ``whole`` are changes; ``partial`` are such whose columns were not all sent:
    those named in `Changes.unsent` keep what the table has in the row with the key of ``origins``,
    which is another one where the key changed.
    """

    deleted: Changes
    whole: Changes
    partial: Changes
    origins: pa.RecordBatch


def ordered(changes: Changes) -> Changes:
    """By their positions, where they have any; else as they came."""
    if changes.positions is None:
        return changes
    return changes.take(pc.sort_indices(changes.positions).to_numpy().astype(np.int64))


def behind_truncate(changes: Changes) -> tuple[Changes, int | None]:
    """The changes behind the last truncate, and where that is."""
    found = np.flatnonzero(changes.kinds == TRUNCATE)
    if not len(found):
        return changes, None
    last = int(found[-1])
    return changes.take(np.arange(last + 1, len(changes))), last


def net(changes: Changes, key: tuple[str, ...]) -> Net:
    """The last state of each key; ``changes`` hold no truncate and no key that is null."""
    previous, last = _neighbours(codes_of(changes.values.select(list(key))))
    deletes = changes.kinds == DELETE
    gone = last & deletes
    kept = np.flatnonzero(last & ~deletes)
    deleted = changes.take(np.flatnonzero(gone))
    if changes.unsent is None or changes.unsent.null_count == len(changes):
        nothing = changes.take(np.zeros(0, np.int64))
        return Net(deleted, changes.take(kept), nothing, nothing.values.select(list(key)))
    links, origins = _links(changes, previous, deletes)
    filled, lacking = _filled(changes, links, kept)
    at = kept[lacking]
    return Net(
        deleted,
        filled.take(np.flatnonzero(~lacking)),
        filled.take(np.flatnonzero(lacking)),
        changes.values.select(list(key)).take(pa.array(origins[at])),
    )


def codes_of(keys: pa.RecordBatch) -> Index:
    """One number for each row, the same for the same key."""
    codes = np.zeros(keys.num_rows, np.int64)
    for column in keys.columns:
        found = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        indices = found.indices.to_numpy().astype(np.int64)
        _, codes = np.unique(codes * (len(found.dictionary) + 1) + indices, return_inverse=True)
    return codes.reshape(-1)


def _neighbours(codes: Index) -> tuple[Index, Mask]:
    """For each change the previous one of its key (-1: none), and whether it is the last."""
    order = np.argsort(codes, kind="stable")
    same = codes[order][1:] == codes[order][:-1]
    previous = np.full(len(codes), _NONE, np.int64)
    previous[order[1:][same]] = order[:-1][same]
    last = np.ones(len(codes), np.bool_)
    last[order[:-1][same]] = False
    return previous, last


def _links(changes: Changes, previous: Index, deletes: Mask) -> tuple[Index, Index]:
    """For each change the one that tells the values it was sent without (-1: the table does), and
    the change whose key the table's row has.

    A changed key is a delete followed by an insert: what that was sent without is of the old row.
    """
    count = len(changes)
    here = np.arange(count)
    moved = (changes.kinds == INSERT) & np.roll(deletes, 1) & (here > 0)
    moved &= changes.unsent.is_valid().to_numpy(zero_copy_only=False)  # type: ignore[union-attr]
    links = np.where(moved, previous[here - moved], previous)
    links = np.where((links >= 0) & deletes[links], _NONE, links)
    roots = _followed(here, links, np.ones(count, np.bool_), stop_at_end=True)
    return links, roots - moved[roots]


def _followed(start: Index, links: Index, unknown: Mask, *, stop_at_end: bool = False) -> Index:
    """Follows links while what they lead to is unknown: the end's index, or -1 behind it."""
    at = start.copy()
    while True:
        going = (at >= 0) & unknown[at]
        following = links[at]
        if stop_at_end:
            going &= following >= 0
        if not going.any():
            return at
        at = np.where(going, following, at)


def _filled(changes: Changes, links: Index, kept: Index) -> tuple[Changes, Mask]:
    """The kept changes with values of earlier ones where they were sent without, and whether any
    column is still lacking."""
    values = changes.values
    columns, lacking = [], []
    for name, column in zip(values.schema.names, values.columns, strict=True):
        unknown = changes.unsent_of(name)
        at = kept if unknown is None else _followed(kept, links, unknown)
        columns.append(column.take(pa.array(at, mask=at < 0)))
        lacking.append(at < 0)
    missing = np.array(lacking, np.bool_)
    _, where = np.nonzero(missing.T)
    offsets = np.concatenate([[0], np.cumsum(missing.sum(axis=0))]).astype(np.int32)
    names = pa.array(values.schema.names, pa.string()).take(pa.array(where))
    rest = changes.take(kept)
    filled = Changes(
        rest.kinds,
        pa.RecordBatch.from_arrays(columns, schema=_nullable(values.schema)),
        pa.ListArray.from_arrays(pa.array(offsets), names),
        rest.positions,
        rest.rows,
    )
    return filled, np.asarray(missing.any(axis=0), np.bool_)


def _nullable(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field.with_nullable(True) for field in schema])


def signed(changes: Changes) -> tuple[Changes, Changes]:
    """Of a table without a key: the rows that go and those that come. An insert that follows a
    delete has from it what it was sent without: they are the halves of an update."""
    deletes = changes.kinds == DELETE
    here = np.arange(len(changes))
    values = changes.values
    columns = []
    for name, column in zip(values.schema.names, values.columns, strict=True):
        unknown = changes.unsent_of(name)
        at = here if unknown is None else here - (unknown & np.roll(deletes, 1) & (here > 0))
        columns.append(column if unknown is None else column.take(pa.array(at)))
    whole = Changes(
        changes.kinds,
        pa.RecordBatch.from_arrays(columns, schema=_nullable(values.schema)),
        None,
        changes.positions,
        changes.rows,
    )
    return whole.take(np.flatnonzero(deletes)), whole.take(np.flatnonzero(~deletes))
