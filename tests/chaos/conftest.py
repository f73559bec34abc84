"""``python -m pytest tests/chaos --kills 20`` kills each pipeline so often: the soak."""

from __future__ import annotations

import pytest

FEW = 3


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=FEW, help=f"kills of each pipeline ({FEW})")


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--kills", default=FEW))
