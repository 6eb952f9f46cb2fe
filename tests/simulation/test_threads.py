"""Threads that share a simulator, and processes forked while others solve."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from support.tolerances import SOLVED

import crn_nn_tellurium as cn
from crn_nn_tellurium.basics import Recent

# Another thread solves all the time, so nearly every fork copies a lock that it holds: of 20
# children 19 waited for one without end. `alarm` ends those that do.
FORKS = """
import multiprocessing, os, signal, threading
import numpy as np
import crn_nn_tellurium as cn

net = cn.load_model("xor")
x = np.random.default_rng(0).uniform(size=(1000, 2))

def solve():
    while True:
        cn.Simulator(net).steady_state(x)

def right():
    signal.alarm(60)
    return np.allclose(cn.Simulator(net).steady_state([0, 1]).outputs, net([[0, 1]]), rtol=1e-9)

def child(answers):
    answers.put(right())

cn.Simulator(net).compile()
threading.Thread(target=solve, daemon=True).start()
statuses = []
for _ in range(8):
    pid = os.fork()
    if pid == 0:
        os._exit(0 if right() else 1)
    statuses.append(os.waitpid(pid, 0)[1])
context = multiprocessing.get_context("fork")
answers = context.Queue()
process = context.Process(target=child, args=(answers,))
process.start()
print(statuses, answers.get(timeout=60))
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_process_forked_while_a_thread_solves_solves_too():
    # Python 3.12 warns of forks while there are threads; that is what is tried here
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout == f"{[0] * 8} True\n", done.stderr


def test_threads_share_a_simulator(rng):
    net = cn.load_model("xor")
    simulator = cn.Simulator(net)
    x = rng.uniform(size=(2, 40, 2))
    alone = [simulator.time_course(row[0], t_end=20, n_points=5).outputs for row in x]
    expected = [net(rows) for rows in x]

    def solve(which):
        for _ in range(5):
            found = simulator.steady_state(x[which])
            np.testing.assert_allclose(found.outputs, expected[which], rtol=SOLVED)
            # each sets all that its run relies on, so the other does not even change its last bits
            course = simulator.time_course(x[which][0], t_end=20, n_points=5)
            np.testing.assert_array_equal(course.outputs, alone[which])
        return True

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(solve, (0, 1))) == [True, True]


def test_what_two_threads_ask_for_is_made_once():
    recent, made, both = Recent(1), [], threading.Barrier(2)

    def ask(_):
        both.wait()
        return recent.get("key", lambda: made.append(1) or len(made))

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(ask, range(2))) == [1, 1]
