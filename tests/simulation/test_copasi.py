"""COPASI, an independent simulator, on the written models: positive root, kinetics as intended."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from support import copasi_worker
from support.networks import cases, corpus
from support.tolerances import DIFFERENCED, SOLVED

import crn_nn_tellurium as cn
from crn_nn_tellurium.importers import antimony_to_sbml


@pytest.fixture(scope="module")
def copasi():
    """Calls a function of copasi_worker on the SBML of an Antimony text, in another process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield lambda function, text, *rest: pool.submit(
            function, antimony_to_sbml(text), *rest
        ).result()


@pytest.mark.parametrize("case", cases(corpus()))
def test_copasi_reaches_the_positive_root(case, copasi):
    net = case.net
    for x in case.x[:2]:
        found, concentrations = copasi(copasi_worker.steady_state, cn.to_antimony(net, x=x))
        assert found == 1
        crn = cn.to_reactions(net, x)
        state = np.array([concentrations[name] for name in crn.floating])
        assert np.all(state > 0)
        outputs = crn.observe(state)[-net.n_out :]
        # COPASI's own resolution is 1e-9 in the rates; slow units (small h) turn it into 1e-6 here
        np.testing.assert_allclose(outputs, net(x), rtol=1e-6, atol=1e-6)


def test_copasi_reads_mass_action(copasi):
    functions = copasi(
        copasi_worker.reaction_functions, cn.to_antimony(cn.load_model("xor"), x=[0, 1])
    )
    reactions = cn.to_reactions(cn.load_model("xor")).reactions
    names = {
        0: "Constant flux (irreversible)",
        1: "Mass action (irreversible)",
        2: "Mass action (irreversible)",
    }
    assert functions == [names[reaction.order] for reaction in reactions]


def test_copasi_follows_the_same_trajectory(copasi):
    net = cn.load_model("xor")
    theirs = copasi(copasi_worker.time_course, cn.to_antimony(net, x=[1, 1]), 30, 30)
    ours = cn.Simulator(net).time_course([1, 1], t_end=30, n_points=31)
    for name in ours.species:
        np.testing.assert_allclose(theirs[name], ours[name], rtol=DIFFERENCED, atol=SOLVED)


def test_copasi_agrees_in_physical_units(copasi):
    net, units = cn.load_model("xor"), cn.PhysicalUnits(c0=10, tau=100)
    for x in ([0, 1], [1, 1]):
        text = cn.to_antimony(net, x, units=units)
        found, concentrations = copasi(copasi_worker.steady_state, text)
        assert found == 1
        expected = cn.Simulator(net).steady_state(x).in_units(units)
        for name in expected.species:
            # COPASI's resolution of 1e-9 is in rates, here of some 1e-5 nM/s
            np.testing.assert_allclose(concentrations[name], expected[name], rtol=1e-5, atol=1e-5)
