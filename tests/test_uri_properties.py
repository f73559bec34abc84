"""What holds for every URI, however it was built."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import assume, given
from hypothesis import strategies as st

from ferris_beam.errors import ConfigurationErrors, UriError
from ferris_beam.uri import Host, Uri

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
PIECES = st.one_of(
    TEXT,
    st.sampled_from(
        ["${", "${x}", "${A:-b/c}", "}", "$", "%", "%4", "?", "#", "&", "=", "@", "//"]
    ),
)
MIXED = st.lists(PIECES, max_size=4).map("".join)
FILE_NAMES = st.lists(st.one_of(PIECES, st.just("\udcff"), st.just("\udcc3\udca9"))).map("".join)
SCHEMES = st.from_regex(r"[a-z][a-z0-9+.-]{1,6}", fullmatch=True).filter(lambda s: s != "file")
HOSTS = st.builds(
    Host,
    st.one_of(
        st.from_regex(r"[A-Za-z0-9._~-]{1,8}", fullmatch=True),
        st.ip_addresses().map(str),
        st.sampled_from(["/var/run", "bücher.de", "a%b", "h&x=y", "${HOST}", "h${N}.local"]),
    ),
    st.none() | st.integers(1, 65535),
).filter(lambda host: host.port is None or "${" not in host.name)
OPTION_NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,8}", fullmatch=True)


@st.composite
def uris(draw: st.DrawFn) -> Uri:
    hosts = tuple(draw(st.lists(HOSTS, max_size=3)))
    user, password = draw(st.none() | MIXED), draw(st.none() | MIXED)
    path = draw(MIXED)
    if hosts or user or password:
        path = "/" + path if path else ""
    return Uri(
        draw(SCHEMES),
        user or None,
        password or None,
        hosts,
        path,
        tuple(draw(st.lists(st.tuples(OPTION_NAMES, MIXED), max_size=3))),
        draw(st.none() | MIXED) or None,
    )


@given(uris())
def test_parse_of_text_is_the_same_uri(uri: Uri) -> None:
    assert Uri.parse(uri.text()) == uri


@given(FILE_NAMES)
def test_parse_of_a_files_text_is_the_same_uri(name: str) -> None:
    assume(name and "\0" not in name)
    name = os.fsdecode(os.fsencode(name))
    assert Uri.of(Path(name)).path == os.fspath(Path(name))
    assert Uri.build("file").path(name).uri() == Uri("file", path=name)


@given(uris(), st.text("abcXYZ0189-_~.", min_size=8))
def test_a_password_is_never_shown(uri: Uri, password: str) -> None:
    assume(password not in uri.text())
    secret = Uri(uri.scheme, uri.user, password, uri.hosts, uri.path, uri.options, uri.fragment)
    secret = secret.with_option("sasl_password", password)
    assert password not in str(secret) + repr(secret)


@given(uris(), st.dictionaries(st.sampled_from(["HOST", "N", "A"]), OPTION_NAMES, min_size=3))
def test_expanded_uris_are_uris(uri: Uri, environment: dict[str, str]) -> None:
    try:
        expanded = uri.expanded(environment)
    except (UriError, ConfigurationErrors):
        return
    assert Uri.parse(expanded.text()) == expanded
