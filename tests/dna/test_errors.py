"""What has no DNA, no strands or no window is refused."""

import numpy as np
import pytest
from support.formal import A, B, C, network

import crn_nn_tellurium as cn

XOR, ONE = cn.load_model("xor"), cn.Network([cn.Layer([[1.0]])])
CORNERS = [[0, 0], [0, 1], [1, 0], [1, 1]]
DECAY = network([((A,), (B,))])


def in_units(formal, **options):
    return cn.to_strand_displacement(formal, options=cn.StrandOptions(**options))


REFUSED = {
    "a sample that does not run": (
        lambda: cn.read_out_window(ONE, [[1.0], [1e31]], tolerance=0.1, n_points=3),
        cn.ConvergenceError,
        "sample 0: CVODE failed .* may help",
    ),
    "no time to last": (
        lambda: cn.smallest_fuel(XOR, CORNERS, lasting=0),
        cn.InputError,
        r"lasting is 0; expected a time in s: 3600 for 1 h, say \(a number > 0\)",
    ),
    "a time in words": (
        lambda: cn.smallest_fuel(XOR, CORNERS, lasting="1 h"),
        cn.InputError,
        "lasting is '1 h'; expected a time in s",
    ),
    "three molecules": (
        lambda: cn.to_strand_displacement(network([((A, B, B), (C,))])),
        cn.ReactionError,
        r"'J0': 3 molecules meet \(A \+ 2 B => C\).*at most 2",
    ),
    "bound altogether": (
        lambda: in_units(network([((A, B), (C,))], [2.0]), units=cn.PhysicalUnits(5.0, 100.0)),
        cn.ReactionError,
        r"'J0' \(A \+ B => C\).*q_max is 1e\+06 /M/s; tau = 800 s would do",
    ),
    "a step too fast": (
        lambda: in_units(network([((A,), (B,))], [1e3]), units=cn.PhysicalUnits(5.0, 1.0)),
        cn.ReactionError,
        r"reaction 'J0' \(A => B\) needs a step of .* tau = .* would do",
    ),
    "too much signal": (
        lambda: in_units(DECAY, c0=1e5),
        cn.InputError,
        r"signal 'A' starts at .* above c_max = 10000 nM; c0 = .* with tau = .* would do",
    ),
    "too much fuel": (
        lambda: cn.StrandOptions(fuel=2e4),
        cn.InputError,
        r"fuel is 20000.0 nM; expected at most c_max, 10000.0 nM",
    ),
    "text": (
        lambda: cn.to_strand_displacement("A -> B; A/(1 + A)"),
        cn.ReactionError,
        "the Antimony model",
    ),
    "inputs twice": (
        lambda: cn.to_strand_displacement(DECAY, [1.0]),
        cn.InputError,
        "x goes with a Network",
    ),
    "DNA already": (
        lambda: cn.to_strand_displacement(cn.to_strand_displacement(DECAY)),
        cn.InputError,
        r"network 'network_dna' is in PhysicalUnits\(.*\) already; expected model units",
    ),
    "units for options": (
        lambda: cn.to_strand_displacement(XOR, [0, 1], cn.PhysicalUnits(10, 100)),
        cn.InputError,
        r"options: got PhysicalUnits; expected StrandOptions, StrandOptions\(units=",
    ),
    "options of a fuel to look for": (
        lambda: cn.smallest_fuel(XOR, CORNERS, options=cn.PhysicalUnits(10, 100)),
        cn.InputError,
        "options: got PhysicalUnits",
    ),
    "units twice": (
        lambda: cn.StrandOptions(c0=1.0, units=cn.PhysicalUnits(10, 100)),
        cn.InputError,
        r"c0 is 1.0 nM and units are PhysicalUnits\(.*expected one",
    ),
    "units that are a number": (
        lambda: cn.StrandOptions(units=10.0),
        cn.InputError,
        "units: got float; expected PhysicalUnits",
    ),
    "no last time": (
        lambda: cn.read_out_window(XOR, CORNERS, t_end=0),
        cn.InputError,
        "t_end is 0; expected a time in s",
    ),
    "no toehold": (
        lambda: cn.domain_parts(cn.to_strand_displacement(XOR), toehold=0),
        cn.InputError,
        "toehold is 0; expected a number of bases",
    ),
    "a window of reactions": (
        lambda: cn.read_out_window(cn.to_reactions(XOR), CORNERS),
        cn.NetworkError,
        "read_out_window needs a Network",
    ),
    "one sample as a row": (
        lambda: cn.read_out_window(XOR, [0, 1]),
        cn.InputError,
        "X has shape",
    ),
    "tolerance": (
        lambda: cn.read_out_window(XOR, CORNERS, tolerance=-1),
        cn.InputError,
        "tolerance is -1; expected a number > 0, in units of the outputs",
    ),
    "classes and a tolerance": (
        lambda: cn.read_out_window(XOR, CORNERS, [0, 1, 1, 0], tolerance=0.1),
        cn.InputError,
        "y and a tolerance of 0.1 are given; expected one of them",
    ),
    "masked classes": (
        lambda: cn.read_out_window(XOR, CORNERS, np.ma.array([0, 1, 1, 0], mask=[1, 0, 0, 0])),
        cn.InputError,
        "some of them are masked",
    ),
    "one time": (
        lambda: cn.read_out_window(XOR, CORNERS, n_points=1),
        cn.InputError,
        "n_points is 1; expected a whole number, 2 or more",
    ),
    "other classes": (
        lambda: cn.read_out_window(XOR, CORNERS, ["a", "b", "c", "d"]),
        cn.InputError,
        "y holds",
    ),
    "least fuel 0": (
        lambda: cn.smallest_fuel(XOR, CORNERS, least=0),
        cn.InputError,
        "least is 0; expected a number of nM > 0",
    ),
    "least fuel above the most": (
        lambda: cn.smallest_fuel(XOR, CORNERS, least=2e4),
        cn.InputError,
        "least is 20000.0 nM; expected less than c_max",
    ),
    "a fuel to look for that is given": (
        lambda: cn.smallest_fuel(XOR, CORNERS, options=cn.StrandOptions(fuel=500.0)),
        cn.InputError,
        r"fuel is 500\.0 nM; expected None",
    ),
    "the largest fuel does not last": (
        lambda: cn.smallest_fuel(XOR, CORNERS, options=cn.StrandOptions(c_max=200.0, c0=10.0)),
        cn.InputError,
        "a fuel of 200 nM does not last",
    ),
} | {
    f"{name}={value!r}": (
        lambda name=name, value=value: cn.StrandOptions(**{name: value}),
        cn.InputError,
        f"{name} is {value!r}; expected a number of {unit} > 0",
    )
    for name, unit in (
        ("c_max", "nM"),
        ("q_max", "1/M/s"),
        ("fuel", "nM"),
        ("c0", "nM"),
    )
    for value in (-1.0, 0, "a")
}


@pytest.mark.parametrize(("call", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_errors_say_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()
