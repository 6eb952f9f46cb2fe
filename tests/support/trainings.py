"""A small training: a network to start from, and its data."""

import numpy as np

import crn_nn_tellurium as cn


def small(seed=0, n_out=3, hidden=6, **options):
    return cn.Network.random(
        [4, hidden, n_out], cn.SmoothedReLU(h=0.01), seed, output=cn.Linear(h=0.01), **options
    )


def scaled_iris():
    """Inputs of iris, scaled to 0..1, and labels 0, 1, 2."""
    x, _, y, _ = cn.model_data("iris")
    names = sorted(set(y.tolist()))
    return x / x.max(axis=0), np.array([names.index(label) for label in y.tolist()])
