"""JSON documents: what Python's json module reads, wherever the grid cuts them."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ferris_beam.errors import FatalError, SchemaError
from ferris_beam.formats.options import ReadOptions
from ferris_beam.formats.registry import detect
from tests.formats.memory import Unit, grid_of

SCHEMA = pa.schema([("i", pa.int64()), ("s", pa.string()), ("l", pa.list_(pa.string()))])
TEXT = st.text(st.sampled_from('ab"\\[]{},:\n\r\t é𠮷\0'), max_size=8)
ROW = st.fixed_dictionaries(
    {},
    optional={
        "i": st.none() | st.integers(-(2**63), 2**63 - 1),
        "s": st.none() | TEXT,
        "l": st.none() | st.lists(st.none() | TEXT, max_size=3),
    },
)
OTHER: st.SearchStrategy[Any] = st.sampled_from(
    [1, -2.5, "x", '"]},{[', None, True, [], [[{}]], {"i": "x"}, {"s": {}}]
)
STYLES = st.fixed_dictionaries(
    {
        "indent": st.sampled_from([None, 0, 1, "\t"]),
        "separators": st.sampled_from([(",", ":"), (", ", ": "), (" ,\r\n ", " : ")]),
        "ensure_ascii": st.booleans(),
    }
)


def rows_of(values: list[Any]) -> list[dict[str, Any]]:
    """Objects as Arrow has them: all columns."""
    return [{name: row.get(name) for name in SCHEMA.names} for row in values]


def is_row(value: Any) -> bool:
    return isinstance(value, dict) and value not in ({"i": "x"}, {"s": {}})


@given(
    st.lists(ROW | OTHER, max_size=8),
    STYLES,
    st.sampled_from(["", "\ufeff", " \n"]),
    st.integers(5, 100),
    st.sampled_from(["x.json", "x.json.gz"]),
)
def test_elements_are_rows_or_bad_rows(
    values: list[Any], style: dict[str, Any], before: str, cell: int, name: str
) -> None:
    data = (before + json.dumps(values, **style) + "\n").encode()
    with grid_of(cell):
        pieces = Unit(data, name, SCHEMA).pieces()
    found = [row for piece in pieces for row in piece.records.to_pylist()]
    assert found == rows_of([value for value in values if is_row(value)])
    bad = [row for piece in pieces for row in piece.bad_rows]
    assert [json.loads(row.payload) for row in bad] == [v for v in values if not is_row(v)]
    numbers = [at for at, value in enumerate(values, 1) if not is_row(value)]
    assert [row.place.split()[1] for row in bad] == [str(number) for number in numbers]
    for row in bad:
        offset = int(row.place.split("byte ")[1].split(" ")[0].replace(",", ""))
        assert data[offset:].startswith(row.payload)


@given(st.lists(ROW, min_size=1, max_size=8), STYLES, st.integers(5, 100), st.data())
def test_a_restart_anywhere_reads_the_same_rows(
    values: list[Any], style: dict[str, Any], cell: int, data: st.DataObject
) -> None:
    with grid_of(cell):
        unit = Unit(json.dumps(values, **style).encode(), "x.json", SCHEMA)
        whole = unit.pieces()
        assert not unit.extent.divisible
        ends = [piece.end for piece in whole]
        assert ends == sorted(set(ends))
        assert ends[-1] == unit.extent.end
        at = data.draw(st.sampled_from(ends))
        first = unit.pieces(0, at)
        rest = unit.pieces(at, unit.extent.end) if at < unit.extent.end else []
    parts = [piece.records.to_pylist() for piece in first + rest]
    assert parts == [piece.records.to_pylist() for piece in whole]
    assert list(chain(*parts)) == rows_of(values)


@given(st.lists(ROW, max_size=5), STYLES, st.sampled_from(["", " ", "\n\n"]), st.integers(5, 60))
def test_objects_one_after_the_other(
    values: list[Any], style: dict[str, Any], between: str, cell: int
) -> None:
    data = '{\n"i":1}' + between + between.join(json.dumps(value, **style) for value in values)
    with grid_of(cell):
        unit = Unit(data.encode(), "x.json", SCHEMA)
        assert unit.rows() == rows_of([{"i": 1}, *values])
        assert unit.reasons() == []


@pytest.mark.parametrize(
    "text",
    [
        '{"i":1}\n{"i":2}\n',
        '{"i":1}\r\n\r\n{"i":2}',
        '{"i":1}{"i":2}',
        '{"i":\n1}{"i":2}',
        '[{"i":1},{"i":2}]',
        '\ufeff\n [ {"i":1}\n,\n{"i":2} ]\n\n',
    ],
)
def test_rows_however_they_are_put(text: str) -> None:
    assert [row["i"] for row in Unit(text.encode(), "x.json").rows()] == [1, 2]


def test_json_lines_by_any_name_are_read_in_parallel_and_lose_only_bad_lines() -> None:
    with grid_of(16):
        unit = Unit(b'{"i":1}\n{"i":\n{"i":3}\n{"i":4}\n', "x.json", SCHEMA)
        assert unit.extent.divisible
        assert [row["i"] for row in unit.rows()] == [1, 3, 4]
        assert unit.reasons() == ["not JSON: Expecting value at character 6"]


@pytest.mark.parametrize("text", ["", "  \n", "[]", " [ \n ] "])
def test_documents_without_rows(text: str) -> None:
    assert Unit(text.encode(), "x.json", SCHEMA).rows() == []
    with pytest.raises(SchemaError, match=r"x\.json: has no columns"):
        Unit(text.encode(), "x.json")


def test_nothing_between_commas_is_a_bad_row() -> None:
    unit = Unit(b'[{"i":1},, {"i":2}, ]', "x.json", SCHEMA)
    (piece,) = unit.pieces()
    assert [row["i"] for row in piece.records.to_pylist()] == [1, 2]
    assert [(row.place.split(" (")[0], row.payload) for row in piece.bad_rows] == [
        ("element 2", b""),
        ("element 4", b""),
    ]


def test_a_line_end_within_a_text_is_a_bad_row() -> None:
    unit = Unit(b'[{"s":"a\nb"},\n{"s":\n"c"}]', "x.json", SCHEMA)
    (piece,) = unit.pieces()
    assert [row["s"] for row in piece.records.to_pylist()] == ["c"]
    (bad,) = piece.bad_rows
    assert bad.payload == b'{"s":"a\nb"}'
    assert bad.reason.startswith("not JSON: Invalid control character")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"i":1},{"i":2', "ends at byte 15 within an array; the element that begins at byte 9 "),
        ('[{"i":1},{"s":"', "ends at byte 15 within a text"),
        ('{"i":\n', "ends at byte 6 within an object"),
        ('[{"i":1}}', "the '}' at byte 8 closes nothing that is open"),
        ('{"i":\n1}]', "the ']' at byte 8 closes nothing that is open"),
        ('[{"i":1}] [{"i":2}]', "the array ends at byte 8, and there is more at byte 10"),
        ("5", "what begins at byte 0 is neither an array of objects nor an object"),
        ("x,y\n1,2\n", "what begins at byte 0 is neither"),
    ],
)
def test_what_makes_the_rest_unreadable_is_fatal(text: str, message: str) -> None:
    with pytest.raises(FatalError, match=r"x\.json: ") as caught:
        Unit(text.encode(), "x.json", SCHEMA).pieces()
    assert message in str(caught.value)


@given(st.lists(ROW, min_size=1, max_size=5), STYLES, st.integers(5, 60), st.data())
def test_truncated_documents_are_never_taken_for_whole_ones(
    values: list[Any], style: dict[str, Any], cell: int, data: st.DataObject
) -> None:
    text = json.dumps(values, **style).encode()
    cut = data.draw(st.integers(1, len(text) - 1))
    with grid_of(cell), pytest.raises(FatalError, match="Is it truncated"):
        Unit(text[:cut], "x.json", SCHEMA).pieces()


# ── path ────────────────────────────────────────────────────────────────────────────────────────

DOCUMENT = {
    "meta": {"items": [], "text": 'no "items": [1]', "deep": [[{"items": 1}]]},
    "a/b~c": [{"i": 9}],
    "data": [{"rows": 5}, {"rows": [{"i": 1}, {"i": 2}], "more": {"x": [{}]}}, {"rows": {"i": 3}}],
    "": [{"i": 4}],
    "é": [{"i": 5}],
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/data/1/rows", [1, 2]),
        ("/data/2/rows", [3]),
        ("/a~1b~0c", [9]),
        ("/", [4]),
        ("/é", [5]),
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("cell", [7, 1 << 22])
def test_a_path_leads_to_the_rows(
    path: str, expected: list[int], indent: int | None, cell: int
) -> None:
    text = json.dumps(DOCUMENT, indent=indent).encode()
    with grid_of(cell):
        rows = Unit(text, "x.json", SCHEMA, path=path).rows()
    assert [row["i"] for row in rows] == expected


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "/nothing",
            "there is no 'nothing' in what begins at byte 0; its keys are 'meta', ",
        ),
        ("/data/9", "there is no '9' in what begins at byte 96; it has 3 elements"),
        ("/data/x", "it is an array: give a number"),
        ("/data/0/rows/x", "neither an object nor an array"),
        ("/data/0/rows", "is neither an array of objects nor an object"),
    ],
)
def test_a_path_that_leads_nowhere(path: str, message: str) -> None:
    text = json.dumps(DOCUMENT, separators=(",", ":")).encode()
    with pytest.raises(FatalError, match=f"x.json: path={path}") as caught:
        Unit(text, "x.json", SCHEMA, path=path).pieces()
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ['{"a":[{"i":1}]', '{"a":[{"i":1}', '{"b":{"a":[{"i":1}'])
def test_truncated_behind_or_before_the_path(text: str) -> None:
    with pytest.raises(FatalError, match=r"ends at byte .* truncated"):
        Unit(text.encode(), "x.json", SCHEMA, path="/a").pieces()


@pytest.mark.parametrize("path", ["data", "$.data", "/a~2"])
def test_a_path_is_a_json_pointer(path: str) -> None:
    with pytest.raises(ValidationError, match="no JSON Pointer"):
        ReadOptions(path=path)


# ── types ───────────────────────────────────────────────────────────────────────────────────────


def test_types_are_found_in_a_sample_and_may_be_given() -> None:
    text = json.dumps([{"i": 1, "d": "2024-01-31", "n": None}] * 3, indent=1).encode()
    unit = Unit(text, "x.json", types="i:double")
    assert unit.schema == pa.schema([("i", pa.float64()), ("d", pa.date32()), ("n", pa.string())])


def test_only_as_much_is_sampled_as_was_asked_for() -> None:
    text = json.dumps([{"i": 1}] * 50 + [{"i": 1.5, "j": 1}]).encode()
    with grid_of(64):
        assert Unit(text, "x.json", sample_size=64).schema.names == ["i"]
        assert Unit(text, "x.json", sample_size="all").schema == pa.schema(
            [("i", pa.float64()), ("j", pa.int64())]
        )


def test_the_name_tells_the_format() -> None:
    assert detect("a/b.JSON.gz") == ("json", "gzip")
