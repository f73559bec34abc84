"""Why a line of JSON was rejected, in words; only ever called for such a line, or a suspect."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from ferris_beam.batches.casting import spoken
from ferris_beam.formats.jsonl.keys import unknown_keys
from ferris_beam.formats.text import Flaw

_SHOWN = 60
_KINDS = {list: "an array", str: "a string", int: "a number", float: "a number", bool: "a boolean"}


class _TooLarge(str):
    """A number beyond the range of a double, as it is written."""

    __slots__ = ()


class _NoStandardError(ValueError):
    """NaN and the like, which Python's parser lets pass."""


def flaw_of(
    line: bytes, schema: pa.Schema, fits: Callable[[pa.Field], bool], exact: bool = False
) -> Flaw:
    """The flaw of ``line``; ``fits`` tells whether it can be read as a single column, ``exact``
    whether there must be no other keys."""
    try:
        value = _parsed(line)
        line_of_text = json.dumps(value, ensure_ascii=False)
        line_of_text.encode()
    except UnicodeDecodeError as error:
        return Flaw(f"not UTF-8: byte {error.start + 1} is 0x{line[error.start]:02x}")
    except UnicodeEncodeError:
        return Flaw("not text: an escape such as \\ud800 is half of a character (RFC 8259, 8.2)")
    except _NoStandardError as error:
        return Flaw(f"not JSON: {error} (RFC 8259); write null, or put it in quotes")
    except json.JSONDecodeError as error:
        return Flaw(f"not JSON: {error.msg} at character {error.pos + 1}")
    except RecursionError:
        return Flaw("not JSON that can be read: nested too deeply")
    if not isinstance(value, dict):
        return Flaw(f"{_KINDS.get(type(value), 'null')} where an object was expected", "schema")
    return _flaw_of_columns(value, schema, fits, exact)


def is_fit(line: bytes, schema: pa.Schema, exact: bool) -> bool:
    """Whether a line that was read has no other keys (if ``exact``) and no number beyond the
    range of a double in a column."""
    try:
        value = _parsed(line)
    except (ValueError, RecursionError):
        return False
    if exact and any(unknown_keys(value, pa.struct(list(schema)))):
        return False
    return not any(_is_too_large(value.get(name)) for name in schema.names)


def _flaw_of_columns(
    value: dict[str, Any], schema: pa.Schema, fits: Callable[[pa.Field], bool], exact: bool
) -> Flaw:
    wrong = [field for field in schema if field.name in value and not fits(field)]
    reasons = [f"{f.name}: {_shown(value[f.name])} is not {spoken(f.type)}" for f in wrong]
    extra = list(unknown_keys(value, pa.struct(list(schema)))) if exact else []
    if extra:
        names = ", ".join(map(repr, dict.fromkeys(extra)))
        reasons.append(
            f"{names} {'is no column' if len(extra) == 1 else 'are no columns'}: raise "
            "sample_size, name it in types=, or set extra_keys=ignore"
        )
    if not reasons:
        return Flaw("not JSON: a number or an escape in it is none of the standard's (RFC 8259)")
    return Flaw(_cut("; ".join(reasons), 1000), "schema")


def _parsed(line: bytes) -> Any:
    return json.loads(
        line.decode(), parse_float=_number, parse_int=_integer, parse_constant=_refuse
    )


def _number(text: str) -> float | _TooLarge:
    value = float(text)
    return value if math.isfinite(value) else _TooLarge(text)


def _integer(text: str) -> int | _TooLarge:
    """Python itself refuses integers of more than 4,300 digits."""
    return int(text) if len(text) < sys.float_info.max_10_exp else _TooLarge(text)


def _refuse(text: str) -> None:
    raise _NoStandardError(f"{text} is no number")


def _is_too_large(value: Any) -> bool:
    return any(isinstance(leaf, _TooLarge) for leaf in _leaves(value))


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _leaves(inner)
    else:
        yield value


def _shown(value: Any) -> str:
    return _cut(value if isinstance(value, _TooLarge) else json.dumps(value, ensure_ascii=False))


def _cut(text: str, length: int = _SHOWN) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
