"""Texts in a file's own notation, as Arrow's casts read them: `1.234,5` as `1234.5`.

What is not of the notation becomes `UNREADABLE`, which no cast takes: with a decimal comma, `1.5`
is no number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from ferris_beam.batches.casting import cast_column
from ferris_beam.formats.csv.date_format import MONTHS, DateFormat
from ferris_beam.formats.csv.notation import Notation
from ferris_beam.formats.inference import PATTERNS, matches

UNREADABLE = "?"

_CENTURY = 69
"""POSIX: two digits of a year are of 1969 to 2068."""


def is_foreign(wanted: pa.DataType, notation: Notation) -> bool:
    """Whether texts of this type must be rewritten before a cast."""
    if pt.is_integer(wanted):
        return notation.thousands != ""
    if pt.is_floating(wanted) or pt.is_decimal(wanted):
        return notation.has_marks
    if pt.is_date(wanted):
        return bool(notation.date_formats)
    return pt.is_timestamp(wanted) and bool(notation.timestamp_formats)


def rewritten(texts: pa.Array, wanted: pa.DataType, notation: Notation) -> pa.Array:
    """The texts (strings, trimmed) as a cast to ``wanted`` reads them."""
    if pt.is_boolean(wanted):
        return _words(texts, notation)
    if is_foreign(wanted, notation):
        if pt.is_date(wanted):
            return iso_texts(texts, notation.dates)
        if pt.is_timestamp(wanted):
            return iso_texts(texts, notation.timestamps)
        texts = _numbers(texts, wanted, notation)
    return texts


def _words(texts: pa.Array, notation: Notation) -> pa.Array:
    """A cast takes words of its own for booleans: only those of the notation count."""
    true = pc.is_in(texts, pa.array(notation.true_values, pa.string()))
    false = pc.is_in(texts, pa.array(notation.false_values, pa.string()))
    found = pc.if_else(true, "true", pc.if_else(false, "false", UNREADABLE))
    return pc.if_else(texts.is_null(), pa.scalar(None, pa.string()), found)


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────


def number_pattern(notation: Notation, whole: bool = False) -> str:
    """Matches a number. Groups of two digits are Indian: `12,34,567`."""
    digits = "[0-9]+"
    if notation.thousands:
        mark = re.escape(notation.thousands)
        digits = f"(?:[0-9]+|[0-9]{{1,3}}(?:{mark}[0-9]{{2,3}})*{mark}[0-9]{{3}})"
    if whole:
        return f"^[+-]?{digits}$"
    point = re.escape(notation.decimal)
    return f"^[+-]?(?:{digits}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?$"


def _numbers(texts: pa.Array, wanted: pa.DataType, notation: Notation) -> pa.Array:
    whole = pt.is_integer(wanted)
    known = pc.match_substring_regex(texts, number_pattern(notation, whole))
    words = pc.match_substring_regex(texts, "^[+-]?[A-Za-z]+$")  # nan, inf: the cast decides
    plain = texts
    if notation.thousands:
        plain = pc.replace_substring(plain, notation.thousands, "")
    if notation.decimal != ".":
        plain = pc.replace_substring(plain, notation.decimal, ".")
    return pc.if_else(pc.or_(known, words), plain, UNREADABLE)


# ── dates and times ─────────────────────────────────────────────────────────────────────────────


def iso_texts(texts: pa.Array, formats: Sequence[DateFormat]) -> pa.Array:
    """Each text by the first format that it has, as ISO 8601. Whether there is such a day is the
    cast's to find out."""
    found = pc.coalesce(*(_iso(texts, known) for known in formats), UNREADABLE)
    return pc.if_else(texts.is_null(), pa.scalar(None, pa.string()), found)


def _iso(texts: pa.Array, known: DateFormat) -> pa.Array:
    """Null where a text is not of the format."""
    matched = pc.extract_regex(texts, known.pattern)
    part = {letter: pc.struct_field(matched, letter) for letter in known.directives}
    day = pc.binary_join_element_wise(_year(part), _month(part), _padded(part["d"]), "-")
    if not known.has_time:
        return day
    clock = [_hour(part)] + [_padded(part[letter]) for letter in "MS" if letter in part]
    if len(clock) == 1:
        clock.append("00")
    time = pc.binary_join_element_wise(*clock, ":")
    if "f" in part:
        time = pc.binary_join_element_wise(time, part["f"], ".")
    return pc.binary_join_element_wise(day, "T", time, part.get("z", ""), "")


def _year(part: dict[str, pa.Array]) -> pa.Array:
    if "Y" in part:
        return part["Y"]
    early = pc.less(part["y"].cast(pa.int8()), _CENTURY)
    return pc.binary_join_element_wise(pc.if_else(early, "20", "19"), part["y"], "")


def _month(part: dict[str, pa.Array]) -> pa.Array:
    if "m" in part:
        return _padded(part["m"])
    named = pc.ascii_lower(pc.utf8_slice_codeunits(part.get("b", part.get("B")), 0, 3))
    number = pc.index_in(named, pa.array([name[:3] for name in MONTHS]))
    return _padded(pc.add(number, 1).cast(pa.string()))


def _hour(part: dict[str, pa.Array]) -> pa.Array:
    """The hour of 24; one of 12 that is none stays, for the cast to refuse."""
    if "H" in part:
        return _padded(part["H"])
    number = part["I"].cast(pa.int8())
    midday = pc.equal(number, 12)
    afternoon = pc.equal(pc.ascii_lower(part["p"]), "pm")
    shifted = pc.add(pc.if_else(midday, 0, number), pc.if_else(afternoon, 12, 0))
    valid = pc.and_(pc.greater(number, 0), pc.less_equal(number, 12))
    return _padded(pc.if_else(valid, shifted, 99).cast(pa.string()))


def _padded(digits: pa.Array) -> pa.Array:
    return pc.ascii_lpad(digits, 2, "0")


# ── inference ───────────────────────────────────────────────────────────────────────────────────


def foreign_counts(texts: pa.Array, notation: Notation) -> Counter[pa.DataType]:
    """How many texts are values of each type in this notation."""
    trimmed = pc.ascii_trim(texts, " \t")
    counts = Counter[pa.DataType]()
    for kind, pattern in PATTERNS.items():
        if pt.is_boolean(kind):
            words = pa.array(notation.true_values + notation.false_values, pa.string())
            counts[kind] = pc.sum(pc.is_in(trimmed, words)).as_py() or 0
        elif pt.is_timestamp(kind) and notation.timestamp_formats:
            formats = [known for known in notation.timestamps if known.has_zone == bool(kind.tz)]
            counts[kind] = _castable(iso_texts(texts, formats), kind) if formats else 0
        elif is_foreign(kind, notation):
            counts[kind] = _castable(rewritten(trimmed, kind, notation), kind)
        else:
            counts[kind] = matches(texts, pattern)
    return counts


def _castable(texts: pa.Array, kind: pa.DataType) -> int:
    likely = texts.drop_null().filter(pc.not_equal(texts.drop_null(), UNREADABLE))
    return len(likely) - len(cast_column(likely, kind).bad)
