"""Named connections and profiles, in `ferris.toml` or `ferris.yaml`.

::

    [connections.shop]                          # in every profile
    uri = "postgresql://app@localhost/shop"

    [profiles.production]
    extends = "base"                            # another profile, whose connections are kept

    [profiles.production.connections.shop]      # added to, key by key
    uri = "postgresql://app@db1,db2/shop"
    password = "env:SHOP_PASSWORD"
    sslmode = "verify-full"

A URI uses one by `?connection=shop`. The file is the one `FERRIS_CONFIG` names, or `ferris.toml`,
`ferris.yaml` or `ferris.yml` in the working folder; `FERRIS_PROFILE` chooses the profile.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ferris_beam.errors import ConfigurationError, FatalError, MissingDependencyError
from ferris_beam.uri import Uri
from ferris_beam.variables import expand_variables

__all__ = ["connection", "connection_field", "connections", "did_you_mean"]

_FILES = ("ferris.toml", "ferris.yaml", "ferris.yml")


def connection(name: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a connection in the active profile; ConfigurationError if there is none."""
    known = connections(environment)
    if name in known:
        return known[name]
    path = _config_file(environment)
    where = path or f"the working folder has none of {', '.join(_FILES)}"
    profile = environment.get("FERRIS_PROFILE")
    raise ConfigurationError(
        f"no connection {name!r} ({where}{f', profile {profile!r}' if profile else ''})"
        + did_you_mean(name, known)
    )


def connection_field(name: str, field: str, environment: Mapping[str, str]) -> str:
    """One field as text, with its variables replaced; `password` may also be that of its `uri`."""
    fields = connection(name, environment)
    if field in fields:
        return expand_variables(str(fields[field]), environment)
    if field == "password" and "uri" in fields:
        password = Uri.parse(str(fields["uri"])).password
        if password is not None:
            return expand_variables(password, environment)
    raise FatalError(
        f"the connection {name!r} has no {field!r} in this worker; add it to "
        f"{_config_file(environment)}{did_you_mean(field, fields)}"
    )


def connections(environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """All connections of the active profile by name."""
    path = _config_file(environment)
    if path is None:
        return {}
    document = _read(path)
    found: dict[str, dict[str, Any]] = {}
    layers = [document, *_profiles(document, environment.get("FERRIS_PROFILE"), path)]
    for layer in layers:
        for name, fields in _table(layer, "connections", path).items():
            found[name] = {**found.get(name, {}), **_table({name: fields}, name, path)}
    return found


def did_you_mean(name: str, known: Mapping[str, object]) -> str:
    """`; did you mean 'table'?`, or what there is instead."""
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are: {', '.join(sorted(known))}" if known else ""


def _profiles(document: Mapping[str, Any], name: str | None, path: Path) -> list[dict[str, Any]]:
    """The profile and those it extends, the most general first."""
    profiles = _table(document, "profiles", path)
    chain: dict[str, dict[str, Any]] = {}
    while name:
        if name not in profiles:
            raise ConfigurationError(
                f"no profile {name!r} in {path}" + did_you_mean(name, profiles)
            )
        if name in chain:
            raise ConfigurationError(
                f"the profile {name!r} in {path} extends itself; break the ring"
            )
        chain[name] = _table(profiles, name, path)
        name = chain[name].get("extends")
    return list(reversed(chain.values()))


def _config_file(environment: Mapping[str, str]) -> Path | None:
    named = environment.get("FERRIS_CONFIG")
    if named:
        if not Path(named).is_file():
            raise ConfigurationError(f"FERRIS_CONFIG names {named}, which is not a file")
        return Path(named)
    present = [Path(name) for name in _FILES if Path(name).is_file()]
    if len(present) > 1:
        names = " and ".join(map(str, present))
        raise ConfigurationError(f"there are {names}; keep one, or set FERRIS_CONFIG to its path")
    return present[0] if present else None


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(f"{path} can't be read: {reason}") from None
    document = (
        _parse_yaml(text, path) if path.suffix in (".yaml", ".yml") else _parse_toml(text, path)
    )
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path} must hold a table of connections and profiles")
    return document


def _parse_toml(text: str, path: Path) -> Any:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ImportError:
            raise MissingDependencyError.of("tomli", f"reading {path}") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}") from None


def _parse_yaml(text: str, path: Path) -> Any:
    try:
        import yaml
    except ImportError:
        raise MissingDependencyError.of("PyYAML", f"reading {path}") from None
    try:
        return yaml.safe_load(text) or {}
    except yaml.MarkedYAMLError as error:
        # Only the place: the problem of a YAML error quotes the text around it.
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "an unknown place"
        raise ConfigurationError(f"{path} is not valid YAML at {place}") from None
    except yaml.YAMLError:
        raise ConfigurationError(f"{path} is not valid YAML") from None


def _table(parent: Mapping[str, Any], key: str, path: Path) -> dict[str, Any]:
    table = parent.get(key, {})
    if not isinstance(table, dict):
        raise ConfigurationError(f"{key!r} in {path} must be a table of names and values")
    return table
