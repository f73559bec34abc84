"""Files of paths, folders and globs."""

from __future__ import annotations

import errno
import glob
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.connectors.file.listing import expand_braces, list_files, would_list
from ferris_beam.errors import FatalError

FILES = [
    "a.csv",
    "b.csv",
    "c.txt",
    ".hidden.csv",
    "_SUCCESS",
    "[ab].csv",
    "what?.csv",
    "2024/01/x.csv",
    "2024/01/y.parquet",
    "2024/02/x.csv",
    "2025/x.csv",
    "_ferris/log/1.csv",
    ".git/z.csv",
    "deep/er/still/w.csv",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for name in FILES:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (root / "empty").mkdir()
    (root / "link").symlink_to(root / "2024")
    return root


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a.csv", ["a.csv"]),
        (".hidden.csv", [".hidden.csv"]),
        ("_SUCCESS", ["_SUCCESS"]),
        ("[ab].csv", ["[ab].csv"]),
        ("what?.csv", ["what?.csv"]),
        ("?.csv", ["a.csv", "b.csv"]),
        ("[ac].*", ["a.csv", "c.txt"]),
        ("[!a].*", ["b.csv", "c.txt"]),
        ("*.csv", ["[ab].csv", "a.csv", "b.csv", "what?.csv"]),
        (".*.csv", [".hidden.csv"]),
        ("_*", ["_SUCCESS"]),
        ("{b,a}.csv", ["a.csv", "b.csv"]),
        ("2024/{01,02}/x.csv", ["2024/01/x.csv", "2024/02/x.csv"]),
        ("*/x.csv", ["2025/x.csv"]),
        ("2024/*/*.csv", ["2024/01/x.csv", "2024/02/x.csv"]),
        ("link/*/*.csv", ["link/01/x.csv", "link/02/x.csv"]),
        ("**/x.csv", ["2024/01/x.csv", "2024/02/x.csv", "2025/x.csv"]),
        ("2024/**", ["2024/01/x.csv", "2024/01/y.parquet", "2024/02/x.csv"]),
        ("**/still/*.csv", ["deep/er/still/w.csv"]),
        ("_ferris/**/*.csv", ["_ferris/log/1.csv"]),
        ("2024/0[12]/", ["2024/01/x.csv", "2024/01/y.parquet", "2024/02/x.csv"]),
        ("2025", ["2025/x.csv"]),
        ("2025/", ["2025/x.csv"]),
        ("", ["[ab].csv", "a.csv", "b.csv", "c.txt", "what?.csv"]),
    ],
)
def test_paths(folder: Path, pattern: str, expected: list[str]) -> None:
    assert list_files(f"{folder}/{pattern}") == [f"{folder}/{name}" for name in expected]


def test_recursive_reads_folders_below(folder: Path) -> None:
    visible = [name for name in FILES if name[0] not in "._"]
    assert list_files(str(folder), recursive=True) == sorted(f"{folder}/{x}" for x in visible)
    assert list_files(f"{folder}/20*", recursive=True) == sorted(
        f"{folder}/{name}" for name in visible if name.startswith("20")
    )


@settings(deadline=None)
@given(st.text(st.sampled_from("ab/*?.[]x"), min_size=1, max_size=8))
def test_simple_globs_are_those_of_python(pattern: str) -> None:
    root = Path(__file__).parents[3] / "ferris_beam"
    path = f"{root}/{pattern.lstrip('/')}"
    if os.path.lexists(path) or "**" in pattern or "//" in pattern or path.endswith("/"):
        return
    expected = [p for p in glob.glob(path) if os.path.isfile(p) and not _hidden(p, root)]
    try:
        assert list_files(path) == sorted(expected)
    except FatalError:
        assert expected == []


def _hidden(path: str, root: Path) -> bool:
    return any(part.startswith("_") for part in Path(path).relative_to(root).parts)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("*.json", r"no file matches .*/\*\.json; .* holds 2024, .*a\.csv, .* and 2 more"),
        ("nothing.csv", r"there is no .*/nothing\.csv; .* holds .*a\.csv"),
        ("2024/x.csv", r"there is no .*; .*/2024 holds 01, 02"),
        ("2024", r"no data in .*/2024, which holds 01, 02 .*recursive=true"),
        ("empty", r"there is no data in .*/empty, which holds nothing$"),
        ("missing/*/x.csv", r"no file matches .*; .* holds"),
        ("{x,y}.csv", r"no file matches"),
    ],
)
def test_nothing_found_says_what_is_there(folder: Path, pattern: str, message: str) -> None:
    with pytest.raises(FatalError, match=message):
        list_files(f"{folder}/{pattern}")


def test_a_folder_without_permission(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(FatalError, match=r"can't read .*/2024: permission denied; let this user"):
        list_files(f"{folder}/2024/*.csv")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a", ["a"]),
        ("a{b,c}", ["ab", "ac"]),
        ("{a,b}{1,2}", ["a1", "a2", "b1", "b2"]),
        ("a{b,c{d,e}}f", ["abf", "acdf", "acef"]),
        ("{a}", ["{a}"]),
        ("{a}{b,c}", ["{a}b", "{a}c"]),
        ("a{,x}", ["a", "ax"]),
        ("a{b", ["a{b"]),
        ("a}b", ["a}b"]),
    ],
)
def test_braces(pattern: str, expected: list[str]) -> None:
    assert expand_braces(pattern) == expected


# ── what would be listed ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("recursive", [False, True])
def test_what_would_be_listed_is_what_is_listed(tmp_path: Path, recursive: bool) -> None:
    files = ["a.csv", "b/c.csv", "b/d/e.csv", "b/d/f.txt", "_x/g.csv", ".h.csv", "b2/c.csv"]
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "b")
    patterns = (
        "", "/", "/a.csv", "/*", "/*.csv", "/b", "/b/", "/b*/", "/**", "/**/*.csv", "/b/**",
        "/**/d/*", "/{a,z}.csv", "/{a.csv,b/}", "/_x/*", "/_*", "/.h*", "/[ab].csv", "/b/d/f.*",
        "/link/", "/link/c.csv", "/b?/c.csv", "/nothing/*",
    )  # fmt: skip
    for pattern in patterns:
        path = f"{tmp_path}{pattern}"
        try:
            listed = {os.path.realpath(file) for file in list_files(path, recursive)}
        except FatalError:
            listed = set()
        for name in files:
            file = str(tmp_path / name)
            assert would_list(path, recursive, file) == (file in listed), (pattern, name)


def test_a_file_that_is_not_there_yet_would_be_listed(tmp_path: Path) -> None:
    assert would_list(f"{tmp_path}/", False, f"{tmp_path}/new.csv")
    assert would_list(f"{tmp_path}/*.csv", False, f"{tmp_path}/new.csv")
    assert not would_list(f"{tmp_path}/*.csv", False, f"{tmp_path}/part-0.parquet")
    assert not would_list(f"{tmp_path}/", False, f"{tmp_path}/out/new.csv")
    assert would_list(f"{tmp_path}/", True, f"{tmp_path}/out/new.csv")
