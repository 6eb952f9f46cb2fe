"""Steady states of any reaction network against roadrunner's own, in one run, as work grows."""

from functools import partial

import numpy as np
import pytest
import tellurium as te
from support.timing import cpu_seconds

import crn_nn_tellurium as cn

pytestmark = pytest.mark.slow  # times are for idle machines
VALUES = np.linspace(0.1, 1.0, 100)
# these are within 1e-2 of rest by then, so that Newton's method ends where the course does
UNTIL = 111.0


def by_hand(runner, name, newton):
    """Integrate, then roadrunner's own Newton's method, on a model that is compiled once.

    Its steadyState compiles again in every call, so that the course alone is timed as well.
    """
    for value in VALUES[:1] if newton else VALUES:
        runner.reset()
        runner[name] = value
        runner.simulate(0, UNTIL, 2)
        if newton:
            runner.steadyState()


@pytest.mark.parametrize("kind", ["reactions", "text"])
def test_points_of_a_scan_against_simulate_and_steady_state(kind):
    """Ours are right to 1e-12, stable and where the course goes; roadrunner's to its defaults."""
    parts = []
    for width in (8, 24):
        crn = cn.to_reactions(cn.Network.random([4, width, 3], seed=0), x=[0.3, 0.5, 0.2, 0.7])
        text, held = cn.to_antimony(crn), crn.boundary[0]
        model = {"reactions": crn, "text": text}[kind]
        cn.scan(model, {held: VALUES[:1]})  # compiled
        ours = cpu_seconds(partial(cn.scan, model, {held: VALUES})) / len(VALUES)
        runner, count = te.loada(text), len(VALUES)
        course = cpu_seconds(partial(by_hand, runner, held, newton=False)) / count
        whole = cpu_seconds(partial(by_hand, runner, held, newton=True), repeats=1)
        print(
            f"{len(crn.floating)} species, {len(crn.reactions)} reactions: a point"
            f" {ours * 1e3:.2f} ms, {ours / course:.1f} of its course at roadrunner's defaults,"
            f" {whole / ours:.0f} times as fast as its steadyState"
        )
        assert whole > 20 * ours
        parts.append(ours / course)
    # integration, Newton's method and the check of stability grow no faster than the course does
    assert parts[1] < 1.5 * parts[0]
