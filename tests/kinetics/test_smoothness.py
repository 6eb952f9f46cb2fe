"""Steady states are smooth (theory, theorem 15): derivatives of first to third order, three ways.

All rate constants (of weights, biases, h, q and followers) and all inputs move at once along a
line, k (1 + t d). Along it the outputs are solved from the written reactions in 60 digits, one root
of a quadratic after the other, whose derivatives by t mpmath takes.
"""

import math
from dataclasses import replace

import mpmath
import numpy as np
import pytest
from support.networks import with_a_constant_each
from support.tolerances import ROUNDED, SOLVED, SUMMED

import crn_nn_tellurium as cn
from crn_nn_tellurium.kinetics import KineticsApart
from crn_nn_tellurium.networks import BUILT_IN
from crn_nn_tellurium.perturbations.attack_search import reactions_apart

X, GOAL = np.array([0.4, 0.9]), np.array([1.0, -0.7])
FIELDS = {"PiecewiseLinear": {"knots": (-0.5, 0.3), "slopes": (0.2, 1.0, -0.4)}}
FORMULAS = {
    # by order of the derivative, weights of values at multiples of a step, of the best formula from
    # nine values and of the best from seven
    1: ({1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}, {1: 3 / 4, 2: -3 / 20, 3: 1 / 60}),
    2: ({1: 8 / 5, 2: -1 / 5, 3: 8 / 315, 4: -1 / 560}, {1: 3 / 2, 2: -3 / 20, 3: 1 / 90}),
    3: ({1: -61 / 30, 2: 169 / 120, 3: -3 / 10, 4: 7 / 240}, {1: -13 / 8, 2: 1.0, 3: -1 / 8}),
}


def central(values, step, order, formula=0):
    """A derivative from values at multiples -4 to 4 of a step."""
    weights, odd = FORMULAS[order][formula], order % 2
    pairs = ((values[4 + i], values[4 - i], w) for i, w in weights.items())
    total = sum(w * (ahead - behind if odd else ahead + behind) for ahead, behind, w in pairs)
    middle = 0.0 if odd else 2 * sum(weights.values()) * values[4]
    return (total - middle) / step**order


def of_kind(name):
    """Two hidden layers of one activation, and an output of it or of straight lines."""
    make = BUILT_IN[name]
    hidden = make(h=0.2, **FIELDS.get(name, {}))
    net = cn.Network.random([2, 3, 2, 2], hidden, seed=4, output=cn.Linear(h=0.1))
    # zeros would be no reactions
    rng = np.random.default_rng(1)
    layers = [cn.Layer(la.weights, rng.normal(size=la.n_out), la.activation) for la in net.layers]
    return cn.Network(layers)


class Line:
    """The written reactions of a network at X, and a direction of all that they depend on."""

    def __init__(self, net):
        self.net, self.crn = net, with_a_constant_each(net, X)
        rng = np.random.default_rng(7)
        known, self.way = {r.id for r in reactions_apart(KineticsApart(net))[0]}, {}
        d = 0.0
        for r in self.crn.reactions:
            # what acts on a species with every unit of a pool has one constant, that of the first
            d = float(rng.uniform(-1, 1)) if r.id in known else d
            self.way[r.id] = d
        self.x_way = rng.uniform(-1, 1, 2)
        # what each reacts, and by how much it changes what
        self._reactions = []
        for r in self.crn.reactions:
            substrates, products = dict(r.substrates), dict(r.products)
            changes = {s: products.get(s, 0) - substrates.get(s, 0) for s in substrates | products}
            self._reactions.append((substrates, changes, r))
        activation = net.layers[-1].activation
        n = len(activation.species)
        names = self.crn.floating[-net.n_out * n :]
        self._read = [
            (names[j * n + activation.species.index(name)], factor * goal)
            for j, goal in enumerate(GOAL)
            for name, factor in activation.read_out.terms
        ]

    def at(self, t):
        """The same reactions at t."""
        moved = iter(X * (1 + t * self.x_way))
        species = [replace(s, initial=next(moved)) if s.boundary else s for s in self.crn.species]
        reactions = [
            replace(r, value=r.value * (1 + t * self.way[r.id])) for r in self.crn.reactions
        ]
        return replace(self.crn, species=species, reactions=reactions)

    def value(self, y):
        """GOAL . outputs, which have no constant part, of species by name."""
        return sum(y[name] * factor for name, factor in self._read)

    def exact(self, t):
        """The same at the steady state at t, a number of mpmath."""
        held = [s.id for s in self.crn.species if s.boundary]
        y = {
            name: mpmath.mpf(x) * (1 + t * mpmath.mpf(d))
            for name, x, d in zip(held, X.tolist(), self.x_way.tolist(), strict=True)
        }
        waiting = list(self.crn.floating)
        while waiting:
            name = waiting.pop(0)
            changing = [part for part in self._reactions if part[1].get(name, 0)]
            if not {s for substrates, _, _ in changing for s in substrates} <= {*y, name}:
                waiting.append(name)  # what acts on it comes first
                continue
            c = [mpmath.mpf(0)] * 3
            for substrates, changes, r in changing:
                read = (y[s] ** n for s, n in substrates.items() if s != name)
                k = mpmath.mpf(r.value) * (1 + t * mpmath.mpf(self.way[r.id]))
                c[substrates.get(name, 0)] += changes[name] * mpmath.fprod([k, *read])
            root = mpmath.sqrt(c[1] ** 2 - 4 * c[0] * c[2])
            y[name] = -c[0] / c[1] if c[2] == 0 else -(c[1] + root) / (2 * c[2])
        return self.value(y)

    def derivatives(self):
        """Of `exact` by t at 0, of orders 0 to 3."""
        with mpmath.workdps(60):
            series = mpmath.taylor(self.exact, 0, 3)
            return np.array([float(part * math.factorial(n)) for n, part in enumerate(series)])


@pytest.mark.parametrize("name", [*BUILT_IN])
def test_derivatives_of_first_to_third_order(name):
    """The first is the package's own, at nine points; the others are differences of it."""
    net, step = of_kind(name), 0.02
    line = Line(net)
    expected = line.derivatives()
    np.testing.assert_allclose(net(X) @ GOAL, expected[0], rtol=ROUNDED)

    kinetics = KineticsApart(net)
    reactions, numbers = reactions_apart(kinetics)
    # weights of 0 are no reactions
    way = np.zeros(len(kinetics.own))
    way[numbers] = [line.way[reaction.id] for reaction in reactions]
    t = step * np.arange(-4.0, 5.0)[:, None]
    constants = kinetics.from_rows(kinetics.own * (1 + t * way))
    states = kinetics.settle_coded(net.input_coding.code(X * (1 + t * line.x_way)), constants)
    slopes, by_input = kinetics.backward(states, np.tile(GOAL, (9, 1)), constants, inputs=True)
    first = (kinetics.to_rows(slopes) * kinetics.own) @ way + (by_input * X) @ line.x_way

    size = np.abs(expected).max()
    # mpmath's, beside a solve of the layers in doubles
    np.testing.assert_allclose(first[4], expected[1], rtol=1e-11, atol=SUMMED * size)
    found = [central(first, step, order) for order in (1, 2)]
    # eighth order: off by some step^8 = 3e-14 of a derivative of tenth order, and rounded by 1e-16
    # / step^2
    np.testing.assert_allclose(found, expected[2:], rtol=1e-8, atol=1e-8 * size)


@pytest.mark.parametrize("name", ["SmoothedReLU", "Sigmoid", "Normalized"])
def test_roadrunners_steady_states_have_these_derivatives(name):
    line, step = Line(of_kind(name)), 0.04
    expected = line.derivatives()
    values = []
    for i in range(-4, 5):
        settled = cn.Simulator(line.at(i * step)).steady_state()
        values.append(line.value({s: settled[s].item() for s in line.crn.floating}))
    for order in (1, 2, 3):
        found, lower = (central(values, step, order, formula) for formula in (0, 1))
        # a formula's error is below its distance from a lower one; steady states are right to 1e-12
        stated = abs(found - lower) + 1e-11 * max(np.abs(values)) / step**order
        assert abs(found - expected[order]) <= stated
        # and that says something
        assert stated < 0.01 * np.abs(expected).max()


@pytest.mark.parametrize("name", [*BUILT_IN])
def test_second_derivatives_of_torch(name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    net = of_kind(name)
    line = Line(net)
    line.way = dict.fromkeys(line.way, 0.0)  # inputs alone
    way = torch.tensor(X * line.x_way)

    def value(x):
        return cn.as_torch(net)(x) @ torch.tensor(GOAL)

    hessian = torch.autograd.functional.hessian(value, torch.tensor(X))
    np.testing.assert_allclose(
        way @ hessian @ way, line.derivatives()[2], rtol=SOLVED, atol=ROUNDED
    )
