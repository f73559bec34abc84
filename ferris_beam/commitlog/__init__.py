"""A numbered, exclusive log beside the data: how sinks without transactions commit.

Files and object stores can't change a ledger and data in one step. They stage data out of sight and
then create one small document with the next free number; that document is the commit.
"""

from ferris_beam.commitlog.local import LocalLogStore
from ferris_beam.commitlog.numbered import Listing, NumberedLog
from ferris_beam.commitlog.records import Claim, Commit, Finish, Placement, Record, Removal
from ferris_beam.commitlog.sinklog import SinkLog
from ferris_beam.commitlog.state import SinkState
from ferris_beam.commitlog.store import LogStore

__all__ = [
    "Claim",
    "Commit",
    "Finish",
    "Listing",
    "LocalLogStore",
    "LogStore",
    "NumberedLog",
    "Placement",
    "Record",
    "Removal",
    "SinkLog",
    "SinkState",
]
