"""Steady states at the edges of double precision, against eighty digits: each species by itself,
outputs within the error that they state, and the closed form, in which weights alone cancel.
"""

import pickle
import re
from collections import Counter
from decimal import Decimal, localcontext
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from support.tolerances import LAST_DIGIT, LAST_DIGITS, ROUNDED, SOLVED, SUMMED

import crn_nn_tellurium as cn
from crn_nn_tellurium.simulation.outcome import ACCURATE

DRIVES = np.concatenate([[0.0], *(sign * np.geomspace(1e-8, 1e8, 9) for sign in (1, -1))])
KINDS = [cn.SmoothedReLU, cn.Linear, cn.LeakyReLU, cn.Sigmoid, cn.Tanh, cn.Normalized]
# a state is taken at 1e-12 of each species given the others, whose own rounding is 64 eps; what
# follows two rails has their errors besides
ACCURACY = 3.1e-12


def root(z, h):
    """sigma_h(z) of Decimals, without cancellation."""
    size = (z * z + 4 * h).sqrt()
    return (z + size) / 2 if z >= 0 else 2 * h / (size - z)


def exact_layer(layer, read):
    """Species (by unit) and outputs of a layer for exact values read, as Decimals."""
    activation = layer.activation
    h, units = Decimal(activation.h), []
    for weights, bias in zip(layer.weights.tolist(), layer.bias.tolist(), strict=True):
        z = sum((Decimal(w) * r for w, r in zip(weights, read, strict=True)), Decimal(bias))
        u = Decimal(activation.gain) * z
        rails = [root(rail.sign * u + Decimal(rail.shift), h) for rail in activation.rails]
        units.append(rails)
    if isinstance(activation, cn.Normalized):
        total = sum(y for (y,) in units)
        units = [[y, y / total] for (y,) in units]
    elif isinstance(activation, cn.Sigmoid | cn.Tanh):
        units = [[p, n, p / (p + n)] for p, n in units]
    terms, places = activation.read_out, activation.species
    outputs = [
        Decimal(terms.constant) + sum(Decimal(c) * unit[places.index(s)] for s, c in terms.terms)
        for unit in units
    ]
    return [y for unit in units for y in unit], outputs


def exact(net, x):
    """Species and outputs of a network for one input."""
    with localcontext() as context:
        context.prec = 80
        species, read = [], [Decimal(value) for value in x]
        for layer in net.layers:
            own, read = exact_layer(layer, read)
            species += own
    return species, read


def off(found, expected):
    """|found - expected|, of Decimals, to full accuracy."""
    with localcontext() as context:
        context.prec = 80
        pairs = zip(found.tolist(), expected, strict=True)
        return np.array([float(abs(Decimal(value) - right)) for value, right in pairs])


def single(kind, h):
    weights = [[1.0], [0.5]] if kind is cn.Normalized else [[1.0]]
    return cn.Network([cn.Layer(weights, activation=kind(h=h))], inputs="signed")


@pytest.mark.parametrize("method", ["units", "flat", "integrate"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_species_is_right_by_itself(kind, method):
    for h in (1e-16, 1e-11, 1e-6, 1e-2, 1.0):
        net = single(kind, h)
        steady = cn.Simulator(net).steady_state(DRIVES[:, None], method=method, on_error="nan")
        error = steady.error
        for i, z in enumerate(DRIVES):
            if steady.status[i].failed:
                # P comes to rest at the rate of sum y = h / |z|, and is waited for until t = 1e18
                assert (kind, method) == (cn.Normalized, "integrate")
                # where doubles have no digit left of it
                assert h / -z < 1e-16
                continue
            species, outputs = exact(net, [z])
            assert np.all(
                off(steady.concentrations[i], species) <= ACCURACY * steady.concentrations[i]
            )
            assert np.all(off(steady.outputs[i], outputs) <= error[i])


def test_a_species_far_below_the_rest_is_right():
    """S was 309 times too large here, with a residual of 0.99, and called solved."""
    net = single(cn.Sigmoid, 2.9e-11)
    steady = cn.Simulator(net).steady_state([[-6e7]])
    assert (steady.status[0], steady.residual[0] < ROUNDED) == ("solved", True)
    # h / z^2
    np.testing.assert_allclose(steady["y0"], 2.9e-11 / 6e7**2, rtol=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_outputs_of_deep_networks_are_within_their_errors(seed):
    """Weights over eight decades cancel: the error grows through the layers, and so does what is
    stated of it, not without bound.
    """
    rng = np.random.default_rng(seed)
    sizes = [2, *rng.integers(2, 5, 2).tolist(), 2]
    layers = []
    for n_in, n_out in pairwise(sizes):
        weights = rng.normal(size=(n_out, n_in)) * 10 ** rng.uniform(-4, 4, (n_out, n_in))
        kind, h = KINDS[rng.integers(len(KINDS))], float(10 ** rng.uniform(-12, 0))
        layers.append(cn.Layer(weights, rng.normal(size=n_out), kind(h=h)))
    net = cn.Network(layers, inputs="signed")
    x = rng.normal(size=(5, 2))
    steady = cn.Simulator(net).steady_state(x)
    for i, row in enumerate(x):
        found = off(steady.outputs[i], exact(net, row)[1])
        assert np.all(found <= steady.error[i])


def test_the_error_of_a_difference_says_that_its_digits_are_gone():
    """y = 10 + z/2 - (10 - z/2) at z = 1e-13: two rails to 1e-15 each leave no digit of it."""
    net = single(cn.Linear, 100.0)
    steady = cn.Simulator(net).steady_state([[1e-13], [1.0]])
    assert steady.error[0, 0] > 1e-13
    # of rails of 10: at least their rounding, at most the 1e-12 that they are solved to
    assert 1e-15 < steady.error[1, 0] < 1e-11
    frame = steady.to_frame()
    np.testing.assert_array_equal(frame["y0_error"], steady.error[:, 0])
    assert frame["status"].tolist() == ["solved", "solved"]
    assert "largest error of an output" in repr(steady)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(steady)).error, steady.error)
    units = cn.PhysicalUnits(c0=10, tau=1)
    np.testing.assert_allclose(steady.in_units(units).error, 10 * steady.error, rtol=LAST_DIGIT)


# The whole range ---------------------------------------------------------------------------------

OURS = {
    "SmoothedReLU": cn.SmoothedReLU,
    "Linear": cn.Linear,
    "LeakyReLU": cn.LeakyReLU,
    "a leaky ReLU whose slope is steep": lambda h: cn.LeakyReLU(1.5, h),
    "Absolute": cn.Absolute,
    "ClippedReLU": cn.ClippedReLU,
    "a low ceiling": lambda h: cn.ClippedReLU(h=h, ceiling=2.0**-6),
    "HardSigmoid": lambda h: cn.HardSigmoid(h=h, slope=0.25, offset=0.5),
    "PiecewiseLinear": lambda h: cn.PiecewiseLinear((-1.0, 0.5, 2.0), (0.0, 0.5, 2.0, 0.0), h=h),
    "looking left": lambda h: cn.PiecewiseLinear((1.0,), (-1.0, 0.0), h=h),
    "Sigmoid": cn.Sigmoid,
    "Tanh": cn.Tanh,
    "Normalized": cn.Normalized,
}


@pytest.mark.parametrize("make", OURS.values(), ids=OURS)
def test_the_closed_form_loses_no_digits(make):
    """Differences of rails: of z = 1e-13 at h = 100 there were none left."""
    for h in (1e-12, 1e-6, 1.0, 1e6):
        net = single(make, h) if make is not cn.Normalized else single(cn.Normalized, h)
        for z in DRIVES:
            expected = exact(net, [z])[1]
            error = off(net([z]), expected)
            sizes = np.abs([float(value) for value in expected])
            # where a function has no zero, some ten roundings; z = 0 of odd ones is one. Knots are
            # doubles, so beside them u is right to eps of these
            assert np.all(error <= SUMMED * sizes + 1e-300), (h, z, net([z]), expected)


def edge_layer(rng, n_out, n_in, number):
    """Weights and biases that are large, small, denormal or cancel, and h over 18 decades."""
    weights, bias = rng.normal(size=(n_out, n_in)), rng.normal(size=n_out)
    sort = rng.choice(["plain", "large", "small", "cancel", "denormal", "biased"])
    if sort == "large":
        weights, bias = weights * 10 ** rng.uniform(0, 8 / number), bias * 10 ** rng.uniform(0, 7)
    elif sort == "small":
        weights, bias = (part * 10 ** rng.uniform(-8, 0) for part in (weights, bias))
    elif sort == "cancel":
        weights = weights * 10 ** rng.uniform(0, 6)
        bias = -weights.sum(axis=1) * (1 + 10 ** rng.uniform(-16, -4))
    elif sort == "denormal":
        weights = weights * 10 ** rng.uniform(-323, -300)
    elif sort == "biased":
        bias = bias * 10 ** rng.uniform(2, 7)
    make = list(OURS.values())[rng.integers(len(OURS))]
    return cn.Layer(weights, bias, make(h=10 ** rng.uniform(-12, 6)))


def edge_network(number):
    """A network of one to three layers, and an input."""
    rng = np.random.default_rng([20, number])
    sizes = rng.integers(1, 4, size=rng.choice([2, 2, 3, 4])).tolist()
    pairs = enumerate(pairwise(sizes), start=1)
    layers = [edge_layer(rng, n_out, n_in, depth) for depth, (n_in, n_out) in pairs]
    net = cn.Network(layers, inputs=str(rng.choice(["signed", "nonnegative"])))
    n = sizes[0]
    some = [np.ones(n), rng.random(n), 10 ** rng.uniform(0, 8, n), np.full(n, 1e-310)]
    x = some[rng.integers(len(some))]
    return net, x * rng.choice([1.0, -1.0], n) if net.inputs == "signed" else x


WAYS = {
    "units": ("roadrunner", "units"),
    "flat": ("roadrunner", "flat"),
    "rate equations": ("rate_equations", "flat"),
}


@pytest.mark.parametrize(("n", "every"), [(40, 4), pytest.param(4_500, 1, marks=pytest.mark.slow)])
def test_what_is_called_solved_is_solved(n, every):
    """Four answers of each network, 18,000 in the slow run: a concentration is right to 1e-8, or
    the status says otherwise; an output is within its error, and so is the closed form.
    """
    found = Counter()
    for number in range(n):
        net, x = edge_network(number)
        if max(abs(net.layers[0].pre_activation(x))) > 1e8:
            continue
        species, outputs = exact(net, x)
        for way, (engine, method) in WAYS.items():
            # each network of its own is compiled: that is what takes time
            if way == "flat" and number % every:
                continue
            steady = cn.Simulator(net, engine=engine).steady_state(x, method=method, on_error="nan")
            outcome, y = steady.status[0], steady.concentrations[0]
            found[way, outcome.kind.value] += 1
            if outcome.failed:
                continue
            relative = off(y, species) / y
            if outcome.kind.value != "doubtful":
                assert relative.max() <= ACCURATE, (number, way, outcome)
            # bounds are to first order: of what is off by more than a hundredth they say no more
            # than that
            if relative.max() < 0.01:
                assert np.all(off(steady.outputs[0], outputs) <= steady.error[0]), (number, way)
                assert np.all(off(net(x), outputs) <= steady.error[0]), (number, "closed form")
    # it is no way out to doubt: these are networks at the edge
    for way in WAYS:
        whole = sum(count for (name, _), count in found.items() if name == way)
        assert found[way, "solved"] + found[way, "solved after integration"] > 0.8 * whole
        assert found[way, "failed"] == 0


def test_weights_that_cancel_make_a_doubtful_state():
    """1e8 - 1e8 + 1e-9: what is left is below the rounding of the sum, as sqrt(h) nearly is."""
    layer = cn.Layer([[1e8, -1e8]], [1e-9], cn.SmoothedReLU(h=1e-12))
    steady = cn.Simulator(cn.Network([layer])).steady_state([[1.0, 1.0], [1.0, 2.0]])
    assert steady.status[1] == "solved"
    assert not steady.status[0].failed
    assert steady.status[0].startswith("doubtful: 'Y1_0' may be off by ")
    assert "0 failed, doubtful 1, largest" in repr(steady)
    assert "doubtful" in steady._repr_html_()


def test_what_reads_a_doubtful_species_is_doubtful():
    """The first layer is right to 5e-10, and what a second one makes of it to less."""
    first = cn.Layer([[1e2, -1e2]], [0.0], cn.SmoothedReLU(h=1e-5))
    second = cn.Layer([[1e4]], [-1e4 * np.sqrt(1e-5)], cn.SmoothedReLU(h=1e-12))
    alone = cn.Simulator(cn.Network([first])).steady_state([1.0, 1.0])
    assert alone.status[0] == "solved"
    both = cn.Simulator(cn.Network([first, second])).steady_state([1.0, 1.0])
    assert both.status[0].startswith("doubtful: 'Y2_0'")


def test_outputs_that_are_differences_are_counted():
    steady = cn.Simulator(single(cn.Linear, 100.0)).steady_state([[1e-9], [1.0]])
    assert steady.status == ("solved", "solved")
    assert "outputs not known to 1e-08 of themselves 1" in repr(steady)
    assert "of themselves" not in repr(cn.Simulator(cn.load_model("xor")).steady_state([0, 1]))


def test_the_solver_says_how_far_drives_cancel():
    """Few units in Python's numbers, many in arrays, and looked for afterwards: three ways."""
    rng = np.random.default_rng(3)
    for make in (cn.Linear, cn.Sigmoid, cn.Normalized, lambda h: OURS["PiecewiseLinear"](h)):
        layer = cn.Layer(rng.normal(size=(2, 3)), rng.normal(size=2), make(h=1e-3))
        sim = cn.Simulator(cn.Network([layer], inputs="signed"))
        x = rng.normal(size=(30, 3))
        concentrations, *_, many = sim._by_units(x, None)
        expected = sim.accuracy._cancelling(x, concentrations)
        np.testing.assert_allclose(many[0], expected[0], rtol=ROUNDED)
        for row, size in zip(x, many[0], strict=True):
            alone = sim._by_units(row[None], None)[3]
            np.testing.assert_allclose(alone[0], [size], rtol=ROUNDED)


def test_the_flat_solver_says_how_far_gains_and_losses_cancel():
    rng = np.random.default_rng(4)
    h, weights, bias = 1e-2, rng.normal(size=(3, 2)), rng.normal(size=3)
    layer = cn.Layer(weights, bias, cn.SmoothedReLU(h=h))
    sim = cn.Simulator(cn.Network([layer]))
    x = rng.uniform(0, 2, (20, 2))
    y, *_, (found,) = sim._by_flat_model(x, None, True)
    drives = x @ abs(weights).T + abs(bias)
    expected = (h + drives * y + y**2) / (h + y**2)
    np.testing.assert_allclose(found, expected.max(axis=1), rtol=SOLVED)


def test_no_error_is_above_the_cheap_bound():
    for number in range(60):
        net, x = edge_network(number)
        sim = cn.Simulator(net)
        y, residual, status, cancelling = sim._by_units(x[None], None)
        if status[0].failed:
            continue
        bound = sim.accuracy.at_most(residual, cancelling)[0]
        errors = sim.accuracy._errors(net.input_coding.code(x[None]), y)[1]
        relative = np.concatenate([part.ravel() for part in errors]) / y[0]
        assert relative.max() <= bound, number


def test_a_layer_that_makes_little_of_errors_does_not_hide_them():
    layers = [
        cn.Layer([[1e8, -1e8]], [1e-9], cn.SmoothedReLU(h=1e-12)),
        cn.Layer([[1e-9]], [0.0], cn.SmoothedReLU(h=1.0)),
    ]
    steady = cn.Simulator(cn.Network(layers)).steady_state([1.0, 1.0])
    assert steady.status[0].startswith("doubtful: 'Y1_0'")


# Reaction networks -------------------------------------------------------------------------------


def test_where_gains_cancel_a_reaction_network_is_not_called_solved():
    """A' = 1e-12 + (1e8 - 1e8 - e) A - A^2: doubles hold 1e8 + e to 1.5e-8 only, and sqrt(h) is
    1e-6.
    """
    text = "J0: -> A; {h}; J1: A -> 2 A; {k}*A; J2: A -> ; {k}*A; J3: 2 A -> A; A^2; A = 1;"
    hard = cn.import_antimony(text.format(h=1e-12, k=1e8))
    for engine in ("roadrunner", "rate_equations"):
        steady = cn.Simulator(hard, engine=engine).steady_state(on_error="nan")
        assert steady.status[0].partition(":")[0] in ("integrated", "doubtful", "failed")
    easy = cn.Simulator(cn.import_antimony(text.format(h=1e-12, k=1.0))).steady_state()
    assert easy.status == ("solved after integration",)
    # A itself is lost in k A to 1e-16, which with h = A^2 and a slope of 2 A makes 5e-11 of A
    np.testing.assert_allclose(easy["A"], 1e-6, rtol=1e-10)


BESIDE = """J0: -> A; {h!r}; J1: A -> 2 A; {gain!r}*A; J2: A -> ; {loss!r}*A; J3: 2 A -> A; A^2;
J4: -> B; 100; J5: B -> ; B; A = 1; B = 1;"""


@pytest.mark.parametrize("scale", [1e3, 1e5])
def test_a_small_species_whose_gains_cancel_is_doubtful(scale):
    """A' = 1e-12 + (gain - loss) A - A^2 beside B = 100, beside which A is all but nothing.

    By a root in 60 digits, by its quadratic in Decimals, and by two engines, off by above 1e-8.
    """
    h, loss = 1e-12, scale * (1 + 2**-45)
    with localcontext() as context:
        context.prec = 60
        d = Decimal(scale) - Decimal(loss)
        exact_a = (d + (d * d + 4 * Decimal(h)).sqrt()) / 2
    with mpmath.workdps(60):
        root = mpmath.findroot(
            lambda a: mpmath.mpf(h) + (mpmath.mpf(scale) - mpmath.mpf(loss)) * a - a * a, 1e-6
        )
        assert abs(root - mpmath.mpf(str(exact_a))) < mpmath.mpf(10) ** -50
    crn = cn.import_antimony(BESIDE.format(h=h, gain=scale, loss=loss))
    worst = 0.0
    for engine in ("roadrunner", "rate_equations"):
        steady = cn.Simulator(crn, engine=engine).steady_state()
        assert steady.status[0].startswith("doubtful: 'A' may be off by ")
        error = off(steady["A"], [exact_a])[0]
        stated = float(re.search(r"off by (\S+) of", steady.status[0])[1])
        assert error <= steady.error[0, steady.species.index("A")]
        assert error <= 1.1 * stated * steady["A"][0]
        worst = max(worst, error / steady["A"][0])
    # it was no idle doubt, at the larger one
    assert worst > 1e-8 or scale < 1e5
    status = cn.scan(crn, {"B": [1.0]})["status"].values.tolist()
    assert status[0].startswith("doubtful: 'A' may be off by ")


def turning(there, back, total, catalyst=0.0):
    """A <=> B, with something of which B may be made in C's presence alone."""
    species = [cn.Species("A", total), cn.Species("B"), cn.Species("C", catalyst)]
    law = (("A", "C"), ("B", "C")) if catalyst else (("A",), ("B",))
    first = cn.Reaction("J0", *law, "k", there)
    return cn.ReactionNetwork(species, [first, cn.Reaction("J1", ("B",), ("A",), "r", back)])


@pytest.mark.parametrize("engine", ["roadrunner", "rate_equations"])
@pytest.mark.parametrize(
    "crn",
    [
        turning(1e-3, 1e-3, 1e-150),  # of which half is B
        turning(1e200, 1.0, 1.0, 1e-200),  # as well, made by what is below 1e-100
        turning(1e-150, 1e-150, 1e-200),  # as well, but rates underflow
        cn.ReactionNetwork(  # A is 1e-101
            [cn.Species("A")],
            [
                cn.Reaction("J0", (), ("A",), "h", 1e-101),
                cn.Reaction("J1", ("A",), (), "d", 1.0),
            ],
        ),
    ],
    ids=["sum", "catalyst", "underflow", "source"],
)
def test_what_the_integrator_takes_for_none_is_not_called_an_end(crn, engine):
    steady = cn.Simulator(crn, engine=engine).steady_state(on_error="nan")
    assert steady.status[0].startswith("failed: ")
    assert np.all(np.isnan(steady.concentrations))


def test_a_start_whose_rates_cancel_by_rounding_alone_is_doubtful():
    """A' = 1e-9 - 3e-9 A^2 beside gains and losses of 1e10, in which both are lost at A = 1."""
    text = "J0: A -> 2 A; 1e10*A; J1: -> A; 1e-9; J2: 2 A -> A; 3e-9*A^2; J3: A -> ; 1e10*A; A = 1;"
    crn = cn.import_antimony(text)
    assert crn.balance(crn.initial_state()).net == 0
    steady = cn.Simulator(crn).steady_state()
    assert steady.status[0].startswith("doubtful: what makes and what takes 'A' cancels but for")
    assert steady.error[0, 0] == np.inf


@pytest.mark.parametrize("method", ["flat", "integrate"])
@pytest.mark.parametrize("more", [0, 400])
def test_gains_that_equal_losses_in_decimals_alone_are_doubtful(method, more):
    """A' = (0.1 + 0.7 + 0.5 - 1.3) A is -1e-16 A; (0.125 + 0.625 + 0.5 - 1.25) A is none."""
    beside = [cn.Species(f"B{i}", 1.0) for i in range(more)]

    def steady(*rates):
        down = cn.Reaction("down", ("A",), (), "d", rates[-1])
        up = [
            cn.Reaction(f"J{i}", ("A",), ("A", "A"), f"k{i}", k) for i, k in enumerate(rates[:-1])
        ]
        crn = cn.ReactionNetwork([cn.Species("A", 0.9), *beside], [*up, down])
        return cn.Simulator(crn).steady_state(method=method)

    doubt, certain = steady(0.1, 0.7, 0.5, 1.3), steady(0.125, 0.625, 0.5, 1.25)
    assert doubt.status[0].startswith("doubtful: what makes and what takes 'A' cancels but for")
    assert doubt.error[0, 0] >= doubt["A"][0]  # it is lost in the end
    assert certain.status == ("integrated",)
    assert certain["A"] == 0.9
    # by two integrations to 1e-10 each
    assert certain.error[0, 0] < 1e-8


@pytest.mark.parametrize("engine", ["roadrunner", "rate_equations"])
def test_a_start_that_is_a_steady_state_has_the_error_of_one(engine):
    """A <=> B from where doubles balance: A's part of the sum is right to rounding alone."""
    back, there = 0.1, 0.3
    start = {"A": back, "B": there}
    steady = cn.Simulator(turning(there, back, 1.0), engine=engine).steady_state(initial=start)
    # both gains are 0.3 times 0.1, so what is left is how far the sum's parts are rounded
    assert steady.status[0].startswith("solved")
    assert off(steady["A"], [Decimal(back)])[0] <= steady.error[0, 0] < LAST_DIGITS


@pytest.mark.parametrize("engine", ["roadrunner", "rate_equations"])
@pytest.mark.parametrize("loss", [1e5 * (1 + 2**-45), 1e6 * (1 - 2**-40)])
def test_where_rounding_decides_an_integrated_state_says_so(engine, loss):
    """A' = 1e-12 + (gain - loss) A - A^2, where no course says more than the rates do."""
    gain, h = float(f"{loss:.0e}"), 1e-12
    text = f"J0: -> A; {h!r}; J1: A -> 2 A; {gain!r}*A; J2: A -> ; {loss!r}*A; J3: 2 A -> A; A^2;"
    crn = cn.import_antimony(text + "A = 1;")
    steady = cn.Simulator(crn, engine=engine).steady_state(method="integrate", on_error="nan")
    exact_a = root(Decimal(gain) - Decimal(loss), Decimal(h))
    if not steady.status[0].startswith("failed"):
        assert off(steady["A"], [exact_a])[0] <= steady.error[0, 0]


def test_the_constant_of_an_observable_is_rounded_too():
    """2 S - 1 of a small S, as a Tanh is read, and sums of many parts that cancel."""
    terms = [cn.Monomial(2.0, (("S", 1.0),)), cn.Monomial(-1.0)]
    half = [cn.Monomial(sign * n, (("S", 1.0),)) for n in range(1, 40) for sign in (0.1, -0.1)]
    crn = cn.ReactionNetwork(
        [cn.Species("S", 1.0)],
        [cn.Reaction("J0", (), ("S",), "k", 1e-10), cn.Reaction("J1", ("S",), (), "d", 1.0)],
        [cn.Observable("read", cn.Expression(terms)), cn.Observable("none", cn.Expression(half))],
    )
    steady = cn.Simulator(crn).steady_state()
    exact_s = Decimal(crn.reactions[0].value)
    with localcontext() as context:
        context.prec = 60
        found = [
            sum(Decimal(t.coefficient) * exact_s ** len(t.powers) for t in parts)
            for parts in (terms, half)
        ]
    errors = off(steady.outputs[0], found)
    assert errors[0] > 1e-18
    assert np.all(errors <= steady.error[0])
    assert steady.error[0, 0] < LAST_DIGIT
