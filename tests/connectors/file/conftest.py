"""Places to write to."""

from __future__ import annotations

import pytest


@pytest.fixture
def folder(tmp_path):
    """An empty folder."""
    return str(tmp_path)


@pytest.fixture
def out(folder):
    """The path of a folder that is not there yet, with a slash at its end as a sink's URI has."""
    return f"{folder}/out/"
