"""What others wrote: files that are not part of this repository, in a folder beside it, or where
CRN_NN_PUBLIC says.
"""

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "public"
PUBLIC = Path(os.environ.get("CRN_NN_PUBLIC", _BESIDE))


def collection(name):
    """The folder of a collection, and the mark that skips its tests where it is missing."""
    folder = PUBLIC / name
    return folder, pytest.mark.skipif(not folder.is_dir(), reason=f"{folder} is missing")


def public(name):
    """The folder of a collection; the test that asks is skipped where it is missing."""
    if not (PUBLIC / name).is_dir():
        pytest.skip(f"{PUBLIC / name} is missing")
    return PUBLIC / name
