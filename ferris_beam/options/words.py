"""Types of options in words, for messages and docs: `a whole number of at least 1`."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from ferris_beam.options.secrets import Secret
from ferris_beam.options.types import InWords

__all__ = ["alternatives", "in_words", "is_list", "show"]

_LISTS: Final = (list, tuple, set, frozenset, Sequence)
_WORDS: Final[Mapping[object, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
    date: "a date such as 2024-05-31",
    datetime: "a time such as 2024-05-31T12:00:00Z",
    Secret: "a secret, as env:NAME, file:PATH or connection:NAME#FIELD",
}
_LIMITS: Final = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
_LENGTHS: Final = {"min_length": "at least", "max_length": "at most"}


def in_words(annotation: Any) -> str:
    """What values of this type are allowed."""
    bare, metadata = _separated(annotation)
    declared = _declared(metadata)
    return (declared.allowed if declared else _type_in_words(bare)) + _limits_in_words(metadata)


def alternatives(annotation: Any) -> tuple[Any, ...]:
    """The members of a union but for None; of any other type, the type itself."""
    bare, _ = _separated(annotation)
    if get_origin(bare) in (Union, types.UnionType):
        return tuple(member for member in get_args(bare) if member is not type(None))
    return (annotation,)


def is_list(annotation: Any) -> bool:
    bare, _ = _separated(annotation)
    return bare in _LISTS or get_origin(bare) in _LISTS


def show(annotation: Any, value: Any) -> str:
    """A value as it is written in a URI."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return str(value.value)
    for member in alternatives(annotation):
        declared = _declared(_separated(member)[1])
        if declared and not isinstance(value, str):
            return declared.show(value)
    return str(value)


def _type_in_words(bare: Any) -> str:
    members = alternatives(bare)
    if members != (bare,):
        return " or ".join(in_words(member) for member in members)
    if get_origin(bare) is Literal:
        return _choice(get_args(bare))
    if isinstance(bare, type) and issubclass(bare, Enum):
        return _choice(member.value for member in bare)
    if is_list(bare):
        items = [argument for argument in get_args(bare) if argument is not ...]
        return f"{in_words(items[0]) if items else 'text'}, or several separated by commas"
    return _WORDS.get(bare) or str(getattr(bare, "__name__", bare))


def _choice(values: Iterable[object]) -> str:
    shown = [str(value) for value in values]
    return shown[0] if len(shown) == 1 else f"one of {', '.join(shown)}"


def _limits_in_words(metadata: Sequence[Any]) -> str:
    limits = _collected(_LIMITS, metadata)
    lengths = _collected(_LENGTHS, metadata)
    patterns = [item.pattern for item in metadata if getattr(item, "pattern", None)]
    words = f" of {' and '.join(limits)}" if limits else ""
    words += f" of {' and '.join(lengths)} characters or items" if lengths else ""
    return words + "".join(f" that matches {pattern}" for pattern in patterns)


def _collected(names: Mapping[str, str], metadata: Sequence[Any]) -> list[str]:
    return [
        f"{word} {getattr(item, name)}"
        for item in metadata
        for name, word in names.items()
        if getattr(item, name, None) is not None
    ]


def _declared(metadata: Sequence[Any]) -> InWords | None:
    return next((item for item in metadata if isinstance(item, InWords)), None)


def _separated(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type and its metadata."""
    if get_origin(annotation) is Annotated:
        bare, *metadata = get_args(annotation)
        return bare, tuple(metadata)
    return annotation, ()
