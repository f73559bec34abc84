"""What a file is: as options say, else its name, else its content; and whether these agree.

Compression: an option, else the name's last extension, else the magic number. Format: an option,
else the extension before, else the signature of a binary format, else JSON or CSV where text can't
be anything else. What the content is for certain decides against a name that says otherwise: the
file is refused, with what was seen and what to set.
"""

from __future__ import annotations

import csv
import json
import re

from ferris_beam.errors import ConfigurationError
from ferris_beam.formats.base import ByteSource, read_bytes
from ferris_beam.formats.compression import (
    HEAD,
    codec_of_content,
    codec_of_name,
    decompressed,
)
from ferris_beam.formats.options import ReadOptions
from ferris_beam.formats.registry import Detected, format_of_name, formats, unknown_format
from ferris_beam.formats.signatures import WITH_SIGNATURE, signature_of

SAMPLE = 1 << 16
"""Bytes that tell of what format a text is."""

GLANCE = 512
"""Bytes that show whether a file is what its name says."""

_SHOWN = 24
_LINES = 20
_JSON_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*([\[{])")
_DELIMITERS = {";": ";", "\t": "tab", "|": "pipe"}


def recognized(source: ByteSource, options: ReadOptions) -> Detected:
    """Format and compression of a file. Raises `ConfigurationError` where they can't be told or
    contradict each other."""
    head = read_bytes(source, 0, GLANCE)
    compression = _compression(source.name, head, options.compression)
    _, stem = codec_of_name(source.name)
    format = options.format or format_of_name(stem)
    if format is None:
        sample = read_bytes(decompressed(source, compression), 0, SAMPLE)
        format = _format_of(source.name, sample)
    elif compression == "none":
        check_content(source.name, head, format, options)
    return Detected(format, compression)


def check_content(name: str, head: bytes, format: str, options: ReadOptions) -> None:
    """Raises `ConfigurationError` where a file that begins with ``head`` (decompressed) is
    certainly not of ``format``."""
    said = "format= says" if options.format else "its name says"
    found = signature_of(head)
    if found is not None and found.format != format and not (found.is_text and options.format):
        raise ConfigurationError(
            f"{name}: {said} {format}, but it begins with {_shown(head)}: this is {found.what}"
            f"{_advice(found.format)}"
        )
    if found is None and head and format in WITH_SIGNATURE:
        raise ConfigurationError(
            f"{name}: {said} {format}, but it begins with {_shown(head)}, as no file of that "
            "format does; set format= to what it is, or fetch it again"
        )
    if options.format is None:
        _check_json(name, head, format)


def _check_json(name: str, head: bytes, format: str) -> None:
    """A name may say CSV of what begins with a JSON object, or JSON Lines of one array."""
    kind = _json_kind(head)
    is_array = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"["
    if kind not in formats() or not (format == "csv" or (format == "jsonl" and is_array)):
        return
    raise ConfigurationError(
        f"{name}: its name says {format}, but it begins with {_shown(head)}: this is "
        f"{'a JSON document' if kind == 'json' else 'JSON Lines'}; set format={kind}, or "
        f"format={format} if it really is that"
    )


def _compression(name: str, head: bytes, given: str | None) -> str:
    named, _ = codec_of_name(name)
    seen = codec_of_content(head[:HEAD])
    if given is not None:
        if given == "none" and seen is not None:
            raise ConfigurationError(
                f"{name}: compression=none says that it is not compressed, but it begins with "
                f"{_shown(head)}: this is {seen.name}; leave out compression="
            )
        return given
    if named is None:
        return seen.name if seen else "none"
    if seen is not None and not named.begins(head[:HEAD]):
        raise ConfigurationError(
            f"{name}: its name says {named.name}, but it begins with {_shown(head)}: this is "
            f"{seen.name}; set compression={seen.name} or rename it"
        )
    return named.name


def _format_of(name: str, sample: bytes) -> str:
    """The format of a file whose name tells none, by its (decompressed) first bytes."""
    found = signature_of(sample)
    if found is not None:
        if found.format in formats():
            return str(found.format)
        raise ConfigurationError(f"{name}: this is {found.what}{_advice(None)}")
    kind = _json_kind(sample)
    if kind is not None and kind in formats():
        return kind
    if kind is None and _is_csv(sample, ","):
        return "csv"
    for delimiter, word in _DELIMITERS.items():
        if kind is None and _is_csv(sample, delimiter):
            raise unknown_format(
                name,
                f"its name does not tell the format, and it looks like CSV separated by {word}: "
                f"set format=csv&delimiter={word}, else",
            )
    seen = f"begins with {_shown(sample)}" if sample else "is empty"
    raise unknown_format(name, f"its name does not tell the format, and it {seen}")


def _json_kind(head: bytes) -> str | None:
    """'jsonl' where a whole object is on the first line, 'json' for other objects and arrays of
    them; None for what is certainly something else."""
    start = _JSON_START.match(head)
    if start is None:
        return None
    text = head[start.start(1) :]
    line, _, rest = text.partition(b"\n")
    if start[1] == b"[":
        inside = text[1:].lstrip()[:1]
        return "json" if inside in (b"{", b"]") or not inside else None
    if _is_object(line):
        return "jsonl"
    following = text[1:].lstrip()[:1]
    if following not in (b'"', b"}"):
        return None
    return "json" if rest else "jsonl"


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _is_csv(sample: bytes, delimiter: str) -> bool:
    """Whether the first rows, at least two, all have the same number of fields, at least two."""
    if b"\0" in sample:
        return False
    whole = sample if len(sample) < SAMPLE else sample[: sample.rfind(b"\n") + 1]
    try:
        text = whole.decode("utf-8-sig")
        rows = [row for row in csv.reader(text.splitlines()[:_LINES], delimiter=delimiter) if row]
    except (UnicodeDecodeError, csv.Error):
        return False
    return len(rows) > 1 and len(rows[0]) > 1 and len({len(row) for row in rows}) == 1


def _advice(format: str | None) -> str:
    if format in formats():
        return f"; set format={format} or rename it"
    return ", which can't be read; convert it, or choose other files"


def _shown(head: bytes) -> str:
    """The first bytes as a person can read them."""
    return repr(head[:_SHOWN])[1:] + ("…" if len(head) > _SHOWN else "")
