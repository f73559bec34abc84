"""The second stage: everything that gives options, in layers, becomes one validated model.

From the strongest: arguments of the call, the URI, the named connection of the active profile, the
environment (`FERRIS_<SCHEME>_<OPTION>`, then customary variables), defaults.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from ferris_beam.errors import ConfigurationError
from ferris_beam.options.check import judge, of_query, take_secrets
from ferris_beam.options.connections import connection
from ferris_beam.options.fields import fields_of
from ferris_beam.options.options import Options
from ferris_beam.options.problems import Problems
from ferris_beam.options.secrets import Secret
from ferris_beam.uri import Uri
from ferris_beam.variables import expand_variables

__all__ = ["Resolved", "resolve", "resolve_endpoint"]


class Resolved(NamedTuple):
    """What a reader or writer is made of.

    The URI is without secrets and variables; it has its hosts and path also where a connection or
    the environment gave them.
    """

    uri: Uri
    options: Options


def resolve(
    model: type[Options],
    uri: Uri,
    arguments: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Options:
    """The options of an endpoint; as `resolve_endpoint`."""
    return resolve_endpoint(model, uri, arguments, environment).options


def resolve_endpoint(
    model: type[Options],
    uri: Uri,
    arguments: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Resolved:
    """The options of an endpoint and its complete URI.

    Takes what `check` gives, or a URI as it was written. Reads the environment (of the process, if
    none is given) and the file of connections. Raises ConfigurationErrors with all problems.
    """
    layers = _Layers(model, uri, os.environ if environment is None else environment)
    layers.add_written(arguments or {})
    with layers.problems.gathered():
        layers.add_connection()
    layers.add_variables()
    with layers.problems.gathered():
        layers.add_customary_uri()
    options = layers.judged()
    layers.problems.raise_if_any(uri)
    assert options is not None, "without problems there are options"
    return Resolved(layers.uri, options)


class _Layers:
    """Options by name, with where they come from; what is there isn't overridden."""

    def __init__(self, model: type[Options], uri: Uri, environment: Mapping[str, str]) -> None:
        self.model = model
        self.fields = fields_of(model)
        self.environment = environment
        self.uri = uri
        self.problems = Problems()
        self.values: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        self.unknown: set[str] = set()

    def add_written(self, arguments: Mapping[str, Any]) -> None:
        """The arguments of the call, then the URI."""
        self.uri, kept = take_secrets(self.fields, self.uri, arguments, self.problems)
        for name, value in kept.items():
            with self.problems.gathered():
                expanded = value.expanded(self.environment) if _is_secret(value) else value
                self._add({name: expanded}, "")
        count = len(self.problems)
        with self.problems.gathered():
            self.uri = self.uri.expanded(self.environment)
        if len(self.problems) > count:
            # Options whose variables aren't set are neither wrong nor missing.
            self.unknown = {name for name, value in self.uri.options if "${" in value}
        self._add_uri(self.uri.without(*self.unknown), "")

    def add_connection(self) -> None:
        """The fields of the named connection, then what its `uri` says."""
        variable = self.fields.by_name["connection"].variables(self.uri.scheme)[0]
        name = self.values.get("connection") or self.environment.get(variable)
        if not name:
            return
        origin = f" (from the connection {name!r})"
        table = connection(name, self.environment)
        text = table.pop("uri", None)
        for field, value in table.items():
            with self.problems.gathered():
                self._add({field: self._of_connection(name, field, value)}, origin)
        if text is not None:
            uri = Uri.parse(str(text))
            if uri.scheme not in (self.uri.scheme, *self.model.uri_schemes):
                raise ConfigurationError(
                    f"the connection {name!r} is for {uri.scheme}, not for {self.uri.scheme}"
                )
            self._add_other_uri(uri, f"connection:{name}#password", origin)

    def add_variables(self) -> None:
        """The environment. Secrets become references: the worker reads its own environment."""
        for name, field in self.fields.by_name.items():
            for variable in field.variables(self.uri.scheme):
                if value := self.environment.get(variable):
                    given = Secret(f"env:{variable}") if field.is_secret else value
                    self._add({name: given}, f" (from the variable {variable})")
                    break

    def add_customary_uri(self) -> None:
        """The hosts and the rest of DATABASE_URL, KAFKA_BROKERS and their like, without hosts."""
        for variable in self.model.host_variables:
            hosts = self.environment.get(variable)
            if hosts and not self.uri.hosts:
                self.uri = _completed(self.uri, Uri.parse(f"{self.uri.scheme}://{hosts}"))
        for variable in self.model.uri_variables:
            text = self.environment.get(variable)
            if text and not self.uri.hosts:
                uri = Uri.parse(text)
                if uri.scheme in (self.uri.scheme, *self.model.uri_schemes):
                    origin = f" (from the variable {variable})"
                    self._add_other_uri(uri, f"env:{variable}#password", origin)

    def judged(self) -> Options | None:
        found = Problems()
        scheme = self.uri.scheme
        options = judge(self.fields, self.model, scheme, self.values, self.origins, found)
        self.problems += [p for p in found if getattr(p, "option", None) not in self.unknown]
        return options

    def _add_other_uri(self, uri: Uri, password: str, origin: str) -> None:
        """A URI that completes ours; its password stays where it is."""
        if uri.password is not None and self.fields.password is not None:
            self._add({self.fields.password: Secret(password)}, origin)
        uri = replace(uri, password=None).expanded(self.environment)
        self._add_uri(uri, origin)
        self.uri = _completed(self.uri, uri)

    def _add_uri(self, uri: Uri, origin: str) -> None:
        if uri.user is not None and self.fields.user is not None:
            self._add({self.fields.user: uri.user}, origin)
        self._add(of_query(self.fields, uri.options, self.problems), origin)

    def _of_connection(self, name: str, field: str, value: Any) -> Any:
        if field in self.fields.secrets:
            secret = Secret.of(str(value))
            return Secret(f"connection:{name}#{field}") if secret.is_local else secret
        if isinstance(value, list):
            return [self._of_connection(name, field, item) for item in value]
        return expand_variables(value, self.environment) if isinstance(value, str) else value

    def _add(self, values: Mapping[str, Any], origin: str) -> None:
        for name, value in values.items():
            if name not in self.values:
                self.values[name] = value
                self.origins[name] = origin


def _is_secret(value: Any) -> bool:
    return isinstance(value, Secret)


def _completed(uri: Uri, other: Uri) -> Uri:
    """With the hosts, user and path of another URI where ours has none."""
    if not uri.hosts:
        uri = replace(uri, hosts=other.hosts, user=uri.user or other.user)
    return uri if uri.path.strip("/") else replace(uri, path=other.path)
