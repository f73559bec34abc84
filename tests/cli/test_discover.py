"""``discover``: any connector, by the contract; hostile content; bounded reading."""

from __future__ import annotations

import base64
import decimal
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ferris_beam import registry
from ferris_beam.cli.values import as_plain, as_text
from ferris_beam.connector import Chunk, Connector, Reader, SourceFacts, Split
from ferris_beam.connectors import memory
from ferris_beam.interval import Interval
from ferris_beam.options import Options
from tests.cli.conftest import Cli
from tests.pseudo_terminal import python_on_terminal

ESCAPE = "\x1b[31mred\x1b[0m\x07\x9b2J\u202e"


def test_files_are_described_with_schema_rows_splits_and_rejects(cli: Cli, orders: Path) -> None:
    found = cli("discover", f"file://{orders}/", "--json").document
    assert found["formats"] == {"csv": 2}
    assert [(c["name"], c["type"]) for c in found["schema"]] == [
        ("id", "int64"),
        ("country", "string"),
        ("amount", "double"),
    ]
    assert (found["splits"]["count"], found["splits"]["divisible"]) == (2, 2)
    assert found["splits"]["units"] == 2
    assert found["splits"]["bytes"] == sum(path.stat().st_size for path in orders.iterdir())
    assert found["estimated_rows"] == 6
    assert [row["id"] for row in found["sample"]["rows"]] == [1, 2, 3, 6]
    assert [letter["payload"] for letter in found["sample"]["rejected"]] == ["4,FR", "5,FR,9a.90"]
    assert found["sample"]["rows_rejected"] == 2


def test_people_see_the_same(cli: Cli, orders: Path) -> None:
    done = cli("discover", f"file://{orders}/")
    assert (done.code, done.err) == (0, "")
    for told in ("csv", "2 of 2 units, divisible", "3 columns", "40.25", "'9a.90' is not a double"):
        assert told in done.out
    assert "\x1b" not in done.out


@pytest.mark.usefixtures("clean_memory")
def test_memory(cli: Cli) -> None:
    memory.put("few", pa.table({"x": list(range(25))}))
    found = cli("discover", "memory://few", "--json").document
    assert [row["x"] for row in found["sample"]["rows"]] == list(range(10))
    assert found["estimated_rows"] == 25
    assert found["formats"] == {}
    empty = cli("discover", "memory://nothing", "--json")
    assert (empty.code, empty.document["error"]["type"]) == (2, "ConfigurationError")


def test_any_connector_by_the_contract(cli: Cli, numbers: ModuleType) -> None:
    found = cli("discover", "faulty://n?units=3&reject_every=4", "--json").document
    assert found["splits"]["count"] == 3
    assert [row["x"] for row in found["sample"]["rows"]] == [1, 2, 3, 5, 6, 7, 9, 10, 11, 13]
    assert found["sample"]["rejected"][0]["reason"] == "not wanted"
    assert numbers.READ["unit-0"] == [0, 1], "more was read than ten rows need"
    assert not numbers.READ["unit-1"]


def test_a_secret_is_in_no_output(cli: Cli, numbers: ModuleType) -> None:
    for form in ((), ("--json",)):
        done = cli("discover", "faulty://n?password=hunter2", *form)
        assert done.code == 0
        assert numbers.OPENED[-1] == "hunter2"
        assert "hunter2" not in done.out + done.err


# ── what is never read ──────────────────────────────────────────────────────────────────────────


class Endless(Reader):
    """A source that rejects all there is, for ever; and one that has nothing yet."""

    bounded = False
    chunks = 0

    def __init__(self, uri: object, options: Options) -> None:
        self.silent = "silent" in str(uri)

    def schema(self) -> pa.Schema:
        return pa.schema([("x", pa.int64())])

    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        return [Split(Interval("all", 0, None), divisible=False, ordered=True)]

    def read(self, split: Split) -> Iterator[Chunk]:
        while not self.silent:
            type(self).chunks += 1
            yield Chunk(pa.RecordBatch.from_pylist([], schema=self.schema()), self.chunks)


class NoOptions(Options):
    """None."""


@pytest.fixture
def endless() -> Iterator[None]:
    here = f"{__name__}:"
    facts = SourceFacts(f"{here}NoOptions", f"{here}Endless", "all of it", "none")
    connector = Connector("endless", ("endless",), "For ever.", source=facts)
    registry.register(connector)
    Endless.chunks = 0
    yield
    registry.unregister(connector)


@pytest.mark.usefixtures("endless")
def test_reading_is_bounded_whatever_comes(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, __name__, sys.modules[Endless.__module__])
    found = cli("discover", "endless://x", "--json").document
    assert found["sample"]["rows"] == []
    assert Endless.chunks < 100
    assert found["splits"]["endless"] is True
    assert found["splits"]["bytes"] is None
    assert found["estimated_rows"] is None
    silent = cli("discover", "endless://silent")
    assert silent.code == 0
    assert "until the pipeline is stopped" in silent.out


def test_a_large_file_is_not_read_to_its_end(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("w") as file:
        file.write("id,text\n")
        for number in range(600_000):
            file.write(f"{number},{'x' * 40}\n")
    found = cli("discover", f"file://{path}", "--json").document
    assert found["sample"]["rows_read"] < 200_000
    assert 500_000 < found["estimated_rows"] < 700_000


# ── hostile input ───────────────────────────────────────────────────────────────────────────────


def test_what_is_not_there_or_empty_or_unreadable(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.csv").touch()
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1" + b"no" * 50)
    for name in ("none.csv", "empty/", "empty.csv", "damaged.parquet"):
        done = cli("discover", f"file://{tmp_path}/{name}")
        # Where the name and the content contradict each other, the command is what is wrong.
        code = 2 if name == "damaged.parquet" else 1
        assert (done.code, done.out) == (code, ""), name
        assert done.err.startswith("error: "), name
        assert str(tmp_path) in done.err
        failed = cli("discover", f"file://{tmp_path}/{name}", "--json")
        assert (failed.code, failed.err) == (code, "")
        assert failed.document["exit_code"] == code
        assert str(tmp_path) in failed.document["error"]["message"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(cli: Cli, orders: Path) -> None:
    (orders / "1.csv").chmod(0)
    done = cli("discover", f"file://{orders}/1.csv")
    assert done.code == 1
    assert "permission denied" in done.err


@pytest.mark.parametrize("columns", [80, 120])
def test_five_thousand_columns_fit_a_terminal(tmp_path: Path, columns: int) -> None:
    path = tmp_path / "wide.parquet"
    pq.write_table(pa.table({f"column_{n}": [n, n + 1] for n in range(5_000)}), path)
    session = python_on_terminal(columns, "-m", "ferris_beam", "discover", f"file://{path}")
    assert session.code == 0
    wide = [line for line in session.text.splitlines() if len(line) > columns]
    assert [line for line in wide if str(path) not in line] == []
    assert "4,950 more; --json lists all" in session.text
    assert "more columns" in session.text


@pytest.mark.usefixtures("clean_memory")
def test_values_do_not_steer_the_terminal(cli: Cli) -> None:
    name = f"col{ESCAPE}"
    memory.put("hostile", pa.table({name: [ESCAPE], "long": ["x" * 10_000_000], "b": [b"\0\xff"]}))
    done = cli("discover", "memory://hostile")
    assert done.code == 0
    assert not any(character in done.out for character in "\x1b\x07\x9b\u202e")
    assert "\\x1b[31m" in done.out
    assert "0x00ff" in done.out
    assert "…" in done.out
    assert max(map(len, done.out.splitlines())) < 300
    machine = cli("discover", "memory://hostile", "--json")
    assert machine.out.isascii()
    row = machine.document["sample"]["rows"][0]
    assert row[name] == ESCAPE
    assert len(row["long"]) == 10_000_000
    assert base64.b64decode(row["b"]) == b"\0\xff"


def scalar(value: object, kind: pa.DataType) -> pa.Scalar:
    return pa.array([value], kind)[0]


BROKEN_TEXT = pa.Array.from_buffers(
    pa.string(),
    1,
    [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"a\xff")],
)[0]
VALUES = [
    (scalar(None, pa.int64()), None, None),
    (scalar(2**63 - 1, pa.int64()), "9223372036854775807", 2**63 - 1),
    (scalar(1.5, pa.float32()), "1.5", 1.5),
    (scalar(float("nan"), pa.float64()), "nan", "nan"),
    (scalar(float("-inf"), pa.float64()), "-inf", "-inf"),
    (scalar(True, pa.bool_()), "true", True),
    (scalar(decimal.Decimal("1.50"), pa.decimal128(5, 2)), "1.50", "1.50"),
    (scalar(decimal.Decimal("0E-8"), pa.decimal128(9, 8)), "0.00000000", "0.00000000"),
    (scalar(1, pa.timestamp("ns")), "1970-01-01 00:00:00.000000001", None),
    (scalar(10**17, pa.timestamp("us")), "5138-11-16 09:46:40.000000", None),
    (scalar(-(10**6), pa.date32()), "-0768-02-04", None),
    (scalar(5, pa.duration("s")), "5", None),
    (scalar([1, None], pa.list_(pa.int8())), "[1, null]", [1, None]),
    (scalar({"a": b"x"}, pa.struct([("a", pa.binary())])), '{"a": "eA=="}', {"a": "eA=="}),
    (scalar([("k", 1)], pa.map_(pa.string(), pa.int8())), '[{"key": "k", "value": 1}]', None),
    (scalar("a", pa.dictionary(pa.int8(), pa.string())), "a", "a"),
    (scalar(b"\1" * 40, pa.binary()), f"0x{'01' * 32}…", None),
    (BROKEN_TEXT, "a\\xff", "a\\xff"),
]


@pytest.mark.parametrize(("value", "text", "plain"), VALUES)
def test_values_of_every_kind(value: pa.Scalar, text: str | None, plain: object) -> None:
    assert as_text(value) == text
    if plain is not None or text is None:
        assert as_plain(value) == plain
