"""Robustness in three parts."""

import numpy as np

import crn_nn_tellurium as cn


def test_robustness_is_drawn_in_three_parts():
    _, x, _, y = cn.model_data("xor")
    result = cn.robustness(cn.load_model("xor"), x, y, cn.RateErrors(cv=[0.0, 0.1], draws=5))
    noise, fuel, missing = cn.plot_robustness(result, limit=4)
    assert noise.get_xlabel() == "error of every rate constant (cv, %)"
    np.testing.assert_allclose(fuel.get_lines()[0].get_ydata(), 100 * result.fuelled)
    assert len(missing.patches) == 4
