"""The first stage: what was written in a URI and a call, judged without disk or environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from ferris_beam.errors import UriError
from ferris_beam.options.explain import explain
from ferris_beam.options.fields import Fields, fields_of
from ferris_beam.options.options import Options
from ferris_beam.options.problems import Problem, Problems
from ferris_beam.options.secrets import Secret
from ferris_beam.uri import Uri

__all__ = ["check", "judge", "of_query", "take_secrets"]


def check(
    model: type[Options], uri: Uri, arguments: Mapping[str, Any]
) -> tuple[Uri, dict[str, Any]]:
    """Judges what was written, and moves the secrets of the URI to the arguments, as references.

    Gives the URI without secrets, and the arguments that are not None. Options may be missing, and
    values that hold a variable are judged by `resolve`. Raises ConfigurationErrors with all
    problems.
    """
    fields = fields_of(model)
    problems = Problems()
    scrubbed, kept = take_secrets(fields, uri, arguments, problems)
    written = of_query(fields, scrubbed.options, problems)
    for name, value in scrubbed.options:
        if "${" in value:
            written.pop(name, None)
    written.update(kept)
    judge(fields, fields.partial, uri.scheme, written, {}, problems)
    problems.raise_if_any(uri)
    return scrubbed, kept


def take_secrets(
    fields: Fields, uri: Uri, arguments: Mapping[str, Any], problems: Problems
) -> tuple[Uri, dict[str, Any]]:
    """The URI without secrets and the arguments with them; arguments win."""
    kept = {name: value for name, value in arguments.items() if value is not None}
    if uri.user is not None and fields.user is None:
        problems.append(_not_taken("user", uri))
    if uri.password is not None and fields.password is None:
        problems.append(_not_taken("password", uri))
    if uri.password is None and not fields.secrets:
        return uri, kept
    for name in fields.secrets & uri.option_names:
        kept.setdefault(name, uri.option(name))
    if uri.password is not None and fields.password is not None:
        kept.setdefault(fields.password, uri.password)
    for name in fields.secrets & kept.keys():
        if isinstance(kept[name], str):
            kept[name] = Secret.of(kept[name])
    return uri.scrubbed(fields.secrets), kept


def of_query(
    fields: Fields, pairs: Iterable[tuple[str, str]], problems: Problems
) -> dict[str, Any]:
    """The options of a URI by name. Only lists may repeat, and then commas don't separate."""
    options: dict[str, Any] = {}
    for name, value in pairs:
        if name not in options:
            options[name] = value
        elif name in fields.lists:
            before = options[name]
            options[name] = [*([before] if isinstance(before, str) else before), value]
        else:
            problems.append(Problem(f"{name} is given twice; keep one", "InvalidValue", name))
    return options


def judge(
    fields: Fields,
    model: type[Options],
    scheme: str,
    values: dict[str, Any],
    origins: Mapping[str, str],
    problems: Problems,
) -> Options | None:
    """The values as options; problems are added, and then the result is None."""
    count = len(problems)
    for name in fields.lists & values.keys():
        if isinstance(values[name], str):
            values[name] = (
                [item.strip() for item in values[name].split(",")] if values[name] else []
            )
    for name, value in values.items():
        if isinstance(value, str) and "://" in value and _holds_password(value):
            problems.append(_clear_text(name))
    options = None
    try:
        options = model.model_validate(values)
    except ValidationError as error:
        problems.extend(explain(error, fields, scheme, origins))
    for rule in fields.model.rules:
        effective = {**fields.defaults, **values} if model is fields.model else None
        if problem := rule.problem(values, effective):
            problems.append(problem)
    return options if len(problems) == count else None


def _holds_password(value: str) -> bool:
    try:
        return "@" in value and Uri.parse(value).password is not None
    except UriError:
        return False


def _clear_text(name: str) -> Problem:
    text = f"{name} holds a password in clear text; leave it out and give it as a secret option"
    return Problem(text, "InvalidValue", name)


def _not_taken(part: str, uri: Uri) -> Problem:
    text = f"{uri.scheme} takes no {part} in the URI; leave out what stands before the '@'"
    return Problem(text, "InvalidValue", part)
