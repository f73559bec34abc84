"""A ledger in a table of the data's own store: how sinks with transactions commit.

One table serves all sinks and pipelines of a store, for example::

    CREATE TABLE ferris_ledger (
        sink text, pipeline text, number bigint, record blob,
        PRIMARY KEY (sink, pipeline, number)
    )

The connector says in `LedgerRows` how the rows of one sink and pipeline are read, added and
deleted: three statements. `TableLedger` does the rest. Every claim, commit and finish adds one
small row in the transaction that changes the data; each 64 of them are folded into one row that
holds the whole state, and then deleted, so that a commit costs the same after a year.

A row's record is JSON in ASCII with ``version`` 1 and a ``kind``: claim, commit, prepare, finish,
forget, or ``state`` for what all rows before it came to.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from ferris_beam.errors import FatalError
from ferris_beam.ledger import Entry, Identity, LedgerState

VERSION = 1
FOLD_EVERY = 64
_REMEMBERED = 512


class LedgerRows(Protocol):
    """The rows of one sink and one pipeline, inside of the transaction of the moment."""

    def read(self, start: int) -> Iterable[tuple[int, bytes]]:
        """Number and record of the rows from the number ``start`` on, rising."""

    def append(self, number: int, record: bytes) -> None:
        """Adds a row. Where the number is taken, it raises the `TransientError` that your store's
        violation of a primary key should become."""

    def delete(self, below: int) -> None:
        """Removes the rows whose number is lower."""


class TableLedger:
    """The ledger of one sink and one pipeline, kept in rows.

    Call each method in a transaction of its own, or in the one that writes the data, which must
    keep others from adding rows between its beginning and its end: ``BEGIN IMMEDIATE``, a lock on
    the table or an advisory one, or serialisable isolation. If that transaction fails, nothing has
    happened: the next call reads what is there. Not thread-safe; keep one for each writer.
    """

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self._restart(LedgerState(), [])
        self._next = self._folded = 0

    def state(self, rows: LedgerRows) -> LedgerState:
        """The ledger as it stands now: for `Writer.ledger`."""
        self._catch_up(rows)
        return self._state.copy()

    def claim(self, rows: LedgerRows, epoch: int, generation: int) -> bool:
        """For `Writer.claim`: False where the run holds the ledger already.

        Raises `SupersededError` where it must not have it.
        """
        self._catch_up(rows)
        if not self._state.check_claim(self.identity, epoch):
            return False
        run, plan = self.identity.run, self.identity.plan
        claimed = {"run": run, "plan": plan, "epoch": epoch, "generation": generation}
        self._append(rows, {"kind": "claim", **claimed})
        return True

    def commit(
        self, rows: LedgerRows, epoch: int, token: str, entries: Sequence[Entry], count: int
    ) -> bool:
        """For `Writer.commit`: True where the data must be written now, ``count`` rows of it, in
        this same transaction.

        ``token`` is unique to the staged rows. False says that they were committed before and that
        only the answer was lost: write nothing. Raises `SupersededError`, `ConflictError` or
        `SourceChangedError` where the ledger refuses them.
        """
        self._catch_up(rows)
        if token in self._tokens:
            return False
        self._state.check_epoch(self.identity, epoch)
        self._state.check_entries(entries)
        listed = [entry.to_json() for entry in entries]
        self._append(rows, {"kind": "commit", "token": token, "rows": count, "entries": listed})
        return True

    def prepare(self, rows: LedgerRows, epoch: int) -> None:
        """For `Writer.prepare`; it may be repeated."""
        self._catch_up(rows)
        self._state.check_epoch(self.identity, epoch)
        if not self._state.prepared:
            self._append(rows, {"kind": "prepare"})

    def finish(self, rows: LedgerRows, epoch: int) -> None:
        """For `Writer.finish`; it may be repeated."""
        self._catch_up(rows)
        self._state.check_epoch(self.identity, epoch)
        if not self._state.finished:
            self._append(rows, {"kind": "finish"})

    def forget(self, rows: LedgerRows) -> None:
        """For `Writer.forget`."""
        self._catch_up(rows)
        self._append(rows, {"kind": "forget"})

    # ── rows and their state ────────────────────────────────────────────────────────────────

    def _catch_up(self, rows: LedgerRows) -> None:
        """Folds the rows that were added since the last time, by whomever."""
        for number, record in rows.read(self._next):
            document = json.loads(record)
            if number > self._next and document.get("kind") != "state":
                raise self._damaged(f"row {self._next} is missing")
            self._next = number
            self._fold(document)
            self._next = number + 1

    def _append(self, rows: LedgerRows, document: dict[str, Any]) -> None:
        """Adds a row, and folds where it is time. Here nothing is remembered of it: the
        transaction may yet fail, and if it does not, the row will be read."""
        rows.append(self._next, _encoded(document))
        if self._next - self._folded < FOLD_EVERY:
            return
        future = TableLedger(self.identity)
        future._restart(self._state.copy(), self._tokens)
        future._fold(document)
        whole = {"ledger": future._state.to_json(), "tokens": list(future._tokens)}
        rows.append(self._next + 1, _encoded({"kind": "state", **whole}))
        rows.delete(self._next + 1)

    def _restart(self, state: LedgerState, tokens: Iterable[str]) -> None:
        self._state = state
        self._tokens = dict.fromkeys(tokens)

    def _fold(self, document: dict[str, Any]) -> None:
        if document.get("version", VERSION) != VERSION:
            raise self._damaged(f"a row has the version {document['version']!r}")
        kind = document.get("kind")
        if kind == "state":
            self._restart(LedgerState.from_json(document["ledger"]), document["tokens"])
            self._folded = self._next
        elif kind == "claim":
            claimant = Identity(self.identity.name, document["run"], document["plan"])
            self._state.claim(claimant, document["epoch"], document["generation"])
        elif kind == "commit":
            self._state.commit(map(Entry.from_json, document["entries"]), document["rows"])
            self._remember(document["token"])
        elif kind == "prepare":
            self._state.prepare()
        elif kind == "finish":
            self._state.finish()
        elif kind == "forget":
            self._state.forget()
        else:
            raise self._damaged(f"a row is of the kind {kind!r}")

    def _remember(self, token: str) -> None:
        self._tokens[token] = None
        while len(self._tokens) > _REMEMBERED:
            del self._tokens[next(iter(self._tokens))]

    def _damaged(self, how: str) -> FatalError:
        return FatalError(
            f"the ledger of {self.identity.name!r} can't be understood: {how}. It was written by "
            "a newer version of ferris_beam (use that one), or rows of its table were changed by "
            "hand: then delete those of this pipeline and start it with --reset"
        )


def _encoded(document: dict[str, Any]) -> bytes:
    return json.dumps({"version": VERSION, **document}, separators=(",", ":")).encode("ascii")
