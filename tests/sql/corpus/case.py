"""A file of the corpus: one query, and what DuckDB is asked instead of it.

The comments at the top of a file say what the runner must know; continuation lines are indented by
three spaces:

- ``-- ordered``: the order of the rows is asked for, too;
- ``-- differs: key``: the result, or the way to write it, differs on purpose: the reason stands in
  ``differences.md`` under this key;
- ``-- duckdb: …``: the same question in DuckDB's words, where its spelling is another.

Tables are written ``'${DATA}/orders/'`` (`tests.sql.tables`), ``'${TPCH}/orders/'``
(`tests.sql.tpch`) or ``'${NEXMARK}/bid/'`` (`tests.sql.nexmark.generator`); DuckDB knows them as
``orders``, ``tpch.orders``, ``nexmark.bid``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
_TABLE = re.compile(r"'\$\{(DATA|TPCH|NEXMARK)\}/(\w+)/'")
_HEADER = re.compile(r"-- (ordered|differs|duckdb):? ?(.*)")


@dataclass(frozen=True)
class Case:
    """``text`` is what we run, with ``${DATA}`` in it; ``question`` is what DuckDB runs."""

    name: str
    text: str
    question: str
    ordered: bool
    differs: str

    @property
    def feature(self) -> str:
        return self.name.split("/")[0]


def read(path: Path, folder: Path) -> Case:
    header: dict[str, str] = {}
    lines = path.read_text(encoding="utf-8").splitlines()
    key = ""
    while lines:
        found = _HEADER.fullmatch(lines[0])
        if found:
            key = found[1]
            header[key] = found[2]
        elif key and lines[0].startswith("--   "):
            header[key] += "\n" + lines[0].removeprefix("--").strip()
        else:
            break
        lines.pop(0)
    text = "\n".join(lines)
    return Case(
        name=str(path.relative_to(folder).with_suffix("")),
        text=text,
        question=header.get("duckdb") or _TABLE.sub(_name, text),
        ordered="ordered" in header,
        differs=header.get("differs", ""),
    )


def _name(table: re.Match[str]) -> str:
    return table[2] if table[1] == "DATA" else f"{table[1].lower()}.{table[2]}"


def all_cases(folder: Path = FOLDER) -> list[Case]:
    """Every file below ``folder``, by name."""
    return [read(path, folder) for path in sorted(folder.rglob("*.sql"))]
