"""Parts of URLs, split as RFC 3986 says (appendix B), and percent-encoding (section 2.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qsl, quote, unquote_to_bytes

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.sql.functions.vectorised.groups import per_distinct, per_value

_TEXT = pa.string()
_PARTS = (
    r"^(?:(?P<protocol>[A-Za-z][A-Za-z0-9+.-]*):)?"
    r"(?://(?P<authority>(?P<userinfo>[^/?#]*@)?"
    r"(?P<host>\[[^\]/?#]*\]|[^/?#:@]*)(?P<port>:[0-9]*)?))?"
    r"(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?P<fragment>#(?s:.*))?$"
)
_HIVE = {
    "HOST": "host",
    "PATH": "path",
    "QUERY": "query",
    "REF": "fragment",
    "PROTOCOL": "protocol",
    "AUTHORITY": "authority",
    "USERINFO": "userinfo",
}


def part(name: str) -> Callable[[pa.Array], pa.Array]:
    """The function that takes one part of each URL; NULL where the URL has none, or is no URL."""
    return lambda urls: _part(urls, name)


def _part(urls: pa.Array, name: str) -> pa.Array:
    """RE2 has no difference between an empty group and none: the separator inside tells."""
    found = pc.struct_field(pc.extract_regex(urls, _PARTS), name)
    if name in ("query", "fragment", "port"):
        return _without(found, found, start=1)
    if name == "userinfo":
        return _without(found, found, stop=-1)
    if name == "path":
        return found
    return _without(found, found)


def _without(found: pa.Array, kept: pa.Array, start: int = 0, stop: int | None = None) -> pa.Array:
    there = pc.not_equal(found, "")
    return pc.if_else(there, pc.utf8_slice_codeunits(kept, start, stop), pa.scalar(None, _TEXT))


def port(urls: pa.Array) -> pa.Array:
    """The port as a number; NULL where none is written."""
    digits = _part(urls, "port")
    return pc.cast(pc.if_else(pc.equal(digits, ""), pa.scalar(None, _TEXT), digits), pa.int64())


def hive_part(urls: pa.Array, names: pa.Array) -> pa.Array:
    """``parse_url``: HOST, PATH, QUERY, REF, PROTOCOL, AUTHORITY, USERINFO or FILE."""
    return per_value(names, _TEXT, lambda name, rows: _hive(rows, name), urls)


def _hive(urls: pa.Array, name: str) -> pa.Array:
    if name.upper() == "FILE":
        query = pc.binary_join_element_wise("?", _part(urls, "query"), "")
        return pc.binary_join_element_wise(_part(urls, "path"), pc.fill_null(query, ""), "")
    if name.upper() not in _HIVE:
        raise ValueError(f"a URL has no part {name!r}; there are {', '.join([*_HIVE, 'FILE'])}")
    return _part(urls, _HIVE[name.upper()])


def parameter(urls: pa.Array, names: pa.Array) -> pa.Array:
    """The first value of a parameter of the query, decoded; NULL where there is none."""
    return per_value(
        names,
        _TEXT,
        lambda name, rows: _parameter(_part(rows, "query"), name),
        urls,
    )


def _parameter(queries: pa.Array, name: str) -> pa.Array:
    """By a pattern where keys are written plainly; else each query is taken apart."""
    pattern = f"(?:^|&){re.escape(name)}(?:=(?P<value>[^&]*))?(?:&|$)"
    found = pc.struct_field(pc.extract_regex(queries, pattern), "value")
    decoded = _where(found, pc.match_substring_regex(found, "[%+]"), _unescaped)
    encoded = pc.match_substring_regex(queries, "(?:^|&)[^=&]*[%+]")
    if not pc.any(encoded).as_py():
        return decoded
    apart = per_distinct(queries.filter(encoded), _TEXT, lambda query: _value(query, name))
    return pc.replace_with_mask(decoded, pc.fill_null(encoded, False), apart)


def _unescaped(value: str) -> str:
    return _decoded(value.replace("+", " "))


def _value(query: str, name: str) -> str | None:
    pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    return next((value for key, value in pairs if key == name), None)


def encode(text: pa.Array) -> pa.Array:
    """Every byte of UTF-8 but letters, digits and ``-._~`` as ``%XX``."""
    safe = pc.match_substring_regex(text, "^[A-Za-z0-9._~-]*$")
    return _where(text, pc.invert(safe), lambda value: quote(value, safe="-._~"))


def decode(text: pa.Array) -> pa.Array:
    """``%XX`` as bytes of UTF-8, which they must be; a plus sign stays one."""
    return _where(text, pc.match_substring(text, "%"), _decoded)


def _decoded(value: str) -> str:
    try:
        return unquote_to_bytes(value).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{value!r} is no percent-encoded UTF-8: {error.reason}") from None


def _where(text: pa.Array, chosen: pa.Array, run: Callable[[str], str]) -> pa.Array:
    """``run`` for the chosen rows, the others as they are."""
    if not pc.any(chosen).as_py():
        return text
    changed = per_distinct(text.filter(chosen), _TEXT, run)
    return pc.replace_with_mask(text, pc.fill_null(chosen, False), changed)
