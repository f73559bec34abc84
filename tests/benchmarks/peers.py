"""The environment of peers whose packages can't live beside ours, made once."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from tests.services import cache

REQUIREMENTS = (
    "duckdb==1.5.5",  # the newest for which PyPI has the extension
    "duckdb-extension-postgres-scanner==1.5.5",
    "connectorx==0.4.6",
    "dlt[postgres]==1.31.0",
    "pyarrow==25.0.1",
    "psycopg[binary]==3.3.9",
)


def interpreter() -> str:
    """The Python of the peers' environment; installs it where it isn't there."""
    name = sha256("\n".join(REQUIREMENTS).encode()).hexdigest()[:12]
    return str(cache.once(f"peers-{name}", _install) / "bin" / "python")


def _install(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, *REQUIREMENTS], check=True)
