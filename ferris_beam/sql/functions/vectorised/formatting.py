"""Values put into a text: C's printf, and braces as fmt, Python and DuckDB have them.

Values arrive as texts; a directive says what they are. Each row is written by Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache

import pyarrow as pa

from ferris_beam.sql.functions.vectorised.groups import per_value

TEXTS = pa.list_(pa.string())
_PRINTF = re.compile(r"%(?P<flags>[-+ 0#]*)(?P<width>\d*)(?P<precision>\.\d+)?(?P<type>[a-zA-Z%])")
_BRACES = re.compile(r"\{\{|\}\}|\{(?P<place>\d*)(?::(?P<spec>[^{}]*))?\}")
_Piece = str | tuple[int, Callable[[str], str]]


def printf(formats: pa.Array, values: pa.Array) -> pa.Array:
    """NULL where a value is NULL; ``ValueError`` for a value that isn't what a directive wants."""
    return per_value(formats, pa.string(), lambda one, rows: _rows(_printf(one), rows), values)


def braces(formats: pa.Array, values: pa.Array) -> pa.Array:
    """The same for ``{}``, ``{0}``, ``{:.2f}``."""
    return per_value(formats, pa.string(), lambda one, rows: _rows(_braces(one), rows), values)


def _rows(pieces: Sequence[_Piece], values: pa.Array) -> pa.Array:
    needed = max((piece[0] + 1 for piece in pieces if not isinstance(piece, str)), default=0)
    return pa.array([_row(pieces, row, needed) for row in values.to_pylist()], pa.string())


def _row(pieces: Sequence[_Piece], values: list[str | None] | None, needed: int) -> str | None:
    if values is None or None in values:
        return None
    if len(values) < needed:
        raise ValueError(f"the format needs {needed} values and there are {len(values)}")
    return "".join(
        piece if isinstance(piece, str) else piece[1](values[piece[0]] or "") for piece in pieces
    )


@lru_cache(maxsize=256)
def _printf(written: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    end = place = 0
    for match in _PRINTF.finditer(written):
        _plain(pieces, written[end : match.start()], "%")
        end = match.end()
        if match["type"] == "%":
            pieces.append("%")
            continue
        pieces.append((place, _writer(match["type"], match[0])))
        place += 1
    _plain(pieces, written[end:], "%")
    return pieces


@lru_cache(maxsize=256)
def _braces(written: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    end = place = 0
    for match in _BRACES.finditer(written):
        _plain(pieces, written[end : match.start()], "{}")
        end = match.end()
        if match[0] in ("{{", "}}"):
            pieces.append(match[0][0])
            continue
        at = int(match["place"]) if match["place"] else place
        pieces.append((at, _brace_writer(match["spec"] or "")))
        place += 1
    _plain(pieces, written[end:], "{}")
    return pieces


def _plain(pieces: list[_Piece], text: str, special: str) -> None:
    for character in special:
        if character in text:
            raise ValueError(f"the format has {character!r} where no directive is: {text!r}")
    if text:
        pieces.append(text)


def _writer(kind: str, directive: str) -> Callable[[str], str]:
    if kind in "diu":
        return lambda value: (directive[:-1] + "d") % _integer(value)
    if kind in "xXo":
        return lambda value: directive % _integer(value)
    if kind in "fF":
        flags = _PRINTF.fullmatch(directive)
        assert flags is not None
        return lambda value: _fixed(flags, _number(value))
    if kind in "eEgG":
        return lambda value: directive % float(_number(value))
    if kind == "s":
        return lambda value: directive % value
    raise ValueError(f"{directive!r} is no directive of printf that is known here")


def _fixed(directive: re.Match[str], number: Decimal) -> str:
    """``%.2f`` with all digits of a decimal, which C would make a double."""
    flags = directive["flags"]
    sign = "+" if "+" in flags else " " if " " in flags else "-"
    align = "<" if "-" in flags else "=" if "0" in flags else ">"
    fill = "0" if align == "=" else " "
    return f"{number:{fill}{align}{sign}{directive['width']}{directive['precision'] or '.6'}f}"


def _brace_writer(spec: str) -> Callable[[str], str]:
    if spec[-1:] in ("d", "x", "X", "o", "b"):
        return lambda value: format(_integer(value), spec)
    if spec[-1:] in ("f", "F", "e", "E", "g", "G", "%"):
        return lambda value: format(_number(value), spec)
    if spec[-1:] in (",", "_"):
        return lambda value: format(_number(value), spec)
    return lambda value: format(value, spec)


def _integer(value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"{value!r} is no integer, which the format wants") from None


def _number(value: str) -> Decimal:
    try:
        return Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is no number, which the format wants") from None
