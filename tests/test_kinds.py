"""Whatever is given where a model is taken: an answer, or an error that says what is taken."""

import contextlib
import inspect
from pathlib import Path

import numpy as np
import pytest

import crn_nn_tellurium as cn

CRN = cn.ReactionNetwork(
    [cn.Species("A", 1.0), cn.Species("B")], [cn.Reaction("J", ("A",), ("B",), "k", 1.0)]
)
THINGS = (
    CRN,
    "A -> B; k*A; A = 1; k = 1",
    Path("nothing.xml"),
    None,
    3.0,
    np.ones(2),
    cn.Simulator(CRN),
    cn.Layer([[1.0]]),
)
GIVEN = {"X": [[0.0, 1.0]], "x": [0.0, 1.0], "y": [1], "Y": [[1.0]], "vary": {"x0": [0.0, 1.0]}}
"""What goes with the model, by the name of the argument."""
TAKE_A_MODEL = """
    Simulator to_reactions layer_reactions to_antimony layer_models to_roadrunner verify gradient
    check_gradients sensitivities transient_sensitivities certify settling_time enclosure
    certified_margin attack attack_margin statistical_margin choose_h balance read_out_window
    smallest_fuel fastest_units domain_parts to_strand_displacement robustness scan fit from_sklearn
""".split()
REFUSALS = (
    cn.InputError,
    cn.NetworkError,
    cn.ReactionError,
    cn.FileFormatError,
    cn.NotCertified,
    FileNotFoundError,
)


@pytest.mark.parametrize("name", TAKE_A_MODEL)
def test_what_is_no_model_is_refused_in_words(name):
    """No AttributeError from inside, nor a TypeError; some of these take some of the things."""
    function = getattr(cn, name)
    _, *more = (
        p.name
        for p in inspect.signature(function).parameters.values()
        if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
    )
    for thing in THINGS:
        with contextlib.suppress(*REFUSALS):
            function(thing, *(GIVEN[argument] for argument in more))


def test_domain_parts_says_what_gives_its_argument():
    with pytest.raises(cn.InputError, match="got Network; expected StrandDisplacement, which to_s"):
        cn.domain_parts(cn.load_model("xor"))
