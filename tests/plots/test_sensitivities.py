"""Sensitivities as a heat map."""

import numpy as np

import crn_nn_tellurium as cn


def test_sensitivities_are_drawn_largest_first():
    net = cn.Network.random([2, 3, 2], seed=0)
    found = cn.sensitivities(net, [0.5, 1.0])
    ax = cn.plot_sensitivities(found, limit=5)
    shown = [tick.get_text() for tick in ax.get_xticklabels()]
    assert len(shown) == 5
    assert shown[0] == found.parameters[np.abs(found.values).max(axis=0).argmax()]
