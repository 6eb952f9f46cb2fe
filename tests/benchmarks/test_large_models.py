"""Imported models of thousands of reactions: how long a first answer takes, and that it is right.

Ratios of CPU time in one run are asserted, seconds are not.
"""

import time

import numpy as np
import pytest
import roadrunner
from scipy.integrate import solve_ivp
from support.tolerances import IN_TIME, ROUNDED

import crn_nn_tellurium as cn
from crn_nn_tellurium.importers import antimony_to_sbml

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """3,440 reactions, read from SBML."""
    path = tmp_path_factory.mktemp("large") / "large.xml"
    net = cn.Network.random([40, 40, 40], seed=0)
    return cn.import_sbml(cn.export(cn.to_reactions(net), path))


def taken(work):
    start = time.process_time()
    answer = work()
    return answer, time.process_time() - start


def test_a_first_point_takes_a_quarter_of_loading_the_faithful_text(imported):
    text = cn.to_antimony(imported)
    _, faithful = taken(lambda: roadrunner.RoadRunner(antimony_to_sbml(text)))
    constant = imported.rate_constants[0]
    value = float(imported.constants[0])
    # each with a structure of its own, of which nothing is compiled yet
    ds, point = taken(lambda: cn.scan(imported, {constant: [value]}, at=[1.0]))
    r, runner = taken(lambda: cn.to_roadrunner(imported))
    assert point < faithful / 4
    assert runner < faithful / 4
    # by the right-hand side in numpy and scipy's LSODA, to the tolerance that it is given
    start = imported.initial_state(imported.boundary_concentrations)
    found = solve_ivp(
        lambda _, x: imported.right_hand_side(x), (0, 1), start, "LSODA", rtol=1e-10, atol=1e-14
    ).y[:, -1]
    course = cn.Simulator(imported).time_course(t_end=1.0, n_points=2)
    np.testing.assert_allclose(course.concentrations[-1], found, rtol=IN_TIME)
    np.testing.assert_allclose(course.outputs[-1], ds.outputs.values.ravel(), rtol=ROUNDED)
    r.simulate(0, 1, 2)
    engine = [r[f"[{name}]"] for name in imported.floating]
    # roadrunner's own default tolerance is 1e-6
    np.testing.assert_allclose(engine, found, rtol=1e-4)
