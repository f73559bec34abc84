"""Options cost what pydantic costs: neither Arrow nor Beam is loaded."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
import ferris_beam.options
from ferris_beam.uri import Uri
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_importing_options_loads_pydantic_only() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, check=True, text=True
    )
    loaded = set(run.stdout.split())
    assert "pydantic" in loaded
    assert not loaded & {"apache_beam", "pyarrow", "numpy", "pandas", "yaml", "tomllib", "tomli"}


def test_importing_uris_loads_nothing_at_all() -> None:
    program = PROGRAM.replace("import ferris_beam.options", "")
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert not set(run.stdout.split()) & {"pydantic", "apache_beam", "pyarrow"}
