"""Layers that read values against layers that read species, over the corpus."""

import numpy as np
import pytest
from support import networks
from support.tolerances import ROUNDED, SOLVED

from crn_nn_tellurium.kinetics import ClosedForm, LayerNumbers, NetworkKinetics
from crn_nn_tellurium.networks import values_of

CORPUS = networks.corpus()


@pytest.mark.parametrize("case", CORPUS, ids=[case.name for case in CORPUS])
def test_values_and_species_give_the_same_derivatives(case):
    """By weights, bias, h and inputs: whatever the coding, the read-outs, the pattern of weights
    and the layers that are read.
    """
    kinetics = NetworkKinetics(case.net)
    found = ClosedForm(kinetics, [LayerNumbers.of(layer) for layer in kinetics.layers], case.x)
    states = kinetics.settle(case.x)
    outputs = kinetics.outputs(states)
    # one formula of the same numbers, added up in another order
    np.testing.assert_allclose(found.outputs, outputs, rtol=1e-12, atol=1e-12)
    by_output = np.random.default_rng(0).normal(size=outputs.shape)
    parts, by_input = found.backward(by_output, inputs=True)
    by_constant, expected_input = kinetics.backward(states, by_output, inputs=True)
    # sums over samples and rails cancel to some 1e-5 of what is added up, no further
    for (weights, bias, h), expected in zip(
        parts, kinetics.to_parameters(by_constant), strict=True
    ):
        scale = max(np.abs(values_of(expected[0])).max(), np.abs(expected[1]).max(), 1e-3)
        close = {"rtol": 1e-9, "atol": 1e-11 * scale}
        np.testing.assert_allclose(values_of(weights), values_of(expected[0]), **close)
        np.testing.assert_allclose(bias, expected[1], **close)
        np.testing.assert_allclose(h, expected[2], rtol=SOLVED, atol=SOLVED)
    np.testing.assert_allclose(by_input, expected_input, rtol=SOLVED, atol=ROUNDED)
