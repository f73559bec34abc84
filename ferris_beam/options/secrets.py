"""Secrets as references: what travels with a pipeline is where a secret is, never the secret.

=======================  =====================================================================
`env:NAME`               the variable NAME in the worker's environment (also written `${NAME}`)
`file:PATH`              the content of a file, such as a mounted Kubernetes secret
`connection:NAME#FIELD`  a field of a named connection in the worker's ferris.toml
`vault:TOKEN`            a literal, kept in the memory of this process only
=======================  =====================================================================

A literal works as long as the pipeline runs in the process that was given it. `is_local` tells, so
that a submission to other machines can be refused with the names of the variables to export.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import core_schema

from ferris_beam.errors import FatalError
from ferris_beam.options.connections import connection_field
from ferris_beam.uri import Uri
from ferris_beam.variables import expand_variables

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler

__all__ = ["Secret"]

_REFERENCE: Final = re.compile(
    r"env:[A-Za-z_]\w*(?:#password)?|file:.+|connection:[^#]+#\w+|vault:[0-9a-f]{32}"
)
_VARIABLE: Final = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}")

# Literals by token and tokens by literal, so that equal literals are equal secrets.
_vault: dict[str, str] = {}
_tokens: dict[str, str] = {}


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """Where a secret is. Pickle, JSON, `str` and `repr` never hold a value."""

    reference: str

    @classmethod
    def of(cls, value: str | Secret) -> Secret:
        """The secret of a reference, or of a literal, which is put into this process's vault."""
        if isinstance(value, Secret):
            return value
        if not isinstance(value, str):
            raise ValueError("a secret is text")
        if variable := _VARIABLE.fullmatch(value):
            return cls(f"env:{variable[1]}")
        return cls(value if _REFERENCE.fullmatch(value) else _put_into_vault(value))

    @property
    def is_local(self) -> bool:
        """Whether it can be resolved in this process only."""
        return self.reference.startswith("vault:")

    def resolve(self) -> str:
        """The value; called by the worker when it connects. FatalError says where it is missing."""
        kind, _, place = self.reference.partition(":")
        if kind == "env":
            return _of_environment(place)
        if kind == "file":
            return _of_file(Path(place))
        if kind == "connection":
            return _of_connection(*place.split("#"))
        return _of_vault(self.reference)

    def expanded(self, environment: Mapping[str, str]) -> Secret:
        """With the variables of a literal replaced: `${PASSWORD:-postgres}`."""
        if not self.is_local or "${" not in _vault.get(self.reference, ""):
            return self
        return Secret.of(expand_variables(_vault[self.reference], environment))

    def __str__(self) -> str:
        return "***" if self.is_local else self.reference

    def __repr__(self) -> str:
        # The same for all literals: tokens differ from run to run.
        return f"Secret({str(self)!r})"

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.of, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )


def _put_into_vault(literal: str) -> str:
    reference = _tokens.setdefault(literal, f"vault:{token_hex(16)}")
    _vault[reference] = literal
    return reference


def _of_vault(reference: str) -> str:
    if reference in _vault:
        return _vault[reference]
    raise FatalError(
        "a secret was given literally and is known only to the process that built the pipeline; "
        "export it as a variable where the workers run, and give env:NAME instead"
    )


def _of_environment(place: str) -> str:
    name, _, part = place.partition("#")
    value = os.environ.get(name)
    if value is None:
        raise FatalError(
            f"the secret env:{place} can't be read: the variable {name} is not set in this "
            "worker; export it where the workers run"
        )
    if not part:
        return value
    password = Uri.parse(value).password
    if password is None:
        raise FatalError(f"the URI in the variable {name} holds no password; add one")
    return password


def _of_connection(name: str, field: str) -> str:
    value = connection_field(name, field, os.environ)
    if value.startswith(("env:", "file:")) and _REFERENCE.fullmatch(value):
        return Secret(value).resolve()
    return value


def _of_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise FatalError(
            f"the secret file:{path} can't be read in this worker: {reason}; "
            "make the file readable where the workers run"
        ) from None
