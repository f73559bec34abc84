"""URIs of sources and sinks: `scheme://user:password@host:port,host:port/path?option=value#part`.

The syntax is RFC 3986 with these additions and decisions:

- Several hosts, separated by commas: `kafka://h1:9092,h2:9092/orders`. IPv6 hosts in brackets.
- Text without a scheme is the path of a file: `data/x.csv`, `./out/`, `/data/x.csv`, `C:/x.csv`
  (a scheme has at least two characters). With a scheme, a relative path is `file:data/x.csv`, an
  absolute one `file:///data/x.csv`. `file://data/x.csv` would name a host and is refused.
- An option without a value is switched on: `?watch` is `?watch=true`. Options keep their order and
  may repeat. A `+` is a plus sign, as in RFC 3986, not a space.
- Percent-escapes are UTF-8 and are decoded once the parts are separated. In a path, bytes that are
  not UTF-8 are kept as `os.fsdecode` does.
- Globs stand in the path as they are (`*`, `**`, `[ab]`, `{a,b}`), but for `?`, which is `%3F`.
- `${…}` is kept as it is: nothing between the braces separates parts or is percent-decoded.
  `expand_variables` and `Uri.expanded` replace variables, whose names are UPPER_CASE, everywhere;
  all others (`${year}`) are templates and belong to the connector. `$${NAME}` escapes a variable.

`str` and `repr` show no password and no option whose name sounds like a secret, and neither do
messages of `UriError`, which never repeat a part that could hold one. `Uri.text` shows everything.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, Union

from ferris_beam.errors import ConfigurationError, UriError
from ferris_beam.redaction import redact, sounds_secret
from ferris_beam.uri_syntax import (
    OPTION_RULE,
    SCHEME_RULE,
    UNSAFE_IN_AUTHORITY,
    UNSAFE_IN_OPTION,
    UNSAFE_IN_PATH,
    Host,
    InvalidUriError,
    encode,
    explain,
    is_option_name,
    parse_hosts,
    parse_parts,
)
from ferris_beam.variables import expand_all, expand_variables

__all__ = ["Host", "OptionValue", "Uri", "UriBuilder", "UriLike", "expand_variables", "redact"]


@dataclass(frozen=True, slots=True, repr=False)
class Uri:
    """An immutable URI, taken apart and decoded.

    Made by `Uri.parse`, `Uri.of` or `Uri.build`; the constructor takes the parts unchecked. With a
    host the path is empty or starts with `/`. A URI with a password refuses to be pickled: it
    would end as clear text in a pipeline's description.
    """

    scheme: str
    user: str | None = None
    password: str | None = None
    hosts: tuple[Host, ...] = ()
    path: str = ""
    options: tuple[tuple[str, str], ...] = ()
    fragment: str | None = None

    @classmethod
    def parse(cls, text: str) -> Uri:
        """The URI of a text; UriError says what is wrong, and at which character."""
        try:
            return cls(*parse_parts(text))
        except InvalidUriError as invalid:
            raise UriError(explain(text, invalid)) from None

    @classmethod
    def of(cls, value: UriLike) -> Uri:
        """The URI of what a user may give for one. The path of an `os.PathLike` is literal."""
        if isinstance(value, Uri):
            return value
        if isinstance(value, str):
            return cls.parse(value)
        if isinstance(value, UriBuilder):
            return value.uri()
        if isinstance(value, os.PathLike):
            return cls.build("file").path(os.fsdecode(value)).uri()
        raise UriError(
            f"a URI is needed, not {type(value).__name__}; give a str, a pathlib.Path or a Uri"
        )

    @staticmethod
    def build(scheme: str) -> UriBuilder:
        """A fluent builder: `Uri.build("kafka").host("a", 9092).path("/orders")`."""
        return UriBuilder(Uri(scheme.lower()))

    def text(self) -> str:
        """The whole URI with its secrets; `Uri.parse` of it equals this URI."""
        return self._text(encode(self.password or "", UNSAFE_IN_AUTHORITY))

    def _text(self, password: str) -> str:
        text = self.scheme + ":"
        if self.has_authority or not self.path or self.path.startswith("/"):
            text += "//" + self._authority(password)
        text += encode(self.path, UNSAFE_IN_PATH)
        if self.options:
            pairs = (f"{name}={encode(value, UNSAFE_IN_OPTION)}" for name, value in self.options)
            text += "?" + "&".join(pairs)
        if self.fragment is not None:
            text += "#" + encode(self.fragment, UNSAFE_IN_OPTION)
        return text

    def __str__(self) -> str:
        return redact(self._text("***"))

    def __repr__(self) -> str:
        return f"Uri({str(self)!r})"

    def __reduce__(self) -> tuple[type[Uri], tuple[object, ...]]:
        if self.password is not None:
            raise ConfigurationError(
                f"{self} holds a password and can't be sent to other processes; "
                "keep uri.scrubbed() and a reference to the password, such as env:NAME"
            )
        parts = (self.scheme, self.user, None, self.hosts, self.path, self.options, self.fragment)
        return Uri, parts

    @property
    def has_authority(self) -> bool:
        """Whether a user, a password or a host is given."""
        return bool(self.hosts) or self.user is not None or self.password is not None

    def option(self, name: str, default: str | None = None) -> str | None:
        """The value of an option, the last one if it repeats."""
        return next((value for key, value in reversed(self.options) if key == name), default)

    def option_values(self, name: str) -> tuple[str, ...]:
        """All values of an option that may repeat."""
        return tuple(value for key, value in self.options if key == name)

    @property
    def option_names(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.options)

    def with_option(self, name: str, value: OptionValue) -> Uri:
        """With this value as the only one of the option, which becomes the last option."""
        kept = self.without(name)
        return replace(kept, options=(*kept.options, _option_pair(name, value)))

    def without(self, *names: str) -> Uri:
        """Without the options of these names."""
        return replace(self, options=tuple(pair for pair in self.options if pair[0] not in names))

    def without_options(self) -> Uri:
        return replace(self, options=())

    def scrubbed(self, secret_options: Collection[str] | None = None) -> Uri:
        """Without the password and the options named; by default, those that sound secret."""
        kept = (
            (name, value)
            for name, value in self.options
            if not (sounds_secret(name) if secret_options is None else name in secret_options)
        )
        return Uri(self.scheme, self.user, None, self.hosts, self.path, tuple(kept), self.fragment)

    def expanded(self, environment: Mapping[str, str]) -> Uri:
        """With its variables replaced, part by part: a value can't break into another part.

        Hosts are the exception: a variable may hold several of them, with ports. Raises
        ConfigurationErrors if variables aren't set, UriError if what they give is no host.
        """
        hosts = ",".join(map(str, self.hosts))
        parts = [self.user, self.password, hosts, self.path, self.fragment]
        values = [value for _, value in self.options]
        texts = [part or "" for part in parts] + values
        if not any("${" in text for text in texts):
            return self
        user, password, hosts, path, fragment, *values = expand_all(texts, environment)
        if self.scheme == "file" and "://" in path:
            raise UriError(
                f"{self}: a variable can't bring the scheme; write it, as in postgresql://${{HOST}}/db"
            )
        try:
            return Uri(
                self.scheme,
                user or None,
                password or None,
                parse_hosts(hosts, 0) if hosts else (),
                path,
                tuple((name, value) for (name, _), value in zip(self.options, values, strict=True)),
                fragment or None,
            )
        except InvalidUriError as invalid:
            raise UriError(f"{self}: with its variables replaced, {invalid.problem}") from None

    def _authority(self, password: str) -> str:
        hosts = ",".join(map(str, self.hosts))
        if self.user is None and self.password is None:
            return hosts
        user = encode(self.user or "", UNSAFE_IN_AUTHORITY)
        if self.password is None:
            return f"{user}@{hosts}"
        return f"{user}:{password}@{hosts}"


@dataclass(frozen=True, slots=True, repr=False)
class UriBuilder:
    """Builds a URI part by part; each method returns a new builder. Accepted wherever a URI is."""

    _uri: Uri

    def user(self, name: str) -> UriBuilder:
        return self._with(user=name)

    def password(self, password: str) -> UriBuilder:
        return self._with(password=password)

    def host(self, name: str, port: int | None = None) -> UriBuilder:
        """Adds a host."""
        if not name:
            raise UriError("a host needs a name; leave out .host() where there is none")
        return self._with(hosts=(*self._uri.hosts, Host(name, port)))

    def path(self, path: str) -> UriBuilder:
        """Sets the path, not percent-encoded; behind a host its leading `/` may be left out."""
        return self._with(path=path)

    def option(self, name: str, value: OptionValue) -> UriBuilder:
        """Adds an option, also if there is one of this name."""
        return self._with(options=(*self._uri.options, _option_pair(name, value)))

    def fragment(self, fragment: str) -> UriBuilder:
        return self._with(fragment=fragment)

    def uri(self) -> Uri:
        """The URI, checked as if it had been parsed."""
        uri = self._with_slash()
        parsed = Uri.parse(uri.text())
        if parsed.scheme != uri.scheme:
            raise UriError(f"{SCHEME_RULE}; give one such as 'kafka' to Uri.build")
        return parsed

    def __str__(self) -> str:
        return str(self._with_slash())

    def __repr__(self) -> str:
        return f"UriBuilder({str(self)!r})"

    def _with_slash(self) -> Uri:
        uri = self._uri
        if uri.has_authority and uri.path and not uri.path.startswith("/"):
            return replace(uri, path="/" + uri.path)
        return uri

    def _with(self, **parts: Any) -> UriBuilder:
        return UriBuilder(replace(self._uri, **parts))


def _option_pair(name: str, value: OptionValue) -> tuple[str, str]:
    if not is_option_name(name):
        raise UriError(OPTION_RULE)
    return name, str(value).lower() if isinstance(value, bool) else str(value)


UriLike: TypeAlias = Union[str, Uri, UriBuilder, "os.PathLike[str]"]
OptionValue: TypeAlias = str | int | float | bool
