"""Where what others published lies: beside the repository, or where SHARED_PUBLIC says."""

import os
from pathlib import Path

import pytest

FOLDER = Path(
    os.environ.get("SHARED_PUBLIC", Path(__file__).resolve().parents[3] / "shared" / "public")
)


def public(name):
    """One of its folders; the test is skipped where it is missing."""
    if not (FOLDER / name).is_dir():
        pytest.skip(f"{FOLDER / name} is not here")
    return FOLDER / name
