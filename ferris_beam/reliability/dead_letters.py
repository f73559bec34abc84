"""Dead letters: one schema for every rejected row, whatever rejected it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa

from ferris_beam.batches import to_rows
from ferris_beam.connector import Reject
from ferris_beam.errors import BadRecordError, RejectedRowError

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("time", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("pipeline", pa.string(), nullable=False),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("connector", pa.string(), nullable=False),
        pa.field("category", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("exception", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("unit", pa.string(), nullable=False),
        pa.field("position", pa.string(), nullable=False),
        pa.field("place", pa.string(), nullable=False),
        pa.field("payload", pa.string(), nullable=False),
        pa.field("payload_encoding", pa.string(), nullable=False),
        pa.field("attempts", pa.int32(), nullable=False),
        pa.field("schema_fingerprint", pa.string(), nullable=False),
    ]
)
"""``id`` is the same whenever the same row is rejected by the same stage. ``payload`` is the raw
row, or the row as JSON; ``payload_encoding`` is ``utf-8``, or ``base64`` for other bytes.
``position`` is a decimal number of any length, on the unit's own scale."""

LETTERS_SHOWN = 200


class DeadLetterFormat:
    """Makes dead letters of one stage's rejected rows. ``source`` is a URI without secrets."""

    def __init__(self, pipeline: str, stage: str, connector: str, source: str) -> None:
        self._constants = {
            "pipeline": pipeline,
            "stage": stage,
            "connector": connector,
            "source": source,
        }

    def of_rejects(
        self, unit: str, rejects: Sequence[Reject], schema: pa.Schema | None = None
    ) -> pa.RecordBatch:
        """The letters of rejected rows of one interval, in order; none: an empty batch."""
        if not rejects:
            return _EMPTY
        now = datetime.now(timezone.utc)
        fingerprint = schema_fingerprint(schema) if schema is not None else ""
        letters = [
            self._letter(unit, ordinal, reject, now, fingerprint)
            for ordinal, reject in enumerate(rejects)
        ]
        return pa.RecordBatch.from_pylist(letters, schema=SCHEMA)

    def _letter(
        self, unit: str, ordinal: int, reject: Reject, now: datetime, fingerprint: str
    ) -> dict[str, Any]:
        payload, encoding = readable(reject.payload)
        return {
            **self._constants,
            "id": self._id(unit, ordinal, reject),
            "time": now,
            "category": reject.category,
            "reason": reject.reason,
            "exception": reject.exception,
            "unit": unit,
            "position": str(reject.position),
            "place": reject.place,
            "payload": payload,
            "payload_encoding": encoding,
            "attempts": 1,
            "schema_fingerprint": fingerprint,
        }

    def _id(self, unit: str, ordinal: int, reject: Reject) -> str:
        digest = hashlib.blake2b(digest_size=16)
        for part in (self._constants["stage"], unit, str(reject.position), str(ordinal)):
            digest.update(part.encode() + b"\0")
        digest.update(reject.payload)
        return digest.hexdigest()


def rejects_of_rows(
    records: pa.RecordBatch,
    failures: Iterable[tuple[int, BadRecordError]],
    position: int,
    place: str,
    category: str,
) -> list[Reject]:
    """Rejects for rows of a batch, given by index; the row itself is the payload, as JSON. The
    ``category`` is for errors that don't name one."""
    return [
        Reject(
            position,
            f"row {index + 1} of {place}",
            str(error),
            row_as_json(to_rows(records.slice(index, 1))[0]),
            error.category or category,
            type(error).__name__,
        )
        for index, error in failures
    ]


def row_as_json(row: Any) -> bytes:
    return json.dumps(row, default=_as_text, ensure_ascii=False).encode("utf-8", "surrogatepass")


def schema_fingerprint(schema: pa.Schema) -> str:
    return hashlib.blake2b(schema.to_string().encode(), digest_size=8).hexdigest()


def readable(payload: bytes) -> tuple[str, str]:
    """A payload as text, and how it was encoded."""
    try:
        return payload.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(payload).decode("ascii"), "base64"


def strict_error(reject: Reject, source: str) -> RejectedRowError:
    """The error that stops a job which was not told where rejected rows go."""
    shown, encoding = readable(reject.payload[:LETTERS_SHOWN])
    if encoding == "base64":
        shown = repr(reject.payload[:LETTERS_SHOWN])
    return RejectedRowError(
        f"a row of {source} was rejected at {reject.place}: {reject.reason}\n"
        f"the row: {shown}\n"
        "to keep going, say where rejected rows are to go: --dead-letters URI, for instance "
        "--dead-letters 'file:rejected/?format=jsonl' (in Beam code: dead_letters=)"
    )


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value)


_EMPTY = pa.RecordBatch.from_pylist([], schema=SCHEMA)
