"""Gradients at a read-out time by the adjoint along the trajectory, against independent answers."""

import numpy as np
import pytest
from support import networks
from support.tolerances import INTEGRATED

import crn_nn_tellurium as cn
from crn_nn_tellurium.sensitivity import adjoint_in_time

CORPUS = {case.name: case for case in networks.corpus()}


def test_one_neuron_to_ten_digits():
    """dy/dt = h + z y - y^2 from y(0) = y0 has y = z/2 + r/2 (c + tanh u) / (1 + c tanh u), with
    r^2 = z^2 + 4 h, u = r t / 2 and c = (2 y0 - z) / r; its derivatives by complex steps are exact.
    """
    w, b, h, x, t, start = 1.3, -0.4, 0.2, 0.7, 1.5, 0.9

    def exact(w, b, h):
        z = w * x + b
        r = np.sqrt(z * z + 4 * h)
        tanh, c = np.tanh(r * t / 2), (2 * start - z) / r
        return z / 2 + r / 2 * (c + tanh) / (1 + c * tanh)

    net = cn.Network([cn.Layer([[w]], [b], cn.SmoothedReLU(h=h))])
    g = cn.gradient(net, [[x]], [[0.0]], time=t, initial=start)
    value, step = exact(w, b, h), 1e-30
    places = np.eye(3) * 1j * step
    by_each = [2 * value * exact(*(np.array([w, b, h]) + place)).imag / step for place in places]
    # both runs are integrated to 1e-10
    np.testing.assert_allclose(g.outputs[0, 0], value, rtol=1e-9)
    np.testing.assert_allclose(g.vector(), by_each, rtol=INTEGRATED)


# the model's own start depends on the parameters; "skip connections" reads inputs and layers, and
# "sparse with an empty row" has weights that are stored sparse
@pytest.mark.parametrize("name", ["skip connections", "sparse with an empty row", "zero weights"])
@pytest.mark.parametrize("initial", [None, 0.3])
def test_it_agrees_with_the_variational_equations(name, initial):
    net, x = CORPUS[name].net, CORPUS[name].x[:2]
    y = np.linspace(0.0, 1.0, len(x) * net.n_out).reshape(len(x), -1)
    asked = {"time": 1.0, "initial": initial, "inputs": True}
    found = cn.gradient(net, x, y, **asked)
    other = cn.gradient(net, x, y, **asked, method="forward")
    assert (found.method, other.method) == ("adjoint", "forward")
    size = np.abs(other.vector()).max()
    # CVODE's own error, with some 1e-10 a step; the adjoint's is below 1e-9
    np.testing.assert_allclose(found.vector(), other.vector(), rtol=0, atol=1e-8 * size)
    np.testing.assert_allclose(found.inputs, other.inputs, rtol=0, atol=INTEGRATED * size)


@pytest.mark.parametrize("name", ["skip connections", "Normalized output"])
def test_implicit_steps_and_parts_of_a_batch_change_nothing(monkeypatch, name):
    net, x = CORPUS[name].net, CORPUS[name].x[:3]
    y = np.linspace(0.0, 1.0, len(x) * net.n_out).reshape(len(x), -1)
    found = cn.gradient(net, x, y, time=2.0, inputs=True)
    size = np.abs(found.vector()).max()
    for settings in ({"_EXPLICIT": (50, 0)}, {"_TOGETHER": 1}, {"_AT_NODES": 100}):
        with monkeypatch.context() as changed:
            for setting, value in settings.items():
                changed.setattr(adjoint_in_time, setting, value)
            other = cn.gradient(net, x, y, time=2.0, inputs=True)
        # each of both ways has errors of some 1e-9
        np.testing.assert_allclose(other.vector(), found.vector(), rtol=0, atol=1e-8 * size)
        np.testing.assert_allclose(other.inputs, found.inputs, rtol=0, atol=INTEGRATED * size)
        np.testing.assert_allclose(other.outputs, found.outputs, rtol=INTEGRATED)


def test_many_samples_together_take_explicit_steps(monkeypatch, rng):
    """Each sample may take some hundred more: implicit steps, of one sample each, are not tried."""
    monkeypatch.setattr(adjoint_in_time, "_MOST", 0)
    case = CORPUS["skip connections"]
    x = rng.random((10, case.net.n_in))
    found = cn.gradient(case.net, x, np.ones((10, case.net.n_out)), time=2.0)
    assert np.isfinite(found.vector()).all()


@pytest.mark.parametrize("sizes", [(1e-12, 1e-18), (1e12, 1e6), (1.0, 1e-9)])
def test_gradients_are_as_exact_for_samples_that_hardly_count(sizes):
    """The run back is held beside each sample's own slope, whatever that of others is."""
    net, x = CORPUS["skip connections"].net, CORPUS["skip connections"].x[:2]

    def found(slopes):
        slopes = np.array(slopes)
        loss = cn.Loss(
            lambda outputs, _: slopes * outputs[:, 0],
            lambda outputs, _: slopes[:, None] * np.ones_like(outputs),
        )
        return cn.gradient(net, x, np.zeros((2, 1)), loss, time=1.0, inputs=True)

    usual, here = found([1.0, 1.0]), found(sizes)
    expected = np.array(sizes)[:, None] * usual.inputs
    np.testing.assert_allclose(here.inputs, expected, rtol=INTEGRATED)


def test_late_read_outs_of_a_large_network_have_the_gradient_of_the_steady_state(rng):
    """Of 600 weights, for which the variational equations would compile for minutes."""
    net = cn.Network.random([20, 20, 10], seed=0, output=cn.Linear(h=0.1))
    x, y = rng.random((3, 20)), rng.random((3, 10))
    late, steady = cn.gradient(net, x, y, time=100.0), cn.gradient(net, x, y)
    size = np.abs(steady.vector()).max()
    # the slowest unit settles as exp(-2 sqrt(h) t), to 1e-27
    np.testing.assert_allclose(late.vector(), steady.vector(), rtol=0, atol=1e-8 * size)


def test_a_run_whose_steps_lead_nowhere_ends(monkeypatch):
    """Rates of 1e154: LSODA's steps have no length, and it does not give up by itself."""
    monkeypatch.setattr(adjoint_in_time, "_MOST", 3000)
    net = cn.Network.random([2, 3, 1], seed=0, output=cn.Linear(h=0.1))
    with pytest.raises(cn.ConvergenceError, match=r"no run .* may help .* 3000 evaluations\)$"):
        cn.gradient(net, [[1e154, 0.5]], [[1.0]], time=3.0)


@pytest.mark.slow
def test_digits_are_trained_at_a_read_out_time():
    """64-32-10, read at t = 3 from nothing: its variational models did not end."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x = x / 16
    net = cn.Network.random([64, 32, 10], seed=0, output=cn.Linear(h=0.01))
    read_out = cn.ReadOutTime(3.0, initial=0.0)
    optimizer = cn.Adam(max_iter=6, learning_rate=0.03)
    result = cn.fit(net, x[:256], y[:256], "cross_entropy", optimizer=optimizer, answers=read_out)
    assert result.loss < 0.5
    assert result.verification.passed
    # samples that it was not trained on
    others = x[256:320], y[256:320]
    unseen = cn.gradient(result.network, *others, "cross_entropy", time=3.0, initial=0.0)
    assert (unseen.outputs.argmax(axis=1) == others[1]).mean() > 0.8
