"""Rows for the docs, and declarations that can't be left incomplete."""

from __future__ import annotations

import pytest
from pydantic import model_validator

from ferris_beam.options import OptionRow, Options, check, describe, option, resolve
from ferris_beam.uri import Uri
from tests.options.models import Everything, Required

ROWS = {row.name: row for row in describe(Everything, "shop+x")}


def test_rows() -> None:
    assert ROWS["rows"] == OptionRow(
        name="rows",
        type="a whole number of at least 1 and at most 100000",
        default="1000",
        required=False,
        variables=("FERRIS_SHOP_X_ROWS",),
        example="500",
        description="Rows of a batch.",
    )
    assert ROWS["password"].variables == ("FERRIS_SHOP_X_PASSWORD", "SHOP_PASSWORD")
    assert describe(Required, "shop")[0].required
    assert [row.name for row in describe(Required, "shop")] == ["table", "rows", "connection"]


def test_types_in_words() -> None:
    assert {name: row.type for name, row in ROWS.items() if name != "rows"} == {
        "connection": "text",
        "table": "text",
        "query": "text",
        "schema": "text",
        "mode": "one of table, cdc",
        "slot": "text of at most 8 characters or items",
        "publication": "text",
        "ratio": "a number of more than 0 and less than 1",
        "size": "a size such as 500kB, 64MB or 1GiB of at least 1",
        "idle": "a duration such as 500ms, 5s, 2m or 1h30m",
        "watch": "true or false",
        "acks": "one of all, none",
        "parallel": "a whole number or auto",
        "columns": "text, or several separated by commas",
        "parts": "a whole number, or several separated by commas",
        "folder": "a path",
        "endpoint": "text",
        "user": "text",
        "password": "a secret, as env:NAME, file:PATH or connection:NAME#FIELD",
        "api_key": "a secret, as env:NAME, file:PATH or connection:NAME#FIELD",
    }


def test_defaults_as_they_are_written() -> None:
    defaults = {name: row.default for name, row in ROWS.items() if row.default is not None}
    assert defaults == {
        "schema": "public",
        "mode": "table",
        "rows": "1000",
        "ratio": "0.5",
        "size": "64MB",
        "idle": "5s",
        "watch": "false",
        "acks": "all",
        "parallel": "auto",
        "columns": "",
    }


@pytest.mark.parametrize("row", [row for row in ROWS.values() if row.example], ids=lambda r: r.name)
def test_examples_are_valid(row: OptionRow) -> None:
    check(Everything, Uri("shop", options=((row.name, row.example or ""),)), {})


@pytest.mark.parametrize("row", [row for row in ROWS.values() if row.default], ids=lambda r: r.name)
def test_a_default_written_out_is_the_default(row: OptionRow) -> None:
    uri = Uri.parse("shop:?table=t")
    written = resolve(Everything, uri.with_option(row.name, row.default or ""), {}, {})
    assert written == resolve(Everything, uri, {}, {})


def test_every_option_is_declared_with_its_description() -> None:
    with pytest.raises(TypeError, match=r"Plain.rows must be declared by option"):
        type("Plain", (Options,), {"__annotations__": {"rows": "int"}, "rows": 1})
    with pytest.raises(TypeError, match=r"Silent.rows must be declared by option"):
        type(
            "Silent",
            (Options,),
            {"__annotations__": {"rows": "int"}, "rows": option(1, description="")},
        )


def test_rules_take_the_place_of_model_validators() -> None:
    with pytest.raises(TypeError, match="into `rules`"):

        class Late(Options):
            """A model that judges itself when it is complete only."""

            @model_validator(mode="after")
            def judge(self) -> Late:
                return self


def test_models_are_frozen_and_hide_inputs() -> None:
    options = Required(table="t")
    with pytest.raises(ValueError, match="frozen"):
        options.table = "x"  # type: ignore[misc]
    with pytest.raises(ValueError, match="validation error") as raised:
        Required(table="t", rows="s3cret")  # type: ignore[arg-type]
    assert "s3cret" not in str(raised.value)


def test_repr_hides_passwords_in_text() -> None:
    assert "s3cret" not in repr(Everything(endpoint="http://u:s3cret@h"))
