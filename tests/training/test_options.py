"""Options and optimisers: what they refuse, and how they read."""

import crn_nn_tellurium as cn


def test_options_are_read_at_a_glance(flowers):
    assert repr(cn.Validation(flowers)) == "Validation(120 samples, patience=20, seed=0)"
    assert cn.LBFGS(max_iter=200.0) == cn.LBFGS(max_iter=200)
    assert cn.Adam() != cn.LBFGS()
