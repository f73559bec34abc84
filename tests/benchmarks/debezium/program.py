"""The class path of the peer that drains a replication slot into a file."""

from __future__ import annotations

import subprocess
from hashlib import sha256
from pathlib import Path

from tests.services import cache
from tests.services.tiers import FULL, tool

_HERE = Path(__file__).parent
_SOURCES = (_HERE / "pom.xml", _HERE / "ChangesToFile.java")


def class_path() -> str:
    """Of the compiled program and all that it needs."""
    version = sha256(b"".join(path.read_bytes() for path in _SOURCES)).hexdigest()[:12]
    folder = cache.once(f"debezium-{version}", _build)
    return f"{folder}:{(folder / 'class-path').read_text()}"


def _build(folder: Path) -> None:
    maven, java = tool("mvn", FULL, "Debezium"), tool("javac", FULL, "Debezium")
    listed = folder / "class-path"
    goal = ["dependency:build-classpath", f"-Dmdep.outputFile={listed}"]
    subprocess.run([maven, "-q", "-B", "-f", _SOURCES[0], *goal], check=True, timeout=600)
    compile = [java, "-cp", listed.read_text(), "-d", folder, _SOURCES[1]]
    subprocess.run(compile, check=True, timeout=120)
