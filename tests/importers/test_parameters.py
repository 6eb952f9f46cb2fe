"""Parameters of models of others: one number wherever it is read, and functions of constants."""

import math

import libsbml
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from support.imports import DIALECTS, edited, formula, written
from support.public import collection
from support.tolerances import INTEGRATED, SOLVED

import crn_nn_tellurium as cn

FLOW = "model flow() -> A; D*(Ain - A); Ain = 2; D = 1; end"
STARTS = """model starts()
  A -> B; k*A*X; k = 2*k0; k0 = 1; A = 3*B; B = A0/2; A0 = 2; species $X; X = A/4
end"""


def test_a_parameter_in_several_terms_stays_one():
    """dA/dt = D (Ain - A) rests at Ain, whatever D is."""
    crn = cn.import_antimony(FLOW)
    ds = cn.scan(crn, {"D": [1.0, 2.0, 4.0], "Ain": [2.0, 5.0]}, outputs={"end": "A"})
    np.testing.assert_allclose(ds.end.values, [[2.0, 5.0]] * 3, rtol=SOLVED)
    found = cn.sensitivities(crn)
    assert found.parameters == ("D", "Ain")
    # J = -D, exactly: what is left is rounding
    np.testing.assert_allclose(found.values, [[0.0, 1.0]], atol=1e-14)


def test_transient_sensitivities_are_by_what_can_be_set():
    """A = Ain (1 - exp(-D t)); CVODE's tolerance for derivatives is 1e-10 relative."""
    found = cn.transient_sensitivities(cn.import_antimony(FLOW), t_end=1, n_points=2)
    by = [found["A", "D"][-1], found["A", "Ain"][-1]]
    np.testing.assert_allclose(by, [2 * math.exp(-1), 1 - math.exp(-1)], rtol=INTEGRATED)


def test_start_values_move_with_what_they_read():
    """A = 1.5 A0 exp(-2 k0 X t) with X = A(0) / 4: by A0, also through X."""
    crn = cn.import_antimony(STARTS)
    assert crn.start_values == {"A": 3.0, "B": 1.0, "X": 0.75}
    found = cn.transient_sensitivities(crn, t_end=1, n_points=2, outputs=["A"])

    def end(k0, a0):
        return 1.5 * a0 * math.exp(-2 * k0 * 1.5 * a0 / 4)

    step = 1e-6
    by_k0 = (end(1 + step, 2) - end(1 - step, 2)) / (2 * step)
    by_a0 = (end(1, 2 + step) - end(1, 2 - step)) / (2 * step)
    # central differences are good to 1e-10 here
    np.testing.assert_allclose(found["A", "k0"][-1], by_k0, rtol=1e-8)
    np.testing.assert_allclose(found["A", "A0"][-1], by_a0, rtol=INTEGRATED)


def test_what_follows_is_no_parameter():
    crn = cn.import_antimony(FLOW)
    message = "'k__J0_1' follows from D.Ain; expected what it follows from, D, Ain"
    for derivatives in (cn.sensitivities, cn.transient_sensitivities):
        with pytest.raises(cn.InputError, match=message):
            derivatives(crn, parameters=["k__J0_1"])
    with pytest.raises(cn.InputError, match=r"'k__J0_1' to vary; it follows from D\*Ain"):
        cn.scan(crn, {"k__J0_1": [1.0]})


def test_a_rate_constant_that_would_be_negative_is_refused_in_words():
    crn = cn.import_antimony(FLOW)
    ds = cn.scan(crn, {"Ain": [2.0, -1.0]}, outputs={"end": "A"})
    assert np.isnan(ds.end.values).tolist() == [False, True]
    assert "follows from D*Ain, which is -1.0; expected >= 0" in str(ds.status.values[1])
    with pytest.raises(cn.InputError, match=r"'D': -1\.0 among its values; expected numbers >= 0"):
        cn.scan(crn, {"D": [-1.0]})


@pytest.mark.parametrize("text", [FLOW, STARTS], ids=["flow", "starts"])
def test_what_was_written_is_read_as_it_was(text, tmp_path):
    crn = cn.import_antimony(text)
    assert cn.import_antimony(cn.to_antimony(crn, starts="formulas")) == crn
    for dialect in DIALECTS:
        path = cn.export(crn, tmp_path / f"{dialect}.xml", format=dialect, starts="formulas")
        assert cn.import_sbml(path) == crn, dialect


def test_exported_rate_constants_follow_where_tools_set_what_they_read():
    import roadrunner

    from crn_nn_tellurium.importers import antimony_to_sbml

    r = roadrunner.RoadRunner(antimony_to_sbml(cn.to_antimony(cn.import_antimony(FLOW))))
    r["D"] = 4.0
    # from A = 0, A(1) = 2 (1 - exp(-4)); roadrunner's own tolerance is 1e-6
    assert r.simulate(0, 1, 2)[-1, 1] == pytest.approx(2 * (1 - math.exp(-4)), rel=1e-5)


def test_formats_of_numbers_alone_say_what_follows(tmp_path):
    path = cn.export(cn.import_antimony(FLOW), tmp_path / "flow.crn")
    text = path.read_text()
    assert "Follow from other constants: k__J0_1." in text
    assert cn.import_crn(path).right_hand_side([0.5]).tolist() == [1.5]


def test_signs_come_from_coefficients_and_not_from_values():
    crn = cn.import_antimony("A + B -> C; kf*A*B - kr*C; kf = 0; kr = 0; A = 1; B = 2; C = 3")
    assert [(r.equation, r.rate_constant, r.value) for r in crn.reactions] == [
        ("A + B => C", "kf", 0.0),
        ("C => A + B", "kr", 0.0),
    ]


def test_a_negative_parameter_keeps_its_value_and_its_name():
    """k = -2 in k B of A -> B runs backwards, at the rate constant -k, which follows k."""
    crn = cn.import_antimony("A -> B; k*B; k = -2")
    (reaction,) = crn.reactions
    assert (reaction.equation, reaction.value) == ("B => A", 2.0)
    assert crn.free_constants == ("k",)
    assert crn.parameters == (cn.Parameter("k", -2.0),)


FUNCTIONS = {
    "log10(k)": math.log10(3),
    "log(2, k)": math.log(3, 2),
    "max(k, 1, m)": 5.0,
    "min(k, 1, m)": 1.0,
    "piecewise(k, k > 4, m, m < 6, 9)": 5.0,
    "piecewise(1/0, k > 4, 7)": 7.0,
    "floor(m/k) + ceil(m/k)": 3.0,
    "factorial(k)": 6.0,
    "abs(-k)*exp(1)": 3 * math.e,
    "sin(k)^2": math.sin(3) ** 2,
    "sec(1) + arccot(2) + arctanh(0.5)": 1 / math.cos(1) + math.atan(0.5) + math.atanh(0.5),
    "piecewise(2, k > 1 && !(m < 1) || m == 7, 3)": 2.0,
    "piecewise(2, xor(k > 1, m > 1), 3)": 3.0,
    "m^(1/k) + root(k, m)": 2 * 5 ** (1 / 3),
    "rem(m, k) + quotient(m, k)": 3.0,
    "1/(k + m)^1.5": 8**-1.5,
    "floor(pi) + ceil(exponentiale)": 6.0,
    "piecewise(2, false, 9, true, nothing)": 9.0,
}


@pytest.mark.parametrize(("text", "value"), FUNCTIONS.items(), ids=FUNCTIONS)
def test_functions_of_constants_are_evaluated(text, value):
    crn = cn.import_antimony(f"A -> ; ({text})*A; k = 3; m = 5")
    # against Python's functions, put together in another order: some roundings
    assert sum(r.value for r in crn.reactions) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    ("law", "value", "message"),
    [
        *(
            (law, "", "parameter 'k' has no value; expected a finite number")
            # comparisons with NaN are false, and max(NaN, 1) depends on the order
            for law in ("sin(k)", "floor(k)", "max(1, k)", "piecewise(2, k > 4, 5)", "q")
        ),
        ("sin(k - k)", "k = inf", "parameter 'k' has the value inf; expected a finite number"),
        ("piecewise(2, k > 4)", "k = 3", "no piece of its piecewise holds"),
        ("factorial(k)", "k = 2.5", "factorial of 2.5"),
        ("floor(k)", "k := floor(time)", r"floor\(k\) is not a sum of terms"),
    ],
)
def test_laws_without_a_value_are_refused(law, value, message):
    q = "q := min(k, 3); " if law == "q" else ""
    message = message.replace("'k'", "'q'") if q else message
    with pytest.raises(cn.ReactionError, match=f"reaction '_J0'.*{message}"):
        cn.import_antimony(f"A -> ; ({law})*A; {q}{value}")


def test_pieces_that_do_not_hold_need_no_value():
    crn = cn.import_antimony("A -> ; piecewise(2, m > 0, k)*A; m = 1")
    assert [r.value for r in crn.reactions] == [2.0]


def test_what_a_function_reads_is_a_number_everywhere():
    """A constant that one reader would not follow cannot be set."""
    crn = cn.import_antimony("A -> ; log10(k)*A; -> A; k; k = 100; z := k*A")
    assert [r.value for r in crn.reactions] == [2.0, 100.0]
    assert crn.parameters == ()
    assert "k" not in crn.rate_constants
    assert crn.observe([2.0]).tolist() == [200.0]


def test_a_read_out_that_would_not_follow_is_left_out():
    with pytest.warns(UserWarning, match="left out: .*'z' has 'k' in a function") as caught:
        crn = cn.import_antimony("A -> ; k*A; k = 100; z := log10(k) + A")
    assert caught[0].filename == __file__
    assert crn.rate_constants == ("k",)


def test_a_sum_of_constants_in_a_denominator_follows_them():
    crn = cn.import_antimony("A -> ; k*A/(a + b); k = 6; a = 1; b = 2")
    assert set(crn.free_constants) == {"k", "a", "b"}
    values = dict(zip(crn.constant_names, crn.constants.tolist(), strict=True)) | {"a": 4.0}
    found = crn.derive([values[name] for name in crn.constant_names])
    assert found[0] == 1.0


def test_a_species_that_is_held_may_stand_in_such_a_sum():
    crn = cn.import_antimony("species $S; S = 1; A -> B; k*A/(S + q); k = 1; q = 1; A = 1")
    ds = cn.scan(crn, {"S": [1.0, 2.0], "q": [1.0, 3.0]}, at=[1.0], outputs={"end": "A"})
    # CVODE's relative tolerance is 1e-10 a step
    expected = np.exp([[-1 / 2, -1 / 4], [-1 / 3, -1 / 5]])
    np.testing.assert_allclose(ds.end.values[..., 0], expected, rtol=INTEGRATED)
    with pytest.raises(cn.ReactionError, match="is not a sum of terms"):
        cn.import_antimony("species $S; S = 1; A -> B; k*A/(S + B); k = 1; A = 1")


@pytest.mark.parametrize(
    "text", ["A -> B; (k - q)*A; A = 1", "A' = (q - k)*A; B' = (k - q)*A; A = 1; B = 0"]
)
def test_a_difference_of_constants_is_one_where_its_parts_cannot_be(text):
    """A = exp(-(k - q) t), with q A backwards only where it takes what it does not meet."""
    crn = cn.import_antimony(f"{text}; k = 3; q = 1")
    assert crn.right_hand_side([1.0, 5.0]).tolist() == [-2.0, 2.0]
    ds = cn.scan(crn, {"q": [1.0, 2.5, 4.0]}, at=[1.0], outputs={"end": "B"})
    # CVODE's relative tolerance is 1e-10 a step
    np.testing.assert_allclose(ds.end.values[:2, 0], 1 - np.exp([-2.0, -0.5]), rtol=1e-8)
    assert "'sum' follows from k - q, which is -1.0; expected >= 0" in str(ds.status.values[2])
    assert cn.import_antimony(cn.to_antimony(crn, starts="formulas")) == crn
    crn = cn.import_antimony("-> A; k - q; A -> ; A; k = 3; q = 1")
    found = cn.sensitivities(crn, parameters=["k", "q"])
    # A rests at k - q
    np.testing.assert_allclose(found.values, [[1.0, -1.0]], atol=1e-14)


def test_differences_whose_parts_are_reactions_stay_two():
    crn = cn.import_antimony("A -> 2 A; (b - d)*A; b = 1; d = 2; A = 1")
    assert [(r.equation, r.rate_constant) for r in crn.reactions] == [
        ("A => 2 A", "b"),
        ("A =>", "d"),
    ]


def test_the_name_of_a_reaction_is_its_rate():
    """In a volume of 2, the rate is in amounts: J0 = k A v, and C starts at its double."""
    text = "compartment v = 2; species A in v, B in v, C in v; J0: A -> B; k*A*v; k = 3; A = 1"
    crn = cn.import_antimony(f"{text}; C = 2*J0; C -> ; q*C; q = 1; z := J0 + 1")
    assert crn.start_values["C"] == 12.0
    ds = cn.scan(crn, {"k": [1.0, 2.0]}, at=[0.0], outputs={"start": "C"})
    assert ds.start.values[:, 0].tolist() == [4.0, 8.0]


def test_a_species_that_a_rule_sets_is_a_read_out():
    text = "species A, B, T; T := A + B; A -> B; k*T*A; k = 0.5; A = 1; B = 2"
    crn = cn.import_antimony(text)
    assert crn.floating == ("A", "B")
    assert crn.observe([1.0, 2.0]).tolist() == [3.0]
    assert crn.right_hand_side([1.0, 2.0]).tolist() == [-1.5, 1.5]
    amounts = "compartment v = 4; substanceOnly species A in v, T in v; T := 2*A; A -> ; k*A; k=1"
    # concentrations: the amount of T is twice that of A, in one volume
    assert cn.import_antimony(amounts).observe([0.75]).tolist() == [1.5]


def test_a_species_that_nothing_changes_divides_as_a_constant():
    crn = cn.import_antimony("const species E; E = 2; A -> ; k*A/E; -> A; m*E; k = 6; m = 1")
    assert (crn.boundary, set(crn.free_constants)) == ((), {"k", "m", "E"})
    assert crn.right_hand_side([1.0]).tolist() == [-1.0]


def test_a_parameter_with_a_rate_rule_is_a_species():
    """p = 2 exp(-k t), dA/dt = p - A, against scipy."""
    crn = cn.import_antimony("p' = -k*p; p = 2; k = 0.7; -> A; p; A -> ; A")
    assert crn.start_values == {"A": 0.0, "p": 2.0}
    order = [crn.floating.index(name) for name in ("A", "p")]
    f = crn.right_hand_side

    def rates(_, y):
        x = np.empty(2)
        x[order] = y
        return f(x)[order]

    end = solve_ivp(rates, (0, 1), [0.0, 2.0], rtol=1e-10, atol=1e-12).y[:, -1]
    exact = 2 * (math.exp(-0.7) - math.exp(-1)) / 0.3
    np.testing.assert_allclose(end, [exact, 2 * math.exp(-0.7)], rtol=INTEGRATED)


def without_math(model):
    """Rules, an initial assignment and a law's parameter rule without <math>."""
    model.getParameter("k").setConstant(False)
    model.createAssignmentRule().setVariable("k")
    model.createRateRule().setVariable("B")
    model.createInitialAssignment().setSymbol("A")


def test_rules_without_math_are_as_if_not_there(tmp_path):
    path = written(tmp_path, edited("A -> B; k*A; k = 2; A = 3", without_math))
    crn = cn.import_sbml(path)
    assert (crn.constant_values, crn.start_values) == ({"k": 2.0}, {"A": 3.0, "B": 0.0})


COUNTED = {
    "pairs": ("2 P -> Q; k*P*(P - 1)/2", 1.0, 1.5),
    "pairs, not halved": ("2 P -> Q; k*P*(P - 1)", 1.0, 3.0),
    "triples": ("3 P -> Q; k*P*(P - 1)*(P - 2)/6", 1.0, 0.5),
    "pairs and another": ("2 P + R -> Q; k*P*(P - 1)*R/2", 1.0, 1.5),
    "pairs in amounts": (
        "compartment v = 4; substanceOnly species P in v, Q in v; 2 P -> Q; k*P*(P - 1)/2",
        4.0,
        6.0,
    ),
}


@pytest.mark.parametrize(("text", "volume", "value"), COUNTED.values(), ids=COUNTED)
def test_propensities_are_mass_action_of_counted_molecules(text, volume, value):
    with pytest.warns(UserWarning, match="reaction '_J0': its law counts molecules"):
        crn = cn.import_antimony(f"{text}; k = 3; P = 10")
    (reaction,) = crn.reactions
    assert reaction.value == value
    if dict(reaction.substrates) == {"P": 2}:
        # the propensity of our stochastic runs, q n (n - 1) / V, is that of the file
        assert value * 10 * 9 / volume == 3 * 10 * 9 / (2 if "/2" in text else 1)


def test_other_differences_are_still_no_mass_action():
    for law in ("k*P^2 - k*P/2", "k*P^2 - 2*k*P"):
        with pytest.raises(cn.ReactionError, match="runs backwards, where a term is negative"):
            cn.import_antimony(f"2 P -> Q; {law}; k = 3; P = 10")


def test_assignments_of_held_species_are_kept(tmp_path):
    document = libsbml.readSBMLFromString(
        edited("$X -> A; k*X; k = 1; A = 1; q = 3", lambda model: None)
    )
    assignment = document.getModel().createInitialAssignment()
    assignment.setSymbol("X")
    assignment.setMath(formula("q*A"))
    crn = cn.import_sbml(written(tmp_path, libsbml.writeSBMLToString(document)))
    assert crn.boundary_concentrations.tolist() == [3.0]
    assert crn.parameters == (cn.Parameter("q", 3.0),)


DSMTS, NEEDS_DSMTS = collection("dsmts")


@NEEDS_DSMTS
def test_dimers_of_the_stochastic_suite_have_its_moments():
    """k P (P - 1) / 2, means and standard deviations within the suite's own limits.

    Evans, Gillespie and Wilkinson, Bioinformatics 24 (2008) 285: Z within 3 and Y within 5.
    """
    with pytest.warns(UserWarning, match="'Dimerisation': its law counts molecules"):
        crn = cn.import_sbml(DSMTS / "dsmts-003-01.xml")
    n = 300
    mean, sd = (
        np.loadtxt(DSMTS / f"dsmts-003-01-{what}.csv", delimiter=",", skiprows=1)[:, 1:]
        for what in ("mean", "sd")
    )
    course = cn.Simulator(crn).time_course(t_end=50, n_points=51, volume=1.0, draws=n, seed=0)
    runs = course.concentrations[:, 1:]
    mean, sd = mean[1:], sd[1:]
    z = np.sqrt(n) * (runs.mean(axis=0) - mean) / sd
    y = np.sqrt(n / 2) * (((runs - mean) ** 2).mean(axis=0) / sd**2 - 1)
    assert np.abs(z).max() < 3
    assert np.abs(y).max() < 5


def test_a_rule_for_a_constant_that_another_rule_reads_is_a_parameter():
    crn = cn.import_antimony("A -> ; k*A; k = 1; q := k + 1; r := q; A = 1")
    assert [o.id for o in crn.observables] == ["r"]
    assert dict(zip(crn.constant_names, crn.constants.tolist(), strict=True)) == {"k": 1, "q": 2}
