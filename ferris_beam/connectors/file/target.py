"""What a file sink writes to: what it finds there, where committed files go, what the finish does.

Everything a `Target` decides is written to the log; what the log says is then done by the
`Publisher`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ferris_beam.commitlog import Placement, Removal, SinkState
from ferris_beam.connectors.file.encoding import Encoding
from ferris_beam.connectors.file.layout import Layout, Workspace
from ferris_beam.connectors.file.staging import SealedPart
from ferris_beam.errors import ConfigurationError

IfExists = Literal["error", "append", "overwrite"]


@dataclass(frozen=True, slots=True)
class Start:
    """How a claim begins: ``held``: commits wait for the finish; ``replaces``: the finish removes
    what else is there; ``end``: where a growing file is continued."""

    held: bool = False
    replaces: bool = False
    end: int = 0


@dataclass(frozen=True)
class Target(ABC):
    """A folder or a single file."""

    layout: Layout
    workspace: Workspace
    encoding: Encoding
    if_exists: IfExists
    run: str

    @abstractmethod
    def start(self, state: SinkState, fresh: bool) -> Start:
        """Decides at a claim; ``fresh``: nothing that was committed before counts.

        Raises `ConfigurationError` where there is data and ``if_exists`` is 'error'.
        """

    def check(self, size: int, state: SinkState) -> None:
        """Raises `FatalError` where others have changed the target, which had ``size`` before
        ``state`` was read."""

    def sizes(self, parts: Sequence[SealedPart]) -> Mapping[str, int]:
        """Of a target of many growing files: the bytes of those that ``parts`` go to."""
        return {}

    def check_sizes(self, sizes: Mapping[str, int], state: SinkState) -> None:
        """As `check`, for the `sizes` of many files."""

    @abstractmethod
    def place(self, state: SinkState, parts: Sequence[SealedPart]) -> tuple[Placement, ...]:
        """Where the files of the next commit go. Raises `SchemaError` where they don't fit."""

    def holds(self, state: SinkState) -> bool:
        """Whether the files of the next commit wait for the finish."""
        return state.held

    @abstractmethod
    def finish(self, state: SinkState) -> tuple[tuple[Placement, ...], tuple[Removal, ...]]:
        """What is to be published at the end, and what is to be removed."""

    @property
    def size(self) -> int:
        """Bytes of a file that others might change while it grows."""
        return 0

    def _refuse(self, state: SinkState, found: str) -> ConfigurationError:
        owner = "holds data of this pipeline" if state.ledger.epoch else "holds data"
        return ConfigurationError(
            f"{self.layout.display} {owner} already ({found}): set if_exists=append to add to it "
            "or if_exists=overwrite to replace it when the new data is complete, or choose "
            "another place"
        )
