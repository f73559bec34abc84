"""Tables of values that are hard: nested, extreme, of any script, on the borders of calendars."""

from __future__ import annotations

import json
import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

ITEM = pa.struct({"sku": pa.string(), "quantity": pa.int32(), "price": pa.float64()})
NESTED = pa.schema(
    {
        "id": pa.int64(),
        "point": pa.struct({"x": pa.int32(), "y": pa.int32()}),
        "items": pa.list_(ITEM),
        "scores": pa.list_(pa.float64()),
        "labels": pa.list_(pa.string()),
        "attributes": pa.map_(pa.string(), pa.int32()),
        "matrix": pa.list_(pa.list_(pa.int32())),
        "doc": pa.string(),
    }
)


def nested(chance: random.Random) -> pa.Table:
    """Of each kind of value, some are NULL, some empty, and some hold a NULL."""

    def or_null(value: Any) -> Any:
        return None if chance.random() < 0.12 else value

    def item() -> dict[str, Any]:
        number = chance.randint(1, 5)
        return {"sku": f"k{number}", "quantity": or_null(number), "price": number * 1.25}

    def document(number: int) -> str:
        inner = {"city": chance.choice(["Wien", "Rio", None]), "zip": 1000 + number}
        return json.dumps(
            {
                "id": number,
                "name": f"n{number}",
                "ok": number % 2 == 0,
                "address": inner,
                "list": [number, number * 1.5, "x", None, {"deep": [True]}],
            }
        )

    def row(number: int) -> dict[str, Any]:
        labels = [or_null(chance.choice("abcd")) for _ in range(chance.randint(0, 4))]
        matrix = [[chance.randint(0, 9) for _ in range(side)] for side in range(number % 3)]
        return {
            "id": number,
            "point": or_null({"x": number % 7, "y": or_null(number % 5)}),
            "items": or_null([item() for _ in range(chance.randint(0, 3))]),
            "scores": or_null([chance.randint(0, 20) / 2 for _ in range(number % 5)]),
            "labels": or_null(labels),
            "attributes": or_null({key: or_null(number % 6) for key in "rgb"[: number % 4]}),
            "matrix": or_null(matrix),
            "doc": or_null(document(number)),
        }

    return pa.Table.from_pylist([row(number) for number in range(1, 61)], NESTED)


def numerics(chance: random.Random) -> pa.Table:
    """Numbers of each width, of moderate size, so that sums and products fit."""
    kinds = {
        "id": pa.int64(),
        "tiny": pa.int8(),
        "small": pa.int16(),
        "whole": pa.int32(),
        "big": pa.int64(),
        "plain": pa.uint32(),
        "exact": pa.decimal128(12, 4),
        "real": pa.float32(),
        "precise": pa.float64(),
    }

    def row(number: int) -> dict[str, Any]:
        values = {
            "tiny": chance.randint(-11, 11),
            "small": chance.randint(-150, 150),
            "whole": chance.randint(-40_000, 40_000),
            "big": chance.randint(-(10**9), 10**9),
            "plain": chance.randint(0, 50_000),
            "exact": Decimal(chance.randint(-(10**6), 10**6)) / 10_000,
            "real": chance.randint(-512, 512) / 16,
            "precise": chance.choice([0.0, -0.0, chance.randint(-4096, 4096) / 64]),
        }
        kept = {name: None if chance.random() < 0.1 else value for name, value in values.items()}
        return {"id": number, **kept}

    return pa.Table.from_pylist([row(number) for number in range(1, 81)], pa.schema(kinds))


def extremes(_: random.Random) -> pa.Table:
    """The smallest and the largest value of each type; one step further does not fit."""
    decimal = Decimal("9" * 14 + ".9999")
    infinite, largest = float("inf"), 1.7976931348623157e308
    return pa.table(
        {
            "id": pa.array([1, 2, 3, 4], pa.int64()),
            "tiny": pa.array([-128, 127, 0, None], pa.int8()),
            "small": pa.array([-(2**15), 2**15 - 1, 0, None], pa.int16()),
            "whole": pa.array([-(2**31), 2**31 - 1, 0, None], pa.int32()),
            "big": pa.array([-(2**63), 2**63 - 1, 0, None], pa.int64()),
            "plain": pa.array([0, 2**32 - 1, 7, None], pa.uint32()),
            "exact": pa.array([-decimal, decimal, Decimal(0), None], pa.decimal128(18, 4)),
            "precise": pa.array([-largest, largest, infinite, None], pa.float64()),
        }
    )


def texts(_: random.Random) -> pa.Table:
    """Of several scripts, with white space, quotes, and what LIKE and regular expressions read."""
    values = [
        "",
        " ",
        "  padded  ",
        "plain",
        "Plain",
        "MIXED case Words",
        "50%",
        "a_b",
        "axb",
        "it's",
        'say "hi"',
        "back\\slash",
        "tab\there",
        "two\nlines",
        "Straße",
        "ÉCOLE éte",
        "日本語テキスト",
        "naïve café",
        "😀 smile",
        "2024-02-29",
        "12345",
        "-7.25",
        "a,b,,c",
        "key=value;other=2",
        "x@mail.example",
        "repeat repeat repeat",
        "true",
        None,
    ]
    return pa.table({"id": pa.array(range(1, len(values) + 1), pa.int64()), "text": values})


def days(chance: random.Random) -> pa.Table:
    """Leap days, ends of months and years, before 1970; times to the microsecond."""
    special = [
        date(2024, 2, 29),
        date(2023, 2, 28),
        date(2000, 2, 29),
        date(1900, 2, 28),
        date(1969, 12, 31),
        date(1970, 1, 1),
        date(2020, 12, 31),
        date(2021, 1, 1),
        date(2024, 3, 31),
        date(2024, 10, 27),
        date(1582, 10, 15),
        date(2262, 4, 11),
    ]
    some = [date(1950, 1, 1) + timedelta(chance.randint(0, 36_000)) for _ in range(28)]
    dates: list[date | None] = [*special, *some, None]

    def moment(day: date | None) -> datetime | None:
        if day is None:
            return None
        micros = chance.choice([0, 1, 43_200_000_000, chance.randrange(86_400_000_000)])
        return datetime(day.year, day.month, day.day) + timedelta(microseconds=micros)

    moments = [moment(day) for day in dates]
    return pa.table(
        {
            "id": pa.array(range(1, len(dates) + 1), pa.int64()),
            "day": pa.array(dates, pa.date32()),
            "moment": pa.array(moments, pa.timestamp("us")),
            "moment_utc": pa.array(moments, pa.timestamp("us", tz="UTC")),
        }
    )


def empty(_: random.Random) -> pa.Table:
    """No rows."""
    kinds = {"id": pa.int64(), "name": pa.string(), "amount": pa.decimal128(10, 2)}
    return pa.schema(kinds | {"seen_at": pa.timestamp("us")}).empty_table()


def hollow(_: random.Random) -> pa.Table:
    """Columns in which nothing stands, one of which has no type either."""
    return pa.table(
        {
            "id": pa.array(range(1, 6), pa.int64()),
            "word": pa.array([None] * 5, pa.string()),
            "number": pa.array([None] * 5, pa.float64()),
            "moment": pa.array([None] * 5, pa.timestamp("us")),
            "untyped": pa.nulls(5),
        }
    )
