"""Options and optimisers: what they refuse, and how they read."""

import pytest

import crn_nn_tellurium as cn


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (cn.LBFGS, {"max_iter": 0}, "max_iter is 0"),
        (cn.LBFGS, {"max_iter": 1.5}, "max_iter is 1.5"),
        (cn.LBFGS, {"tolerance": -1.0}, "tolerance is -1.0"),
        (cn.Adam, {"learning_rate": 0.0}, "learning_rate is 0.0"),
        (cn.Adam, {"learning_rate": "0.1"}, "learning_rate is '0.1'"),
        (cn.Adam, {"batch_size": 0}, "batch_size is 0"),
        (cn.Adam, {"patience": 0}, "patience is 0"),
        (cn.Adam, {"seed": -1}, "seed is -1"),
        (cn.Adam, {"seed": None}, "seed is None"),
        (cn.Constraints, {"l2": -1.0}, "l2 is -1.0"),
        (cn.Constraints, {"density": 0.0}, "density is 0.0"),
        (cn.Constraints, {"max_rate_constant": 0.5}, "max_rate_constant is 0.5"),
        (cn.Constraints, {"max_rate_constant": "5"}, "max_rate_constant is '5'"),
        (cn.Constraints, {"h_bounds": (1.0, 0.1)}, "expected 0 < least < largest"),
        (cn.Constraints, {"h_bounds": (1.0,)}, r"expected \(least, largest\)"),
        (
            cn.Constraints,
            {"h_bounds": (2.0, 3.0), "max_rate_constant": 1.5},
            "expected 0 < least < largest",
        ),
        (cn.Validation, {"held_out": 1.5}, "held_out is 1.5"),
        (cn.Validation, {"held_out": [1, 2, 3]}, r"expected \(X, y\)"),
        (cn.Validation, {"held_out": 0.2, "patience": 0}, "patience is 0"),
        (cn.ReadOutTime, {"time": 0.0}, "time is 0.0"),
        (cn.ReadOutTime, {"time": "soon"}, "time is 'soon'"),
        (cn.ReadOutTime, {"time": None, "initial": 0.0}, "time is None"),
        (cn.Monitor, {"callback": 3}, "callback is 3"),
    ],
)
def test_options_say_what_is_wrong(make, options, message):
    with pytest.raises(cn.InputError, match=message):
        make(**options)


def test_options_are_read_at_a_glance(flowers):
    assert repr(cn.Validation(flowers)) == "Validation(120 samples, patience=20, seed=0)"
    assert cn.LBFGS(max_iter=200.0) == cn.LBFGS(max_iter=200)
    assert cn.Adam() != cn.LBFGS()
