"""Shipped models: the published table, measured again."""

import dataclasses
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from support.tolerances import INTEGRATED, ROUNDED, SOLVED

import crn_nn_tellurium as cn
from crn_nn_tellurium.networks.shipped import models_folder

RESULTS = json.loads((models_folder() / "results.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", RESULTS)
def test_chemistry_is_as_accurate_as_published(name):
    net, published = cn.load_model(name), RESULTS[name]
    _, x, _, y = cn.model_data(name)
    steady = cn.Simulator(net).steady_state(x)
    plain = net.with_h(1e-30).predict(x)  # hard ReLU to the last digit
    classes = net.classify(steady.outputs)
    assert published["held_out"] == len(y)
    assert np.mean(classes == y) == published["chemistry_accuracy"]
    assert np.mean(plain == y) == published["plain_accuracy"]
    assert np.mean(classes == plain) == published["same_class"] == 1.0
    np.testing.assert_allclose(
        steady.outputs, net(x), rtol=SOLVED, atol=SOLVED * np.sqrt(net.h[-1])
    )


@pytest.mark.parametrize("name", RESULTS)
def test_sizes_are_as_published(name):
    crn, published = cn.to_reactions(cn.load_model(name)), RESULTS[name]
    assert (len(crn.floating), len(crn.reactions)) == (published["species"], published["reactions"])


@pytest.mark.parametrize("name", RESULTS)
def test_no_reaction_is_too_slow_to_be_seen(name):
    net = cn.load_model(name)
    assert net.pruned() == net
    # those of digits that stay and matter least, on pixels that are nearly always empty
    assert cn.to_reactions(net).constants.min() > 1e-15


def test_pruning_digits_changed_no_answer():
    """With the weights of the 127 reactions that training left below 1e-19, as they were."""
    net, x = cn.load_model("digits"), cn.model_data("digits")[1]
    first = net.layers[0]
    weights = np.where(first.weights == 0, 1e-20 / 16, first.weights)
    whole = dataclasses.replace(
        net, layers=(dataclasses.replace(first, weights=weights), *net.layers[1:])
    )
    assert whole.n_weights == net.n_weights + 127
    assert whole.pruned() == net
    np.testing.assert_allclose(net(x), whole(x), rtol=0, atol=ROUNDED)
    assert np.array_equal(net.predict(x), whole.predict(x))


def test_names():
    assert set(cn.model_names()) == set(RESULTS)
    for call in (cn.load_model, cn.model_data):
        with pytest.raises(cn.FileFormatError, match="there are digits, iris, moons, xor"):
            call("mnist")


CERTIFICATES = json.loads((models_folder() / "certificates.json").read_text(encoding="utf-8"))


def _certify():
    # the installed package has what it makes, not the script
    script = Path(__file__).parent.parent / "models" / "certify.py"
    spec = importlib.util.spec_from_file_location("certify", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name", ["xor", "iris", *(pytest.param(n, marks=pytest.mark.slow) for n in ("moons", "digits"))]
)
def test_certificates_are_as_published(name):
    found, published = _certify().certify(name), CERTIFICATES[name]
    assert found["chain"] == published["chain"]
    for key in ("error", "settling_time", "cheap", "hours", "margin"):
        assert found[key] == pytest.approx(published[key], rel=INTEGRATED)
