"""From pydantic's errors to sentences that say what was given, what is allowed, and an example."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ferris_beam.options.connections import did_you_mean
from ferris_beam.options.fields import Fields, OptionField
from ferris_beam.options.problems import Kind, Problem
from ferris_beam.redaction import redact, sounds_secret

__all__ = ["explain"]

_OUT_OF_RANGE = ("greater_than", "less_than", "too_short", "too_long", "string_too")
_LONGEST_VALUE = 60


def explain(
    error: ValidationError, fields: Fields, scheme: str, origins: Mapping[str, str]
) -> list[Problem]:
    """One problem for each option that the error names; origins say where values come from."""
    details: dict[str, ErrorDetails] = {}
    for detail in error.errors(include_url=False):
        details.setdefault(str(detail["loc"][0]), detail)
    return [
        _problem(name, detail, fields, scheme, origins.get(name, ""))
        for name, detail in details.items()
    ]


def _problem(name: str, detail: ErrorDetails, fields: Fields, scheme: str, origin: str) -> Problem:
    field = fields.by_name.get(name)
    if field is None:
        text = f"there is no option {name!r}{origin}{did_you_mean(name, fields.by_name)}"
        return Problem(text, "UnknownOption", name)
    if detail["type"] == "missing":
        return Problem(_missing(field, scheme), "MissingRequired", name)
    kind: Kind = "OutOfRange" if detail["type"].startswith(_OUT_OF_RANGE) else "InvalidValue"
    return Problem(_invalid(field, detail, origin), kind, name)


def _missing(field: OptionField, scheme: str) -> str:
    example = f"{field.name}={field.example or '…'}"
    return (
        f"{field.name} is missing ({_lower_first(field.description)}); "
        f"give {example} in the URI or the call, or set {field.variables(scheme)[0]}"
    )


def _invalid(field: OptionField, detail: ErrorDetails, origin: str) -> str:
    example = f", such as {field.example}" if field.example else ""
    must_be = f"must be {field.allowed}{example}"
    if field.is_secret or sounds_secret(field.name):
        return f"{field.name}{origin} {must_be}"
    return f"{field.name}{origin} is {_shown(detail)}{_reason(detail)}; it {must_be}{_near(detail)}"


def _shown(detail: ErrorDetails) -> str:
    shown = redact(repr(detail["input"]))
    return shown if len(shown) <= _LONGEST_VALUE else f"{shown[:_LONGEST_VALUE]}…"


def _reason(detail: ErrorDetails) -> str:
    """What a validator of the model's author says."""
    reason = detail.get("ctx", {}).get("error")
    return f" ({redact(str(reason))})" if reason is not None else ""


def _near(detail: ErrorDetails) -> str:
    """For a choice, the nearest that is allowed."""
    choices = re.findall(r"'([^']+)'", str(detail.get("ctx", {}).get("expected", "")))
    near = get_close_matches(str(detail["input"]), choices, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _lower_first(sentence: str) -> str:
    return (sentence[:1].lower() + sentence[1:]).rstrip(".")
