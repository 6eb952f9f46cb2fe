"""What has no noise, or no smallest volume, is refused in words."""

import numpy as np
import pytest
from support.networks import Annihilating

import crn_nn_tellurium as cn
from crn_nn_tellurium.fluctuations import NetworkNoise
from crn_nn_tellurium.fluctuations.reaction_noise import ReactionNoise
from crn_nn_tellurium.kinetics import NetworkKinetics

XOR, X = cn.load_model("xor"), [[0, 0], [0, 1]]
# a line of steady states, prey and predators about a centre, and a state that is left
GROWS = "A -> 2 A; k*A; A -> ; l*A; k = 1; l = 1; A = 2"
CENTRE = "A -> 2 A; k*A; A + B -> 2 B; m*A*B; B -> ; l*B; k = 1; m = 1; l = 1; A = 1; B = 1"
SADDLE = "2 A -> 3 A; k*A^2; A -> ; l*A; k = 1; l = 2; A = 2"
REGRESSION = cn.Network([cn.Layer([[1.0]])], task="regression")

REFUSED = [
    (
        lambda: cn.smallest_volume(XOR, X, [[1], [0, 1]]),
        cn.InputError,
        "y are .*; expected a list of labels",
    ),
    (
        lambda: cn.smallest_volume(XOR, X).share("much"),
        cn.InputError,
        "volume: 'much' cannot be read as numbers",
    ),
    (lambda: cn.noise(XOR, X, volume=0), cn.InputError, "volume is 0; expected a finite number >"),
    (lambda: cn.noise(XOR, X, volume="1"), cn.InputError, "volume is '1'"),
    (lambda: cn.noise(XOR, X, volume=1).at(-2), cn.InputError, "volume is -2"),
    (lambda: cn.noise(XOR, volume=1), cn.InputError, "a Network needs its input values"),
    (lambda: cn.noise(XOR, [[0, 0, 0]], volume=1), cn.InputError, r"inputs have shape \(1, 3\)"),
    (
        lambda: cn.noise(GROWS, volume=1),
        cn.SingularJacobianError,
        "small changes of its steady state do not die down",
    ),
    (
        lambda: cn.noise(CENTRE, volume=1),
        cn.SingularJacobianError,
        "fluctuations add up without end",
    ),
    (lambda: cn.noise(SADDLE, volume=1), cn.ConvergenceError, "a steady state that is not stable"),
    (
        lambda: cn.noise(REGRESSION, [1.0], volume=1).probabilities,
        cn.NetworkError,
        "the model has no classes",
    ),
    (
        lambda: cn.smallest_volume(REGRESSION, [1.0]),
        cn.NetworkError,
        "smallest_volume: network .* is for regression",
    ),
    (lambda: cn.smallest_volume(GROWS, X), cn.NetworkError, "this needs a Network"),
    (lambda: cn.smallest_volume(XOR, X, [0]), cn.InputError, r"expected \(2,\), a label per"),
    (lambda: cn.smallest_volume(XOR, X, [0, 7]), cn.InputError, "targets hold the label 7"),
    (
        lambda: cn.smallest_volume(XOR, X, confidence=0.5),
        cn.InputError,
        "confidence is 0.5; expected a probability above 1/2",
    ),
    (lambda: cn.smallest_volume(XOR, X, confidence=1), cn.InputError, "confidence is 1; expected"),
    (lambda: cn.smallest_volume(XOR, X, verify=-1), cn.InputError, "verify is -1"),
    (lambda: cn.smallest_volume(XOR, X, draws=0), cn.InputError, "draws is 0"),
    (lambda: cn.smallest_volume(XOR, X, units=10), cn.InputError, "units: got int"),
    (lambda: cn.smallest_volume(XOR, np.empty((0, 2))), cn.InputError, "no inputs; expected at"),
    (lambda: cn.noise(XOR, np.empty((0, 2)), volume=1), cn.InputError, "no inputs; expected at"),
    (lambda: cn.smallest_volume(XOR, X).litres, cn.InputError, "what a concentration of 1 is was"),
    (lambda: cn.smallest_volume(XOR, X).of_share(0), cn.InputError, "share is 0; expected"),
]


@pytest.mark.parametrize(("call", "error", "words"), REFUSED)
def test_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_more_species_than_one_dense_equation_holds(monkeypatch):
    """That many act on one another, and their covariances are one dense equation: no word of
    fluctuations that add up, for these do not.
    """
    n = 320
    made = cn.Reaction("made", (), ("S0",), "k", 1.0)
    lost = cn.Reaction("lost", (f"S{n - 1}",), (), "d", 1.0)
    steps = [
        cn.Reaction(f"{kind}{i}", (f"S{a}",), (f"S{b}",), kind, 1.0)
        for i in range(n - 1)
        for kind, a, b in (("on", i, i + 1), ("back", i + 1, i))
    ]
    species = [cn.Species(f"S{i}", 1.0) for i in range(n)]
    crn = cn.ReactionNetwork(species, [made, lost, *steps])
    # by the closed form of a line: each link carries a current of 1
    steady = np.arange(n, 0, -1.0)
    whole = ReactionNoise(crn, steady, np.empty(0))
    # independent of one another and Poisson, as of any such chain; rounding, beside the largest
    np.testing.assert_allclose(whole.covariance, np.diag(steady), atol=1e-6 * n)
    monkeypatch.setattr("crn_nn_tellurium.simulation.stability.STABILITY_UP_TO", 300)
    with pytest.raises(cn.InputError, match=r"320 of its species act on one another.* dense equ"):
        ReactionNoise(crn, steady, np.empty(0)).covariance  # noqa: B018 - it is solved when asked


def test_noise_by_levels_says_what_it_is_given():
    net = cn.Network([cn.Layer([[1.0]], [0.2], Annihilating(h=0.1))], task="regression")
    kinetics = NetworkKinetics(net)
    with pytest.raises(cn.InputError, match=r"act on one another both ways.* by its reactions"):
        NetworkNoise(kinetics, [None])
    kinetics = NetworkKinetics(XOR)
    states = kinetics.settle(np.array(X, dtype=float))
    with pytest.raises(cn.InputError, match="states of 1 layers; expected 2, one for each layer"):
        NetworkNoise(kinetics, states[:1])
    with pytest.raises(cn.InputError, match="rate constants of 1 layers; expected 2"):
        NetworkNoise(kinetics, states, [kinetics.layers[0].constants])
    with pytest.raises(cn.InputError, match="act on one another both ways"):
        cn.choose_h(net, [[1.0]], max_error=0.1, volume=100)


def test_what_could_invade_makes_a_state_unstable():
    """A' = 2 A - A^2 stays at 0, as a time course does, and any molecule of A would leave it."""
    crn = cn.import_antimony("A = 0; A -> 2 A; 2*A; 2 A -> A; A^2; B = 1; -> B; 1; B -> ; B")
    assert cn.Simulator(crn).steady_state().status == ("solved",)
    with pytest.raises(cn.ConvergenceError, match=r"unstable, .* grows like exp\(2 t\)"):
        cn.noise(crn, volume=100.0)
