"""What is no mass action and what is no unit is refused."""

import pytest

import crn_nn_tellurium as cn

XOR = cn.load_model("xor")
Y, X = cn.Species("Y"), cn.Species("X", boundary=True)
UNITS = cn.PhysicalUnits(1, 1)
DECAY = cn.ReactionNetwork(
    (cn.Species("A"),), (cn.Reaction("J1", ("A",), (), "k", 2.0),), name="decay"
)
OF_Q = cn.Expression((cn.Monomial(1.0, (("q", 1.0),)),))

REFUSED = [
    # intervals
    (
        lambda: cn.Interval([0.0], [1.0]).contains([0.5, 0.5]),
        cn.InputError,
        r"values have shape \(2,\); expected \(1,\)",
    ),
    (
        lambda: cn.Interval([0.0, 0.0], 1.0).contains(()),
        cn.InputError,
        r"values have shape \(0,\); expected \(2,\)",
    ),
    (
        lambda: cn.Interval([0.0, 0.0], 1.0).contains([[0.5], [0.5]]),
        cn.InputError,
        r"values have shape \(2, 1\); expected \(2,\)",
    ),
    # species, reactions and networks
    (lambda: cn.Species("Y", -1.0), cn.ReactionError, "initial concentration is -1.0"),
    (lambda: cn.Species("Y", float("nan")), cn.ReactionError, "expected a finite number"),
    (lambda: cn.Reaction("J", ("Y",), (), "k", -1.0), cn.ReactionError, "'k' is -1.0"),
    (lambda: cn.Species("Y", "much"), cn.ReactionError, "expected a finite number"),
    (lambda: cn.Reaction("J", None, (), "k", 1.0), cn.ReactionError, "a side is None"),
    (lambda: cn.Reaction("J", "Y", (), "k", 1.0), cn.ReactionError, "a side is 'Y'"),
    (lambda: cn.Monomial(float("nan")), cn.ReactionError, "the coefficient nan"),
    (
        lambda: cn.ReactionNetwork([Y], []).right_hand_side([1.0], constants=[1.0, 2.0]),
        cn.ReactionError,
        "one per rate constant",
    ),
    (lambda: cn.Reaction("J", {"Y": 0}, (), "k", 1.0), cn.ReactionError, "taken 0 times"),
    (
        lambda: cn.Reaction("J", [("Y", 9_999), ("Y", 3)], (), "k", 1.0),
        cn.ReactionError,
        "'Y' is taken 10002 times; expected at most 10000",
    ),
    # a start, and then a name as `Parameter` has it, would hold the species
    (
        lambda: cn.Species("Y", 1.0, "a ligand"),
        cn.ReactionError,
        "species 'Y': boundary is 'a ligand'; expected True or False",
    ),
    (
        lambda: cn.ReactionNetwork([cn.Species("Y", name=3)], []),
        cn.ReactionError,
        "'Y': its readable name is 3; expected a text",
    ),
    (
        lambda: cn.Observable("o", cn.Monomial(1.0)),
        cn.ReactionError,
        r"observable 'o': its formula is Monomial\('1'\); expected an Expression",
    ),
    *(
        (lambda terms=terms: cn.Expression(terms), cn.ReactionError, "expected a list of Monomial")
        for terms in (cn.Monomial(1.0), (1.0,), "Y", None)
    ),
    (
        lambda: cn.ReactionNetwork(
            [Y], [cn.Reaction("J", ("Y",), (), "k", 1.0)], formulas={"k": 2.0}
        ),
        cn.ReactionError,
        r"formulas are {'k': 2.0}; expected pairs of a name and an Expression",
    ),
    (
        lambda: cn.ReactionNetwork([Y], [], units="nM"),
        cn.InputError,
        r"units: got str; expected Units, PhysicalUnits\(c0, tau\)",
    ),
    (lambda: cn.Reaction("J", {"Y": float("inf")}, (), "k", 1.0), cn.ReactionError, "inf times"),
    (
        lambda: cn.ReactionNetwork([Y], [cn.Reaction("J", ("Z",), (), "k", 1.0)]),
        cn.ReactionError,
        "unknown species 'Z'",
    ),
    (
        lambda: cn.ReactionNetwork([Y, Y], []),
        cn.ReactionError,
        "already the identifier of a species",
    ),
    (
        lambda: cn.ReactionNetwork([Y], [cn.Reaction("Y", (), (), "k", 1.0)]),
        cn.ReactionError,
        "already the identifier",
    ),
    (lambda: cn.ReactionNetwork([cn.Species("a b")], []), cn.ReactionError, "not an identifier"),
    (
        lambda: cn.ReactionNetwork(
            [Y],
            [cn.Reaction("J", ("Y",), (), "k", 1.0), cn.Reaction("K", ("Y",), (), "k", 2.0)],
        ),
        cn.ReactionError,
        "'k' is 2.0 at order 1, but 1.0",
    ),
    (
        lambda: cn.ReactionNetwork(
            [Y], [cn.Reaction("J", ("Y",), (), "k", 1.0), cn.Reaction("K", (), (), "k", 1.0)]
        ),
        cn.ReactionError,
        "at order 0",
    ),
    (lambda: cn.Reaction("J", ("Y",), (), "k", 1.0, sign=2), cn.ReactionError, "sign of 'k' is 2"),
    (
        lambda: cn.ReactionNetwork(
            [Y],
            [
                cn.Reaction("J", ("Y", "Y"), (), "k", 1.0, sign=1),
                cn.Reaction("K", ("Y", "Y"), (), "k", 1.0, sign=-1),
            ],
        ),
        cn.ReactionError,
        "number of sign -1, but of sign 1",
    ),
    (
        lambda: cn.ReactionNetwork(
            [cn.Species("Y", cn.Expression((cn.Monomial(1.0, (("q", 1.0),)),)))], []
        ),
        cn.ReactionError,
        "reads 'q'",
    ),
    (
        lambda: cn.ReactionNetwork([Y], []).rates([1.0, 2.0]),
        cn.ReactionError,
        r"expected \(..., 1\)",
    ),
    (
        lambda: cn.ReactionNetwork([Y, cn.Species("Z")], []).right_hand_side([1.0]),
        cn.ReactionError,
        r"shape \(1,\); expected \(..., 2\), one per floating species",
    ),
    (
        lambda: cn.ReactionNetwork([Y, X], []).rates([1.0], boundary=[1.0, 2.0]),
        cn.ReactionError,
        "one per boundary species",
    ),
    (lambda: cn.ReactionNetwork([Y], []).jacobian([[1.0], [2.0]]), cn.ReactionError, "one state"),
    (
        lambda: cn.ReactionNetwork([Y], []).jacobian([1.0], constants=[[], []]),
        cn.ReactionError,
        r"one state; got constants of shape \(2, 0\)",
    ),
    (
        lambda: cn.ReactionNetwork([Y], []).starts(given=[1.0]),
        cn.InputError,
        "given: got list; expected Mapping",
    ),
    *(
        (
            lambda name=name: DECAY.starts(given={name: 1.0}),
            cn.InputError,
            f"given has a start for '{name}'; expected one of A",
        )
        for name in ("B", "k")
    ),
    (
        lambda: cn.ReactionNetwork([Y, X], []).with_starts([[1.0]]),
        cn.ReactionError,
        r"boundary concentrations have shape \(1, 1\); expected \(1,\), since a network has one",
    ),
    (
        lambda: cn.PhysicalUnits(10, 100).of("A -> B"),
        cn.InputError,
        "crn: got str; expected a ReactionNetwork",
    ),
    (
        lambda: cn.to_antimony(cn.ReactionNetwork([Y], [cn.Reaction("J", {"Y": 4}, (), "k", 1.0)])),
        cn.ReactionError,
        "4 molecules meet",
    ),
    (
        lambda: cn.to_antimony(cn.ReactionNetwork([Y], [], name="xor")),
        cn.ReactionError,
        "reserved word",
    ),
    # units
    (
        lambda: cn.PhysicalUnits(c0=0, tau=1),
        cn.InputError,
        r"c0 is 0; expected a concentration in nM",
    ),
    (
        lambda: cn.PhysicalUnits(c0=1, tau=float("inf")),
        cn.InputError,
        r"tau is inf; expected a time in s",
    ),
    (lambda: cn.PhysicalUnits(c0="10 nM", tau=1), cn.InputError, r"c0 is '10 nM'"),
    (lambda: cn.PhysicalUnits(c0=True, tau=1), cn.InputError, r"c0 is True"),
    (lambda: cn.PhysicalUnits(c0=1, tau=float("nan")), cn.InputError, r"tau is nan"),
    *(
        (
            lambda order=order: UNITS.rate_constant(1.0, order),
            cn.InputError,
            "expected the number of molecules that meet",
        )
        for order in (-1, 1.5, True, "2")
    ),
    (
        lambda: UNITS.rate_constant(1.0, 1, "mM"),
        cn.InputError,
        "concentration is 'mM'; expected one of 'nM', 'M'",
    ),
    (
        lambda: UNITS.of(cn.PhysicalUnits(20, 90).of(DECAY)),
        cn.InputError,
        r"is in PhysicalUnits\(c0=20 nM, tau=90 s\) already; expected model",
    ),
    (lambda: UNITS.of(cn.to_strand_displacement(DECAY)), cn.InputError, "already"),
    (
        lambda: cn.certify(XOR, [1, 0]).in_units(cn.PhysicalUnits(2, 1)).in_units(UNITS),
        cn.InputError,
        r"the certificate is in PhysicalUnits.* already",
    ),
    # what a side, an output and a formula read
    *(
        (
            lambda item=item: cn.Reaction("J", (item,), (), "k", 1.0),
            cn.ReactionError,
            "'J': .* among a side's species; expected a name, or a pair of a name and a number",
        )
        for item in (3, None, ("Y", 1, 2), (1, "Y"))
    ),
    (
        lambda: cn.ReactionNetwork([Y], [], [cn.Observable("o", OF_Q)]),
        cn.ReactionError,
        "observable 'o': unknown symbol 'q'",
    ),
    (
        lambda: OF_Q.evaluate({"Y": 1.0}),
        cn.InputError,
        "values have no 'q'; expected one for each symbol",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_errors_say_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_box_of_no_samples_has_a_repr():
    assert repr(cn.Interval([], [])) == "Interval([])"
    assert repr(cn.Interval([[]], [[]])[:0]) == "Interval(0 x 0)"
