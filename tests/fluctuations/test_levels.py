"""Covariances level by level against scipy's dense equation; adjoint solves against their own."""

import itertools

import numpy as np
import pytest
from scipy import sparse
from scipy.linalg import solve_continuous_lyapunov
from support.networks import HIDDEN, STOOD_FOR, cases, corpus
from support.tolerances import IN_TIME, ROUNDED, SUMMED

import crn_nn_tellurium as cn
from crn_nn_tellurium.fluctuations import Block, Levels


def dense_answer(net, x, concentrations):
    """Covariance and shift of one sample by the flat reactions, scipy and nothing of ours."""
    crn = cn.to_reactions(net)
    held = net.input_coding.code(x[None]).ravel()
    jacobian = crn.jacobian(concentrations, held).toarray()
    changes, rates = crn.stoichiometry.toarray(), crn.rates(concentrations, held)
    covariance = solve_continuous_lyapunov(jacobian, -(changes * rates) @ changes.T)
    values = dict(zip(crn.floating, concentrations, strict=True))
    values |= dict(zip(crn.boundary, held, strict=True))
    place, curvature = {s: i for i, s in enumerate(crn.floating)}, np.zeros(len(concentrations))
    for number, reaction in enumerate(crn.reactions):
        # one factor for each molecule that meets, taken two at a time
        met = [s for s, count in reaction.substrates for _ in range(count)]
        for p, q in itertools.combinations(range(len(met)), 2):
            a, b = met[p], met[q]
            if a in place and b in place:
                rest = [values[s] for i, s in enumerate(met) if i not in (p, q)]
                together = covariance[place[a], place[b]] - (values[a] if a == b else 0.0)
                made = reaction.value * np.prod(rest) * together
                curvature += changes[:, number] * made
    return covariance, np.linalg.solve(jacobian, -curvature)


@pytest.mark.parametrize("case", cases(corpus(), STOOD_FOR + HIDDEN))
def test_networks_have_the_covariance_of_their_flat_reactions(case):
    every = case.net.input_coding.check(case.x)[:2]
    own = cn.noise(case.net, every, volume=1)
    variances, shifts = own.species_standard_deviation**2, own.fluctuations.shift
    outputs = own.covariance
    assert np.shape(own.doubtful) == variances.shape
    crn = cn.to_reactions(case.net)
    for i, x in enumerate(every):
        covariance, shift = dense_answer(case.net, x, own.concentrations[i])
        # scipy's Schur form rounds beside the largest entry: some 1e-11 of it
        room = 1e-10 * np.abs(covariance).max()
        np.testing.assert_allclose(variances[i], np.diag(covariance), rtol=ROUNDED, atol=room)
        room = 1e-10 * np.abs(shift).max()
        # made by covariances less concentrations, which cancel to 1e-8 where h is small
        np.testing.assert_allclose(shifts[i], shift, rtol=IN_TIME, atol=room)
        slopes = [
            [float(o.expression.derivative(s).evaluate({})) for s in crn.floating]
            for o in crn.observables
            if o.id in case.net.output_names
        ]
        found = np.array(slopes) @ covariance @ np.array(slopes).T
        room = 1e-10 * np.abs(covariance).max()
        np.testing.assert_allclose(outputs[i], found, rtol=ROUNDED, atol=room)


def random_levels(rng, n=3, sizes=(2, 1, 3, 2)):
    """Levels with blocks of every kind: shared, sparse, by sample, diagonal, several of a pair."""
    diagonal = [-rng.uniform(0.5, 3.0, (n, m)) for m in sizes]
    reads = [[] for _ in sizes]
    for level, other in itertools.combinations(range(len(sizes)), 2):
        shape = sizes[other], sizes[level]
        left, right = rng.normal(size=(n, shape[0])), rng.normal(size=(n, shape[1]))
        matrix = rng.normal(size=shape)
        reads[other].append((level, Block(matrix, left, right)))
        reads[other].append((level, Block(sparse.csr_array(matrix), left)))
        reads[other].append((level, Block(rng.normal(size=(n, *shape)))))
        if shape[0] == shape[1]:
            reads[other].append((level, Block(None, left)))
    return Levels(tuple(diagonal), tuple(map(tuple, reads)))


def whole(levels, sample):
    """J of one sample."""
    starts = np.cumsum([0, *(part.shape[1] for part in levels.diagonal)])
    found = np.diag(np.concatenate([part[sample] for part in levels.diagonal]))
    for level, reads in enumerate(levels.reads):
        for other, block in reads:
            m = levels.diagonal[other].shape[1]
            unit = np.broadcast_to(np.eye(m), (len(levels.diagonal[0]), m, m))
            rows = slice(starts[level], starts[level + 1])
            found[rows, starts[other] : starts[other + 1]] += (block @ unit)[sample]
    return found, starts


def assembled(pairs, starts, sample):
    """A symmetric matrix of one sample by its blocks."""
    found = np.zeros((starts[-1], starts[-1]))
    for (level, other), block in pairs.items():
        rows, columns = (slice(starts[k], starts[k + 1]) for k in (level, other))
        found[rows, columns] = block[sample]
        found[columns, rows] = block[sample].T
    return found


def symmetric(rng, levels):
    n, sizes = len(levels.diagonal[0]), [part.shape[1] for part in levels.diagonal]
    pairs = {}
    for level in range(len(sizes)):
        for other in range(level + 1):
            block = rng.normal(size=(n, sizes[level], sizes[other]))
            pairs[level, other] = block + (block.swapaxes(1, 2) if level == other else 0.0)
    return pairs


def test_lyapunov_equations_and_their_adjoints():
    rng = np.random.default_rng(0)
    levels = random_levels(rng)
    diffusion, weights = symmetric(rng, levels), symmetric(rng, levels)
    found, adjoint = levels.lyapunov(diffusion), levels.lyapunov_transposed(weights)
    kept = levels.lyapunov(diffusion, {(3, 3), (2, 1)})
    assert set(kept) == {(3, 3), (2, 1)}
    for sample in range(3):
        jacobian, starts = whole(levels, sample)
        d, g = (assembled(pairs, starts, sample) for pairs in (diffusion, weights))
        s, adj = (assembled(pairs, starts, sample) for pairs in (found, adjoint))
        size = np.abs(jacobian).max() * np.abs(s).max()
        # triangular systems of 8 unknowns lose a digit or two
        np.testing.assert_allclose(jacobian @ s + s @ jacobian.T + d, 0, atol=SUMMED * size)
        size = np.abs(jacobian).max() * np.abs(adj).max()
        np.testing.assert_allclose(jacobian.T @ adj + adj @ jacobian + g, 0, atol=SUMMED * size)
        assert np.sum(g * s) == pytest.approx(np.sum(adj * d), rel=SUMMED)
        for pair, block in kept.items():
            np.testing.assert_array_equal(block, found[pair])


def test_systems_are_solved_and_transposed():
    rng = np.random.default_rng(1)
    levels = random_levels(rng)
    right = [rng.normal(size=part.shape) for part in levels.diagonal]
    found = levels.solve(right)
    turned = levels.transposed.solve(right[::-1])[::-1]
    for sample in range(3):
        jacobian, _ = whole(levels, sample)
        b = np.concatenate([part[sample] for part in right])
        x, y = (np.concatenate([part[sample] for part in parts]) for parts in (found, turned))
        np.testing.assert_allclose(jacobian @ x, b, rtol=0, atol=SUMMED * np.abs(x).max())
        np.testing.assert_allclose(jacobian.T @ y, b, rtol=0, atol=SUMMED * np.abs(y).max())
