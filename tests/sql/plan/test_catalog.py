"""Sources are discovered once; what is declared is what is read; errors point at the option."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ferris_beam.errors import SqlError
from ferris_beam.sql.nodes import Scan, walk
from ferris_beam.sql.plan import Catalog, Program, Source, plan_program
from ferris_beam.sql.plan import catalog as catalog_module
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText

ROWS = 5_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    table = pa.table(
        {"id": range(ROWS), "name": ["somebody"] * ROWS, "at": ["2024-01-01 10:00:00"] * ROWS}
    )
    lines = [f"{i},somebody,2024-01-01 10:00:00" for i in range(ROWS)]
    (tmp_path / "people.csv").write_text("\n".join(["id,name,at", *lines]))
    pq.write_table(table, tmp_path / "people.parquet")
    return tmp_path


def planned(text: str, catalog: Catalog | None = None) -> Program:
    return plan_program(parse(SqlText(text)), SqlText(text), catalog or Catalog())


def scans(program: Program) -> list[Scan]:
    return [
        node for output in program.outputs for node in walk(output.node) if isinstance(node, Scan)
    ]


def test_a_source_is_discovered_once(folder: Path) -> None:
    seen = []

    def discover(endpoint: object) -> Source:
        seen.append(endpoint)
        return catalog_module.discovered(endpoint)  # type: ignore[arg-type]

    uri = f"file://{folder}/people.csv"
    text = (
        f"SELECT a.id FROM '{uri}' a JOIN '{uri}' b USING (id); SELECT id FROM '{uri}';"
        f"SELECT id FROM '{uri}' WITH (types = 'id:double')"
    )
    program = planned(text, Catalog(discover=discover))
    assert len(seen) == 2  # other options, another source
    assert program.outputs[-1].node.schema.field("id").type == pa.float64()


@pytest.mark.parametrize("name", ["people.csv", "people.parquet"])
def test_sizes_are_estimated(folder: Path, name: str) -> None:
    (scan,) = scans(planned(f"SELECT * FROM 'file://{folder}/{name}'"))
    assert scan.nbytes == (folder / name).stat().st_size
    assert scan.rows is not None
    assert ROWS / 10 < scan.rows < ROWS * 10


def test_a_uri_goes_by_the_name_of_its_file(folder: Path) -> None:
    program = planned(f"SELECT people.id FROM 'file://{folder}/people.csv'")
    assert program.outputs[0].node.schema.names == ["id"]


def test_declared_columns_are_what_is_read(folder: Path) -> None:
    program = planned(
        f"CREATE TABLE p (id DECIMAL(10, 2), at TIMESTAMP, WATERMARK FOR at AS at) "
        f"FROM 'file://{folder}/people.csv'; SELECT * FROM p;"
        f"SELECT window_start, count(*) AS n FROM p GROUP BY id WINDOW TUMBLING(5m)"
    )
    first = program.outputs[0].node.schema
    assert first == pa.schema({"id": pa.decimal128(10, 2), "at": pa.timestamp("us")})
    assert scans(program)[0].endpoint.arguments["schema"]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("SELECT * FROM 'file://{}/nosuch.csv'", "'file", "nosuch.csv"),
        ("SELECT * FROM 'file://{}/people.csv' WITH (delimter = ';')", "delimter", "delimiter"),
        ("CREATE TABLE p (id INT NOT NULL) FROM 'file://{}/people.csv'", "id INT", "NOT NULL"),
        ("CREATE TABLE p (id FOO) FROM 'file://{}/people.csv'", "id FOO", "'FOO'"),
        ("CREATE TABLE p (id INT, id INT) FROM 'file://{}/people.csv'", "id INT)", "second time"),
        ("INSERT INTO 'file://{}/out.csv' WITH (formt = 'csv') SELECT 1", "formt", "format"),
    ],
)
def test_errors_point_at_what_is_wrong(folder: Path, text: str, place: str, message: str) -> None:
    text = text.format(folder)
    with pytest.raises(SqlError) as error:
        planned(text)
    _, column = SqlText(text).position(text.index(place))
    assert f"column {column})" in error.value.message
    assert message in error.value.message


def test_a_watermark_needs_a_timestamp(folder: Path) -> None:
    uri = f"file://{folder}/people.csv"
    with pytest.raises(SqlError, match="WATERMARK needs a timestamp, and id is BIGINT"):
        planned(f"CREATE TABLE p (id BIGINT, WATERMARK FOR id AS id) FROM '{uri}'")
