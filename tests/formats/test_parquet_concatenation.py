"""Row groups copied as they are, read by others; and the protocol of footers."""

from __future__ import annotations

import datetime

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.formats.parquet.concatenation import Footer, concatenate
from ferris_beam.formats.parquet.thrift_compact import (
    BINARY,
    BYTE,
    DOUBLE,
    I16,
    I32,
    I64,
    LIST,
    STRUCT,
    TRUE,
    Field,
    Reader,
    Sequence,
    write_struct,
)

SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("text", pa.string()),
        ("list", pa.list_(pa.int32())),
        ("at", pa.timestamp("us", "UTC")),
        pa.field("sure", pa.bool_(), nullable=False),
    ]
)
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


def table(start, count):
    ids = range(start, start + count)
    return pa.table(
        {
            "id": list(ids),
            "text": [None if at % 5 == 0 else f"text {at % 7}" for at in ids],
            "list": [None if at % 3 == 0 else list(range(at % 4)) for at in ids],
            "at": [START + datetime.timedelta(seconds=at) for at in ids],
            "sure": [at % 2 == 0 for at in ids],
        },
        schema=SCHEMA,
    )


def written(path, parts, **options):
    """Writes tables to files, these into one, and returns its path."""
    paths = []
    for at, part in enumerate(parts):
        paths.append(f"{path}/{at}.parquet")
        pq.write_table(part, paths[-1], **options)
    whole = f"{path}/whole.parquet"
    with open(whole, "wb") as file:
        concatenate(file, [Footer.read(path) for path in paths])
    return whole


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 200), min_size=1, max_size=5),
    st.sampled_from(["snappy", "zstd", "none"]),
    st.integers(1, 120),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["1.0", "2.0"]),
)
def test_the_rows_of_all_in_order(tmp_path_factory, counts, codec, group, dictionary, index, page):
    parts, start = [], 0
    for count in counts:
        parts.append(table(start, count))
        start += count
    whole = written(
        tmp_path_factory.mktemp("parts"),
        parts,
        compression=codec,
        row_group_size=group,
        use_dictionary=dictionary,
        write_page_index=index,
        data_page_version=page,
    )
    expected = pa.concat_tables(parts)
    assert pq.read_table(whole).equals(expected)
    assert pq.read_metadata(whole).num_rows == start
    assert pl.read_parquet(whole)["id"].to_list() == list(range(start))
    seen = duckdb.sql(f"SELECT id, text FROM '{whole}' WHERE id >= {start // 2} ORDER BY id")
    wanted = expected.slice(start // 2).select(["id", "text"]).to_pylist()
    assert [{"id": id, "text": text} for id, text in seen.fetchall()] == wanted
    assert not pq.read_metadata(whole).row_group(0).column(0).has_offset_index if start else True


def test_statistics_still_skip_row_groups(tmp_path):
    whole = written(tmp_path, [table(0, 50), table(1000, 50)])
    metadata = pq.read_metadata(whole)
    ranges = [metadata.row_group(at).column(0).statistics for at in range(metadata.num_row_groups)]
    assert [(found.min, found.max) for found in ranges] == [(0, 49), (1000, 1049)]
    assert pq.read_table(whole, filters=[("id", ">", 1047)])["id"].to_pylist() == [1048, 1049]


def test_a_concatenation_can_be_concatenated(tmp_path):
    first = written(tmp_path, [table(0, 10), table(10, 10)])
    again = f"{tmp_path}/again.parquet"
    with open(again, "wb") as file:
        concatenate(file, [Footer.read(first), Footer.read(first)])
    assert pq.read_table(again)["id"].to_pylist() == [*range(20), *range(20)]


@pytest.mark.parametrize("author", ["pyarrow", "duckdb", "polars"])
def test_footers_of_others_are_written_as_they_were_read(tmp_path, author):
    path, rows = f"{tmp_path}/a.parquet", table(0, 1000)
    if author == "pyarrow":
        pq.write_table(rows, path, write_page_index=True, row_group_size=100)
    elif author == "duckdb":
        duckdb.from_arrow(rows).write_parquet(path)
    else:
        pl.from_arrow(rows).write_parquet(path)
    footer = Footer.read(path)
    with open(path, "rb") as file:
        assert write_struct(footer.metadata) == file.read()[footer.start : -8]
    whole = f"{tmp_path}/whole.parquet"
    with open(whole, "wb") as file:
        concatenate(file, [footer, footer])
    assert pq.read_table(whole)["id"].to_pylist() == [*range(1000), *range(1000)]


def test_files_that_do_not_fit_are_told_apart(tmp_path):
    plain, other, optional = table(0, 5), table(0, 5).drop_columns(["list"]), table(0, 5)
    optional = optional.cast(SCHEMA.set(4, SCHEMA.field(4).with_nullable(True)))
    footers = []
    for at, found in enumerate([plain, other, optional, table(5, 5)]):
        pq.write_table(found, f"{tmp_path}/{at}.parquet")
        footers.append(Footer.read(f"{tmp_path}/{at}.parquet"))
    assert [footers[0].fits(footer) for footer in footers] == [True, False, False, True]


def test_what_is_no_parquet_is_told(tmp_path):
    for content in (b"", b"PAR1", b"PAR1PAR1", b"id,text\n1,a\n" * 10):
        (tmp_path / "a.parquet").write_bytes(content)
        with pytest.raises(ValueError, match="is no Parquet file"):
            Footer.read(f"{tmp_path}/a.parquet")


def value_of(kind, structs):
    integers = {BYTE: 8, I16: 16, I32: 32, I64: 64}
    if kind == BYTE:
        return st.integers(0, 255)
    if kind in integers:
        bits = integers[kind]
        return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if kind == TRUE:
        return st.booleans()
    if kind == STRUCT:
        return structs
    return st.binary(min_size=8, max_size=8) if kind == DOUBLE else st.binary(max_size=40)


def structs():
    plain = (BYTE, I16, I32, I64, DOUBLE, BINARY, STRUCT)

    def fields(inner):
        item = st.sampled_from(plain).flatmap(
            lambda kind: st.lists(value_of(kind, inner), max_size=20).map(
                lambda items: Field(LIST, Sequence(kind, items))
            )
        )
        simple = st.sampled_from((*plain, TRUE)).flatmap(
            lambda kind: value_of(kind, inner).map(
                lambda value: Field(kind if kind != TRUE or value else 2, value)
            )
        )
        return st.dictionaries(st.integers(1, 300), st.one_of(item, simple), max_size=4)

    return st.recursive(st.just({}), fields, max_leaves=6)


@given(structs())
def test_structures_come_back_from_their_bytes(found):
    reader = Reader(write_struct(found) + b"rest")
    assert reader.struct() == found
    assert reader.data[reader.position :] == b"rest"
