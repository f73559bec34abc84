"""Holding batches against a schema: every kind of difference under every policy."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.errors import ConfigurationError, SchemaError
from ferris_beam.schemas import POLICIES, Checked, Policies, SchemaCheck

EXPECTED = pa.schema(
    [pa.field("id", pa.int64(), nullable=False), ("amount", pa.float64()), ("name", pa.string())]
)
GOOD = {"id": [1, 2, 3], "amount": [1.5, None, 2.5], "name": ["a", "b", None]}


def batch(**columns: Any) -> pa.RecordBatch:
    arrays = {
        name: values if isinstance(values, pa.Array) else pa.array(values)
        for name, values in {**GOOD, **columns}.items()
        if values is not None
    }
    return pa.RecordBatch.from_pydict(arrays)


def check(records: pa.RecordBatch, **policies: str) -> Checked:
    return SchemaCheck(EXPECTED, Policies(**policies)).check(records)


def test_what_is_expected_goes_on() -> None:
    checked = check(batch())
    assert checked.records.schema == EXPECTED
    assert checked.records.to_pydict() == GOOD
    assert not checked.rejected
    assert not checked.dropped


def test_a_narrower_type_is_no_difference() -> None:
    records = batch(
        id=pa.array([1, 2, 3], pa.int16()), name=pa.array(["a", "b", None]).dictionary_encode()
    )
    assert check(records).records == check(batch()).records


def test_a_column_of_nulls_has_every_type() -> None:
    assert check(batch(amount=pa.nulls(3))).records.column("amount") == pa.nulls(3, pa.float64())


def test_columns_are_put_in_order() -> None:
    assert check(batch().select(["name", "id", "amount"])).records == check(batch()).records


# ── missing ─────────────────────────────────────────────────────────────────────────────────────


def test_missing() -> None:
    records = batch(amount=None)
    with pytest.raises(SchemaError, match="column 'amount' is missing; there are: id, name"):
        check(records)
    assert check(records, missing="accept").records.schema.names == ["id", "name"]
    evolved = check(records, missing="evolve").records
    assert evolved.column("amount") == pa.nulls(3, pa.float64())
    assert evolved.schema == EXPECTED
    dropped = check(records, missing="drop")
    assert (dropped.records.num_rows, dropped.dropped, dropped.rejected) == (0, 3, [])
    rejected = check(records, missing="dead_letter")
    assert rejected.rejected == [(row, "the column 'amount' is missing") for row in range(3)]
    assert rejected.records.num_rows == 0


def test_a_required_column_that_is_added_may_be_null() -> None:
    evolved = check(batch(id=None), missing="evolve").records
    assert evolved.schema.field("id") == pa.field("id", pa.int64())


# ── extra ───────────────────────────────────────────────────────────────────────────────────────


def test_extra() -> None:
    records = batch(z=[None, 1, None], b=[1, 2, 3]).select(["z", "b", "id", "amount", "name"])
    with pytest.raises(SchemaError, match="'z', 'b' are not expected; expected are: id, amount"):
        check(records)
    names = EXPECTED.names
    assert check(records, extra="accept").records.schema.names == [*names, "z", "b"]
    assert check(records, extra="evolve").records.schema.names == [*names, "b", "z"]
    dropped = check(records, extra="drop")
    assert dropped.records.to_pydict() == GOOD
    rejected = check(records.drop_columns("b"), extra="dead_letter")
    assert rejected.rejected == [(1, "the column 'z' is not expected")]
    assert rejected.records.column("id").to_pylist() == [1, 3]


# ── another type ────────────────────────────────────────────────────────────────────────────────


def test_changed() -> None:
    records = batch(amount=["1.5", "much", None])
    with pytest.raises(SchemaError, match="'amount' is a string, and a double is expected"):
        check(records)
    assert check(records, changed="accept").records.schema.field("amount").type == pa.string()
    evolved = check(records, changed="evolve").records
    assert evolved.column("amount").to_pylist() == ["1.5", "much", None]
    dropped = check(records, changed="drop")
    assert dropped.dropped == 1
    assert dropped.records.column("amount").to_pylist() == [1.5, None]
    rejected = check(records, changed="dead_letter")
    assert rejected.rejected == [(1, "amount: 'much' is not a double")]
    assert rejected.records.schema == EXPECTED


def test_types_evolve_to_what_holds_both() -> None:
    records = batch(id=[1.5, 2.0, 3.0])
    evolved = check(records, changed="evolve").records
    assert evolved.schema.field("id") == pa.field("id", pa.float64(), nullable=False)


def test_a_value_that_the_wider_type_does_not_hold_is_not_lost() -> None:
    records = batch(amount=[1, 2**53 + 1, 3])
    checked = check(records, changed="dead_letter")
    assert [row for row, _ in checked.rejected] == [1]
    assert checked.records.column("amount").to_pylist() == [1.0, 3.0]
    with pytest.raises(SchemaError, match="'amount' is an int64"):
        check(records)


def test_types_that_cannot_be_cast() -> None:
    records = batch(amount=[[1], None, [2]])
    assert [row for row, _ in check(records, changed="dead_letter").rejected] == [0, 2]
    assert check(records, changed="drop").dropped == 2
    with pytest.raises(SchemaError, match="no type in common; choose another policy than evolve"):
        check(records, changed="evolve")


# ── null ────────────────────────────────────────────────────────────────────────────────────────


def test_nulls() -> None:
    records = batch(id=[1, None, 3])
    with pytest.raises(SchemaError, match="id: null where a value is required"):
        check(records)
    assert check(records, nulls="evolve").records.schema.field("id").nullable
    assert check(records, nulls="drop").records.column("id").to_pylist() == [1, 3]
    rejected = check(records, nulls="dead_letter")
    assert rejected.rejected == [(1, "id: null where a value is required")]
    assert rejected.records.schema == EXPECTED


def test_a_row_has_all_its_reasons() -> None:
    records = batch(id=[1, None, 3], amount=["1", "x", "y"])
    checked = check(records, nulls="dead_letter", changed="dead_letter")
    assert checked.rejected == [
        (1, "id: null where a value is required; amount: 'x' is not a double"),
        (2, "amount: 'y' is not a double"),
    ]


def test_a_row_that_is_rejected_and_dropped_leaves_a_trace() -> None:
    records = batch(id=[1, None, 3], amount=["1", "x", "y"])
    checked = check(records, nulls="dead_letter", changed="drop")
    assert [row for row, _ in checked.rejected] == [1]
    assert checked.dropped == 1


# ── everything ──────────────────────────────────────────────────────────────────────────────────

ids = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), min_size=4, max_size=4),
    st.lists(st.one_of(st.none(), st.sampled_from(["1", "x", ""])), min_size=4, max_size=4),
    st.lists(st.floats(), min_size=4, max_size=4),
    st.none(),
)
policies = st.builds(
    Policies, *[st.sampled_from([name for name in POLICIES if name != "fail"])] * 4
)


@given(ids, ids, ids, policies)
def test_no_row_gets_lost(id_: Any, amount: Any, extra: Any, policies: Policies) -> None:
    given_columns = {"id": id_, "amount": amount, "extra": extra, "name": list("abcd")}
    columns = {name: pa.array(values) for name, values in given_columns.items() if values}
    records = pa.RecordBatch.from_pydict(columns)
    checked = SchemaCheck(EXPECTED, policies).check(records)
    assert checked.records.num_rows + len(checked.rejected) + checked.dropped == 4
    checked.records.validate(full=True)
    for column, field in zip(checked.records.columns, checked.records.schema, strict=True):
        if policies.nulls != "accept":
            assert field.nullable or not column.null_count
    if checked.records.num_rows == 4 and "amount" in columns and policies.changed == "evolve":
        assert checked.records.column("amount").null_count == columns["amount"].null_count


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="extra='dorp' is no policy; did you mean 'drop'"):
        Policies(extra="dorp")


def test_repeated_columns_are_refused() -> None:
    twice = pa.RecordBatch.from_arrays([pa.array([1])] * 2, names=["id", "id"])
    with pytest.raises(SchemaError, match="several columns are named 'id'"):
        check(twice)
