"""One meaning for each name: a network's numbers, their rate constants, and errors about both."""

import numpy as np
from support.tolerances import SOLVED

import crn_nn_tellurium as cn
from crn_nn_tellurium.networks.names import other_names

XOR = cn.load_model("xor")
X = [1.0, 1.0]


def test_a_scan_of_a_network_takes_signed_weights_and_one_of_its_text_rate_constants():
    """At x = [1, 1] the weight is -1.36: its size as a signed weight is another network."""
    weight = float(XOR.layers[0].weights[0, 0])
    text = cn.to_antimony(XOR, x=X)
    own = cn.scan(XOR, {"w1_0_0": [weight, -weight]}, x=X).outputs.values[:, 0]
    by_text = cn.scan(text, {"k1_0_0": [-weight]}).outputs.values[:, 0]
    np.testing.assert_allclose(own[0], XOR(X)[0], atol=SOLVED)
    np.testing.assert_allclose(by_text, own[:1], atol=1e-8)  # the text's is solved to 1e-10
    assert weight < 0
    assert abs(own[1] - own[0]) > 1


def test_rails_of_what_is_read_are_named_too():
    known = ["k1_0_0_p", "k1_0_0_n", "k1_0_1_p", "kb1_0"]
    assert "here there is 'k1_0_0_p' and 'k1_0_0_n'" in other_names("w1_0_0", known)
    assert "here there is 'kb1_0_Yl' and 'kb1_0_Yu'" in other_names(
        "b1_0", ["kb1_0_Yl", "kb1_0_Yu"]
    )
    assert other_names("w1_0", known) == other_names("v1_0", known) == ""


def test_names_are_told_apart_with_how_they_relate():
    assert other_names("w1_0_0", ["h1", "k1_0_0"]) == (
        "; 'w1_0_0' is the network's weight, with its sign; here there is 'k1_0_0': k = |gain w c|"
    )
    assert other_names("k1_0_0_p", ["w1_0_0"]) == (
        "; 'k1_0_0_p' is a weight's rate constant, a size; here there is 'w1_0_0': k = |gain w c|"
    )
    assert other_names("temperature", ["w1_0_0"]) == ""
