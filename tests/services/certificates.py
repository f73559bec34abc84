"""A certificate authority of the tests' own, and certificates that it signed."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.services.tiers import FULL, tool


def authority(folder: Path, name: str = "authority") -> Path:
    """Writes ``NAME.crt`` and ``NAME.key``; the path of the first."""
    _openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
        *("-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"),
    )
    return folder / f"{name}.crt"


def certificate(folder: Path, issuer: Path, name: str, host: str = "localhost") -> Path:
    """Writes ``NAME.crt`` for ``host`` and 127.0.0.1, and its key ``NAME.key``."""
    request, made = folder / f"{name}.csr", folder / f"{name}.crt"
    extensions = folder / f"{name}.ext"
    extensions.write_text(f"subjectAltName=DNS:{host},IP:127.0.0.1\n")
    _openssl(
        *("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={host}"),
        *("-keyout", folder / f"{name}.key", "-out", request),
    )
    _openssl(
        *("x509", "-req", "-in", request, "-days", "2", "-out", made, "-extfile", extensions),
        *("-CA", issuer, "-CAkey", issuer.with_suffix(".key"), "-CAcreateserial"),
    )
    return made


def _openssl(*arguments: str | Path) -> None:
    command = [tool("openssl", FULL, "a certificate"), *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
