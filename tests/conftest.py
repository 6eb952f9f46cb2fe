"""What all tests share: a seeded generator, no windows of matplotlib, a quiet Hypothesis, and one
cache of compiled models, which is theirs alone.
"""

import atexit
import os
import sys
import tempfile

import matplotlib
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

matplotlib.use("Agg")
# any would do; it is read as Keras is first imported
os.environ.setdefault("KERAS_BACKEND", "torch")
settings.register_profile(
    "default",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("default")

# workers of xdist have the folder of the process that starts them
if "PYTEST_XDIST_WORKER" not in os.environ:
    folder = tempfile.TemporaryDirectory(prefix="crn_nn_cache_", ignore_cleanup_errors=True)
    os.environ["CRN_NN_CACHE"] = folder.name
    atexit.register(folder.cleanup)


@pytest.fixture
def rng():
    return np.random.default_rng(20210031)


@pytest.fixture(autouse=True)
def no_figures_left():
    """pyplot keeps what is drawn, and warns when it is much."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
