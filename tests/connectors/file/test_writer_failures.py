"""What the operating system refuses: told with the path and what to do, and nothing is lost."""

from __future__ import annotations

import os
import resource
import shlex
import subprocess
import sys
from contextlib import contextmanager, suppress

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from ferris_beam.errors import FatalError, SchemaError, TransientError
from tests.connectors.file.sinks import claimed, commit, entry, rows, staged_files, tree, writer

ROWS = 4000


def noise(start):
    """Rows that no format makes much smaller: about 90 kB."""
    found = np.random.default_rng(start).integers(0, 2**62, (2, ROWS))
    return pa.record_batch(
        {"id": pa.array(range(start, start + ROWS)), "a": found[0], "b": found[1]}
    )


def ids(path):
    if not os.path.exists(path):
        return []
    if os.path.isdir(path):
        return sorted(at for name in tree(path) for at in ids(os.path.join(path, name)))
    read = pq.read_table if path.endswith(".parquet") else pacsv.read_csv
    return read(path)["id"].to_pylist()


class FullDisk:
    """A disk of 8 MiB that can be filled."""

    message = "no space is left on the device; free some"

    def __init__(self, folder):
        self.folder = folder

    @contextmanager
    def mounted(self):
        subprocess.run([*MOUNT, self.folder], check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", "-l", self.folder], check=True)

    @contextmanager
    def room(self, left):
        """Within, ``left`` bytes are free."""
        path = f"{self.folder}/ballast"
        with open(path, "wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        os.truncate(path, max(0, os.path.getsize(path) - left))
        yield
        os.unlink(path)


class SizeLimit:
    """Files that the kernel does not let grow: no privilege is needed, and it is as abrupt."""

    message = "larger than the file system or `ulimit -f` allows; raise the limit"

    def __init__(self, folder):
        self.folder = folder

    @contextmanager
    def mounted(self):
        yield

    @contextmanager
    def room(self, left):
        """Within, no file grows beyond ``left`` bytes."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (left, limits[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)


MOUNT = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs"]
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]


def may_mount(folder, within=()):
    """Whether a process can mount a disk of its own."""
    probe = f"{shlex.join([*MOUNT, folder])} && umount {shlex.quote(folder)}"
    try:
        return not subprocess.run([*within, "sh", "-c", probe], capture_output=True).returncode
    except FileNotFoundError:
        return False


def rerun_in_namespace(folder):
    """Runs the test that calls this in a process that may mount: the root of a user namespace."""
    if not may_mount(folder, NAMESPACE):
        why = "a disk of 8 MiB can be mounted neither here nor in a user namespace"
        (pytest.fail if os.environ.get("FERRIS_REQUIRE") == "all" else pytest.skip)(why)
    test = os.environ["PYTEST_CURRENT_TEST"].rpartition(" (")[0]
    command = [*NAMESPACE, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    base = f"--basetemp={folder}/within"
    done = subprocess.run([*command, base, test], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def attempt(path, number):
    """One run: a claim, a commit of the next rows, and the finish."""
    options = {"format": "parquet"} if path.endswith("/") else {}
    if path.endswith("/rolled/"):
        options["roll_rows"] = ROWS
    sink = writer(path, f"run-{number}", **options)
    staged = None
    try:
        sink.claim(number, 1)
        start = sink.ledger().rows
        staged = sink.begin()
        staged.write(noise(start))
        sink.commit(number, staged, [entry(start, start + ROWS)])
        staged = None
        sink.roll(number)
        sink.finish(number)
    finally:
        if staged is not None:
            sink.rollback(staged)
    return sink.ledger().rows


@pytest.mark.parametrize("name", ["out/", "rolled/", "out.parquet", "out.csv"])
@pytest.mark.parametrize("kind", [FullDisk, SizeLimit])
def test_a_full_disk_stops_runs_and_space_lets_the_next_one_go_on(tmp_path, kind, name):
    place = tmp_path / "disk"
    place.mkdir()
    if kind is FullDisk and not may_mount(str(place)):
        rerun_in_namespace(str(tmp_path))
        return
    disk = kind(str(place))
    with disk.mounted():
        fill_again_and_again(disk, f"{place}/{name}")


def fill_again_and_again(disk, path):
    failures, reached = [], 0
    for number, left in enumerate(range(0, 600_000, 24_576), 1):
        with disk.room(left):
            try:
                reached = attempt(path, number)
            except FatalError as error:
                failures.append(str(error))
        if reached >= ROWS * 3:
            break
    done = attempt(path, 1000)
    assert len(failures) > 2
    for message in failures:
        assert disk.message in message
        assert disk.folder in message
    assert done >= ROWS * 2
    assert ids(path) == list(range(done))
    assert staged_files(disk.folder) == []


def test_a_file_larger_than_allowed_is_told(tmp_path):
    sink = claimed(f"{tmp_path}/out.csv")
    commit(sink, 0, 2)
    staged = sink.begin()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(FatalError, match=r"out\.csv.*larger than.*ulimit -f"):
            staged.write(noise(0))
        with pytest.raises(FatalError, match="larger than"):
            staged.write(rows(2, 3))
        with pytest.raises(FatalError, match="larger than"):
            sink.commit(1, staged, [entry(2, 3)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    sink.rollback(staged)
    assert staged_files(tmp_path) == []
    commit(sink, 2, 3)
    assert ids(f"{tmp_path}/out.csv") == [0, 1, 2]


@pytest.mark.parametrize("name", ["out/", "out.csv", "deeper/out.parquet"])
def test_a_file_where_a_folder_should_be_is_told(tmp_path, name):
    (tmp_path / "file").write_bytes(b"")
    options = {"format": "csv"} if name == "out/" else {}
    with pytest.raises(FatalError, match="a part of the path is a file, not a folder"):
        claimed(f"{tmp_path}/file/{name}", **options)


def test_a_folder_that_may_not_be_written_is_told(tmp_path, monkeypatch):
    """As root everything may be written, so the refusal is made here; the file systems of the
    kernel that refuse root as well give the same error."""

    def refuse(path, *arguments):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(FatalError, match=r"out.*permission denied; let this user write there"):
        claimed(f"{tmp_path}/out/", format="csv")


def test_a_file_system_without_hard_links_is_told(tmp_path, monkeypatch):
    def refuse(source, target):
        raise PermissionError(1, "Operation not permitted", source, None, target)

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(FatalError, match="needs hard links"):
        claimed(f"{tmp_path}/out/", format="csv")
    assert tree(tmp_path) == []


def test_rows_that_a_format_can_not_hold_are_told(tmp_path):
    sink = claimed(f"{tmp_path}/out/", format="parquet")
    staged = sink.begin()
    staged.write(pa.record_batch({"span": pa.array([(1, 2, 3)], pa.month_day_nano_interval())}))
    with pytest.raises(SchemaError, match="the format can't hold these rows"):
        sink.commit(1, staged, [entry(0, 1)])
    sink.rollback(staged)
    assert staged_files(tmp_path) == []
    assert sink.ledger().rows == 0


def test_what_may_pass_is_tried_again(tmp_path, monkeypatch):
    sink = claimed(f"{tmp_path}/out/", format="csv")
    staged = sink.begin()
    staged.write(rows(0, 2))
    rename = os.rename

    def stale(source, target):
        monkeypatch.setattr(os, "rename", rename)
        raise OSError(116, "Stale file handle", source, None, target)

    monkeypatch.setattr(os, "rename", stale)
    with pytest.raises(TransientError, match="Stale file handle"):
        sink.commit(1, staged, [entry(0, 2)])
    sink.commit(1, staged, [entry(0, 2)])
    assert ids(f"{tmp_path}/out") == [0, 1]
