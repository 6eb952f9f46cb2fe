"""Steady states of any reaction network against integration by hand, in one run, as work grows."""

import numpy as np
import pytest
from support.timing import cpu_seconds

import crn_nn_tellurium as cn
from crn_nn_tellurium.simulation import compiled

pytestmark = pytest.mark.slow  # times are for idle machines
POINTS = 40
# what the steady states of these are reached within, to 1e-9; by hand one has to know it
UNTIL = 1000.0


@pytest.mark.parametrize("kind", ["reactions", "text"])
def test_a_point_of_a_scan_costs_less_than_one_integration_to_rest(kind):
    """The peer: roadrunner's CVODE on the compiled model, at the tolerances of exact answers."""
    for width in (8, 16, 32):
        net = cn.Network.random([4, width, 3], seed=0)
        crn = cn.to_reactions(net, x=[0.3, 0.5, 0.2, 0.7])
        model, held = (crn, cn.to_antimony(crn))[kind == "text"], crn.boundary[0]
        values = np.linspace(0.1, 1.0, POINTS)
        engine = compiled(cn.to_antimony(crn))
        with engine.lock:
            engine.reset()
            start, boundary, _ = engine.values()

        def by_hand(engine=engine, boundary=boundary, start=start):
            for _ in range(POINTS):
                engine.time_course(boundary, start, np.array([0.0, UNTIL]))

        cn.scan(model, {held: values[:1]})  # compiled
        ours = cpu_seconds(lambda model=model: cn.scan(model, {held: values})) / POINTS
        theirs = cpu_seconds(by_hand) / POINTS
        print(
            f"{len(crn.floating)} species, {len(crn.reactions)} reactions: a point"
            f" {ours * 1e3:.2f} ms, {ours / theirs:.2f} of an integration to t = {UNTIL:g}"
        )
        assert ours < 1.2 * theirs
