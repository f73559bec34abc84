from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ferris_beam.runners.prism import running_prism
from tests.services import prism


@pytest.fixture(scope="session")
def prism_program() -> Path:
    return prism.binary()


@pytest.fixture(scope="module")
def prism_endpoint(prism_program: Path) -> Iterator[str]:
    """A Prism for the pipelines of a module: it ends by itself when it had none for a while."""
    with running_prism(prism_program) as endpoint:
        yield endpoint
