"""Errors of libpq's results, where psycopg's own cursors are not used."""

from __future__ import annotations

import psycopg
from psycopg import errors
from psycopg.pq.abc import PGresult


def error_of(result: PGresult) -> psycopg.Error:
    """The driver's error; one without a SQLSTATE is libpq's own: the connection is lost."""
    error = errors.error_from_result(result)
    return error if error.sqlstate else psycopg.OperationalError(str(error))
