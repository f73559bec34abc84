"""The formats by name, loaded when they are asked for, and which one a file's name stands for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from ferris_beam.errors import ConfigurationError
from ferris_beam.formats.compression import CODECS, codec_of_name

if TYPE_CHECKING:
    from ferris_beam.formats.base import Format

_FORMATS = {
    "arrow": "ferris_beam.formats.arrow.format:ArrowFormat",
    "arrows": "ferris_beam.formats.arrow.format:ArrowStreamFormat",
    "avro": "ferris_beam.formats.avro.format:AvroFormat",
    "csv": "ferris_beam.formats.csv.format:CsvFormat",
    "json": "ferris_beam.formats.json.format:JsonFormat",
    "jsonl": "ferris_beam.formats.jsonl.format:JsonLinesFormat",
    "parquet": "ferris_beam.formats.parquet.format:ParquetFormat",
}
_EXTENSIONS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".avro": "avro",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".arrows": "arrows",
}


class Detected(NamedTuple):
    """What a file is: ``compression`` is 'none' or the codec around the format."""

    format: str
    compression: str


def formats() -> list[str]:
    return sorted(_FORMATS)


def compressions() -> list[str]:
    """What may be around a format that does not compress by itself."""
    return ["none", *sorted(CODECS)]


@cache
def format_named(name: str) -> Format:
    """The format of this name; raises `ConfigurationError` with the names there are."""
    if name not in _FORMATS:
        raise ConfigurationError(f"no format {name!r}; there are {', '.join(formats())}")
    module, _, attribute = _FORMATS[name].partition(":")
    return getattr(import_module(module), attribute)()


def format_of_name(path: str) -> str | None:
    """The format that a name's last extension stands for."""
    lowered = path.lower()
    return next((_EXTENSIONS[ext] for ext in _EXTENSIONS if lowered.endswith(ext)), None)


def detect(path: str, format: str | None = None, compression: str | None = None) -> Detected:
    """The format and compression of a file: as given, else by the name's extensions."""
    codec, stem = codec_of_name(path)
    found = format or format_of_name(stem)
    if found is None:
        raise unknown_format(path, "its name does not tell the format")
    return Detected(found, compression or (codec.name if codec else "none"))


def unknown_format(path: str, problem: str) -> ConfigurationError:
    """The error of a file whose format can't be told, with what to do."""
    around = ", ".join(extension for codec in CODECS.values() for extension in codec.extensions[:1])
    return ConfigurationError(
        f"{path}: {problem}; set format= to one of {', '.join(formats())}, or choose files by a "
        f"glob such as *.csv (known extensions: {', '.join(_EXTENSIONS)}; those of text also with "
        f"{around})"
    )


def default_delimiter(path: str) -> str:
    """A tab for ``.tsv``, compressed or not; else a comma."""
    _, stem = codec_of_name(path)
    return "\t" if stem.lower().endswith(".tsv") else ","
