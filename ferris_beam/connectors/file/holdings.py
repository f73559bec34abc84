"""What a file sink holds of each identity, read from the logs without touching anything."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import unquote

from ferris_beam.commitlog import LocalLogStore, NumberedLog, SinkLog, SinkState
from ferris_beam.connector import Holding
from ferris_beam.connectors.file.layout import Layout, Workspace


def holdings(layout: Layout) -> Mapping[str, Holding]:
    """By identity; a log that says no name is called as its folder is."""
    top = layout.ledgers
    found = {}
    for folder in _folders(top):
        state = _state(Workspace(os.path.join(top, folder)), folder)
        if state.ledger.epoch:
            sizes = [file.length for file in state.waiting]
            sizes += [part.nbytes for part in state.gathered]
            name = state.name or unquote(folder)
            found[name] = Holding(state.ledger, len(sizes), sum(sizes))
    return found


def _folders(top: str) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(top) if entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _state(workspace: Workspace, name: str) -> SinkState:
    return SinkLog(NumberedLog(LocalLogStore(workspace.log)), name).refresh()
