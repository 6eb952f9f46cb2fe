"""Central differences and the error that they state, of functions whose derivatives are known."""

import numpy as np

from crn_nn_tellurium.sensitivity.finite_differences import central_difference


def test_finite_differences_state_their_error():
    for function, at, exact, scale in (
        (np.exp, 0.3, np.exp(0.3), 1.0),
        (np.arctan, 0.0, 1.0, 1.0),
        (lambda x: np.sqrt(x * x + 1e-6), 1e-3, 1e-3 / np.sqrt(2e-6), 1e-3),
    ):
        found = central_difference(lambda step, f=function, at=at: np.array([f(at + step)]), scale)
        assert abs(found.value[0] - exact) <= found.error[0]
        # so a slope of 1 or so is known to seven digits
        assert found.error[0] < 1e-7
    rng = np.random.default_rng(0)
    noisy = central_difference(lambda s: np.array([s + 1e-9 * rng.normal()]) + 1, 1.0, noise=1e-9)
    # a noise of 1e-9 over a step of 1e-3 or more
    assert abs(noisy.value[0] - 1) <= noisy.error[0] < 1e-6
