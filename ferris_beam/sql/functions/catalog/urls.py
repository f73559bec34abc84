"""Functions of URLs."""

from __future__ import annotations

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.functions.define import category, engine, over
from ferris_beam.sql.functions.vectorised import urls as run

_url = category("URLs")
_TEXT = pa.string()
_URL = "'https://me@example.com:8080/a/b?x=1&y=a%20b#top'"


def _parse_url(
    url: exp.Expression, part: exp.Expression, name: exp.Expression | None = None
) -> exp.Expression:
    if name is not None:
        if part.name.upper() != "QUERY":
            raise ValueError("parse_url takes a third argument for the part 'QUERY' only")
        return engine("url_parameter", url, name)
    return engine("parse_url", url, part)


FUNCTIONS = (
    _url(
        "url_protocol(url)",
        "The protocol (scheme) as it is written; NULL if there is none.",
        (f"url_protocol({_URL})", "https"),
        ours=over(run.part("protocol"), _TEXT, _TEXT),
        aliases=("url_scheme",),
    ),
    _url(
        "url_host(url)",
        "The host as it is written, an IPv6 address in brackets; NULL if there is none.",
        (f"url_host({_URL})", "example.com"),
        ours=over(run.part("host"), _TEXT, _TEXT),
        aliases=("url_extract_host",),
    ),
    _url(
        "url_port(url)",
        "The port that is written; NULL if there is none.",
        (f"url_port({_URL})", "8080"),
        ours=over(run.port, _TEXT, pa.int64()),
        aliases=("url_extract_port",),
    ),
    _url(
        "url_path(url)",
        "The path as it is written.",
        (f"url_path({_URL})", "/a/b"),
        ours=over(run.part("path"), _TEXT, _TEXT),
        aliases=("url_extract_path",),
    ),
    _url(
        "url_query(url)",
        "What is behind the question mark; NULL if there is none.",
        (f"url_query({_URL})", "x=1&y=a%20b"),
        ours=over(run.part("query"), _TEXT, _TEXT),
        aliases=("url_extract_query",),
    ),
    _url(
        "url_fragment(url)",
        "What is behind the #; NULL if there is none.",
        (f"url_fragment({_URL})", "top"),
        ours=over(run.part("fragment"), _TEXT, _TEXT),
        aliases=("url_extract_fragment",),
    ),
    _url(
        "url_parameter(url, name)",
        "The first value of a parameter of the query, decoded; NULL if there is none.",
        (f"url_parameter({_URL}, 'y')", "a b"),
        ours=over(run.parameter, _TEXT, _TEXT, _TEXT),
        aliases=("url_extract_parameter",),
    ),
    _url(
        "parse_url(url, part[, parameter])",
        "A part of a URL as Hive, Spark and Flink name them: HOST, PATH, QUERY, REF, PROTOCOL, "
        "FILE, AUTHORITY, USERINFO; with 'QUERY' also one parameter.",
        (f"parse_url({_URL}, 'REF')", "top"),
        (f"parse_url({_URL}, 'QUERY', 'x')", "1"),
        render=_parse_url,
        ours=over(run.hive_part, _TEXT, _TEXT, _TEXT),
    ),
    _url(
        "url_encode(text)",
        "All but letters, digits and -._~ as %XX.",
        ("url_encode('a b/ü')", "a%20b%2F%C3%BC"),
        ours=over(run.encode, _TEXT, _TEXT),
    ),
    _url(
        "url_decode(text)",
        "%XX as the characters they stand for.",
        ("url_decode('a%20b%2F%C3%BC')", "a b/ü"),
        ours=over(run.decode, _TEXT, _TEXT),
    ),
)
