"""What a time course costs as networks grow: rate equations, roadrunner and diffrax in one run.

`python tests/benchmarks/test_time_course_speed.py` prints the curve from 10 to 1,000,000 weights
with its exponent; roadrunner stands beside it until compiling takes a minute. Seconds are of CPU.
"""

import time

import numpy as np
import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium.simulation import clear_cache

pytestmark = pytest.mark.slow

SIZES = ([2, 2, 2], [5, 10, 5], [20, 30, 10], [60, 80, 40], [200, 300, 100], [700, 800, 500])
T_END, POINTS = 50.0, 51


def taken(work):
    start = time.process_time()
    answer = work()
    return answer, time.process_time() - start


def course(net, x, engine):
    """A first time course, with all that is made for it, and seconds."""
    return taken(lambda: cn.Simulator(net, engine).time_course(x, T_END, POINTS))


def by_diffrax(net, x):
    """The same by a stiff method of diffrax in double precision; seconds without its compiling."""
    diffrax, jax = pytest.importorskip("diffrax"), pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    layers = [(np.asarray(layer.weights), layer.bias, layer.activation.h) for layer in net.layers]

    def rates(t, state, _):
        read, parts = jax.numpy.asarray(x), []
        for (weights, bias, h), y in zip(layers, state, strict=True):
            parts.append(h + (weights @ read + bias) * y - y * y)
            read = y
        return parts

    start = cn.Simulator(net).kinetics.start(net.input_coding.code(x[None]))[0]
    ends = np.cumsum([len(bias) for _, bias, _ in layers])[:-1]

    @jax.jit
    def solve(begin):
        return diffrax.diffeqsolve(
            diffrax.ODETerm(rates),
            diffrax.Kvaerno5(),
            0.0,
            T_END,
            None,
            begin,
            saveat=diffrax.SaveAt(ts=np.linspace(0, T_END, POINTS)),
            stepsize_controller=diffrax.PIDController(rtol=1e-9, atol=1e-14),
            max_steps=100_000,
        ).ys

    begin = [jax.numpy.asarray(part) for part in np.split(start, ends)]
    jax.block_until_ready(solve(begin))
    found, seconds = taken(lambda: jax.block_until_ready(solve(begin)))
    return np.concatenate(found, axis=1), seconds


def network(sizes):
    net = cn.Network.random(sizes, output=cn.SmoothedReLU(h=0.01), seed=0)
    return net, np.random.default_rng(0).uniform(0, 1, sizes[0])


def exponent(weights, seconds):
    return float(np.polyfit(np.log(weights), np.log(seconds), 1)[0])


def test_cost_grows_no_faster_than_weights():
    weights, seconds = [], []
    for sizes in SIZES[2:5]:
        net, x = network(sizes)
        seconds.append(min(course(net, x, "rate_equations")[1] for _ in range(2)))
        weights.append(net.n_weights)
    assert exponent(weights, seconds) < 1.1


def test_a_first_course_beside_roadrunner_and_diffrax():
    net, x = network([20, 30, 10])
    clear_cache()
    compiled, roadrunner = course(net, x, "roadrunner")
    ours, seconds = course(net, x, "rate_equations")
    assert seconds < roadrunner / 5
    np.testing.assert_allclose(ours.concentrations, compiled.concentrations, rtol=1e-6)
    net, x = network([5, 10, 5])
    ours, _ = course(net, x, "rate_equations")
    theirs, _ = by_diffrax(net, x)
    # to 1e-9 a step
    np.testing.assert_allclose(theirs, ours.concentrations, rtol=1e-5)


def test_many_samples_beside_roadrunner_once_compiled():
    net = cn.load_model("digits")
    x = np.random.default_rng(0).random((24, net.n_in))
    ours, theirs = (cn.Simulator(net, engine) for engine in ("rate_equations", "roadrunner"))
    theirs.compile("flat")
    ours.time_course(x[:1], T_END)
    seconds = {}
    for samples in (x[:6], x):
        found, seconds[len(samples)] = taken(lambda x=samples: ours.time_course(x, T_END))
    expected, by_roadrunner = taken(lambda: theirs.time_course(x, T_END))
    # 1.2 when this was written; what Python costs a step depends on the machine
    assert seconds[24] < 3 * by_roadrunner
    # four times the samples, with nothing that grows faster
    assert seconds[24] < 6 * seconds[6]
    np.testing.assert_allclose(found.concentrations, expected.concentrations, rtol=1e-6)
    np.testing.assert_allclose(found.outputs[:, -1], expected.outputs[:, -1], rtol=1e-9, atol=1e-9)


def main():
    weights, seconds, longest = [], [], 0.0
    for sizes in SIZES:
        net, x = network(sizes)
        own = min(course(net, x, "rate_equations")[1] for _ in range(2))
        weights.append(net.n_weights)
        seconds.append(own)
        print(f"{'-'.join(map(str, sizes)):>12} {net.n_weights:>9,} weights: {own:8.3f} s", end="")
        # its time grows with the square of the size
        if longest * (net.n_weights / (weights[-2:] or [1])[0]) ** 2 < 60:
            clear_cache()
            longest = course(net, x, "roadrunner")[1]
            print(f", roadrunner {longest:8.3f} s", end="")
        if net.n_weights < 500:  # its own compiling takes minutes beyond
            print(f", diffrax {by_diffrax(net, x)[1]:8.3f} s", end="")
        print(flush=True)
    print(f"exponent {exponent(weights[2:], seconds[2:]):.2f} of the largest four")


if __name__ == "__main__":
    main()
