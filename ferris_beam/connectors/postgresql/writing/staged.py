"""Rows in an open transaction, kept until they are committed so that they can be written again."""

from __future__ import annotations

import uuid

import pyarrow as pa

from ferris_beam.connector import Receipt, Staged
from ferris_beam.connectors.postgresql.writing.modes import Mode
from ferris_beam.connectors.postgresql.writing.session import Session
from ferris_beam.errors import BadRecordError, ConflictError, RejectedRowError


class PostgresqlStaged(Staged):
    """Batches that were written in one transaction; each under a savepoint.

    Where that transaction is gone (a lost connection, a deadlock, a table that had to be created)
    the batches are written again in a new one. ``token`` is how the ledger knows them.
    """

    def __init__(self, session: Session, mode: Mode, whole: bool) -> None:
        self.token = uuid.uuid4().hex
        self.receipt: Receipt | None = None
        self.tried = False
        """Whether a commit was sent, so that nobody knows whether it succeeded."""
        self._session = session
        self._mode = mode
        self._whole = whole
        self._batches: list[pa.RecordBatch] = []
        self._transaction = 0

    def write(self, records: pa.RecordBatch) -> None:
        try:
            self._write(records)
        except BadRecordError as error:
            if self._whole and (error.row is not None or records.num_rows == 1):
                self._session.rollback()
                raise RejectedRowError(
                    f"a row was refused, and with on_failure=batch the transaction is rolled back "
                    f"and the pipeline stops: {error.message}"
                ) from error
            raise
        except BaseException:
            self._session.rollback()
            raise
        if records.num_rows:
            self._batches.append(records)
            self.rows += records.num_rows
            self.nbytes += records.nbytes

    def _write(self, records: pa.RecordBatch) -> None:
        action = self._mode.ready(records)
        if not records.num_rows:
            return
        self.restore()
        before = self._session.checksums
        with self._session.savepoint():
            action()
        self.checksum += self._session.checksums - before

    def restore(self) -> None:
        """Opens the transaction with all that was written so far, unless it is open."""
        if self._session.is_open and self._session.transactions == self._transaction:
            return
        self.make_ready()
        self._session.begin()
        self._transaction = self._session.transactions
        self.write_all()

    def make_ready(self) -> None:
        """Makes all tables ready, outside of transactions."""
        self._session.rollback()
        for records in self._batches:
            self._mode.ready(records)

    def write_all(self) -> None:
        """Writes all batches in the open transaction."""
        try:
            for records in self._batches:
                self._mode.ready(records)()
        except BadRecordError as error:
            raise ConflictError(
                "rows that were accepted before are refused now that they are written again, so "
                f"that the bundle must be repeated: {error.message}"
            ) from error

    def drop(self) -> None:
        self._session.rollback()
        self._batches.clear()
