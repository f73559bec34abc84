"""The environment of peers whose packages can't live beside ours, made once in the cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

REQUIREMENTS = (
    "duckdb==1.5.5",  # the newest for which PyPI has the extension
    "duckdb-extension-postgres-scanner==1.5.5",
    "connectorx==0.4.6",
    "dlt[postgres]==1.31.0",
    "adbc-driver-postgresql==1.13.0",
    "adbc-driver-manager==1.13.0",
    "pyarrow==25.0.1",
    "psycopg[binary]==3.3.9",
)


def interpreter(cache: Path) -> str:
    """The Python of the peers' environment; installs it where it isn't there."""
    name = sha256("\n".join(REQUIREMENTS).encode()).hexdigest()[:12]
    folder = cache / f"peers-{name}"
    if not folder.exists():
        partial = folder.with_name(f"{folder.name}.{os.getpid()}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(partial)], check=True)
        pip = [str(partial / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *REQUIREMENTS], check=True)
        os.replace(partial, folder)
    return str(folder / "bin" / "python")
