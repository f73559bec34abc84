"""numeric, from PostgreSQL's binary format to decimals, doubles or texts.

Sent as four int16, ndigits, weight, sign and dscale, and ndigits int16: digits to the base 10,000,
the first of which counts 10,000 ** weight; dscale is how many decimals are shown. Source:
numeric_send and set_var_from_num in src/backend/utils/adt/numeric.c.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ferris_beam.connectors.postgresql.binary.scalars import texts
from ferris_beam.connectors.postgresql.binary.values import (
    Faults,
    Mask,
    Values,
    array_of,
    number_type,
    with_nulls,
)

_HEADER = 8
_NEGATIVE = 0x4000
_SPECIAL = {0xC000: "NaN", 0xD000: "Infinity", 0xF000: "-Infinity"}

_SAFE_DIGITS = 18  # below 2**63
_MAX_GROUPS = 20  # up to this size, texts of many values are made at once
_POWERS = np.array([10**n for n in range(19)], np.int64)
_FOUR_CHARACTERS = np.array([list(f"{n:04d}".encode()) for n in range(10_000)], np.uint8)


@dataclass(frozen=True, slots=True)
class _Headers:
    """The first eight bytes of each value: all int64[n]."""

    ndigits: npt.NDArray[np.int64]
    weight: npt.NDArray[np.int64]
    sign: npt.NDArray[np.int64]
    dscale: npt.NDArray[np.int64]

    @classmethod
    def of(cls, values: Values) -> _Headers:
        words = values.words(">i8").astype(np.int64)
        return cls(
            (words >> 48) & 0xFFFF,
            (words << 16) >> 48,  # signed
            (words >> 16) & 0xFFFF,
            words & 0xFFFF,
        )

    def select(self, rows: Mask) -> _Headers:
        return _Headers(self.ndigits[rows], self.weight[rows], self.sign[rows], self.dscale[rows])


def numerics(to: pa.DataType, values: Values, faults: Faults) -> pa.Array:
    """The values as ``to``: a decimal, double or string."""
    damaged = values.present & (values.lengths < _HEADER)
    if damaged.any():
        faults.add(damaged, "the value has an unexpected length")
        values = Values(values.data, values.starts, np.where(damaged, -1, values.lengths))
    headers = _Headers.of(values)
    present = values.present
    if pa.types.is_decimal(to):
        return _decimals(to, values, headers, present, faults)
    if not pa.types.is_floating(to):
        return with_nulls(_texts(values, headers), present)
    return _doubles(to, values, headers, present, faults)


# ── decimals ────────────────────────────────────────────────────────────────────────────────────


def _decimals(
    to: pa.DataType, values: Values, headers: _Headers, present: Mask, faults: Faults
) -> pa.Array:
    for sign, name in _SPECIAL.items():
        special = present & (headers.sign == sign)
        if special.any():
            faults.add(special, f"{name} has no place in {_shown(to)}")
            present = present & ~special
    small = _fits_int64(headers, to.scale)
    units, exact = _scaled(values, headers, to.scale)
    small &= exact & (np.abs(units) < 10 ** min(to.precision, _SAFE_DIGITS))
    large = present & ~small
    if not large.any():
        return array_of(to, _widened(units, to), present)
    parsed = _parsed(to, values.select(large), headers.select(large), faults, large)
    return _merged(to, _widened(units, to), present, large, parsed)


def _fits_int64(headers: _Headers, scale: int) -> Mask:
    """Values of at most four base-10,000 digits, that have at most 18 decimal digits in units of
    10 ** -scale."""
    digits = 4 * (headers.weight + 1) + scale
    least = 4 * (headers.weight - 3) + scale
    fits = (headers.ndigits <= 4) & (digits <= _SAFE_DIGITS) & (least >= -_SAFE_DIGITS)
    return np.asarray(fits | (headers.ndigits == 0))


def _scaled(values: Values, headers: _Headers, scale: int) -> tuple[npt.NDArray[np.int64], Mask]:
    """The first four digits, in units of 10 ** -scale, and where nothing was cut off; anything
    where `_fits_int64` is false."""
    mantissas = _mantissas(values, headers.ndigits)
    exponents = np.clip(4 * (headers.weight - 3) + scale, -_SAFE_DIGITS, _SAFE_DIGITS)
    up = _POWERS[np.maximum(exponents, 0)]
    down = _POWERS[np.maximum(-exponents, 0)]
    whole = mantissas // down
    exact = whole * down == mantissas
    units = whole * up
    return np.where(headers.sign == _NEGATIVE, -units, units), exact


def _mantissas(values: Values, ndigits: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The first four base-10,000 digits as one number below 10 ** 16."""
    words = values.words_behind(">u8", _HEADER)
    beyond = (16 * (4 - np.clip(ndigits, 0, 4))).astype(np.uint64)
    words = (words >> beyond) << beyond  # a shift by all 64 bits leaves nothing
    digits = np.zeros(len(values), np.int64)
    for place in range(4):
        digit = (words >> np.uint64(48 - 16 * place)) & np.uint64(0xFFFF)
        digits = digits * 10_000 + digit.astype(np.int64)
    return digits


def _widened(units: npt.NDArray[np.int64], to: pa.DataType) -> npt.NDArray[np.int64]:
    """Little-endian 128 or 256 bits each, with the sign carried on."""
    words = np.empty((len(units), to.bit_width // 64), np.int64)
    words[:, 0] = units
    words[:, 1:] = (units >> 63)[:, None]
    return words


def _parsed(
    to: pa.DataType, values: Values, headers: _Headers, faults: Faults, rows: Mask
) -> pa.Array:
    """By their texts; NULL where a value doesn't fit."""
    written = _texts(values, headers)
    try:
        return written.cast(to)
    except pa.ArrowInvalid:
        pass  # some don't fit: which?
    limit = Decimal(10) ** (to.precision - to.scale)
    fitting: list[Decimal | None] = []
    bad = np.zeros(len(rows), np.bool_)
    for row, text in zip(np.flatnonzero(rows), written.to_pylist(), strict=True):
        value = Decimal(text)
        fits = value.copy_abs() < limit and _decimals_of(value) <= to.scale
        bad[row] = not fits
        fitting.append(value if fits else None)
    faults.add(bad, f"the number doesn't fit {_shown(to)}; numeric=text reads any")
    return pa.array(fitting, to)


def _decimals_of(value: Decimal) -> int:
    """How many decimals a number needs, without zeros at its end."""
    _, digits, exponent = value.as_tuple()
    stripped = "".join(map(str, digits)).rstrip("0")
    return -(int(exponent) + len(digits) - len(stripped)) if stripped else 0


def _merged(
    to: pa.DataType, words: npt.NDArray[np.int64], present: Mask, large: Mask, parsed: pa.Array
) -> pa.Array:
    """``words`` with the rows of ``large`` replaced."""
    valid = parsed.is_valid().to_numpy(zero_copy_only=False)
    width = words.shape[1]
    found = np.frombuffer(parsed.buffers()[1], np.int64)
    words[large] = found[parsed.offset * width : (parsed.offset + len(parsed)) * width].reshape(
        -1, width
    )
    present = present.copy()
    present[large] = valid
    return array_of(to, words, present)


def _shown(to: pa.DataType) -> str:
    return f"decimal({to.precision}, {to.scale})"


# ── doubles ─────────────────────────────────────────────────────────────────────────────────────


def _doubles(
    to: pa.DataType, values: Values, headers: _Headers, present: Mask, faults: Faults
) -> pa.Array:
    """The nearest double of each value. Integers below 2**53 times or by a power of ten up to
    10**22 are rounded once, hence right (Clinger, "How to Read Floating Point Numbers
    Accurately", 1990); the others are read from their texts."""
    mantissas = _mantissas(values, headers.ndigits)
    exponents = 4 * (headers.weight - 3)
    # Fewer digits leave zeros at the mantissa's end.
    shift = 4 * np.clip(4 - headers.ndigits, 0, 4)
    mantissas = mantissas // _POWERS[shift]
    exponents = exponents + shift
    ordinary = (headers.sign == 0) | (headers.sign == _NEGATIVE)
    quick = ordinary & (headers.ndigits <= 4) & (mantissas < 2**53) & (np.abs(exponents) <= 22)
    powers = np.power(10.0, np.clip(np.abs(exponents), 0, 22))
    numbers = np.where(exponents < 0, mantissas / powers, mantissas * powers)
    numbers = np.where(headers.sign == _NEGATIVE, -numbers, numbers)
    slow = present & ~quick
    if slow.any():
        written = _texts(values.select(slow), headers.select(slow))
        numbers[slow] = [float(text) for text in written.to_pylist()]
        lost = slow & ordinary & np.isinf(numbers)
        faults.add(lost, "the number is too large for a double; numeric=text reads any")
        present = present & ~lost
    return array_of(to, numbers.astype(number_type(to)), present)


# ── texts ───────────────────────────────────────────────────────────────────────────────────────


def _texts(values: Values, headers: _Headers) -> pa.StringArray:
    """As the server writes them: with dscale decimals and no exponent."""
    before = np.maximum(headers.weight + 1, 1)  # digits, to the base 10,000, before the point
    behind = -(-headers.dscale // 4)
    known = (headers.sign == 0) | (headers.sign == _NEGATIVE)
    wide = ~known | (before > _MAX_GROUPS) | (behind > _MAX_GROUPS)
    narrow = ~wide
    if not wide.any():
        return _written(values, headers)
    found = np.empty(len(values), object)
    found[narrow] = _written(values.select(narrow), headers.select(narrow)).to_pylist()
    found[wide] = [_written_alone(values.value(row)) for row in np.flatnonzero(wide)]
    return pa.array(found, pa.string())


def _written(values: Values, headers: _Headers) -> pa.StringArray:
    """A row of characters for each value, as wide as the widest: digits before the point, the
    point, and digits behind it; then only what is needed of each row is kept."""
    groups = int(np.maximum(headers.weight + 1, 1).max(initial=1))
    decimals = -(-int(headers.dscale.max(initial=0)) // 4)
    # One column is left for the sign.
    point = 1 + 4 * groups
    text = np.full((len(values), point + 1 + 4 * decimals), ord("."), np.uint8)
    for group in range(groups + decimals):
        digit = _digit_at(values, headers, headers.weight - (groups - 1 - group))
        column = 1 + 4 * group + (group >= groups)
        text[:, column : column + 4] = _FOUR_CHARACTERS[digit]
    nonzero = text[:, 1:point] != ord("0")
    nonzero[:, -1] = True  # the 0 of 0.5
    first = 1 + np.argmax(nonzero, axis=1)
    rows = np.arange(len(values))
    negative = headers.sign == _NEGATIVE
    text[rows[negative], first[negative] - 1] = ord("-")
    first = first - negative
    last = np.where(headers.dscale > 0, point + 1 + headers.dscale, point)
    starts = rows * text.shape[1] + first
    return texts(pa.string(), Values(text.ravel(), starts, last - first), Faults())


def _digit_at(
    values: Values, headers: _Headers, place: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The base-10,000 digits at ``place``, counted from each value's first; 0 outside."""
    there = (place >= 0) & (place < headers.ndigits)
    digits = values.words(">i2", _HEADER + 2 * np.where(there, place, 0))
    return np.where(there, digits, 0).astype(np.int64)


def _written_alone(value: bytes) -> str:
    """One value of any size, or one that is no number."""
    if not value:
        return "0"  # NULL: of no consequence
    ndigits, weight, sign, dscale = np.frombuffer(value, ">i2", 4).tolist()
    name = _SPECIAL.get(sign & 0xFFFF)
    if name is not None:
        return name
    digits = "".join(f"{digit:04d}" for digit in np.frombuffer(value, ">i2", ndigits, _HEADER))
    digits = "0" * (-4 * (weight + 1)) + digits if weight < 0 else digits
    point = max(4 * (weight + 1), 0)
    whole = digits[:point].ljust(point, "0").lstrip("0") or "0"
    fraction = digits[point : point + dscale].ljust(dscale, "0")
    return ("-" if sign == _NEGATIVE else "") + whole + ("." + fraction if dscale else "")
