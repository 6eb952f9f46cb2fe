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
from hypothesis import HealthCheck, is_hypothesis_test, settings

matplotlib.use("Agg")
# any would do; it is read as Keras is first imported
os.environ.setdefault("KERAS_BACKEND", "torch")
unhurried = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
# the same cases in every run, or new ones, and what a failing one is repeated with
settings.register_profile("repeat", unhurried, derandomize=True)
settings.register_profile("explore", unhurried, derandomize=False, print_blob=True)

# workers of xdist have the folder of the process that starts them
if "PYTEST_XDIST_WORKER" not in os.environ:
    folder = tempfile.TemporaryDirectory(prefix="crn_nn_cache_", ignore_cleanup_errors=True)
    # mutation testing starts pytest many times, and compiles once
    os.environ["CRN_NN_CACHE"] = os.environ.get("CRN_NN_TEST_CACHE", folder.name)
    atexit.register(folder.cleanup)


def _explores(config):
    return config.getoption("markexpr").startswith("slow")


def pytest_configure(config):
    """Where slow tests run, Hypothesis tries new cases; --hypothesis-profile has the last word."""
    if config.getoption("hypothesis_profile") is None:
        settings.load_profile("explore" if _explores(config) else "repeat")


@pytest.hookimpl(tryfirst=True)  # before those that are not slow are left out
def pytest_collection_modifyitems(config, items):
    if _explores(config):
        for item in items:
            if is_hypothesis_test(getattr(item, "obj", None)):
                item.add_marker("slow")


@pytest.fixture
def rng():
    return np.random.default_rng(20210031)


@pytest.fixture(autouse=True)
def no_figures_left():
    """pyplot keeps what is drawn, and warns when it is much."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
