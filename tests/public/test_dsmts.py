"""Moments of stochastic trajectories, for cases of the Discrete Stochastic Models Test Suite.

Its measures for n runs, sample mean m and deviation s at a time, right values mu and sigma:
Z = sqrt(n) (m - mu) / sigma within -3 and 3, Y = sqrt(n/2) (s^2/sigma^2 - 1) within -5 and 5.
Source: Evans, Gillespie and Wilkinson, Bioinformatics 24 (2008) 285, and its user guide.
"""

import csv
import warnings

import libsbml
import numpy as np
import pytest
from support.public import collection

import crn_nn_tellurium as cn
from crn_nn_tellurium.simulation.flat import FlatModel

FOLDER, here = collection("dsmts")
NAMES = sorted(path.stem for path in FOLDER.glob("*.xml"))
READ = (
    "dsmts-001-01 dsmts-001-03 dsmts-001-04 dsmts-001-05 dsmts-001-07 dsmts-002-01 dsmts-002-02"
    " dsmts-002-05 dsmts-002-06 dsmts-002-08 dsmts-004-01"
).split()


LARGE = ("dsmts-001-05",)  # ten thousand molecules: each run takes long


def table(name, of):
    head, *rows = csv.reader((FOLDER / f"{name}-{of}.csv").read_text().splitlines())
    columns = np.array([row for row in rows if row], dtype=float).T
    return dict(zip((title.strip().lower() for title in head), columns, strict=True))


def imported(name):
    with warnings.catch_warnings():
        # of read-outs and of propensities, which is no matter here
        warnings.simplefilter("ignore", UserWarning)
        return cn.import_sbml(FOLDER / f"{name}.xml")


def measures(name, n_runs, points):
    """Z and Y (n_times, n_species) over n runs of our trajectories."""
    crn = imported(name)
    model = libsbml.readSBMLFromFile(str(FOLDER / f"{name}.xml")).getModel()
    volume = model.getCompartment(0).getSize() if model.getCompartment(0).isSetSize() else 1.0
    mean, sd = table(name, "mean"), table(name, "sd")
    read = [s for s in crn.floating if s.lower() in mean]
    assert read
    flat, start = FlatModel(crn), np.array([crn.start_values[s] for s in crn.floating])
    runs = [
        flat.trajectory(points, start, crn.boundary_concentrations, volume, seed=seed) * volume
        for seed in range(n_runs)
    ]
    molecules = np.array(runs)[:, 1:, [crn.floating.index(s) for s in read]]
    at = np.searchsorted(mean["time"], points[1:])
    mu, sigma = (np.array([t[s.lower()][at] for s in read]).T for t in (mean, sd))
    z = np.sqrt(n_runs) * (molecules.mean(axis=0) - mu) / sigma
    y = np.sqrt(n_runs / 2) * (molecules.var(axis=0, ddof=1) / sigma**2 - 1)
    return z, y


@here
@pytest.mark.parametrize("name", [name for name in READ if name not in LARGE])
def test_moments_are_right(name):
    z, y = measures(name, n_runs=60, points=np.array([0.0, 5.0, 20.0]))
    assert np.abs(z).max() < 3
    assert np.abs(y).max() < 5


@here
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_moments_are_right_over_many_runs(name):
    try:
        imported(name)
    except (cn.ReactionError, cn.FileFormatError) as error:
        pytest.skip(str(error))
    z, y = measures(name, n_runs=2000, points=np.arange(51.0))
    # of 50 times, the suite lets two or three lie outside: so do right simulators
    assert np.sum(np.abs(z) >= 3, axis=0).max() <= 3
    assert np.sum(np.abs(y) >= 5, axis=0).max() <= 3
