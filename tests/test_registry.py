"""Connectors of other packages: found, listed, and harmless where they are broken."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ferris_beam.errors import ConfigurationError, UnknownSchemeError
from ferris_beam.registry import connector_for, connectors, register, schemes, unregister
from ferris_beam.testing import faulty
from tests.pseudo_terminal import environment

SOUND = """
from dataclasses import replace
from ferris_beam.connectors.memory import CONNECTOR as MEMORY
CONNECTOR = replace(MEMORY, name={name!r}, schemes=({scheme!r},))
"""


def install(folder: Path, package: str, scheme: str, code: str | None = None) -> None:
    """A package as pip leaves it: a module, and its metadata with one entry point."""
    module = package.replace("-", "_")
    text = SOUND.format(name=package, scheme=scheme) if code is None else code
    (folder / f"{module}.py").write_text(text)
    metadata = folder / f"{module}-1.5.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.5\n")
    group = "[ferris_beam.connectors]"
    (metadata / "entry_points.txt").write_text(f"{group}\n{scheme} = {module}:CONNECTOR\n")


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs ``python -m ferris_beam`` with the packages of ``folder`` installed."""
    ours = environment()
    return subprocess.run(
        [sys.executable, "-m", "ferris_beam", *arguments],
        env={**ours, "PYTHONPATH": f"{folder}:{ours['PYTHONPATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def listed(folder: Path) -> tuple[list[str], str]:
    """The names of the connectors, and the warnings."""
    done = command(folder, "connectors", "--json")
    assert done.returncode == 0, done.stderr
    return [connector["name"] for connector in json.loads(done.stdout)], done.stderr


def test_an_installed_connector_is_found(tmp_path: Path) -> None:
    install(tmp_path, "acme", "acme")
    names, warnings = listed(tmp_path)
    assert {"acme", "file", "memory"} <= set(names)
    assert warnings == ""
    assert "unbounded" in command(tmp_path, "describe", "acme").stdout


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import no_such_driver", "ModuleNotFoundError: No module named 'no_such_driver'"),
        ("raise RuntimeError('half installed')", "RuntimeError: half installed"),
        ("", "AttributeError"),
        ("CONNECTOR = 'acme'", "no Connector that declares this scheme"),
        (SOUND.format(name="acme", scheme="other"), "no Connector that declares this scheme"),
    ],
)
def test_a_broken_package_is_named_and_hinders_nobody(
    tmp_path: Path, code: str, reason: str
) -> None:
    install(tmp_path, "acme-broken", "acme", code)
    install(tmp_path, "fine", "fine")
    names, warnings = listed(tmp_path)
    assert {"file", "fine", "memory"} <= set(names)
    assert "acme-broken" not in names
    assert "the package acme-broken 1.5" in warnings
    assert reason in warnings
    asked = command(tmp_path, "describe", "acme")
    assert asked.returncode == 2
    assert "the package acme-broken 1.5" in asked.stderr
    assert "Traceback" not in asked.stderr


def test_what_is_built_in_wins_over_what_is_installed(tmp_path: Path) -> None:
    install(tmp_path, "rival", "file")
    names, warnings = listed(tmp_path)
    assert "file" in names
    assert "rival" not in names
    assert "the package rival 1.5 for file is not used: that scheme is built in" in warnings


def test_two_packages_with_one_scheme_are_told_apart(tmp_path: Path) -> None:
    install(tmp_path, "one", "orders")
    install(tmp_path, "two", "orders")
    _, warnings = listed(tmp_path)
    assert "the package one 1.5 and the package two 1.5 both have a connector" in warnings
    assert command(tmp_path, "describe", "orders").returncode == 2


def test_what_is_registered_wins_and_can_be_taken_back() -> None:
    assert "faulty" not in schemes()
    register(faulty.CONNECTOR)
    try:
        assert connector_for("faulty") is faulty.CONNECTOR
        assert faulty.CONNECTOR in connectors()
    finally:
        unregister(faulty.CONNECTOR)
    with pytest.raises(UnknownSchemeError, match="entry point"):
        connector_for("faulty")


def test_an_unknown_scheme_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'memory'"):
        connector_for("memroy")
