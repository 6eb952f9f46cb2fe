"""What is scanned, and how near the outputs are to come."""

import numpy as np
from support.networks import corpus

import crn_nn_tellurium as cn
from crn_nn_tellurium.networks.parameter_vector import from_vector, parameters, to_vector

CORPUS = corpus()
SMALL = [case for case in CORPUS if case.net.n_weights <= 60]
XOR = cn.load_model("xor")
ALLOWED = 1e-9
"""Of the engine's steady states against the closed form, relative to 1 and the largest
concentration.
"""


def assert_close(found, expected, allowed=ALLOWED):
    np.testing.assert_allclose(
        found, expected, rtol=allowed, atol=allowed * (1 + np.abs(expected).max(initial=0))
    )


def changed(net, **values):
    """The network with some of its numbers changed, by its vector of parameters."""
    vector = to_vector(net).copy()
    names = [parameter.id for parameter in parameters(net)]
    for name, value in values.items():
        vector[names.index(name)] = value
    return from_vector(net, vector)


REVERSIBLE = (
    "model m() A -> B; k1*A; B -> A; k2*B; k1 = 1; k2 = 2; A = 10; B = 0; total := A + B; end"
)
