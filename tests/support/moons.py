"""Two moons, for whoever trains the chemistry in a loop of their own."""

import numpy as np
from sklearn.datasets import make_moons

import crn_nn_tellurium as cn


def check_learns(train):
    """`train(net, x, y)` gives a network that is as right on held-out moons as that of `fit`."""
    x, y = make_moons(200, noise=0.2, random_state=0)
    held_out, classes = make_moons(500, noise=0.2, random_state=1)
    net = cn.Network.random(
        [2, 12, 2], cn.SmoothedReLU(h=0.01), seed=0, output=cn.Linear(h=0.01), inputs="signed"
    )
    fitted = cn.fit(net, x, y, loss="cross_entropy", optimizer=cn.LBFGS(max_iter=100)).network
    outputs = cn.Simulator(train(net, x, y)).steady_state(held_out).outputs
    accuracy = np.mean(outputs.argmax(1) == classes)
    # one sample in a hundred: two ways to train end at two networks
    assert accuracy >= np.mean(fitted.predict(held_out) == classes) - 0.01
    assert accuracy >= 0.95
