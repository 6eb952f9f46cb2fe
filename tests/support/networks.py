"""The corpus that all tests share: standard, weird and real networks, each with inputs to try."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import sparse

import crn_nn_tellurium as cn
from crn_nn_tellurium.networks.activation import Follower
from crn_nn_tellurium.networks.activations import BUILT_IN
from crn_nn_tellurium.networks.smoothing import smoothed_relu, smoothed_relu_derivative


@dataclass(frozen=True)
class Swish(cn.Activation):
    """A user's own: z * (1 + z / sqrt(z^2 + 4h)) / 2, as a difference of two products."""

    rails = (cn.Rail("Yp", 1), cn.Rail("Yn", -1))
    local_reactions = (
        cn.LocalReaction(("Yp",), ("Yp", "S"), "s"),
        cn.LocalReaction(("Yp", "S"), ("Yp",), "d"),
        cn.LocalReaction(("Yn", "S"), ("Yn",), "d"),
        cn.LocalReaction(("Yp", "S"), ("Yp", "S", "Mp"), "d"),
        cn.LocalReaction(("Mp",), (), "s"),
        cn.LocalReaction(("Yn", "S"), ("Yn", "S", "Mn"), "d"),
        cn.LocalReaction(("Mn",), (), "s"),
    )
    followers = (Follower("S", 1.0), Follower("Mp", 10.0), Follower("Mn", 10.0))
    read_out = cn.ReadOut((("Mp", 1.0), ("Mn", -1.0)))

    def concentrations(self, z):
        y = smoothed_relu(self.drive(z), self.h)
        s = y[..., :1] / y.sum(axis=-1, keepdims=True)
        return np.concatenate([y, s, y * s], axis=-1)

    def derivative(self, z):
        z = np.asarray(z, dtype=float)
        root = np.hypot(z, 2 * np.sqrt(self.h))
        # (1 + z / root) / 2, in which the digits of a large negative z cancel
        return smoothed_relu(z, self.h) / root + z * 2 * self.h / root**3

    def h_derivative(self, z):
        z = np.asarray(z, dtype=float)
        return -(z**2) / np.hypot(z, 2 * np.sqrt(self.h)) ** 3


@dataclass(frozen=True)
class Annihilating(cn.Activation):
    """Two rails that remove each other: each acts on the other, so signs do not tell where they
    settle.
    """

    rails = (cn.Rail("Yp"), cn.Rail("Yn", -1))
    local_reactions = (cn.LocalReaction(("Yp", "Yn"), (), "a", 0.5),)
    read_out = cn.ReadOut((("Yp", 1.0), ("Yn", -1.0)))

    def concentrations(self, z):
        z = np.asarray(z, dtype=float)
        yp, yn = smoothed_relu(z, self.h), smoothed_relu(-z, self.h)
        for _ in range(200):
            # a damped fixed-point iteration of the two quadratics
            yp = (yp + smoothed_relu(z - 0.5 * yn, self.h)) / 2
            yn = (yn + smoothed_relu(-z - 0.5 * yp, self.h)) / 2
        return np.stack([yp, yn], axis=-1)

    def derivative(self, z):
        step = 1e-6
        return (self(np.asarray(z) + step) - self(np.asarray(z) - step)) / (2 * step)


@dataclass(frozen=True)
class Repressed(cn.Activation):
    """Two rails of which the one removes the other, and nothing the one."""

    rails = (cn.Rail("Yp"), cn.Rail("Yn", -1))
    local_reactions = (cn.LocalReaction(("Yp", "Yn"), ("Yp",), "a"),)
    read_out = cn.ReadOut((("Yp", 1.0), ("Yn", -1.0)))

    def concentrations(self, z):
        z = np.asarray(z, dtype=float)
        yp = smoothed_relu(z, self.h)
        return np.stack([yp, smoothed_relu(-z - yp, self.h)], axis=-1)

    def derivative(self, z):
        step = 1e-6
        return (self(np.asarray(z) + step) - self(np.asarray(z) - step)) / (2 * step)


@dataclass(frozen=True)
class Copy(cn.Activation):
    """A user's own with a follower, dM/dt = Y - M, which nothing but itself limits."""

    rails = (cn.Rail("Y"),)
    followers = (Follower("M", 10.0),)
    local_reactions = (cn.LocalReaction(("Y",), ("Y", "M"), "s"), cn.LocalReaction(("M",), (), "d"))
    read_out = cn.ReadOut((("M", 1.0),))

    def concentrations(self, z):
        y = smoothed_relu(self.drive(z), self.h)
        return np.concatenate([y, y], axis=-1)

    def derivative(self, z):
        return smoothed_relu_derivative(z, self.h)


@dataclass(frozen=True)
class Bump(cn.Activation):
    """A user's own from rails alone, one of them driven downwards."""

    rails = (cn.Rail("Ya", -1, 1.0), cn.Rail("Yb", -1), cn.Rail("Yc", 1, -0.5))
    read_out = cn.ReadOut((("Ya", 1.0), ("Yb", -2.0), ("Yc", 0.5)), constant=0.25)


ACTIVATIONS = {
    **BUILT_IN,
    "LeakyReLU(0.2)": lambda h=0.01: cn.LeakyReLU(0.2, h=h),
    "torch HardSigmoid": lambda h=0.01: cn.HardSigmoid(h, slope=1 / 6, offset=0.5),
    "ClippedReLU(6)": lambda h=0.01: cn.ClippedReLU(h, ceiling=6.0),
    "Swish": Swish,
    "Bump": Bump,
    "PiecewiseLinear(3)": lambda h=0.01: cn.PiecewiseLinear(
        (-1.0, 0.5, 2.0), (-0.5, 1.0, 0.0, 2.0), 0.25, h
    ),
}


@dataclass(frozen=True)
class Case:
    """A network and inputs for it."""

    name: str
    net: cn.Network
    x: np.ndarray


def _inputs(net, seed, n=4):
    rng = np.random.default_rng(seed)
    low, high = {"nonnegative": (0, 2), "signed": (-2, 2), "scaled": (0, 1)}[net.inputs]
    x = rng.uniform(low, high, (n, net.n_in))
    if net.inputs == "scaled":
        below, above = (np.array(bound) for bound in net.input_range)
        x = below + (above - below) * x
    return x


def _random(name, seed, sizes, hidden, output, **options):
    net = cn.Network.random(sizes, hidden, seed=seed, output=output, **options)
    return Case(name, net, _inputs(net, seed))


def standard():
    """Every activation, hidden and as output, with every kind of input, at several h."""
    kinds = ({}, {"inputs": "signed"}, {"inputs": "scaled", "input_range": (-1.0, 3.0)})
    cases = []
    for number, (name, make) in enumerate(ACTIVATIONS.items()):
        h = (1e-2, 1e-4, 0.3)[number % 3]
        options = kinds[number % 3]
        cases.append(
            _random(f"{name} hidden", number, [3, 4, 2], make(h=h), cn.Linear(h=0.01), **options)
        )
        cases.append(
            _random(
                f"{name} output", number, [2, 3, 3], cn.SmoothedReLU(h=h), make(h=0.02), **options
            )
        )
    return cases


def _skipping(relu, linear):
    """A last layer that reads all before it, and the inputs."""
    return cn.Network(
        [
            cn.Layer(
                np.array([[1.0, -0.5], [0.3, 0.8], [-1.0, 1.0]]),
                activation=cn.Tanh(h=0.1),
                name="first",
            ),
            cn.Layer(np.array([[0.5, -1.0, 0.25]]), [0.1], relu, name="second"),
            cn.Layer(
                [[1.0, 0.5, -1.0, 2.0, 1.0, -0.3]],
                [0.2],
                linear,
                inputs=("second", "first", "input"),
            ),
        ],
        inputs="signed",
        name="skip",
    )


def weird():
    """Shapes and values at the edges."""
    relu, linear = cn.SmoothedReLU(h=0.01), cn.Linear(h=0.01)
    zeros = cn.Network(
        [
            cn.Layer([[0.0, 0.0], [1.0, 0.0]], activation=relu),
            cn.Layer([[1.0, 0.0]], activation=linear),
        ]
    )
    holes = np.random.default_rng(3).normal(size=(5, 6)) * (
        np.random.default_rng(4).random((5, 6)) < 0.3
    )
    holes[2] = 0
    patchy = cn.Network(
        [cn.Layer(sparse.csr_array(holes), np.full(5, 0.1), relu), cn.Layer(np.ones((1, 5)))]
    )
    named = cn.Network(
        [cn.Layer([[1.0, 2.0], [0.5, -1.0]], activation=cn.Normalized(h=0.1))],
        input_names=["glucose", "lactose"],
        output_names=["on", "off"],
        class_names=["grows, fast", "rests"],
        name="named",
    )
    large = cn.Network(
        [cn.Layer([[1e3], [-1e3]], [0.0, 5.0], cn.SmoothedReLU(h=1e-8)), cn.Layer([[1.0, 1.0]])]
    )
    nets = {
        "one neuron": cn.Network([cn.Layer([[1.5]], [-0.5], relu)]),
        "one weight, no bias": cn.Network([cn.Layer([[-2.0]], activation=relu)]),
        "skip connections": _skipping(relu, linear),
        "zero weights": zeros,
        "sparse with an empty row": patchy,
        "user's names": named,
        "large weights, small h": large,
    }
    cases = [Case(name, net, _inputs(net, 11)) for name, net in nets.items()]
    for depth in range(3, 7):
        sizes = [3] + [4] * (depth - 1) + [2]
        cases.append(
            _random(
                f"depth {depth}", depth, sizes, cn.LeakyReLU(0.1, h=1e-3), linear, inputs="signed"
            )
        )
    cases.append(_random("sparse", 5, [10, 8, 3], relu, linear, density=0.3))
    return cases


def real():
    """The small ones of the shipped networks, on held-out data."""
    return [
        Case(name, cn.load_model(name), cn.model_data(name)[1][:4])
        for name in ("xor", "moons", "iris")
    ]


def corpus():
    """All of them."""
    return standard() + weird() + real()


def without_comments(crn):
    """The network without readable names of species and read-outs: comments in Antimony."""
    return replace(
        crn,
        species=[replace(species, name="") for species in crn.species],
        observables=[replace(observable, name="") for observable in crn.observables],
    )


STOOD_FOR = (
    *(f"depth {depth}" for depth in (4, 5, 6)),  # by depth 3
    *("sparse", "moons", "iris"),  # by "sparse with an empty row" and xor
    *(  # by the same activations with other numbers
        f"{name} {place}"
        for name in ("LeakyReLU(0.2)", "torch HardSigmoid", "ClippedReLU(6)")
        for place in ("hidden", "output")
    ),
)
"""The networks for which smaller ones stand, where a test of each takes long."""
HIDDEN = tuple(f"{name} hidden" for name in ACTIVATIONS)
"""Those of 3, 4 and 2 units, for which the same activations as output stand, in 2, 3 and 3."""


def cases(networks, slow=STOOD_FOR):
    """Networks for `parametrize`; those named, which smaller ones stand for, with -m slow alone."""
    return [
        pytest.param(case, id=case.name, marks=[pytest.mark.slow] if case.name in slow else [])
        for case in networks
    ]


def with_a_constant_each(net, x):
    """The flat network in which every reaction has a rate constant of its own, named after it."""
    crn = cn.to_reactions(net, x=x)
    start = dict(zip(crn.floating, crn.initial_state(), strict=True))
    species = [s if s.boundary else replace(s, initial=float(start[s.id])) for s in crn.species]
    reactions = [replace(r, rate_constant=f"k_{r.id}") for r in crn.reactions]
    return cn.ReactionNetwork(tuple(species), tuple(reactions), crn.observables, crn.name)
