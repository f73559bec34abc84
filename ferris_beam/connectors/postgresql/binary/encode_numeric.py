"""Decimals to numeric's binary format, which `numeric` describes."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ferris_beam.connectors.postgresql.binary.pieces import Piece, slices, text_pieces
from ferris_beam.connectors.postgresql.binary.values import Mask

_GROUP = 10_000
_NEGATIVE = 0x4000
_SPECIAL = {"NaN": 0xC000, "Infinity": 0xD000, "-Infinity": 0xF000}
_HEADER_WORDS = 6  # int32 length and four int16
_MAX_SCALE = 16_383

Digits = npt.NDArray[np.int64]


def decimal_pieces(values: pa.Array) -> list[Piece]:
    """decimal128 or decimal256."""
    present = values.is_valid().to_numpy(zero_copy_only=False)
    scale = max(values.type.scale, 0)
    units = _int64(values)
    if units is not None and values.type.scale >= 0:
        negative, digits = units < 0, _digits(np.abs(units), scale)
    else:
        negative, digits = _digits_of_texts(values)
    return [_numerics(negative, digits, scale, present)]


def _int64(values: pa.Array) -> npt.NDArray[np.int64] | None:
    """The values in their own units, where all fit 64 bits."""
    words = values.type.bit_width // 64
    found = np.frombuffer(values.buffers()[1], np.int64)
    found = found[values.offset * words : (values.offset + len(values)) * words]
    table = found.reshape(-1, words)
    low = table[:, 0]
    if (table[:, 1:] != (low >> 63)[:, None]).any() or (low == np.iinfo(np.int64).min).any():
        return None
    return low


def _digits(units: npt.NDArray[np.int64], scale: int) -> Digits:
    """Digits to the base 10,000, the last of which are those behind the point, with the first
    first: int64[n, groups]."""
    groups: list[npt.NDArray[np.int64]] = []
    behind = -(-scale // 4)
    partial = scale % 4
    if partial:
        units, rest = _divided(units, 10**partial)
        groups.append(rest * 10 ** (4 - partial))
    while len(groups) <= behind or units.any():
        units, rest = _divided(units, _GROUP)
        groups.append(rest)
    return np.stack(groups[::-1], axis=1)


def _divided(
    numbers: npt.NDArray[np.int64], divisor: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Like divmod, but numpy divides by a constant many times as fast."""
    quotients = numbers // divisor
    return quotients, numbers - quotients * divisor


def _digits_of_texts(values: pa.Array) -> tuple[Mask, Digits]:
    """The same of values of any size, by the characters of their units."""
    kind = values.type
    whole = pa.decimal128(38, 0) if kind.bit_width == 128 else pa.decimal256(76, 0)
    same = pa.Array.from_buffers(whole, len(values), values.buffers(), offset=values.offset)
    zeros = max(kind.scale, 0) % 4
    texts = ["0" if text is None else text for text in same.cast(pa.string()).to_pylist()]
    negative = np.array([text.startswith("-") for text in texts], np.bool_)
    # So many zeros at the end that the point lies between two groups.
    tail = "0" * ((4 - zeros) % 4 if kind.scale >= 0 else -kind.scale)
    plain = [text.lstrip("-") + tail for text in texts]
    width = 4 * (-(-max(max(map(len, plain)), max(kind.scale, 0) + 4) // 4) + 1)
    characters = np.frombuffer("".join(text.zfill(width) for text in plain).encode(), np.uint8)
    numbers = (characters - ord("0")).astype(np.int64).reshape(len(texts), width // 4, 4)
    return negative, numbers @ np.array([1000, 100, 10, 1])


def _numerics(negative: Mask, digits: Digits, scale: int, present: Mask) -> pa.BinaryArray:
    """Length, header and digits of each value: zeros before the first digit and behind the last
    are left out, and the header is put right before the first."""
    rows, groups = digits.shape
    nonzero = digits != 0
    some = nonzero.any(axis=1)
    first = np.where(some, np.argmax(nonzero, axis=1), 0)
    last = groups - np.argmax(nonzero[:, ::-1], axis=1)
    ndigits = np.where(some, last - first, 0)
    weight = np.where(some, groups - -(-scale // 4) - 1 - first, 0)
    words = np.zeros((rows, _HEADER_WORDS + groups), ">i2")
    words[:, _HEADER_WORDS:] = digits
    size = np.where(present, 8 + 2 * ndigits, -1)
    sign = np.where(negative, _NEGATIVE, 0)
    header = [size >> 16, size & 0xFFFF, ndigits, weight, sign, np.full(rows, scale)]
    at = np.arange(rows)
    for place, word in enumerate(header):
        words[at, first + place] = word.astype(np.int16)
    matrix = words.view(np.uint8).reshape(rows, 2 * words.shape[1])
    return slices(matrix, 2 * first, np.where(present, 12 + 2 * ndigits, 4))


def numeric_text_pieces(values: pa.Array) -> list[Piece]:
    """Numbers written as texts; ValueError, with the index as its second argument, for one that
    is none. One by one, since each has a scale of its own."""
    found = []
    for row, text in enumerate(values.to_pylist()):
        try:
            found.append(None if text is None else _numeric(text))
        except (ArithmeticError, ValueError):
            raise ValueError(f"{text[:40]!r} is not a number that numeric can hold", row) from None
    return text_pieces(pa.array(found, pa.binary()))


def _numeric(text: str) -> bytes:
    value = Decimal(text)
    if not value.is_finite():
        name = "NaN" if value.is_nan() else "-Infinity" if value < 0 else "Infinity"
        return np.array([0, 0, _SPECIAL[name], 0], ">u2").tobytes()
    sign, figures, exponent = value.as_tuple()
    scale = max(-int(exponent), 0)
    if scale > _MAX_SCALE or value.adjusted() > 131_071:
        raise ValueError("too large")
    units = "".join(map(str, figures)) + "0" * max(int(exponent), 0) + "0" * (-scale % 4)
    units = units.zfill(-(-len(units) // 4) * 4)
    digits = [int(units[place : place + 4]) for place in range(0, len(units), 4)]
    weight = len(digits) - -(-scale // 4) - 1
    while digits and not digits[0]:
        del digits[0]
        weight -= 1
    while digits and not digits[-1]:
        del digits[-1]
    header = [len(digits), weight if digits else 0, _NEGATIVE if sign else 0, scale]
    return np.array([*header, *digits], ">i2").tobytes()
