"""Why a line of JSON was rejected, in words; only ever called for such a line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from ferris_beam.batches.casting import spoken
from ferris_beam.formats.text import Flaw

_SHOWN = 60
_KINDS = {list: "an array", str: "a string", int: "a number", float: "a number", bool: "a boolean"}


def flaw_of(line: bytes, schema: pa.Schema, fits: Callable[[pa.Field], bool]) -> Flaw:
    """The flaw of ``line``; ``fits`` tells whether it can be read as a single column."""
    try:
        value = json.loads(line)
    except UnicodeDecodeError as error:
        return Flaw(f"not UTF-8: byte {error.start + 1} is 0x{line[error.start]:02x}")
    except json.JSONDecodeError as error:
        return Flaw(f"not JSON: {error.msg} at character {error.pos + 1}")
    except RecursionError:
        return Flaw("not JSON that can be read: nested too deeply")
    if not isinstance(value, dict):
        return Flaw(f"{_KINDS.get(type(value), 'null')} where an object was expected", "schema")
    wrong = [field for field in schema if field.name in value and not fits(field)]
    if not wrong:
        return Flaw("not JSON: a number or an escape in it is none of the standard's (RFC 8259)")
    reasons = (f"{f.name}: {_shown(value[f.name])} is not {spoken(f.type)}" for f in wrong)
    return Flaw("; ".join(reasons), "schema")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
