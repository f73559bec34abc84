"""The language: DuckDB's expressions and queries as sqlglot reads them, and what we add.

DuckDB's parser is the base since it knows structs, lists, lambdas, ``* EXCEPT (…) REPLACE (…)``,
QUALIFY, semi and anti joins. Where meanings differ PostgreSQL's count: division of integers
truncates, NULLs are larger than everything.
"""

from __future__ import annotations

from typing import ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.tokens import TokenType

from ferris_beam.sql.syntax.parser import FerrisParser

_OTHER_DATABASES = """
    ANALYZE ATTACH AUTOINCREMENT AUTO_INCREMENT BEGIN CACHE CALL COMMENT COMMIT CONNECT COPY
    DATABASE DEFAULT DESCRIBE DETACH DISCONNECT EXECUTE EXPLAIN FILE FIXED FORCE FORMAT FUNCTION
    INDEX INSTALL KEEP KILL LIST LOAD LOCK LOGICAL LONG MACRO NAMESPACE NUMBER OBJECT ONLY
    OPERATOR OPTIMIZE OUT OVERWRITE PARTITION PRAGMA PREPARE PROCEDURE REF RENAME RESET SCHEMA
    SEQUENCE SESSION SETTINGS SHORT SHOW SIGNED STR SUMMARIZE TRIGGER UNCACHE UNKNOWN USE VACUUM
    VARIANT VECTOR VIEW VOLATILE PIVOT_WIDER STRAIGHT_JOIN PARTITIONED_BY USER-DEFINED DIV XOR
"""
_NAMES_HERE = frozenset(_OTHER_DATABASES.split()) | {
    "SQL SECURITY",
    "CONNECT BY",
    "CLUSTER BY",
    "DISTRIBUTE BY",
    "PARTITIONED BY",
    "|>",
}
"""Keywords of other databases: here they are names like any other."""

_DUCKDB = DuckDB.Tokenizer


class Ferris(DuckDB):
    """sqlglot's dialect of our SQL."""

    NULL_ORDERING = "nulls_are_large"
    TYPED_DIVISION = True
    SAFE_DIVISION = False
    SUPPORTS_LIMIT_ALL = False
    SUPPORTS_USER_DEFINED_TYPES = False
    SUPPORTS_ORDER_BY_ALL = False
    BYTE_STRING_IS_BYTES_TYPE = False
    ORIGINAL_NAME_META_KEY = "written"

    Parser = FerrisParser

    def to_json_path(self, path: exp.Expr | None) -> exp.Expr | None:
        """Paths stay as they are written."""
        return path

    class Tokenizer(_DUCKDB):
        COMMANDS: ClassVar[set[TokenType]] = set()
        HEREDOC_STRINGS: ClassVar[list[str | tuple[str, str]]] = []
        NUMERIC_ESCAPES: ClassVar[dict[str, tuple[int, int, int, int]]] = {}
        KEYWORDS: ClassVar[dict[str, TokenType]] = {
            word: kind
            for word, kind in _DUCKDB.KEYWORDS.items()
            if word not in _NAMES_HERE and kind not in (TokenType.BLOCK_START, TokenType.BLOCK_END)
        }
