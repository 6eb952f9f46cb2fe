"""Rate equations and roadrunner: one answer, over the corpus and beyond what is compiled."""

import numpy as np
import pytest
from support.networks import corpus

import crn_nn_tellurium as cn

SMALL = [case for case in corpus() if case.net.n_weights <= 60]


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_both_engines_agree(case):
    by = [cn.Simulator(case.net, engine=name) for name in ("roadrunner", "rate_equations")]
    compiled, ours = (simulator.time_course(case.x[0], 100.0, 101) for simulator in by)
    assert (compiled.engine, ours.engine) == ("roadrunner", "rate_equations")
    # two runs to 1e-10 a step: 1e-6 of each concentration on the way, 1e-9 where they end
    scale = compiled.concentrations + 1e-9 * compiled.concentrations.max()
    off = np.abs(ours.concentrations - compiled.concentrations) / scale
    assert off.max() < 1e-6
    assert off[-1].max() < 1e-9
    np.testing.assert_array_equal(ours.concentrations[0], compiled.concentrations[0])
