"""Files of every kind, damaged at random: read, or refused in words, in little time and memory.

What is sealed by a digest, chunks and results of scans, is what was written, or nothing is.
"""

import pytest
from support.mutations import KINDS, outcomes

QUICK = {"json": 150, "arrays": 100, "chunk": 100}
"""Kinds whose readers start quickly, and how many files of each are damaged."""
MANY = 20_000 // len(KINDS) + 1


def assert_none_stray(kind, count):
    found = outcomes(kind, 0, count)
    assert len(found) == count
    assert {seed: word for seed, word in found.items() if word not in ("read", "refused")} == {}
    # damage that no reader meets would show nothing
    assert "refused" in found.values() or kind == "chunk"


@pytest.mark.parametrize("kind", QUICK)
def test_damaged_files_are_read_or_refused(kind):
    assert_none_stray(kind, QUICK[kind])


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_20000_damaged_files_are_read_or_refused(kind):
    assert_none_stray(kind, MANY)
