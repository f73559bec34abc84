"""The formats by name, loaded when they are asked for, and which one a file's name stands for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from ferris_beam.errors import ConfigurationError

if TYPE_CHECKING:
    from ferris_beam.formats.base import Format

_FORMATS = {
    "csv": "ferris_beam.formats.csv.format:CsvFormat",
    "jsonl": "ferris_beam.formats.jsonl.format:JsonLinesFormat",
    "parquet": "ferris_beam.formats.parquet.format:ParquetFormat",
}
_EXTENSIONS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_COMPRESSIONS = {".gz": "gzip"}


class Detected(NamedTuple):
    """What a file's name says: ``compression`` is 'none' or a compressor around the format."""

    format: str
    compression: str


def formats() -> list[str]:
    return sorted(_FORMATS)


def compressions() -> list[str]:
    """What may be around a format that does not compress by itself."""
    return ["none", *sorted(_COMPRESSIONS.values())]


@cache
def format_named(name: str) -> Format:
    """The format of this name; raises `ConfigurationError` with the names there are."""
    if name not in _FORMATS:
        raise ConfigurationError(f"no format {name!r}; there are {', '.join(formats())}")
    module, _, attribute = _FORMATS[name].partition(":")
    return getattr(import_module(module), attribute)()


def detect(path: str, format: str | None = None, compression: str | None = None) -> Detected:
    """The format and compression of a file: as given, else by the name's extensions."""
    lowered = path.lower()
    wrapper = next((ext for ext in _COMPRESSIONS if lowered.endswith(ext)), "")
    stem = lowered[: len(lowered) - len(wrapper)]
    found = format or next((_EXTENSIONS[ext] for ext in _EXTENSIONS if stem.endswith(ext)), None)
    if found is None:
        known = ", ".join(_EXTENSIONS)
        raise ConfigurationError(
            f"{path}: its name does not tell the format; set format= to one of "
            f"{', '.join(formats())}, or choose files by a glob such as *.csv (known extensions: "
            f"{known}, each also with .gz)"
        )
    return Detected(found, compression or _COMPRESSIONS.get(wrapper, "none"))


def default_delimiter(path: str) -> str:
    """A tab for ``.tsv``, with or without ``.gz``; else a comma."""
    lowered = path.lower()
    return "\t" if lowered.endswith((".tsv", ".tsv.gz")) else ","
