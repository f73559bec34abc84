"""A package that a connector lacks is named, with the command that installs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {package!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())

import apache_beam as beam
import ferris_beam as fb
from ferris_beam.errors import MissingDependencyError

try:
    beam.Pipeline() | fb.read({uri!r})
except MissingDependencyError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("package", "uri", "extra"),
    [
        ("psycopg", "postgresql://user@localhost:1/shop?table=orders", "postgresql"),
        ("adbc_driver_manager", "postgresql://user@localhost:1/shop?table=orders", "postgresql"),
        ("confluent_kafka", "kafka://localhost:1/orders", "kafka"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(package: str, uri: str, extra: str) -> None:
    program = BLOCKED.format(package=package, uri=uri)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert f"{extra} needs the package '{package}" in done.stdout, done.stderr
    assert f"pip install 'ferris-beam[{extra}]'" in done.stdout
