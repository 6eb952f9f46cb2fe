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


def test_factors_near_one_are_drawn_as_they_are():
    _, x, _, y = cn.model_data("xor")
    found = [
        cn.plot_robustness(cn.robustness(cn.load_model("xor"), x, y, 0.1, factors=factors))[1]
        for factors in ([0.5, 1.5], [0.5, 1.0, 3.0])
    ]
    assert [ax.get_xscale() for ax in found] == ["linear", "log"]
    assert [tick.get_text() for tick in found[1].get_xticklabels()] == ["0.5", "1"]
