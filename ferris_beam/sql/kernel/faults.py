"""What DataFusion says when a query fails, in our errors and in words for users."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from ferris_beam.errors import BadRecordError, FatalError, FerrisError
from ferris_beam.sql.kernel.types import spoken_name

_PYTHON = re.compile(
    r"Execution error: PyErr \{ type: <class '(?P<type>[\w.]+)'>, value: \w+\((?P<value>.*?)\), "
    r"traceback: (?:Some|None)",
    re.DOTALL,
)
_ROW_FAULTS = frozenset(
    {
        "ferris_beam.sql.kernel.checked.RowFault",
        "ValueError",
        "OverflowError",
        "ZeroDivisionError",
        "pyarrow.lib.ArrowInvalid",
    }
)
_Reason = Callable[[re.Match[str]], str]

_KNOWN: tuple[tuple[re.Pattern[str], _Reason], ...] = (
    (re.compile(r"Divide by zero", re.I), lambda found: "division by zero"),
    (
        re.compile(r"Cannot cast (?:string|value) '(.*)' to value of (.+?) type", re.DOTALL),
        lambda found: f"{_short(found[1])!r} is not {_a(found[2])}",
    ),
    (
        re.compile(
            r"(?:Can't|Cannot) cast (?:value )?(\S+) to (?:type )?(.+?)\.?(?: Overflowing.*)?$"
        ),
        lambda found: f"{_short(found[1])} does not fit {spoken_name(found[2])}",
    ),
    (
        re.compile(r"Cannot cast to (\w+\(.*?\))\. Overflowing on (\S+)"),
        lambda found: f"{_short(found[2])} does not fit {spoken_name(found[1])}",
    ),
    (
        re.compile(r"Cannot cast Timestamp\(.*?\) value \S+ to Timestamp\(ns\)"),
        lambda found: "overflow: a timestamp in nanoseconds lies between 1677 and 2262",
    ),
    (
        re.compile(r"value of (\S+) is out of range (\w+)"),
        lambda found: f"{_short(found[1])} does not fit {spoken_name(found[2])}",
    ),
    (
        re.compile(r"(\S+) is too (?:large|small) to store in a (\w+) of precision (\d+)"),
        lambda found: f"{_short(found[1])} has more than the {found[3]} digits of its type",
    ),
    (
        re.compile(r"Error parsing timestamp from '(.*?)': ", re.DOTALL),
        lambda found: f"{_short(found[1])!r} is not a TIMESTAMP",
    ),
    (
        re.compile(r"Invalid value '(.*?)' (?:for|of) (\w+)", re.DOTALL),
        lambda found: f"{_short(found[1])!r} is not {_a(found[2])}",
    ),
    (re.compile(r"overflow", re.I), lambda found: "overflow: a result does not fit its type"),
)
_WRAPPER = re.compile(
    r"^(?:DataFusion error: |External error: |Context\(.*?\): |caused by\s+|type_coercion\s+"
    r"|Optimizer rule '\w+' failed\s+)+"
)
_KIND = re.compile(
    r"^(?:(?:Arrow|Execution|Compute|Cast|Parser|Invalid argument) error: "
    r"|Error during planning: )+"
)
_OF_ROWS = ("Arrow error: ", "Execution error: ")
_LONGEST = 60


def run_error(error: BaseException, node: str = "", option: str = "") -> FerrisError:
    """The error of ours for an exception that a query raised while it ran.

    ``node`` names the query in a message about memory, ``option`` what sets its limit.
    """
    if isinstance(error, FerrisError):
        return error
    said = str(error)
    if _WRAPPER.sub("", said).startswith("Resources exhausted"):
        return _exhausted(said, node, option)
    reason = row_fault(said)
    if reason is not None:
        return BadRecordError(reason, reason=_label(reason))
    return FatalError(f"the query can't be computed: {readable(said)}")


def row_fault(said: str) -> str | None:
    """The reason if this is the fault of a row, else None. What rows hold is quoted in messages:
    only how these begin says of which kind they are."""
    said = _WRAPPER.sub("", said)
    python = _PYTHON.match(said)
    if python is not None:
        return _unquoted(python["value"]) if python["type"] in _ROW_FAULTS else None
    if not said.startswith(_OF_ROWS):
        return None
    for pattern, reason in _KNOWN:
        found = pattern.search(said)
        if found is not None:
            return reason(found)
    return readable(said)


def readable(said: str) -> str:
    """DataFusion's words without what they are wrapped in, on one line."""
    said = _WRAPPER.sub("", said.strip())
    python = _PYTHON.match(said)
    if python is not None:
        return _unquoted(python["value"])
    return " ".join(_KIND.sub("", said).split())


def _exhausted(said: str, node: str, option: str) -> FatalError:
    of = f" of {node}" if node else ""
    todo = f"; raise {option}" if option else ""
    return FatalError(
        f"the memory limit{of} is reached, and what it holds can't be spilled to disk{todo}\n"
        f"{readable(said)}"
    )


def _unquoted(value: str) -> str:
    """The message in the arguments of an exception, as Python shows them: `'division by zero'`."""
    try:
        return str(ast.literal_eval(f"({value},)")[0])
    except (SyntaxError, ValueError, IndexError):
        return value


def _label(reason: str) -> str:
    """What rows with the same kind of fault have in common: without their values."""
    for name in ("division by zero", "overflow", "does not fit", "is not", "digits"):
        if name in reason:
            return {"is not": "a value is not of the type", "digits": "overflow"}.get(name, name)
    return reason if len(reason) <= _LONGEST else reason[:_LONGEST]


def _a(name: str) -> str:
    spoken = spoken_name(name).split("(", 1)[0]
    return f"{'an' if spoken[0] in 'AEIO' else 'a'} {spoken}"


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"
