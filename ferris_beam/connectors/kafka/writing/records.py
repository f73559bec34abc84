"""The records of a ledger's topic, and what they come to.

A record's key is JSON: the sink, the pipeline, and what tells it from others of these. Its value is
JSON in ASCII, packed by zlib where it is long, with ``version`` 1 and a ``kind``: claim, commit,
prepare, finish, forget, or ``state`` for what all records up to the offset ``upto`` came to. Each
names the ``run`` and the ``writer`` (a transactional id) that wrote it. Records that a state covers
are deleted by records without a value, once the broker compacts the topic.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ferris_beam.errors import FatalError
from ferris_beam.ledger import Entry, Identity, LedgerState

VERSION = 1
FOLD_EVERY = 64
_REMEMBERED = 512
_LONG = 1 << 14
_STATE = "state"


def record_key(sink: str, pipeline: str, which: str) -> bytes:
    return json.dumps([sink, pipeline, which], separators=(",", ":")).encode()


def state_key(sink: str, pipeline: str) -> bytes:
    return record_key(sink, pipeline, _STATE)


def parts_of_key(key: bytes) -> tuple[str, str, str]:
    sink, pipeline, which = json.loads(key)
    return sink, pipeline, which


def encoded(document: Mapping[str, Any]) -> bytes:
    text = json.dumps({"version": VERSION, **document}, separators=(",", ":")).encode("ascii")
    return text if len(text) < _LONG else zlib.compress(text, 1)


def decoded(value: bytes) -> dict[str, Any]:
    """Raises `FatalError` for what this version does not understand."""
    try:
        document = json.loads(value if value.startswith(b"{") else zlib.decompress(value))
    except (ValueError, zlib.error) as error:
        raise damaged(f"a record is no JSON ({error})") from error
    if document.get("version") != VERSION:
        raise damaged(f"a record has the version {document.get('version')!r}")
    return document


def damaged(how: str) -> FatalError:
    return FatalError(
        f"the ledger's topic can't be understood: {how}. It was written by a newer version of "
        "ferris_beam (use that one), or by something else: give the sink another ledger_topic="
    )


@dataclass
class FoldedLedger:
    """The ledger of one sink and one pipeline after some records.

    ``tail`` are the records since the last state, by offset, with their keys.
    """

    pipeline: str
    state: LedgerState = field(default_factory=LedgerState)
    tokens: dict[str, None] = field(default_factory=dict)
    tail: dict[int, tuple[bytes, dict[str, Any]]] = field(default_factory=dict)

    def add(self, offset: int, key: bytes, document: dict[str, Any]) -> None:
        """The next record; one that was added before changes nothing."""
        if document["kind"] == _STATE:
            self._restart(document)
        elif offset not in self.tail and offset > self._upto:
            self.tail[offset] = (key, document)
            self._fold(document)

    _upto: int = -1

    def _restart(self, document: dict[str, Any]) -> None:
        """A state covers what was folded before, and more where records are deleted already."""
        if document["upto"] <= self._upto:
            return
        self._upto = document["upto"]
        self.state = LedgerState.from_json(document["ledger"])
        self.tokens = dict.fromkeys(document["tokens"])
        self.tail = {offset: each for offset, each in self.tail.items() if offset > self._upto}
        for _, later in self.tail.values():
            self._fold(later)

    def _fold(self, document: dict[str, Any]) -> None:
        kind, state = document["kind"], self.state
        if kind == "claim":
            claimant = Identity(self.pipeline, document["run"], document["plan"])
            state.claim(claimant, document["epoch"], document["generation"])
        elif kind == "commit":
            state.commit(map(Entry.from_json, document["entries"]), document["rows"])
            self._remember(document["token"])
        elif kind == "prepare":
            state.prepare()
        elif kind == "finish":
            state.finish()
        elif kind == "forget":
            state.forget()
        else:
            raise damaged(f"a record is of the kind {kind!r}")

    def _remember(self, token: str) -> None:
        self.tokens[token] = None
        while len(self.tokens) > _REMEMBERED:
            del self.tokens[next(iter(self.tokens))]

    def state_with(self, offset: int, key: bytes, document: dict[str, Any]) -> dict[str, Any]:
        """The state record that covers all up to ``offset``, where ``document`` is to stand."""
        future = FoldedLedger(self.pipeline, self.state.copy(), dict(self.tokens))
        future._fold(document)
        whole = {"ledger": future.state.to_json(), "tokens": list(future.tokens)}
        return {"kind": _STATE, "upto": offset, **whole}
