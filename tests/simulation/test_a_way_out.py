"""Whatever is asked for, an answer, an error or Ctrl-C ends it; in processes that can be killed."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import crn_nn_tellurium as cn

# more than any of these takes on a busy machine, and less than without end
PATIENCE = 120

BEYOND_ALL_NUMBERS = """
import crn_nn_tellurium as cn
first = cn.Layer([[1.0], [2.0]], [-1e308, 1.0], cn.Absolute())
second = cn.Layer([[1.0, 1.0]] * 2, activation=cn.Normalized())
simulator = cn.Simulator(cn.Network([first, second]))
print(simulator.steady_state([1.0], on_error="nan").status[0])
xor = cn.Simulator(cn.load_model("xor"))
for method in ("units", "flat", "integrate"):
    print(xor.steady_state([0.0, 1.0], initial=1e300, method=method, on_error="nan").status[0])
reactions = cn.Simulator(cn.to_reactions(xor.net, x=[0.0, 1.0]))
print(reactions.steady_state(initial=1e300, on_error="nan").status[0])
try:
    xor.time_course([0.0, 1.0], initial=1e300)
except cn.ConvergenceError as error:
    print("failed:", error)
"""


def run(script, *arguments, **options):
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
        **options,
    )


@pytest.mark.parametrize("first", ["", "import roadrunner"])
def test_what_no_solver_can_end_on_fails_with_a_reason(first):
    """Without the limit, nleq2 ran for ever; and SUNDIALS wrote to standard error."""
    found = run(first + BEYOND_ALL_NUMBERS)
    status = found.stdout.splitlines()
    assert len(status) == 6
    assert all(line.startswith("failed: ") for line in status)
    # the layer that failed, and not the one that reads it
    assert status[0].startswith("failed: layer 'layer1': ")
    assert found.stderr == ""


def test_newtons_method_ends_whatever_the_order_of_reactions():
    script = """
import numpy as np, crn_nn_tellurium as cn
from crn_nn_tellurium.simulation.flat import FlatModel
A, B = cn.Species("A", 1e29), cn.Species("B", 1.0)
there = cn.Reaction("r", ["A"] * 12, ["B"], "k", 1.0)
back = cn.Reaction("q", ["B"], ["A"], "l", 1.0)
x, converged = FlatModel(cn.ReactionNetwork((A, B), (there, back))).newton(
    np.array([[1e29, 1.0]]), np.empty((1, 0)))
print(converged[0])
"""
    assert run(script).stdout.strip() == "False"


def test_layers_after_one_that_failed_are_not_solved(monkeypatch):
    net = cn.Network(
        [
            cn.Layer([[1.0], [2.0]], [-1e308, 1.0], cn.Absolute()),
            cn.Layer([[1.0, 1.0], [0.5, 2.0]], [0.1, 0.2]),
        ]
    )
    simulator = cn.Simulator(net)
    solved = []
    for number, solver in enumerate(simulator.layer_solvers):
        settle = solver.settle

        def spy(read, *rest, number=number, settle=settle):
            found = settle(read, *rest)
            solved.append((number, found.concentrations, found.status[0]))
            return found

        monkeypatch.setattr(solver, "settle", spy)
    simulator.steady_state([1.0], on_error="nan")
    (_, first, _), (_, second, status) = solved
    # the unit that is right is there, and what reads the other is not
    assert np.isnan(first[0]).any(axis=1).tolist() == [True, False]
    assert np.isnan(second).all()
    assert "it reads is no finite number" in status


INTERRUPTED = """
import signal, crn_nn_tellurium as cn
# a background job's parent may have it ignored
signal.signal(signal.SIGINT, signal.default_int_handler)
A, B = cn.Species("A", 1.0), cn.Species("B", 2.0)
reactions = (
    cn.Reaction("r1", ["A"], ["A", "A"], "k1", 1.0),
    cn.Reaction("r2", ["A", "B"], ["B", "B"], "k2", 1.0),
    cn.Reaction("r3", ["B"], [], "k3", 1.0),
)
simulator = cn.Simulator(cn.ReactionNetwork((A, B), reactions)).compile("flat")
print("ready", flush=True)
try:
    simulator.time_course(t_end=1e6, n_points=1001)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_long_time_course_is_ended_by_ctrl_c():
    """It would take minutes: 160,000 rounds of prey and predators, some 150 steps each."""
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            time.sleep(1)
            process.send_signal(signal.SIGINT)
            begin = time.perf_counter()
            out, _ = process.communicate(timeout=PATIENCE)
            waited = time.perf_counter() - begin
        finally:
            process.kill()
    assert out == "interrupted\n"
    # one of a thousand times is integrated to, in 0.2 s; the rest is for a busy machine
    assert waited < 10
