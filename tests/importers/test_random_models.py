"""Any model is read, and then does what roadrunner's own run of it does, or is refused in words."""

import warnings

import numpy as np
import pytest
from support.imports import time_courses
from support.random_models import random_sbml

import crn_nn_tellurium as cn
from crn_nn_tellurium.importers.sbml import reactions_from_sbml

TIMES = np.linspace(0, 1, 4)
N_QUICK, N_ALL = 20, 2000
AT_LEAST = 0.4
"""Of random models, so that it cannot pass by refusing."""
CANNOT = "CVODE|vector of at least two values|is not a named SpeciesReference"
"""Models without a bounded solution, which roadrunner says or we see; what 2.8 cannot run."""


def outcome(seed):
    """Whether a model is read; it is right then."""
    sbml = random_sbml(np.random.default_rng(seed))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # what is left out, or becomes two
            crn = reactions_from_sbml(sbml, "model")
    except (cn.ReactionError, cn.FileFormatError):
        return False
    try:
        ours, theirs = time_courses(crn, sbml, TIMES)
    except RuntimeError as error:
        if any(word in str(error) for word in CANNOT.split("|")):
            return True
        raise
    # both integrate to 1e-10 a step, of what may grow a thousandfold
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7, err_msg=f"seed {seed}")
    return True


def test_random_models_are_right_or_refused():
    assert np.mean([outcome(seed) for seed in range(N_QUICK)]) >= AT_LEAST


@pytest.mark.slow
def test_many_random_models_are_right_or_refused():
    assert np.mean([outcome(seed) for seed in range(N_QUICK, N_ALL)]) >= AT_LEAST
