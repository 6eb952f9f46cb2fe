"""Moments of stochastic trajectories, for cases of the Discrete Stochastic Models Test Suite.

Its measures for n runs, sample mean m and deviation s at a time, right values mu and sigma:
Z = sqrt(n) (m - mu) / sigma within -3 and 3, Y = sqrt(n/2) (s^2/sigma^2 - 1) within -5 and 5, but
for two or three of 50 times. Source: Evans, Gillespie and Wilkinson, Bioinformatics 24 (2008) 285,
and its user guide.

These limits are for normal, independent numbers, and reject right simulators. Measured over 300
batches of 2,000 exact draws (each step of a linear birth-death process is a binomial and a negative
binomial number, drawn by numpy):

- 001-03 (1/1.1 from 100) has an excess kurtosis of 93 at t = 50, so Y has a deviation of 6.6 there
  (6.9 by its cumulants) and not 1: more than three Y were beyond 5 in 53 of 100 batches.
- Z at neighbouring times are correlated by 0.98 (001-05, 0.1/0.11 from 10,000, and 001-01), so one
  excursion past 3 counts many times: more than three Z were beyond in 1 of 100 batches, up to 25.

So roadrunner's Gillespie had six times of 001-03 beyond (all Y, no Z) and seventeen of 001-05 (all
Z, one excursion to 4.1, no Y) over one batch, as right simulators may.

So Y is taken here in units of its true deviation, sqrt((kurtosis - 1) / 2), from exact cumulants,
and no time at all may be beyond 4.5, which holds however times are correlated: of a normal number
it is 7e-6. Of 400 batches of 001-03 the largest |Y| was 4.7 and one in a hundred beyond 3.7; |Z|
4.1 and 3.5. A mean that is off by a tenth of sigma is seen: with births 1 % faster, |Z| is 8.8 in
001-03 and 4.9 in 001-01; with births and deaths both faster, at the same mean, |Y| is 9.4 and 10.7.
"""

import csv
import math
import warnings

import libsbml
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.signal import convolve
from support.public import collection

import crn_nn_tellurium as cn

FOLDER, here = collection("dsmts")
NAMES = sorted(path.stem for path in FOLDER.glob("*.xml"))
READ = (
    "dsmts-001-01 dsmts-001-03 dsmts-001-04 dsmts-001-05 dsmts-001-07 dsmts-002-01 dsmts-002-02"
    " dsmts-002-05 dsmts-002-06 dsmts-002-08 dsmts-004-01"
).split()


LARGE = ("dsmts-001-05",)  # ten thousand molecules: each run takes long
LIMIT = 4.5


def table(name, of):
    head, *rows = csv.reader((FOLDER / f"{name}-{of}.csv").read_text().splitlines())
    columns = np.array([row for row in rows if row], dtype=float).T
    return dict(zip((title.strip().lower() for title in head), columns, strict=True))


def imported(name):
    with warnings.catch_warnings():
        # of read-outs and of propensities, which is no matter here
        warnings.simplefilter("ignore", UserWarning)
        return cn.import_sbml(FOLDER / f"{name}.xml")


def cumulants(crn, times):
    """The first four of each species (n_species, 4, n_times), of a network of order 0 and 1.

    K(theta, t), the logarithm of E exp(theta n), obeys dK/dt = sum over reactions of
    (exp(theta . change) - 1) (k, or k dK/dtheta of the substrate). K is a polynomial of degree 4 in
    each theta here: what is left out does not reach the terms of degree 4 in all.
    """
    n, shape = len(crn.floating), (5,) * len(crn.floating)
    factorials = np.array([math.factorial(m) for m in range(5)])
    jumps, starts = [], np.zeros(shape)
    for reaction in crn.reactions:
        changes = [reaction.net.get(s, 0) for s in crn.floating]
        jump = np.ones(())
        for change in changes:
            jump = np.multiply.outer(jump, float(change) ** np.arange(5) / factorials)
        jump[(0,) * n] = 0.0
        (substrate,) = [crn.floating.index(s) for s, _ in reaction.substrates] or [None]
        jumps.append((reaction.value * jump, substrate))
    for axis, start in enumerate(crn.initial_concentrations):
        starts[tuple(np.eye(n, dtype=int)[axis])] = start

    def change(_, flat):
        k, total = flat.reshape(shape), np.zeros(shape)
        for jump, substrate in jumps:
            rate = jump
            if substrate is not None:
                slope = np.moveaxis(k, substrate, -1)[..., 1:] * np.arange(1, 5)
                rate = convolve(jump, np.moveaxis(slope, -1, substrate), method="direct")
            total += rate[(slice(5),) * n]
        return total.ravel()

    # to 1e-9: the suite's tables have six digits and more
    span, options = (0, times[-1]), {"rtol": 1e-9, "atol": 1e-9, "method": "LSODA"}
    found = solve_ivp(change, span, starts.ravel(), t_eval=times, **options).y.reshape(*shape, -1)
    rows = [np.moveaxis(found, axis, 0)[(slice(1, None), *(0,) * (n - 1))] for axis in range(n)]
    return np.array(rows) * factorials[1:, None]


def measures(name, draws, t_end, n_points):
    """Z and Y (n_times, n_species) over our trajectories, Y by its true deviation."""
    crn = imported(name)
    model = libsbml.readSBMLFromFile(str(FOLDER / f"{name}.xml")).getModel()
    volume = model.getCompartment(0).getSize() if model.getCompartment(0).isSetSize() else 1.0
    mean, sd = table(name, "mean"), table(name, "sd")
    read = [s for s in crn.floating if s.lower() in mean]
    assert read
    chosen = [crn.floating.index(s) for s in read]
    course = cn.Simulator(crn).time_course(
        t_end=t_end, n_points=n_points, volume=volume, draws=draws, seed=0
    )
    molecules, time = course.concentrations[:, 1:, chosen] * volume, course.time[1:]
    at = np.searchsorted(mean["time"], time)
    mu, sigma = (np.array([t[s.lower()][at] for s in read]).T for t in (mean, sd))
    excess = np.zeros_like(mu)  # of dimers, 003, by their master equation: below 0.03
    if all(reaction.order < 2 for reaction in crn.reactions) and volume == 1:
        first, second, _, fourth = np.moveaxis(cumulants(crn, time)[chosen], (1, 2), (0, 1))
        # the suite's numbers are those of the model as it was imported
        np.testing.assert_allclose(first, mu, rtol=1e-5, atol=1e-5)
        # its tables have six digits and more
        np.testing.assert_allclose(np.sqrt(np.abs(second)), sigma, rtol=1e-5, atol=1e-5)
        moves = second > 0
        excess[moves] = fourth[moves] / second[moves] ** 2
    z = np.sqrt(draws) * (molecules.mean(axis=0) - mu) / sigma
    y = np.sqrt(draws / (excess + 2)) * (molecules.var(axis=0, ddof=1) / sigma**2 - 1)
    return z, y


@here
@pytest.mark.parametrize("name", [name for name in READ if name not in LARGE])
def test_moments_are_right(name):
    z, y = measures(name, draws=400, t_end=20.0, n_points=5)
    assert np.abs(z).max() < LIMIT
    assert np.abs(y).max() < LIMIT


@here
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_moments_are_right_over_many_runs(name):
    try:
        imported(name)
    except (cn.ReactionError, cn.FileFormatError) as error:
        pytest.skip(str(error))
    z, y = measures(name, draws=2000, t_end=50.0, n_points=51)
    assert np.abs(z).max() < LIMIT
    assert np.abs(y).max() < LIMIT
