"""Regular expressions, URLs, hashes, formats and lists against Python's standard library."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from decimal import Decimal
from urllib.parse import parse_qs, quote, unquote, urlsplit

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.errors import BadRecordError, SqlError
from tests.sql.functions.running import select

TEXTS = st.lists(st.none() | st.text(max_size=8), min_size=1, max_size=8)
WORDS = st.lists(st.none() | st.text("ab1 ", max_size=8), min_size=1, max_size=8)
PATTERNS = ["a+", "(a)(b)?", "[0-9]", "^a", "b$", "a|1", " *"]


@pytest.mark.parametrize("pattern", PATTERNS)
@given(texts=WORDS)
@settings(deadline=None, max_examples=15)
def test_regular_expressions(pattern: str, texts: list[str | None]) -> None:
    column = pa.array(texts, pa.string())
    groups = re.compile(pattern).groups

    def expected(run: object) -> list[object]:
        return [None if text is None else run(text) for text in texts]  # type: ignore[operator]

    for group in range(groups + 1):
        first = select(f"regexp_extract(t, '{pattern}', {group})", t=column).to_pylist()
        found = expected(
            lambda text, g=group: m[g] or "" if (m := re.search(pattern, text)) else ""
        )
        assert first == found
        every = select(f"regexp_extract_all(t, '{pattern}', {group})", t=column).to_pylist()
        assert every == expected(
            lambda text, g=group: [match[g] or "" for match in re.finditer(pattern, text)]
        )
    matches = select(f"regexp_matches(t, '{pattern}')", t=column).to_pylist()
    assert matches == expected(lambda text: re.search(pattern, text) is not None)
    full = select(f"regexp_full_match(t, '{pattern}')", t=column).to_pylist()
    assert full == expected(lambda text: re.fullmatch(pattern, text) is not None)


def _first(pattern: str, text: str, group: int) -> str:
    match = re.search(pattern, text)
    return (match[group] or "") if match else ""


def test_patterns_may_differ_from_row_to_row() -> None:
    found = select(
        "regexp_extract_all(t, p)",
        t=pa.array(["a1b2", "a1b2", None, "x"]),
        p=pa.array(["[a-z]", "[0-9]", "x", None]),
    )
    assert found.to_pylist() == [["a", "b"], ["1", "2"], None, None]


def test_a_group_that_is_not_there_and_a_wrong_pattern() -> None:
    with pytest.raises(BadRecordError, match="has 0 groups, not 2"):
        select("regexp_extract_all(t, 'a', 2)", t=pa.array(["a"]))
    with pytest.raises(SqlError, match=r"has 0 groups, not 2(.|\n)*\^"):
        select("regexp_extract(t, 'a', 2)", t=pa.array(["a"]))
    with pytest.raises(BadRecordError, match=r"the pattern '\(' is wrong"):
        select("regexp_extract_all(t, '(')", t=pa.array(["a"]))


HOSTS = st.sampled_from(["example.com", "localhost", "[::1]", "10.0.0.1"])
PARTS = st.text("ab%2F-_.~", max_size=5).filter(lambda text: "%" not in text)
QUERIES = st.dictionaries(st.sampled_from(["x", "y", "z"]), st.text(max_size=4), max_size=3)


@given(
    scheme=st.sampled_from(["http", "https", "s3", "file"]),
    host=HOSTS,
    port=st.none() | st.integers(1, 65535),
    path=PARTS,
    query=QUERIES,
    fragment=st.none() | PARTS,
)
@settings(deadline=None, max_examples=40)
def test_parts_of_urls_are_those_of_urllib(
    scheme: str,
    host: str,
    port: int | None,
    path: str,
    query: dict[str, str],
    fragment: str | None,
) -> None:
    encoded = "&".join(f"{key}={quote(value, safe='')}" for key, value in query.items())
    url = f"{scheme}://{host}" + (f":{port}" if port else "") + f"/{path}"
    url += (f"?{encoded}" if encoded else "") + (f"#{fragment}" if fragment is not None else "")
    wanted = urlsplit(url)
    column = pa.array([url, None])

    def part(function: str) -> object:
        found = select(f"{function}", u=column).to_pylist()
        assert found[1] is None
        return found[0]

    assert part("url_protocol(u)") == wanted.scheme
    assert part("url_host(u)") == host
    assert part("url_port(u)") == wanted.port
    assert part("url_path(u)") == wanted.path
    assert (part("url_query(u)") or "") == wanted.query
    assert (part("url_fragment(u)") or "") == wanted.fragment
    for key, value in query.items():
        assert part(f"url_parameter(u, '{key}')") == value
        assert parse_qs(wanted.query, keep_blank_values=True)[key] == [value]


@given(TEXTS)
@settings(deadline=None, max_examples=40)
def test_percent_encoding(texts: list[str | None]) -> None:
    column = pa.array(texts, pa.string())
    encoded = [None if text is None else quote(text, safe="") for text in texts]
    assert select("url_encode(t)", t=column).to_pylist() == encoded
    decoded = select("url_decode(t)", t=pa.array(encoded, pa.string())).to_pylist()
    assert decoded == texts == [None if each is None else unquote(each) for each in encoded]


def test_a_url_that_is_none_has_no_parts_and_bad_bytes_are_a_fault() -> None:
    assert select("url_host(u)", u=pa.array(["no url", "a/b?c"])).to_pylist() == [None, None]
    with pytest.raises(BadRecordError, match="'%ff' is no percent-encoded UTF-8"):
        select("url_decode(t)", t=pa.array(["a", "%ff"]))


@given(TEXTS)
@settings(deadline=None, max_examples=30)
def test_hashes_and_encodings_are_those_of_python(texts: list[str | None]) -> None:
    column = pa.array(texts, pa.string())
    data = [None if text is None else text.encode() for text in texts]

    def check(function: str, run: object) -> None:
        wanted = [None if each is None else run(each) for each in data]  # type: ignore[operator]
        assert select(function, t=column).to_pylist() == wanted, function

    check("md5(t)", lambda each: hashlib.md5(each).hexdigest())
    check("sha1(t)", lambda each: hashlib.sha1(each).hexdigest())
    check("sha256(t)", lambda each: hashlib.sha256(each).hexdigest())
    check("sha512(t)", lambda each: hashlib.sha512(each).hexdigest())
    check("crc32(t)", zlib.crc32)
    check("hex(t)", lambda each: each.hex().upper())
    check("to_base64(t)", lambda each: base64.b64encode(each).decode())
    check("decode_utf8(from_base64(to_base64(t)))", lambda each: each.decode())
    check("decode_utf8(unhex(hex(t)))", lambda each: each.decode())


@given(TEXTS, st.data())
@settings(deadline=None, max_examples=30)
def test_a_hash_depends_on_the_values_and_their_borders(
    texts: list[str | None], data: st.DataObject
) -> None:
    rows = len(texts)
    others = data.draw(st.lists(st.none() | st.text(max_size=3), min_size=rows, max_size=rows))
    first, second = pa.array(texts, pa.string()), pa.array(others, pa.string())
    found = select("hash(a, b)", a=first, b=second).to_pylist()
    again = select("hash(a, b)", a=first.slice(0, 1), b=second.slice(0, 1)).to_pylist()
    assert found[:1] == again
    pairs = dict(zip(zip(texts, others, strict=True), found, strict=True))
    assert len(set(pairs.values())) == len(pairs)


LISTS = st.lists(
    st.none() | st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=4),
    min_size=1,
    max_size=6,
)


@given(LISTS)
@settings(deadline=None, max_examples=40)
def test_sums_of_integers_in_lists_are_exact_or_an_error(
    lists: list[list[int | None] | None],
) -> None:
    column = pa.array(lists, pa.list_(pa.int64()))
    sums = [_sum(items) for items in lists]
    if all(total is None or -(2**63) <= total < 2**63 for total in sums):
        assert select("list_sum(x)", x=column).to_pylist() == sums
    else:
        with pytest.raises(BadRecordError, match="the sum of a list does not fit BIGINT"):
            select("list_sum(x)", x=column)


def _sum(items: list[int | None] | None) -> int | None:
    numbers = [item for item in items or () if item is not None]
    return sum(numbers) if numbers else None


def test_sums_of_decimals_and_doubles_in_lists() -> None:
    decimals = pa.array(
        [[Decimal("0.10"), None, Decimal("0.20")], [], None], pa.list_(pa.decimal128(20, 2))
    )
    found = select("list_sum(x)", x=decimals)
    assert found.to_pylist() == [Decimal("0.30"), None, None]
    assert found.type == pa.decimal128(38, 2)
    assert select("list_sum(x)", x=pa.array([[0.5, 1.5]])).to_pylist() == [2.0]


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.none(), min_size=1, max_size=8))
@settings(deadline=None, max_examples=20)
def test_bit_count(numbers: list[int | None]) -> None:
    found = select("bit_count(n)", n=pa.array(numbers, pa.int64())).to_pylist()
    assert found == [None if n is None else bin(n & (2**64 - 1)).count("1") for n in numbers]


PRINTF = ["%d", "%5d|", "%-5d|", "%05d", "%x", "%+d", "%s", "%8s|", "%-8s|", "%%"]


@pytest.mark.parametrize("written", PRINTF)
@given(number=st.integers(-(10**6), 10**6))
@settings(deadline=None, max_examples=5)
def test_printf_of_integers(written: str, number: int) -> None:
    wanted = written % number if written != "%%" else "%"
    assert select(f"printf('{written}', n)", n=pa.array([number])).to_pylist() == [wanted]


@pytest.mark.parametrize("written", ["%f", "%.2f", "%10.3f|", "%-10.1f|", "%010.2f", "%+.1f"])
@given(number=st.floats(-1e6, 1e6).map(lambda number: round(number * 8) / 8))
@settings(deadline=None, max_examples=5)
def test_printf_of_numbers(written: str, number: float) -> None:
    assert select(f"printf('{written}', n)", n=pa.array([number])).to_pylist() == [written % number]


def test_printf_keeps_the_digits_of_decimals_and_is_null_beside_null() -> None:
    big = pa.array([Decimal("12345678901234567890.12"), None], pa.decimal128(38, 2))
    found = select("printf('%.2f', n)", n=big)
    assert found.to_pylist() == ["12345678901234567890.12", None]


@pytest.mark.parametrize("written", ["{} and {}", "{1} {0}", "{:>8}|{:<8}|", "{{}} {} {}"])
def test_braces_are_those_of_duckdb(written: str) -> None:
    call = f"format('{written}', 'x', 'yz')"
    ((wanted,),) = duckdb.sql(f"SELECT {call}").fetchall()
    assert select(call)[0].as_py() == wanted


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("printf('%d', 'x')", "'x' is no integer, which the format wants"),
        ("printf('%d %d', 1)", "the format needs 2 values and there are 1"),
        ("printf('%q', 1)", "no directive of printf"),
        ("format('{', 1)", "where no directive is"),
    ],
)
def test_a_format_that_does_not_fit_its_values(call: str, message: str) -> None:
    with pytest.raises((BadRecordError, SqlError), match=message):
        select(f"{call} || t", t=pa.array(["x"]))


@pytest.mark.parametrize(
    "query",
    ["x=1", "a=2&x=3&x=4", "ax=1", "x", "x&y=1", "x=", "x=a+b%20c", "%78=5", "a%26x=1", "y=1"],
)
@pytest.mark.parametrize("name", ["x", "a&x", "y"])
def test_parameters_of_odd_queries(query: str, name: str) -> None:
    wanted = parse_qs(query, keep_blank_values=True).get(name, [None])[0]
    found = select(f"url_parameter(u, '{name}')", u=pa.array([f"http://h/?{query}", "http://h/"]))
    assert found.to_pylist() == [wanted, None]
