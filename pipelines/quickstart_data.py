"""The quickstart's input: orders of four months, one gzipped CSV file each, some rows broken, and
who ordered, as JSON lines.

The same at every start. January is clean: a CSV file doesn't tell its columns' types, so those of
the first file's rows count for all.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MONTHS = ("2025-01", "2025-02", "2025-03", "2025-04")
ORDERS_PER_MONTH = 50_000
BROKEN_PER_MONTH = 14
CUSTOMERS = 20_000
COLUMNS = ("order_id", "customer_id", "country", "status", "amount", "ordered_at")

_COUNTRIES = {
    "DE": 21,
    "FR": 17,
    "GB": 15,
    "IT": 12,
    "ES": 9,
    "PL": 7,
    "NL": 6,
    "SE": 4,
    "AT": 3,
    "CH": 3,
    "PT": 2,
    "IE": 1,
}
_SEGMENTS = {"retail": 70, "business": 25, "public": 5}
_STATUSES = {"delivered": 70, "shipped": 14, "paid": 9, "cancelled": 4, "returned": 3}


def write_orders(folder: Path) -> list[Path]:
    """Writes the files that are missing in ``folder``, each whole or not at all; returns all."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"orders-{month}.csv.gz" for month in MONTHS]
    for number, path in enumerate(paths):
        if not path.exists():
            _write(path, gzip.compress(orders_of_month(number), compresslevel=6, mtime=0))
    return paths


def write_customers(path: Path) -> None:
    """Writes the file if it is missing, whole or not at all."""
    if not path.exists():
        _write(path, customers())


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_bytes(content)
    os.replace(partial, path)


def customers() -> bytes:
    """Every customer's id and segment, as JSON lines."""
    ids = _numbered("C", 5, np.arange(CUSTOMERS))
    segments = _chosen(_SEGMENTS, np.random.default_rng(2_000), CUSTOMERS)
    lines = pc.binary_join_element_wise('{"id":"', ids, '","segment":"', segments, '"}\n', "")
    return "".join(lines.to_pylist()).encode()


def orders_of_month(number: int) -> bytes:
    """The CSV text of one month, counted from 0."""
    rows = _rows(number)
    if number > 0:
        rows = _with_broken_rows(rows, number)
    lines = pa.concat_arrays([pa.array([",".join(COLUMNS)]), rows])
    whole = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
    return pc.binary_join(whole, "\n")[0].as_buffer().to_pybytes() + b"\n"


def _rows(number: int) -> pa.StringArray:
    """The rows of a month as they should be, in order of time."""
    random = np.random.default_rng(number)
    first = number * ORDERS_PER_MONTH + 1
    month = np.datetime64(MONTHS[number])
    start, end = (at.astype("datetime64[s]").astype(np.int64) for at in (month, month + 1))
    seconds = np.sort(random.integers(start, end, ORDERS_PER_MONTH))
    cents = (99 + random.lognormal(8.3, 0.9, ORDERS_PER_MONTH)).astype(np.int64)
    columns = [
        pa.array(np.arange(first, first + ORDERS_PER_MONTH)).cast(pa.string()),
        _numbered("C", 5, (random.power(0.5, ORDERS_PER_MONTH) * CUSTOMERS).astype(np.int64)),
        _chosen(_COUNTRIES, random, ORDERS_PER_MONTH),
        _chosen(_STATUSES, random, ORDERS_PER_MONTH),
        pc.binary_join_element_wise(
            pa.array(cents // 100).cast(pa.string()), _numbered("", 2, cents % 100), "."
        ),
        pc.strftime(pa.array(seconds, pa.timestamp("s")), "%Y-%m-%d %H:%M:%S"),
    ]
    return pc.binary_join_element_wise(*columns, ",")


def _numbered(prefix: str, digits: int, numbers: np.ndarray) -> pa.StringArray:
    """``C00042`` for 42, with 5 digits."""
    padded = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), digits, "0")
    return pc.binary_join_element_wise(pa.scalar(prefix), padded, "")


def _chosen(weights: dict[str, int], random: np.random.Generator, count: int) -> pa.StringArray:
    shares = np.array(list(weights.values())) / sum(weights.values())
    choices = random.choice(len(weights), count, p=shares)
    return pa.array(list(weights)).take(pa.array(choices))


def _with_broken_rows(rows: pa.StringArray, number: int) -> pa.StringArray:
    """``rows`` with `BROKEN_PER_MONTH` of them broken, at random places."""
    random = np.random.default_rng(1_000 + number)
    places = np.sort(random.choice(len(rows), BROKEN_PER_MONTH, replace=False))
    mask = np.zeros(len(rows), bool)
    mask[places] = True
    broken = _broken(rows.take(pa.array(places)).to_pylist())
    return pc.replace_with_mask(rows, pa.array(mask), pa.array(broken))


def _broken(rows: list[str]) -> Iterator[str]:
    """Each row broken in another way, in turns, as happens to files that people touch."""
    for turn, row in enumerate(rows):
        order, customer, country, status, amount, ordered_at = row.split(",")
        ways = (
            [order, customer, country, status, "n/a", ordered_at],
            [order, customer, country],
            [order, customer, country, status, amount, "2025-02-30 12:00:00"],
            [order, customer, country, status, *amount.split("."), ordered_at],
            [f"#{order}", customer, country, status, amount, ordered_at],
            [order, customer, country, status, f"{amount} EUR", ordered_at],
            [order, customer, country, status, amount, "yesterday"],
        )
        yield ",".join(ways[turn % len(ways)])
