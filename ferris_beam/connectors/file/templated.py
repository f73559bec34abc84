"""Files whose paths a template makes: each of them is written as a single file is.

The log keeps the sizes of the files that grew latest in this run. A file that is not, or no longer,
among them is continued at the size it has: all that was committed of it is published by then.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ferris_beam.commitlog import Placement, Removal, SinkState
from ferris_beam.connectors.file.folder import FolderTarget
from ferris_beam.connectors.file.layout import Layout, data_files, fingerprint
from ferris_beam.connectors.file.single import GrowingTarget, MergedTarget, SingleFileTarget
from ferris_beam.connectors.file.staging import SealedPart


class TemplatedTarget(FolderTarget):
    """CSV and JSON Lines files grow with each commit, others appear at the finish."""

    def holds(self, state: SinkState) -> bool:
        return state.held or not self.encoding.grows

    def sizes(self, parts: Sequence[SealedPart]) -> Mapping[str, int]:
        return {part.folder: self._file(part.folder).size for part in parts}

    def check_sizes(self, sizes: Mapping[str, int], state: SinkState) -> None:
        views = self._views(state, sizes)
        for path, size in sizes.items():
            self._file(path).check(size, views[path])

    def place(self, state: SinkState, parts: Sequence[SealedPart]) -> tuple[Placement, ...]:
        by_path: dict[str, list[SealedPart]] = defaultdict(list)
        for part in parts:
            by_path[part.folder].append(part)
        views = self._views(state, by_path)
        return tuple(
            replace(file, target=path)
            for path, of_path in by_path.items()
            for file in self._file(path).place(views[path], of_path)
        )

    def finish(self, state: SinkState) -> tuple[tuple[Placement, ...], tuple[Removal, ...]]:
        paths = dict.fromkeys(file.target for file in state.waiting)
        views = self._views(state, paths)
        files = tuple(
            replace(file, target=path)
            for path in paths
            for file in self._file(path).finish(views[path])[0]
        )
        old = data_files(self.layout) if state.replaces else ()
        return files, tuple(
            Removal(path, fingerprint(self.layout.target(path)))
            for path in old
            if path not in paths
        )

    def _file(self, path: str) -> SingleFileTarget:
        folder, name = os.path.split(self.layout.target(path))
        kind = GrowingTarget if self.encoding.grows else MergedTarget
        return kind(Layout(folder, name), self.workspace, self.encoding, self.if_exists, self.run)

    def _views(self, state: SinkState, paths: Iterable[str]) -> dict[str, SinkState]:
        """For each path the state as if its file were the sink's only one."""
        waiting: dict[str, list[Placement]] = defaultdict(list)
        for file in state.waiting:
            waiting[file.target].append(file)
        due: dict[str, list[tuple[int, Placement]]] = defaultdict(list)
        for number, file in state.due:
            due[file.target].append((number, file))
        return {
            path: replace(
                state,
                waiting=waiting[path],
                due=due[path],
                end=self._end(state, path, due[path]),
            )
            for path in paths
        }

    def _end(self, state: SinkState, path: str, due: Sequence[tuple[int, Placement]]) -> int:
        if path in state.ends:
            return state.ends[path]
        return max((file.end for _, file in due), default=self._file(path).size)
