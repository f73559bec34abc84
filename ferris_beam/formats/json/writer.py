"""Batches to one array of objects, each on a line of its own."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import IO

import pyarrow as pa

from ferris_beam.errors import FatalError
from ferris_beam.formats.base import ByteSource, FormatWriter, read_bytes
from ferris_beam.formats.jsonl.encoding import start_of_text
from ferris_beam.formats.jsonl.writer import JsonLinesWriter

_BLANKS = b" \t\r\n"
_STEP = 1 << 20


class JsonWriter(FormatWriter):
    """An array that is complete once it is closed."""

    def __init__(self, target: IO[bytes], schema: pa.Schema, non_finite: str) -> None:
        self._target = target
        self._text = io.BytesIO()
        self._lines = JsonLinesWriter(self._text, schema, non_finite)
        self._opening = b"[\n"

    def write(self, records: pa.RecordBatch) -> None:
        self._lines.write(records)
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        if text:  # in JSON a line end is never part of a text
            self._target.write(self._opening + text[:-1].replace(b"\n", b",\n"))
            self._opening = b",\n"

    def close(self) -> None:
        self._target.write(b"[]\n" if self._opening == b"[\n" else b"\n]\n")


def merge_arrays(target: IO[bytes], parts: Iterable[ByteSource]) -> None:
    """One array of the elements of several, which are copied as they are."""
    opening = b"[\n"
    for part in parts:
        for block in _inside(part):
            target.write(opening + block)
            opening = b""
        opening = opening or b",\n"
    target.write(b"[]\n" if opening == b"[\n" else b"\n]\n")


def _inside(part: ByteSource) -> Iterator[bytes]:
    """What is between an array's brackets, without the blanks around it; nothing of an empty one.

    Raises `FatalError` for what is no array.
    """
    at, held, begun = start_of_text(part), b"", False
    while block := read_bytes(part, at, _STEP):
        at += len(block)
        text = held + block if begun else (held + block).lstrip(_BLANKS)
        if not begun and text:
            if text[:1] != b"[":
                raise _no_array(part)
            text, begun = text[1:].lstrip(_BLANKS), True
        kept = text.rstrip(_BLANKS)
        held = text
        if len(kept) > _STEP:
            yield kept[:-_STEP]
            held = text[len(kept) - _STEP :]
    last = held.rstrip(_BLANKS)
    if not begun or last[-1:] != b"]":
        raise _no_array(part)
    if inside := last[:-1].rstrip(_BLANKS):
        yield inside


def _no_array(part: ByteSource) -> FatalError:
    return FatalError(
        f"{part.name} is not one JSON array, so that nothing can be added to it; set "
        "if_exists=overwrite, or write to another file"
    )
