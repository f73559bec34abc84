"""Options of reading and writing formats, for every connector that holds them in files or objects.

A connector's model inherits from these. Which of them a format understands is the format's to say
(`Format.read_options`, `Format.write_options`): `check_options` refuses the others, so that none is
accepted and ignored.
"""

from __future__ import annotations

import codecs
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator

from ferris_beam.errors import OptionError
from ferris_beam.formats.base import Format
from ferris_beam.formats.registry import compressions, formats
from ferris_beam.formats.types import Types
from ferris_beam.options import InWords, Options, option, requires

_CHARACTERS = {"tab": "\t", "\\t": "\t", "none": "", "comma": ",", "pipe": "|", "semicolon": ";"}


def _character(value: object) -> object:
    return _CHARACTERS.get(value, value) if isinstance(value, str) else value


def _one_ascii(value: str) -> str:
    if len(value) > 1 or not value.isascii() or value in ("\r", "\n", "\0"):
        raise ValueError("not one ASCII character")
    return value


def _known_format(value: str) -> str:
    if value not in formats():
        raise ValueError("no such format")
    return value


def _known_compression(value: str) -> str:
    if value not in compressions():
        raise ValueError("no such compression")
    return value


Delimiter: TypeAlias = Annotated[
    str,
    BeforeValidator(_character),
    AfterValidator(_one_ascii),
    InWords("one ASCII character, or tab"),
]
Quote: TypeAlias = Annotated[
    str,
    BeforeValidator(_character),
    AfterValidator(_one_ascii),
    InWords("one ASCII character, or none"),
]
FormatName: TypeAlias = Annotated[
    str, AfterValidator(_known_format), InWords(" or ".join(formats()))
]
Compression: TypeAlias = Annotated[str, AfterValidator(_known_compression), InWords("none or gzip")]


def _encoding(value: str) -> str:
    """UTF-8, or what has ASCII in its place and one byte for each character."""
    try:
        name = codecs.lookup(value).name
    except LookupError:
        raise ValueError("no such encoding") from None
    if name in ("utf-8", "utf-8-sig", "ascii"):
        return "utf-8"
    ascii_text = bytes(range(128))
    if ascii_text.decode(name, "replace") != ascii_text.decode("ascii"):
        raise ValueError("not a superset of ASCII")
    if len(bytes(range(256)).decode(name, "replace")) != 256:
        raise ValueError("several bytes for a character")
    return name


Encoding: TypeAlias = Annotated[
    str,
    AfterValidator(_encoding),
    InWords("utf-8, or an encoding of one byte for each character"),
]


class ReadOptions(Options):
    """How files or objects are read."""

    rules = (requires("columns", header=False),)

    format: FormatName | None = option(
        None, description="The format; by default as the name's extension says.", example="csv"
    )
    compression: Compression | None = option(
        None,
        description="What is around the format; by default gzip where the name ends with .gz.",
        example="gzip",
    )
    delimiter: Delimiter | None = option(
        None,
        description="CSV: what separates fields; by default a comma, for .tsv a tab.",
        example=";",
    )
    quote: Quote = option('"', description="CSV: what encloses values.", example="'")
    escape: Quote = option(
        "none", description="CSV: what makes the next character plain text.", example="\\"
    )
    header: bool = option(
        True, description="CSV: whether the first row holds the columns' names.", example=False
    )
    columns: tuple[str, ...] | None = option(
        None,
        description="CSV without a header: the columns' names.",
        example=("id", "name"),
    )
    null_values: tuple[str, ...] = option(
        ("",),
        description="CSV: the texts that stand for null; quoted ones don't in text columns.",
        example=("", "NULL"),
    )
    types: Types = option(
        {},
        description="Text: the types of some columns, which else the first 4 MiB tell.",
        example={"zip": "string", "price": "decimal(10,2)"},
    )
    encoding: Encoding = option(
        "utf-8", description="CSV: how characters are encoded.", example="cp1252"
    )
    skip_lines: int = option(
        0, description="CSV: lines to skip before the header.", example=2, ge=0
    )
    newlines_in_values: bool = option(
        False,
        description="CSV: whether quoted values hold line ends; a file is then read in one piece.",
        example=True,
    )


class WriteOptions(Options):
    """How files or objects are written."""

    format: FormatName | None = option(
        None, description="The format; by default as the name's extension says.", example="parquet"
    )
    compression: str | None = option(
        None,
        description="Text: none or gzip, by default as the name says. "
        "Parquet: snappy (default), zstd, lz4, gzip or none.",
        example="zstd",
    )
    delimiter: Delimiter | None = option(
        None,
        description="CSV: what separates fields; by default a comma, for .tsv a tab.",
        example=";",
    )
    header: bool = option(
        True, description="CSV: whether to start with the columns' names.", example=False
    )
    row_group_size: int = option(
        524_288, description="Parquet: rows of a row group.", example=131_072, ge=1
    )


def check_options(options: Options, format: Format, understood: frozenset[str]) -> None:
    """Raises `OptionError` for options that were changed and mean nothing to ``format``."""
    mine = {name for model in (ReadOptions, WriteOptions) for name in model.model_fields}
    foreign = mine - {*Options.model_fields, "format", "compression"} - understood
    given = options.model_fields_set & foreign
    wrong = sorted(name for name in given if _is_changed(options, name))
    if wrong:
        are = "is no option" if len(wrong) == 1 else "are no options"
        raise OptionError(f"{', '.join(wrong)} {are} of the format {format.name}; leave it out")


def _is_changed(options: Options, name: str) -> bool:
    return bool(getattr(options, name) != type(options).model_fields[name].get_default())
