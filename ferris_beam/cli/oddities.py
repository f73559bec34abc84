"""Warnings: what is legal in a URI and its surroundings, and yet is seldom what was meant.

One function for each, with its stable code; `WARNINGS` lists them all. None touches the network
or the disk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ferris_beam.cli.findings import Finding
from ferris_beam.errors import ConfigurationError
from ferris_beam.formats.options import ReadOptions, WriteOptions
from ferris_beam.formats.registry import detect
from ferris_beam.options import Options
from ferris_beam.options.connections import did_you_mean
from ferris_beam.options.fields import Fields, OptionField, fields_of
from ferris_beam.redaction import sounds_secret
from ferris_beam.uri import Uri

_GLOB = re.compile(r"[*?\[{]")
_TEMPLATE = re.compile(r"\$\{[^}]*\}")


@dataclass(frozen=True)
class Subject:
    """What is judged: a URI as it was written, its options' model, and the environment.

    ``options`` are the resolved ones; None where they are wrong. ``others`` are the names of the
    options of the connector's other direction.
    """

    uri: Uri
    direction: str
    model: type[Options]
    options: Options | None
    environment: Mapping[str, str]
    others: frozenset[str] = frozenset()

    @property
    def fields(self) -> Fields:
        return fields_of(self.model)

    @property
    def holds_files(self) -> bool:
        """Whether the path names files or objects in one of the formats."""
        return issubclass(self.model, (ReadOptions, WriteOptions))

    @property
    def path(self) -> str:
        """Without the templates of the connector, whose braces are no globs."""
        return _TEMPLATE.sub("", self.uri.path)

    @property
    def last(self) -> str:
        return self.path.rpartition("/")[2]

    def given(self, name: str) -> Any:
        return None if self.options is None else getattr(self.options, name, None)


Warn = Callable[[Subject], Iterator[tuple[str, str | None]]]


def warnings_of(subject: Subject) -> list[Finding]:
    return [
        Finding("warning", code, text, option)
        for code, find in WARNINGS.items()
        for text, option in find(subject)
    ]


# ── the path ────────────────────────────────────────────────────────────────────────────────────


def _relative_path(subject: Subject) -> Iterator[tuple[str, str | None]]:
    uri = subject.uri
    written = uri.path and not uri.has_authority and not uri.path.startswith(("/", "${"))
    if subject.holds_files and written:
        yield (
            "the path is relative: it depends on the folder where the command is started; "
            f"{uri.scheme}:///… is the same everywhere",
            None,
        )


def _unknown_extension(subject: Subject) -> Iterator[tuple[str, str | None]]:
    named = subject.last and (not _GLOB.search(subject.last) or "." in subject.last)
    if not subject.holds_files or not named or subject.given("format"):
        return
    if _format_of(subject.last) is None:
        yield (
            f"the name {subject.last!r} does not tell the format; say format=, such as format=csv",
            "format",
        )


def _format_differs(subject: Subject) -> Iterator[tuple[str, str | None]]:
    told = _format_of(subject.last) if subject.holds_files else None
    wanted = subject.given("format")
    if told and wanted and told != wanted:
        yield (
            f"the name {subject.last!r} says {told}, and format={wanted} overrules it; leave "
            "format out, or rename the file",
            "format",
        )


def _glob_in_sink(subject: Subject) -> Iterator[tuple[str, str | None]]:
    found = _GLOB.search(subject.path)
    if subject.direction == "sink" and subject.holds_files and found:
        yield (
            f"the path of a sink is taken as it is: {found[0]!r} becomes part of a name; write a "
            "name without *, ?, [ and {",
            None,
        )


def _no_trailing_slash(subject: Subject) -> Iterator[tuple[str, str | None]]:
    if subject.direction != "sink" or not subject.holds_files or not subject.last:
        return
    if "." not in subject.last and subject.given("format"):
        yield (
            f"one file called {subject.last!r} is written; for a folder of files end the path "
            "with '/'",
            None,
        )


def _hidden_name(subject: Subject) -> Iterator[tuple[str, str | None]]:
    if subject.direction != "sink" or not subject.holds_files:
        return
    for name in subject.path.split("/"):
        if name.startswith(("_", ".")) and name.strip("."):
            yield (
                f"{name!r} starts with {name[0]!r}: folders and globs that are read leave such "
                "names out; choose another one",
                None,
            )


def _fragment(subject: Subject) -> Iterator[tuple[str, str | None]]:
    if subject.holds_files and subject.uri.fragment is not None:
        yield (
            "what stands behind '#' is no part of the path and is not used; in a name '#' is "
            "written %23",
            None,
        )


def _format_of(name: str) -> str | None:
    try:
        return detect(name).format
    except ConfigurationError:
        return None


# ── the options ─────────────────────────────────────────────────────────────────────────────────


def _default_option(subject: Subject) -> Iterator[tuple[str, str | None]]:
    if subject.options is None:
        return
    for name in dict.fromkeys(name for name, _ in subject.uri.options):
        field = subject.fields.by_name.get(name)
        if field is not None and _is_default(subject.options, field):
            yield f"{name}={field.default or ''} is the default; it can be left out", name


def _is_default(options: Options, field: OptionField) -> bool:
    if field.is_required or field.is_secret:
        return False
    model = type(options)
    name = next(name for name, info in model.model_fields.items() if info is field.info)
    required = {name for name, info in model.model_fields.items() if info.is_required()}
    # With validated defaults, such as a duration of '60s'.
    defaults = model(**{name: getattr(options, name) for name in required})
    return bool(getattr(options, name) == getattr(defaults, name))


def _literal_secret(subject: Subject) -> Iterator[tuple[str, str | None]]:
    from ferris_beam.options import Secret

    if subject.uri.password is not None and Secret.of(subject.uri.password).is_local:
        yield (
            "the password stands in the URI, which shells, logs and process lists keep; write "
            "${NAME} and export NAME, or give it as an option such as password=env:NAME",
            "password",
        )
    for name, value in subject.uri.options:
        secret = name in subject.fields.secrets or sounds_secret(name)
        if secret and name in subject.fields.by_name and Secret.of(value).is_local:
            yield (
                f"{name} stands in the URI, which shells, logs and process lists keep; give a "
                f"reference: {name}=env:NAME, or file:PATH",
                name,
            )


def _overwrites(subject: Subject) -> Iterator[tuple[str, str | None]]:
    if subject.direction == "sink" and subject.given("if_exists") == "overwrite":
        yield (
            "all data that is there is removed once the new rows are complete",
            "if_exists",
        )


# ── the environment ─────────────────────────────────────────────────────────────────────────────


def _environment_option(subject: Subject) -> Iterator[tuple[str, str | None]]:
    for name, field in subject.fields.by_name.items():
        if name in subject.uri.option_names:
            continue
        for variable in field.variables(subject.uri.scheme):
            if subject.environment.get(variable):
                yield (
                    f"{name} comes from the variable {variable}, not from the URI; write it there, "
                    "or unset the variable, if that is not meant",
                    name,
                )
                break


def _unknown_variable(subject: Subject) -> Iterator[tuple[str, str | None]]:
    prefix = re.sub(r"[^A-Z0-9]", "_", f"ferris_{subject.uri.scheme}_".upper())
    names = {*subject.fields.by_name, *subject.others}
    known = {f"{prefix}{re.sub(r'[^A-Z0-9]', '_', name.upper())}": name for name in names}
    for variable in sorted(subject.environment):
        if variable.startswith(prefix) and variable not in known:
            yield (
                f"the variable {variable} belongs to no option{did_you_mean(variable, known)}",
                variable,
            )


WARNINGS: Mapping[str, Warn] = {
    "relative-path": _relative_path,
    "unknown-extension": _unknown_extension,
    "format-differs": _format_differs,
    "glob-in-sink": _glob_in_sink,
    "no-trailing-slash": _no_trailing_slash,
    "hidden-name": _hidden_name,
    "fragment": _fragment,
    "default-option": _default_option,
    "literal-secret": _literal_secret,
    "overwrites": _overwrites,
    "environment-option": _environment_option,
    "unknown-variable": _unknown_variable,
}
