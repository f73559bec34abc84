"""Ledgers in a store: a numbered log beside the data, and rows of a table.

Files and object stores can't change a ledger and data in one step. They stage data out of sight and
then create one small document with the next free number; that document is the commit (`SinkLog`).
Stores with transactions keep the ledger's rows in the transaction of the data (`TableLedger`).
"""

from ferris_beam.commitlog.local import LocalLogStore
from ferris_beam.commitlog.numbered import Listing, NumberedLog
from ferris_beam.commitlog.records import (
    Claim,
    Commit,
    Finish,
    Forget,
    Gathered,
    Placement,
    Prepare,
    Record,
    Removal,
    Roll,
)
from ferris_beam.commitlog.sinklog import SinkLog
from ferris_beam.commitlog.state import SinkState
from ferris_beam.commitlog.store import LogStore
from ferris_beam.commitlog.table import LedgerRows, TableLedger

__all__ = [
    "Claim",
    "Commit",
    "Finish",
    "Forget",
    "Gathered",
    "LedgerRows",
    "Listing",
    "LocalLogStore",
    "LogStore",
    "NumberedLog",
    "Placement",
    "Prepare",
    "Record",
    "Removal",
    "Roll",
    "SinkLog",
    "SinkState",
    "TableLedger",
]
