"""Fingerprints of functions: whether a restarted pipeline still computes the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from types import CodeType
from typing import Any


def fingerprint(parts: Iterable[str]) -> str:
    """A short digest of texts in order."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(part.encode())
        digest.update(b"\0")
    return digest.hexdigest()


def function_fingerprint(function: Callable[..., Any]) -> str:
    """A digest of what a function does: its byte code, constants, names and captured values.

    Independent of where it stands in a file. Other callables count by their qualified name.
    """
    code = getattr(function, "__code__", None)
    if code is None:
        return getattr(function, "__qualname__", type(function).__qualname__)
    captured = [_captured(cell.cell_contents) for cell in function.__closure__ or ()]
    defaults = [_captured(value) for value in function.__defaults__ or ()]
    return fingerprint([*_code_parts(code), *captured, *defaults])


def _code_parts(code: CodeType) -> list[str]:
    parts = [code.co_code.hex(), " ".join(code.co_names)]
    for constant in code.co_consts:
        parts += _code_parts(constant) if isinstance(constant, CodeType) else [repr(constant)]
    return parts


def _captured(value: Any) -> str:
    """Plain values by value; others by type, since their repr may hold an address."""
    plain = (str, bytes, int, float, bool, type(None))
    if isinstance(value, plain):
        return repr(value)
    if isinstance(value, (tuple, list)) and all(isinstance(item, plain) for item in value):
        return repr(value)
    return type(value).__qualname__
