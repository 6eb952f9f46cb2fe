"""Points of scans of any model: initial assignments follow, amounts are not concentrations."""

import math

import numpy as np
import pytest

import crn_nn_tellurium as cn

START = "model m() A -> B; k*A; A = 2*A0; A0 = 1; k = 1; end"
RATE = "model m() A -> B; k*A; A = 1; k = 2*k0; k0 = 1; end"
CHAIN = """model m()
  A -> ; k*A; A = B + p; B = 2*q; q = 3*p; p = 1; k = 0.5; species $X; X = A; x' = -x; x = q
end"""
VESSEL = """model m()
  compartment v = 2*w; w = 2; substanceOnly species A in v; species B in v, C in v
  A -> ; k*A; B -> ; k*B; A = 3*q; q = 1; B = A; C = 5; k = 1
end"""
AMOUNT = "model m() compartment v = 4; substanceOnly species A in v; A -> ; k*A; A = 3; k = 1; end"


def scanned(model, vary, name, at):
    return cn.scan(model, vary, at=[at], outputs={"found": name}).found.values[..., 0]


MODELS = pytest.mark.parametrize("read", [str, cn.import_antimony], ids=["text", "reactions"])


@MODELS
def test_starts_follow_what_is_varied(read):
    assert scanned(read(START), {"A0": [1.0, 2.0]}, "A", 0.0).tolist() == [2.0, 4.0]


@MODELS
def test_rate_constants_follow_what_is_varied(read):
    found = scanned(read(RATE), {"k0": [1.0, 2.0]}, "A", 1.0)
    # CVODE's relative tolerance is 1e-10 a step
    np.testing.assert_allclose(found, [math.exp(-2), math.exp(-4)], rtol=1e-8)


@pytest.mark.parametrize(
    ("vary", "name", "expected"),
    [
        ({"p": [1.0, 2.0]}, "A", [7.0, 14.0]),
        ({"p": [1.0, 2.0]}, "X", [7.0, 14.0]),
        ({"p": [1.0, 2.0]}, "x", [3.0, 6.0]),
        # what is varied itself goes before its assignment, and others follow it
        ({"q": [5.0]}, "A", [11.0]),
        ({"q": [5.0]}, "x", [5.0]),
        ({"B": [4.0]}, "A", [5.0]),
        ({"A": [4.0]}, "X", [4.0]),
        ({"initial": [9.0]}, "A", [9.0]),
        ({"initial": [9.0]}, "X", [9.0]),
    ],
)
def test_assignments_follow_one_another_in_any_order(vary, name, expected):
    assert scanned(CHAIN, vary, name, 0.0).tolist() == expected


@MODELS
def test_points_do_not_mind_those_before(read):
    found = scanned(read(START), {"k": [1.0, 3.0], "A0": [2.0, 1.0, 2.0]}, "A", 0.0)
    assert found.tolist() == [[4.0, 2.0, 4.0]] * 2


def test_the_number_of_a_substance_only_species_is_an_amount():
    """3 in a volume of 4 is a concentration of 0.75, which is what results are."""
    ds = cn.scan(AMOUNT, {"A": [3.0, 6.0]}, at=[0.0, 4.0], outputs={"found": "A"})
    # the law is in amounts a time: dA/dt = -k A, of the amount as of the concentration
    expected = np.outer([0.75, 1.5], [1.0, math.exp(-4)])
    np.testing.assert_allclose(ds.found.values, expected, rtol=1e-8)
    assert ds.A.attrs["long_name"] == "start of A, an amount"


def test_concentrations_are_concentrations_in_any_volume():
    text = AMOUNT.replace("substanceOnly ", "")
    assert scanned(text, {"A": [3.0]}, "A", 0.0).tolist() == [3.0]
    # a reaction network's own numbers are concentrations: the file's amount of 3 is 0.75 there
    crn = cn.import_antimony(AMOUNT)
    assert crn.start_values == {"A": 0.75}
    assert scanned(crn, {"A": [0.75]}, "A", 0.0).tolist() == [0.75]
    assert scanned(AMOUNT, {"initial": [0.75]}, "A", 0.0).tolist() == [0.75]


@pytest.mark.parametrize(
    ("vary", "name", "expected"),
    [
        ({"q": [1.0, 2.0]}, "A", [0.75, 1.5]),  # an amount of 3 q in a volume of 4
        ({"q": [1.0, 2.0]}, "B", [3.0, 6.0]),  # the concentration is the number of the amount
        ({"w": [2.0, 4.0]}, "A", [0.75, 0.375]),  # the same amount in twice the volume
        ({"w": [2.0, 4.0]}, "C", [5.0, 5.0]),
        ({"A": [8.0]}, "A", [2.0]),
        ({"A": [8.0]}, "B", [8.0]),
    ],
)
def test_volumes_follow_too(vary, name, expected):
    assert scanned(VESSEL, vary, name, 0.0).tolist() == expected


def test_a_reaction_in_a_volume_that_follows():
    """The law k B is in amounts a time: dB/dt = -k B / v, with v = 2 w."""
    found = scanned(VESSEL, {"w": [2.0, 4.0]}, "B", 1.0)
    np.testing.assert_allclose(found, [3 * math.exp(-1 / 4), 3 * math.exp(-1 / 8)], rtol=1e-8)


def test_steady_states_start_where_assignments_say():
    """A + B is kept: A = 2 A0 at the start ends as two thirds of it, by k = 1 and 2."""
    text = "model m() A -> B; A - 2*B; A = 2*A0; A0 = 1; end"
    ds = cn.scan(text, {"A0": [1.0, 3.0]}, outputs={"end": "A"})
    # what conserves something is integrated to rest, within 1e-7
    np.testing.assert_allclose(ds.end.values, [4 / 3, 4.0], rtol=1e-6)


def test_errors_come_after_formulas_and_are_each_constants_own():
    crn = cn.import_antimony("model m() -> A; D*(Ain - A); Ain = 2; D = 1; end")
    ds = cn.scan(crn, [*cn.lognormal(0.3, draws=4, seed=1)], outputs={"end": "A"})
    rng = [np.random.default_rng([1, draw]).standard_normal(2) for draw in range(4)]
    size = math.sqrt(math.log(1 + 0.3**2))
    # of the rate constants (k__J0_1, D); A = k__J0_1 / D
    expected = [2 * math.exp(size * (normal[0] - normal[1])) for normal in rng]
    np.testing.assert_allclose(ds.end.values, expected, rtol=1e-9)
