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
    # names that are made here
    *(
        (
            lambda name=name: cn.to_reactions(
                cn.Network([cn.Layer([[1.0]], [1.0])], input_names=[name])
            ),
            cn.IdentifierError,
            f"input name '{name}': also the identifier of a species, reaction, rate constant or"
            f" value of the network; '{name}_value' would do",
        )
        for name in ("h1", "Y1_0", "w1_0_0", "k1_0_0", "ub1_0", "Jq1_0_Y", "v1_0")
    ),
    (
        lambda: cn.to_reactions(
            cn.Network([cn.Layer([[1.0, 1.0]])], inputs="signed", input_names=["x0", "x0_p"])
        ),
        cn.IdentifierError,
        "input name 'x0_p'",
    ),
    (
        lambda: cn.to_reactions(cn.Network([cn.Layer([[1.0]])], name="Y1_0")),
        cn.IdentifierError,
        "network name 'Y1_0'",
    ),
    # units
    (
        lambda: cn.fastest_units(cn.ReactionNetwork([], [], name="nothing")),
        cn.ReactionError,
        r"'nothing': no reaction of two molecules.*PhysicalUnits",
    ),
    (
        lambda: cn.fastest_units(
            cn.ReactionNetwork((cn.Species("A"),), (cn.Reaction("J1", (("A", 3),), (), "k", 2.0),))
        ),
        cn.ReactionError,
        r"'J1' needs 3 molecules to meet",
    ),
    (lambda: cn.fastest_units("xor"), cn.NetworkError, "gives it"),
    (lambda: cn.fastest_units(ONE, 0.0), cn.InputError, "max_rate_constant is 0.0"),
    (lambda: cn.fastest_units(ONE, 1e6, -1), cn.InputError, "c0 is -1"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_errors_say_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()
