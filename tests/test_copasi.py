"""COPASI, an independent simulator, on the written models: positive root, kinetics as intended."""

import basico
import numpy as np
import pytest
from networks import corpus

import crn_nn_tellurium as cn
from crn_nn_tellurium.engine import antimony_to_sbml


@pytest.fixture
def load():
    models = []

    def load(text):
        models.append(basico.load_model_from_string(antimony_to_sbml(text)))
        return models[-1]

    yield load
    for model in models:
        basico.remove_datamodel(model)


@pytest.mark.parametrize("case", corpus(), ids=lambda case: case.name)
def test_copasi_reaches_the_positive_root(case, load):
    net = case.net
    for x in case.x[:2]:
        model = load(cn.to_antimony(net, x=x))
        assert basico.run_steadystate(model=model) == 1
        crn = cn.to_reactions(net, x)
        found = basico.get_species(model=model).set_index("sbml_id")["concentration"]
        state = found.loc[list(crn.floating)].to_numpy()
        assert np.all(state > 0)
        outputs = crn.observe(state)[-net.n_out :]
        # COPASI's own resolution is 1e-9 in the rates; slow units (small h) turn it into 1e-6 here
        np.testing.assert_allclose(outputs, net(x), rtol=1e-6, atol=1e-6)


def test_copasi_reads_mass_action(load):
    model = load(cn.to_antimony(cn.load_model("xor"), x=[0, 1]))
    reactions = basico.get_reactions(model=model)
    crn = cn.to_reactions(cn.load_model("xor"))
    expected = ["Constant flux (irreversible)" if r.order == 0 else "Mass action (irreversible)" for r in crn.reactions]
    assert reactions["function"].tolist() == expected


def test_copasi_follows_the_same_trajectory(load):
    net = cn.load_model("xor")
    model = load(cn.to_antimony(net, x=[1, 1]))
    theirs = basico.run_time_course(0, 30, 30, model=model, use_sbml_id=True, r_tol=1e-10, a_tol=1e-14, automatic=False)
    ours = cn.Simulator(net).time_course([1, 1], t_end=30, n_points=31)
    for name in ("Y1_0", "Y1_1", "Yp2_0", "Yn2_0"):
        np.testing.assert_allclose(theirs[name], ours[name], rtol=1e-6, atol=1e-9)
