"""Options of reading and writing formats, for every connector that holds them in files or objects.

A connector's model inherits from these. Which of them a format understands is the format's to say
(`Format.read_options`, `Format.write_options`): `check_options` refuses the others, so that none is
accepted and ignored.
"""

from __future__ import annotations

import codecs
import re
import sys
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from ferris_beam.errors import OptionError
from ferris_beam.formats.base import Format
from ferris_beam.formats.csv.date_format import DateFormat
from ferris_beam.formats.csv.notation import FALSE, TRUE
from ferris_beam.formats.registry import compressions, formats
from ferris_beam.formats.types import Types
from ferris_beam.options import InWords, Options, Rule, byte_size, exclusive, option, requires
from ferris_beam.options.types import show_byte_size

_CHARACTERS = {
    "tab": "\t",
    "\\t": "\t",
    "none": "",
    "comma": ",",
    "pipe": "|",
    "semicolon": ";",
    "hash": "#",
    "space": " ",
    "dot": ".",
}


def _character(value: object) -> object:
    return _CHARACTERS.get(value, value) if isinstance(value, str) else value


def _one_ascii(value: str) -> str:
    if len(value) > 1 or not value.isascii() or value in ("\r", "\n", "\0"):
        raise ValueError("not one ASCII character")
    return value


def _thousands(value: str) -> str:
    if len(value) > 1 or value.isalnum() or value in ("\r", "\n", "\0", "+", "-", '"'):
        raise ValueError("not one character that may stand within a number")
    return value


def _date_format(value: str) -> str:
    if DateFormat.parse(value).has_time:
        raise ValueError("a date has no time of day; use timestamp_format")
    return value


def _timestamp_format(value: str) -> str:
    DateFormat.parse(value)
    return value


def _sample_size(value: object) -> object:
    if value == "all":
        return ALL
    return byte_size(value) if isinstance(value, (str, int)) else value


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
Compression: TypeAlias = Annotated[
    str, AfterValidator(_known_compression), InWords(" or ".join(compressions()))
]


Thousands: TypeAlias = Annotated[
    str,
    BeforeValidator(_character),
    AfterValidator(_thousands),
    InWords("one character, or none"),
]
Comment: TypeAlias = Annotated[
    str,
    BeforeValidator(_character),
    AfterValidator(_one_ascii),
    InWords("one ASCII character, hash, or none"),
]
DateFormatText: TypeAlias = Annotated[
    str, AfterValidator(_date_format), InWords("a format such as %d.%m.%Y")
]
TimestampFormatText: TypeAlias = Annotated[
    str, AfterValidator(_timestamp_format), InWords("a format such as %d.%m.%Y %H:%M:%S")
]

ALL = sys.maxsize
"""The size of a sample that is no sample."""

SampleSize: TypeAlias = Annotated[
    Annotated[int, Field(ge=1)],
    BeforeValidator(_sample_size),
    InWords(
        "a size such as 16MB, or all",
        lambda size: "all" if size == ALL else show_byte_size(size),
    ),
]


def _json_path(value: str) -> str:
    if value and (not value.startswith("/") or re.search("~(?![01])", value)):
        raise ValueError("no JSON Pointer")
    return value


JsonPath: TypeAlias = Annotated[
    str, AfterValidator(_json_path), InWords("a JSON Pointer such as /data/items")
]


def _encoding(value: str) -> str:
    """UTF-8, or another one that Python can decode piece by piece."""
    try:
        found = codecs.lookup(value)
    except LookupError:
        raise ValueError("no such encoding") from None
    if found.name in ("utf-8", "utf-8-sig", "ascii"):
        return "utf-8"
    if found.name in _NO_TEXTS or not found._is_text_encoding or not found.incrementaldecoder:
        raise ValueError("no encoding of text files")
    return found.name


def _written_encoding(value: str) -> str:
    """What has ASCII in its place: a file may then be continued without being decoded."""
    name = _encoding(value)
    ascii_text = bytes(range(128)).decode("ascii")
    if ascii_text.encode(name, "replace") != ascii_text.encode():
        raise ValueError("not a superset of ASCII")
    return "utf-8-sig" if codecs.lookup(value).name == "utf-8-sig" else name


_NO_TEXTS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"}

Encoding: TypeAlias = Annotated[
    str, AfterValidator(_encoding), InWords("an encoding that Python knows, such as cp1252")
]
WrittenEncoding: TypeAlias = Annotated[
    str, AfterValidator(_written_encoding), InWords("an encoding in which ASCII stays as it is")
]


_OF_ALL_FORMATS = ("format", "compression", "declared_schema", "schema_drift")


class ReadOptions(Options):
    """How files or objects are read."""

    rules: ClassVar[tuple[Rule, ...]] = (
        requires("columns", header=False),
        exclusive("schema", "types"),
    )

    format: FormatName | None = option(
        None, description="The format; by default as the name's extension says.", example="csv"
    )
    compression: Compression | None = option(
        None,
        description="What is around the format; by default as the name's extension or the first "
        "bytes say.",
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
    declared_schema: Types | None = option(
        None,
        name="schema",
        description="The columns that are read, by name, and their types; others are left out.",
        example={"id": "int64", "name": "string"},
    )
    schema_drift: Literal["refuse", "union"] = option(
        "refuse",
        description="Files whose columns differ: refuse them, or read the columns of all, each of "
        "a type that holds all values, and null where a file lacks one.",
        example="union",
    )
    types: Types = option(
        {},
        description="Text: the types of some columns, which else the sample tells.",
        example={"zip": "string", "price": "decimal(10,2)"},
    )
    sample_size: SampleSize = option(
        byte_size("4MiB"),
        description="Text: how much of a file is looked at for its columns' types. "
        "With all, each type holds every value; else a few odd values are rejected rows.",
        example="all",
    )
    extra_keys: Literal["reject", "ignore"] = option(
        "reject",
        description="JSON: rows with keys that are no columns: reject them, or ignore the keys. "
        "With schema= and where only some columns are read, they are ignored.",
        example="ignore",
    )
    path: JsonPath = option(
        "",
        description="JSON documents: where the array of rows is, as a JSON Pointer (RFC 6901).",
        example="/data/items",
    )
    encoding: Encoding = option(
        "utf-8",
        description="CSV: how characters are encoded. UTF-16 and UTF-32 with a byte order mark "
        "are recognised.",
        example="cp1252",
    )
    comment: Comment = option(
        "none",
        description="CSV: lines that begin with this character are left out.",
        example="hash",
    )
    decimal: Literal[".", ","] = option(
        ".", description="CSV: the decimal mark of numbers.", example=","
    )
    thousands: Thousands = option(
        "none",
        description="CSV: what stands between the thousands of numbers: a dot, a comma, space, …",
        example="dot",
    )
    date_format: tuple[DateFormatText, ...] = option(
        (),
        description="CSV: how dates are written, if not as 2024-01-31; the first format that fits "
        "counts. Of %Y %y %m %b %B %d %a %A.",
        example=("%d.%m.%Y",),
    )
    timestamp_format: tuple[TimestampFormatText, ...] = option(
        (),
        description="CSV: how timestamps are written, if not as 2024-01-31T12:00:00; also of "
        "%H %I %p %M %S %f %z.",
        example=("%d.%m.%Y %H:%M:%S",),
    )
    true_values: tuple[str, ...] = option(
        TRUE, description="CSV: the words for true.", example=("yes", "y")
    )
    false_values: tuple[str, ...] = option(
        FALSE, description="CSV: the words for false.", example=("no", "n")
    )
    skip_lines: int = option(
        0, description="CSV: lines to skip before the header.", example=2, ge=0
    )
    newlines_in_values: bool | Literal["auto"] = option(
        "auto",
        description="CSV: whether quoted values hold line ends; a file is then read in one piece. "
        "By default the first 4 MiB tell, and a file where they are wrong is refused.",
        example=True,
    )


class WriteOptions(Options):
    """How files or objects are written."""

    format: FormatName | None = option(
        None, description="The format; by default as the name's extension says.", example="parquet"
    )
    compression: str | None = option(
        None,
        description="Text: none, gzip, zstd, lz4, snappy, bzip2 or xz, by default as the name "
        "says. Parquet: snappy (default), zstd, lz4, gzip or none. Avro: deflate (default), "
        "snappy, zstd, bzip2, xz or none. Arrow: none (default), lz4 or zstd.",
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
    quoting: Literal["minimal", "strings", "all", "none"] = option(
        "minimal",
        description="CSV: which values are quoted: those that need it (and then maybe all texts), "
        "all texts, all values but null, or none, where rows that need it are rejected.",
        example="all",
    )
    quote: Quote = option('"', description="CSV: what encloses values.", example="'")
    escape: Quote = option(
        "none",
        description="CSV: what stands before a quote in a quoted value; by default it is doubled. "
        "With quoting=none before all that would be read as something else.",
        example="\\",
    )
    null_value: str = option("", description="CSV: how null is written.", example="NULL")
    line_end: Literal["lf", "crlf"] = option(
        "lf", description="CSV: what ends a row: LF, or CR and LF.", example="crlf"
    )
    decimal: Literal[".", ","] = option(
        ".", description="CSV: the decimal mark of numbers.", example=","
    )
    date_format: DateFormatText | None = option(
        None,
        description="CSV: how dates are written, if not as 2024-01-31. Of %Y %y %m %b %B %d %a %A.",
        example="%d.%m.%Y",
    )
    timestamp_format: TimestampFormatText | None = option(
        None,
        description="CSV: how timestamps are written, if not as 2024-01-31 12:00:00.000000; also "
        "of %H %I %p %M %S %f %z. What it lacks is left out.",
        example="%Y-%m-%dT%H:%M:%SZ",
    )
    encoding: WrittenEncoding = option(
        "utf-8",
        description="CSV: how characters are encoded; a row with one that can't be is rejected. "
        "utf-8-sig begins with the byte order mark that Excel wants.",
        example="cp1252",
    )
    non_finite: Literal["reject", "null", "string"] = option(
        "reject",
        description="JSON, which has no NaN and no infinity: reject rows with them, write null, or "
        'the texts "NaN", "Infinity" and "-Infinity".',
        example="null",
    )
    row_group_size: int = option(
        524_288, description="Parquet: rows of a row group.", example=131_072, ge=1
    )


def check_options(options: Options, format: Format, understood: frozenset[str]) -> None:
    """Raises `OptionError` for options that were changed and mean nothing to ``format``."""
    mine = {name for model in (ReadOptions, WriteOptions) for name in model.model_fields}
    foreign = mine - {*Options.model_fields, *_OF_ALL_FORMATS} - understood
    given = options.model_fields_set & foreign
    wrong = sorted(name for name in given if _is_changed(options, name))
    if wrong:
        are = "is no option" if len(wrong) == 1 else "are no options"
        raise OptionError(f"{', '.join(wrong)} {are} of the format {format.name}; leave it out")


def _is_changed(options: Options, name: str) -> bool:
    return bool(getattr(options, name) != type(options).model_fields[name].get_default())
