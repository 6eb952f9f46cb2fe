"""What cannot be written as reactions or as text is refused."""

import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium.importers import antimony_to_sbml

ONE = cn.Network([cn.Layer([[1.0]])])

REFUSED = [
    (
        lambda: cn.to_antimony(ONE, form="short"),
        cn.InputError,
        "expected one of 'reactions'",
    ),
    (
        lambda: cn.to_antimony("xor"),
        cn.NetworkError,
        "'xor' is a shipped network",
    ),
    (
        lambda: cn.to_antimony(cn.to_reactions(ONE), x=[1.0]),
        cn.InputError,
        "x goes with a Network",
    ),
    *(
        (
            lambda name=name: cn.to_antimony(cn.ReactionNetwork([cn.Species(name)], [])),
            cn.ReactionError,
            "a reserved word",
        )
        for name in ("time", "comp", "nM", "pi")
    ),
    (
        lambda: antimony_to_sbml("model a() J: => Y; (; end"),
        cn.ReactionError,
        "libAntimony refuses",
    ),
    (lambda: cn.to_reactions(ONE, [[1.0], [3.0]]), cn.InputError, "one sample"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_errors_say_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()
