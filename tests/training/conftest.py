"""Iris, which most trainings here are of."""

import pytest
from support.trainings import scaled_iris


@pytest.fixture(scope="session")
def flowers():
    """Inputs, scaled to 0..1, and labels 0, 1, 2."""
    return scaled_iris()
