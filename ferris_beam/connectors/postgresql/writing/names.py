"""Names of tables: as options spell them, and as SQL does."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from psycopg import sql

from ferris_beam.errors import ConfigurationError

_PART = r'(?:"(?:[^"]|"")+"|[^".]+)'
_NAME = re.compile(rf"(?:(?P<schema>{_PART})\.)?(?P<table>{_PART})")
_LONGEST = 63
"""Bytes of a name; the server silently cuts longer ones off (NAMEDATALEN)."""


@dataclass(frozen=True, slots=True)
class TableName:
    """A table, with its schema or without: then the search path finds it."""

    schema: str | None
    table: str

    @classmethod
    def parse(cls, text: str) -> TableName:
        """Of ``orders``, ``public.orders`` or ``"My.Schema"."My.Table"``: upper case counts."""
        match = _NAME.fullmatch(text.strip())
        if match is None:
            raise ConfigurationError(
                f"{text!r} is no name of a table: write it as orders or public.orders, and a part "
                'that has dots in it as "a.b"'
            )
        found = cls(match["schema"] and _plain(match["schema"]), _plain(match["table"]))
        if len(found.table.encode()) > _LONGEST:
            raise ConfigurationError(
                f"the name {found.table!r} is longer than the {_LONGEST} bytes that PostgreSQL "
                "takes; give a shorter one: ?table=name"
            )
        return found

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(*(part for part in (self.schema, self.table) if part))

    def beside(self, table: str) -> TableName:
        """Another table of the same schema."""
        return TableName(self.schema, table)

    def __str__(self) -> str:
        """In one spelling, with quotes where they are needed to parse it again."""
        parts = (part for part in (self.schema, self.table) if part)
        return ".".join(f'"{_doubled(part)}"' if _needs_quotes(part) else part for part in parts)


def _plain(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part


def _doubled(part: str) -> str:
    return part.replace('"', '""')


def _needs_quotes(part: str) -> bool:
    return "." in part or '"' in part


def digest(*parts: str) -> str:
    """16 characters that stand for some texts, for names and locks."""
    joined = "\0".join(parts).encode()
    return hashlib.blake2b(joined, digest_size=8).hexdigest()


def lock_number(*parts: str) -> int:
    """The number of the advisory lock for some texts: a signed integer of 64 bits."""
    return int.from_bytes(bytes.fromhex(digest(*parts)), "big", signed=True)


def columns_sql(names: tuple[str, ...] | list[str], prefix: str = "") -> sql.Composed:
    """``a, b`` or ``t.a, t.b``."""
    return sql.SQL(", ").join(
        sql.Identifier(prefix, name) if prefix else sql.Identifier(name) for name in names
    )
