"""Fixtures that every test room shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public corpora beside the project; see CONTRIBUTING.md, "Data for the tests".

    Where `CI` is set a missing folder is a failure; elsewhere the test is skipped with a line that says so.
    """
    if not SHARED_DATA.is_dir():
        reason = f"the test corpora are not at {SHARED_DATA}"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}, and CI is set: a missing data set is a failure there")
        pytest.skip(reason)
    return SHARED_DATA
