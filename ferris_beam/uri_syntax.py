"""Taking the text of a URI apart and writing it again; `ferris_beam.uri` states the rules."""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias
from urllib.parse import quote, unquote

__all__ = [
    "OPTION_RULE",
    "SCHEME_RULE",
    "UNSAFE_IN_AUTHORITY",
    "UNSAFE_IN_OPTION",
    "UNSAFE_IN_PATH",
    "Host",
    "InvalidUriError",
    "OptionPairs",
    "encode",
    "explain",
    "is_option_name",
    "parse_hosts",
    "parse_parts",
]

_PARTS = re.compile(
    r"(?:([A-Za-z][A-Za-z0-9+.-]+):(?://([^/?#]*))?)?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL
)
_PLAIN_HOST = re.compile(r"([A-Za-z0-9._~-]+)(?::([0-9]{1,5}))?")
_ANY_HOST = re.compile(r"(?:\[([^\[\]]*)\]|([^\[\]:]*))(?::([0-9]*))?")
_NOT_IN_HOST_NAME = re.compile(r"[\x00-\x20\x7f\[\]@,:<>\"\\^`{|}]")
_OPTION_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\ud800-\udc7f\udd00-\udfff]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_TEMPLATE = re.compile(r"(\$\{[^{}\x00-\x1f\x7f\ud800-\udfff]*\})")
# Percent-encoded before the parts are separated: what stands in braces, and the bytes of a command
# line that were not UTF-8.
_LITERAL = re.compile(rf"{_TEMPLATE.pattern}|[\udc80-\udcff]+")
_ESCAPED_BRACE = "%24%7B"
# Percent-encoded when a part is written.
_UNSAFE_BESIDE_VARIABLE = re.compile(r"[^\w.~&=:\[\]-]+")
UNSAFE_IN_AUTHORITY = re.compile(r"[^\w.~&=-]+")
UNSAFE_IN_PATH = re.compile(r"[\x00-\x20\x7f-\xa0\ud800-\udfff\"#%<>?\\^`|]+")
UNSAFE_IN_OPTION = re.compile(r"[\x00-\x20\x7f-\xa0\ud800-\udfff\"#%&<>\\^`|]+")

_MAX_PORT = 65535
SCHEME_RULE = "a scheme is a letter followed by one or more letters, digits, '+', '-' or '.'"
OPTION_RULE = "the name of an option is made of letters, digits, '_', '-' and '.'"
_HOST_RULE = (
    f"name:port with a port from 1 to {_MAX_PORT}, or [IPv6]:port "
    "('/', '?', '#', '@' and ':' in a password are written %2F, %3F, %23, %40 and %3A)"
)

OptionPairs: TypeAlias = "tuple[tuple[str, str], ...]"
_Parts: TypeAlias = (
    "tuple[str, str | None, str | None, tuple[Host, ...], str, OptionPairs, str | None]"
)


class InvalidUriError(Exception):
    """What is wrong with a URI, and at which offset; never a part of the URI itself."""

    def __init__(self, offset: int, problem: str) -> None:
        super().__init__(offset, problem)
        self.offset = offset
        self.problem = problem


class Host(NamedTuple):
    """One host of a URI; an IPv6 address is without brackets.

    While it holds a variable it isn't taken apart: the name of `h1:${PORT}` is all of that.
    """

    name: str
    port: int | None = None

    def __str__(self) -> str:
        if "${" in self.name:
            return encode(self.name, _UNSAFE_BESIDE_VARIABLE)
        name = ":".join(encode(part, UNSAFE_IN_AUTHORITY) for part in self.name.split(":"))
        if ":" in name:
            name = f"[{name}]"
        return name if self.port is None else f"{name}:{self.port}"


def parse_parts(text: str) -> _Parts:
    """Scheme, user, password, hosts, path, options and fragment; raises InvalidUriError."""
    if not text:
        raise InvalidUriError(0, "it is empty; write one such as file:data/orders.csv")
    if text[0] == " " or text[-1] == " ":
        offset = 0 if text[0] == " " else len(text) - 1
        raise InvalidUriError(offset, "spaces around it must be removed, or written as %20")
    if text.isascii() and text.isprintable() and "${" not in text:
        return _separate(text)
    if forbidden := _FORBIDDEN.search(text):
        raise InvalidUriError(
            forbidden.start(), "control characters are percent-encoded, such as %09 for a tab"
        )
    try:
        return _separate(_LITERAL.sub(_escaped, text))
    except InvalidUriError as invalid:
        raise InvalidUriError(_original_offset(text, invalid.offset), invalid.problem) from None


def _separate(text: str) -> _Parts:
    match = _PARTS.fullmatch(text)
    assert match is not None, "every part is optional"
    scheme, authority, path, query, fragment = match.groups()
    if scheme is None:
        if "://" in path:
            raise InvalidUriError(0, SCHEME_RULE)
        scheme = "file"
    scheme = scheme.lower()
    user = password = None
    hosts: tuple[Host, ...] = ()
    if authority and scheme == "file":
        path = _file_path(authority, path, match.start(2))
    elif authority:
        userinfo, at, names = authority.rpartition("@")
        if at:
            user, password = _parse_userinfo(userinfo, match.start(2))
        if names:
            hosts = parse_hosts(names, match.end(2) - len(names))
    if "%" in path:
        path = _parse_path(path, match.start(3))
    options = _parse_options(query, match.start(4)) if query else ()
    if fragment:
        fragment = _decode(fragment, match.start(5))
    return scheme, user, password, hosts, path, options, fragment or None


def _file_path(authority: str, path: str, offset: int) -> str:
    """Of `file://localhost/data` (RFC 8089) the path, of `file://${DATA}/x` all of it."""
    if authority.startswith(_ESCAPED_BRACE):
        return authority + path
    if authority == "localhost":
        return path
    raise InvalidUriError(
        offset, "a file has no host; write file:data/x.csv (relative) or file:///data/x.csv"
    )


def _parse_userinfo(userinfo: str, offset: int) -> tuple[str | None, str | None]:
    user, _, password = userinfo.partition(":")
    if "@" in user:
        raise InvalidUriError(offset + user.index("@"), "an '@' in a user's name is written %40")
    return _decode(user, offset) or None, _decode(password, offset + len(user) + 1) or None


def _parse_path(path: str, offset: int) -> str:
    path = _decode(path, offset, "surrogateescape")
    if "\0" in path:
        raise InvalidUriError(offset, "a path can't hold %00")
    return path


def parse_hosts(text: str, offset: int = 0) -> tuple[Host, ...]:
    """The hosts of `h1:9092,h2:9092`, which stands at this offset of the URI."""
    hosts = []
    for number, item in enumerate(text.split(","), 1):
        match = _PLAIN_HOST.fullmatch(item)
        if match is None:
            hosts.append(_parse_unusual_host(item, number, offset))
        elif match[2] is None:
            hosts.append(Host(item))
        else:
            hosts.append(Host(match[1], _port(match[2], number, offset + match.start(2))))
        offset += len(item) + 1
    return tuple(hosts)


def _parse_unusual_host(text: str, number: int, offset: int) -> Host:
    """A host that is empty, wrong, an IPv6 address, percent-encoded or holds a variable."""
    if _ESCAPED_BRACE in text:
        return Host(_decode(text, offset))
    match = _ANY_HOST.fullmatch(text)
    if match is None:
        raise InvalidUriError(offset, f"host {number} is not {_HOST_RULE}")
    address, name, digits = match.groups()
    port = _port(digits, number, offset + match.start(3)) if digits else None
    if address is not None:
        return Host(_ipv6_address(_decode(address, offset), number, offset), port)
    if not name:
        raise InvalidUriError(offset, f"host {number} is empty; write name or name:port")
    name = _decode(name, offset)
    if _NOT_IN_HOST_NAME.search(name):
        raise InvalidUriError(offset, f"the name of host {number} holds a forbidden character")
    return Host(name, port)


def _ipv6_address(address: str, number: int, offset: int) -> str:
    from ipaddress import AddressValueError, IPv6Address

    try:
        IPv6Address(address)
    except AddressValueError:
        raise InvalidUriError(offset, f"host {number} is no IPv6 address such as [::1]") from None
    return address


def _port(digits: str, number: int, offset: int) -> int:
    port = int(digits) if len(digits) <= 5 else 0
    if 0 < port <= _MAX_PORT:
        return port
    raise InvalidUriError(offset, f"the port of host {number} is not between 1 and {_MAX_PORT}")


def _parse_options(query: str, offset: int) -> OptionPairs:
    options = []
    for item in query.split("&"):
        name, equals, value = item.partition("=")
        if _OPTION_NAME.fullmatch(name):
            if "%" in value:
                value = _decode(value, offset + len(name) + 1)
            options.append((name, value if equals else "true"))
        elif item:
            problem = f"{OPTION_RULE}; '&' and '#' in a value are written %26 and %23"
            raise InvalidUriError(offset, problem)
        offset += len(item) + 1
    return tuple(options)


def is_option_name(name: str) -> bool:
    return _OPTION_NAME.fullmatch(name) is not None


def _decode(part: str, offset: int, errors: str = "strict") -> str:
    if "%" not in part:
        return part
    if bad := _BAD_ESCAPE.search(part):
        problem = "two hexadecimal digits must follow a '%'; a percent sign is written %25"
        raise InvalidUriError(offset + bad.start(), problem)
    try:
        return unquote(part, errors=errors)
    except UnicodeDecodeError:
        raise InvalidUriError(offset, "the percent-escapes are not UTF-8") from None


def encode(part: str, unsafe: re.Pattern[str]) -> str:
    """Percent-encodes a part but for its templates, which are kept when they are read again."""
    pieces = _TEMPLATE.split(part)
    for index, piece in enumerate(pieces):
        if index % 2 == 0:
            # A lone "${" could find its closing brace in a later part.
            pieces[index] = unsafe.sub(_escaped, piece).replace("${", "%24{")
    return "".join(pieces)


def _escaped(match: re.Match[str]) -> str:
    return quote(match[0], safe="", errors="surrogateescape")


def _original_offset(text: str, offset: int) -> int:
    """The offset in `text` of an offset in the text with its literals escaped."""
    for literal in _LITERAL.finditer(text):
        if literal.start() >= offset:
            break
        growth = len(_escaped(literal)) - len(literal[0])
        offset = max(offset - growth, literal.start())
    return offset


def explain(text: str, invalid: InvalidUriError) -> str:
    """The message, with the URI and a caret below only if no part of it can be a secret."""
    message = f"the URI is wrong at character {invalid.offset + 1}: {invalid.problem}"
    without_scheme = text.replace("://", "", 1)
    if len(text) > 90 or not text.isprintable() or any(c in without_scheme for c in ":@?=#%"):
        return message
    return f"{message}\n{text}\n{' ' * invalid.offset}^"
