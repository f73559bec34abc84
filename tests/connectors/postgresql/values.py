"""Values of each type, for hypothesis: as the texts that the server parses."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
words = st.text(characters, max_size=20)


def numbers(digits: int, scale: int) -> st.SearchStrategy[str]:
    units = st.integers(-(10**digits) + 1, 10**digits - 1)
    return units.map(lambda unit: format(Decimal(f"{unit}E-{scale}"), "f"))


def integers(bits: int) -> st.SearchStrategy[str]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).map(str)


def floats(width: int) -> st.SearchStrategy[str]:
    return st.floats(width=width).map(repr)


def array_of(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """An array's text: every element quoted."""
    escaped = items.map(lambda text: text.replace("\\", "\\\\").replace('"', '\\"'))
    element = st.none().map(lambda _: "NULL") | escaped.map(lambda text: f'"{text}"')
    return st.lists(element, max_size=6).map(lambda found: "{" + ",".join(found) + "}")


dates = st.dates().map(str)
times = st.times().map(str)
timestamps = st.datetimes().map(str)
intervals = st.tuples(
    st.integers(-100_000, 100_000), st.integers(-100_000, 100_000), st.integers(-(2**52), 2**52)
).map(lambda parts: f"{parts[0]} months {parts[1]} days {parts[2]} microseconds")
documents = st.recursive(
    st.integers(-9, 9).map(str) | st.just("null") | st.just('"é\\n"'),
    lambda inner: st.lists(inner, max_size=3).map(lambda found: "[" + ", ".join(found) + "]"),
    max_leaves=4,
)

BY_TYPE: dict[str, st.SearchStrategy[str]] = {
    "bool": st.sampled_from(["t", "f"]),
    "int2": integers(16),
    "int4": integers(32),
    "int8": integers(64),
    "oid": st.integers(0, 2**32 - 1).map(str),
    "float4": floats(32),
    "float8": floats(64),
    "numeric(12,2)": numbers(12, 2),
    "numeric(18,18)": numbers(18, 18),
    "numeric(19,3)": numbers(19, 3),
    "numeric(38,9)": numbers(38, 9),
    "numeric(76,30)": numbers(76, 30),
    "numeric(5,0)": numbers(5, 0),
    "numeric": numbers(37, 9),
    "text": words,
    "varchar(30)": words,
    "bytea": st.binary(max_size=20).map(lambda data: "\\x" + data.hex()),
    "date": dates,
    "time": times,
    "timestamp": timestamps,
    "timestamptz": timestamps,
    "interval": intervals,
    "uuid": st.uuids().map(str),
    "json": documents,
    "jsonb": documents,
    "int4[]": array_of(integers(32)),
    "text[]": array_of(words),
    "numeric(9,4)[]": array_of(numbers(9, 4)),
    "timestamptz[]": array_of(timestamps),
    "bool[]": array_of(st.sampled_from(["t", "f"])),
    "jsonb[]": array_of(documents),
}


def columns_with(kind: str) -> st.SearchStrategy[list[str | None]]:
    return st.lists(st.none() | BY_TYPE[kind], min_size=1, max_size=30)
