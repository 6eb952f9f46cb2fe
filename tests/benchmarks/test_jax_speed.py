"""A network as a function of JAX against a plain one of the same sizes, in one run.

XLA_FLAGS=--xla_cpu_multi_thread_eigen=false taskset -c 0 pytest tests/benchmarks/test_jax_speed.py
-m slow -s: one thread.
"""

import statistics
import time

import numpy as np
import pytest

import crn_nn_tellurium as cn

jax = pytest.importorskip("jax", reason="JAX is not installed: pip install jax")
pytestmark = pytest.mark.slow  # times are for idle machines

SIZES = [[2, 2, 1], [20, 20, 10], [64, 32, 10], [784, 128, 64, 10]]


def plain(parameters, x):
    """ReLUs and a linear last layer."""
    for weight, bias in parameters[:-1]:
        x = jax.numpy.maximum(x @ weight.T + bias, 0)
    weight, bias = parameters[-1]
    return x @ weight.T + bias


def cpu_seconds(slope, parameters, x, repeats):
    """CPU time of one forward and backward pass, compiled."""
    start = time.process_time()
    for _ in range(repeats):
        jax.block_until_ready(slope(parameters, x))
    return (time.process_time() - start) / repeats


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_forward_and_backward_against_a_plain_function(sizes):
    """At batch 256 in double; a smoothed ReLU has a root for the comparison of a plain one."""
    jax.config.update("jax_enable_x64", True)
    relu, linear = cn.SmoothedReLU(h=0.01), cn.Linear(h=0.01)
    net = cn.Network.random(sizes, relu, seed=0, output=linear, inputs="signed")
    apply, parameters = cn.as_jax(net)
    x = jax.numpy.asarray(np.random.default_rng(0).normal(size=(256, sizes[0])))
    ours, theirs = (
        jax.jit(jax.grad(lambda p, x, f=f: (f(p, x) ** 2).mean())) for f in (apply, plain)
    )
    for slope in (ours, theirs):
        cpu_seconds(slope, parameters, x, 3)
    pairs = [
        (cpu_seconds(ours, parameters, x, 10), cpu_seconds(theirs, parameters, x, 10))
        for _ in range(7)
    ]
    jax.config.update("jax_enable_x64", False)
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"{sizes}: {1e6 * pairs[0][0]:.0f} us, {ratio:.1f} times JAX's")
    # 1.0 to 1.4 on the day's run
    assert ratio < 3
