"""Plans of texts over three small relations, and the golden files that hold them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ferris_beam.errors import SqlError
from ferris_beam.sql.plan import Catalog, Program, plan_program, show
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText

FOLDER = Path(__file__).parent / "golden"

ORDERS = pa.schema(
    {
        "id": pa.int64(),
        "customer": pa.int32(),
        "status": pa.string(),
        "amount": pa.decimal128(10, 2),
        "weight": pa.float64(),
        "at": pa.timestamp("us"),
        "tags": pa.list_(pa.string()),
        "place": pa.struct({"city": pa.string(), "zip": pa.struct({"Code": pa.int32()})}),
        "extra": pa.map_(pa.string(), pa.int64()),
    }
)
CUSTOMERS = pa.schema({"id": pa.int64(), "name": pa.string(), "country": pa.string()})
COUNTRIES = pa.schema({"country": pa.string(), "since": pa.date32(), "Region": pa.string()})
GIVEN = {"orders": ORDERS, "customers": CUSTOMERS, "countries": COUNTRIES}


def plan(text: str) -> Program:
    return plan_program(parse(SqlText(text)), SqlText(text), Catalog(GIVEN))


def shown(text: str) -> str:
    """The plans of all outputs, or the error."""
    try:
        program = plan(text)
    except SqlError as error:
        return f"SqlError: {error}"
    outputs = [show(output.node) for output in program.outputs]
    return "\n\n".join(outputs).replace("\n\n", "\n")


@dataclass(frozen=True)
class Golden:
    """A text, and what it becomes."""

    name: str
    text: str
    expected: str


def read_golden(path: Path) -> list[Golden]:
    """Blocks of a text that ends with ``;`` and, indented by four spaces, what it becomes."""
    found = []
    for number, block in enumerate(path.read_text(encoding="utf-8").strip().split("\n\n")):
        lines = block.splitlines()
        text = "\n".join(line for line in lines if not line.startswith("    "))
        expected = "\n".join(line[4:] for line in lines if line.startswith("    "))
        found.append(Golden(f"{path.stem} {number + 1}", text, expected))
    return found


def write_golden(path: Path) -> None:
    """Writes anew what the texts of a file become: to be read before it is believed."""
    blocks = []
    for golden in read_golden(path):
        lines = shown(golden.text).splitlines()
        blocks.append("\n".join([golden.text, *(f"    {line}" for line in lines)]))
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for each in sorted(FOLDER.glob("*.txt")):
        write_golden(each)
