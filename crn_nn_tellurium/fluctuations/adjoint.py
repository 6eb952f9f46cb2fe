"""Exact derivatives of what is made of outputs, of their mean's shift and of their covariance.

With f the rates, J = df/dy, D the diffusion and b the curvature at the steady state y (see
`network_noise`), shift d and covariance S are where

    f = 0,    J d + b = 0,    J S + S J' + D = 0.

Each equation has its multiplier. For a loss L(y, d, S), with S held symmetric,

    J' mu = -dL/dd,    J' Lambda + Lambda J = -(dL/dS + d(mu . b)/dS),
    Q(y, k) = mu . (J d + b) + 2 <Lambda, J S> + <Lambda, D>,
    J' lambda = -(dL/dy + dQ/dy),    dL/dk = lambda . df/dk + dQ/dk,

so one transposed Lyapunov equation and two transposed solves give the derivatives by all rate
constants k. Of a term k n y_p y_q in the rate of species a, Q has, with P = 2 Lambda S + mu d',

    k (n (P_ap y_q + P_aq y_p + mu_a (S_pq - [p = q] y_p)) + w y_p y_q),

w being n times the sum over what the reaction changes, b by n_b, of n_b Lambda_ab. The sizes of
rate constants stand in D, so where a weight or bias is 0 a derivative has a kink, and is given
without that part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray, dense
from crn_nn_tellurium.fluctuations.levels import Pairs, block_of
from crn_nn_tellurium.fluctuations.network_noise import NetworkNoise
from crn_nn_tellurium.kinetics import LayerKinetics, LayerState, RateConstants
from crn_nn_tellurium.networks import outer_sum, places, values_of


def backward(
    noise: NetworkNoise, by_output: FloatArray, by_shift: FloatArray, by_covariance: FloatArray
) -> list[RateConstants]:
    """Derivatives by all rate constants, layer by layer, summed over samples, from those by outputs
    and their shift (n, n_out) and their covariance (n, n_out, n_out), both at a volume of 1.

    Of noise that has all pairs of levels.
    """
    multipliers = _Multipliers(noise, by_shift, by_covariance)
    parts = [_LayerPart(multipliers, number) for number in range(len(noise.states))]
    by_state = [np.zeros((*state.y[0].shape, len(state.y))) for state in noise.states]
    of_noise = [part.derivatives(by_state) for part in parts]
    constants = [noise.constants_of(number) for number in range(len(noise.states))]
    of_mean, _ = noise.kinetics.backward(noise.states, by_output, constants, by_state=by_state)
    return [a + b for a, b in zip(of_mean, of_noise, strict=True)]


class _Multipliers:
    """mu and Lambda, and P = 2 Lambda S + mu d' in blocks (n, m_l, m_k) of levels l and k."""

    def __init__(
        self, noise: NetworkNoise, by_shift: FloatArray, by_covariance: FloatArray
    ) -> None:
        self.noise = noise
        levels = noise.levels
        right = [np.zeros_like(diagonal) for diagonal in levels.diagonal]
        slopes: Pairs = {}
        last = noise.kinetics.layers[-1]
        read = [
            (noise.level_of[last.name, a], coefficient)
            for a, coefficient in last.activation.read_places[1]
        ]
        for level, coefficient in read:
            right[level] = right[level] - coefficient * by_shift
            for other, factor in read:
                _add(slopes, level, other, coefficient * factor * by_covariance)
        self.mu = levels.transposed.solve(right[::-1])[::-1]
        for number in range(len(noise.states)):
            self._add_curvature(slopes, number)
        self._rows_of_lambda = _Rows(levels.lyapunov_transposed(slopes), len(levels))
        self._rows_of_covariance = _Rows(noise.covariance, len(levels))

    def _add_curvature(self, slopes: Pairs, number: int) -> None:
        """Add d(mu . b)/dS of one layer."""
        noise = self.noise
        layer, constants = noise.kinetics.layers[number], noise.constants_of(number)
        for a, rail in enumerate(layer.activation.rails):
            level = noise.level_of[layer.name, a]
            for read, columns in noise.levels_read(number):
                weights = dense(layer.weights(constants)[:, columns])
                _add(slopes, level, read, rail.sign * self.mu[level][:, :, None] * weights)
        terms = layer.local.terms
        for t in range(len(terms)):
            factors = _factors(layer, t)
            if len(factors) < 2:
                continue
            (p, p_pooled), (q, q_pooled) = factors
            part = terms.number[t] * constants.local[terms.constant[t]]
            part = part * self.mu[noise.level_of[layer.name, int(terms.row[t])]]
            if p_pooled:
                # both of one other unit, whichever reads them
                part = np.broadcast_to(part.sum(axis=1, keepdims=True), part.shape)
            identity = np.eye(part.shape[1])
            block = part[:, :, None] * (1.0 if q_pooled and not p_pooled else identity)
            _add(slopes, noise.level_of[layer.name, p], noise.level_of[layer.name, q], block)

    def lambda_diagonal(self, level: int, other: int) -> FloatArray:
        """Lambda (n, m) between species of one unit."""
        block = self._rows_of_lambda.block(level, other)
        return np.einsum("njj->nj", block)

    def covariance(self, level: int, other: int) -> FloatArray:
        """S (n, m_l, m_k)."""
        return self._rows_of_covariance.block(level, other)

    def block(self, level: int, other: int) -> FloatArray:
        """P (n, m_l, m_k)."""
        rows, columns = self._rows_of_lambda[level], self._rows_of_covariance[other]
        product = 2 * (rows @ np.swapaxes(columns, 1, 2))
        return product + self.mu[level][:, :, None] * self.noise.shift[other][:, None, :]

    def diagonal(self, level: int, other: int) -> FloatArray:
        """P (n, m) between species of one unit."""
        rows, columns = self._rows_of_lambda[level], self._rows_of_covariance[other]
        product = 2 * np.einsum("njm,njm->nj", rows, columns)
        return product + self.mu[level] * self.noise.shift[other]


class _Rows:
    """A symmetric matrix of all levels, (n, m_l, all species) by level."""

    def __init__(self, pairs: Pairs, n_levels: int) -> None:
        self._pairs, self._n_levels = pairs, n_levels
        self._found: dict[int, FloatArray] = {}

    def block(self, level: int, other: int) -> FloatArray:
        return block_of(self._pairs, level, other)

    def __getitem__(self, level: int) -> FloatArray:
        if level not in self._found:
            blocks = [self.block(level, other) for other in range(self._n_levels)]
            self._found[level] = np.concatenate(blocks, axis=2)
        return self._found[level]


@dataclass(frozen=True, eq=False)
class _LayerPart:
    """The derivatives of Q that belong to the reactions of one layer."""

    multipliers: _Multipliers
    number: int

    @property
    def _noise(self) -> NetworkNoise:
        return self.multipliers.noise

    @cached_property
    def _layer(self) -> LayerKinetics:
        return self._noise.kinetics.layers[self.number]

    @cached_property
    def _state(self) -> LayerState:
        return self._noise.states[self.number]

    @cached_property
    def _constants(self) -> RateConstants:
        return self._noise.constants_of(self.number)

    def _level(self, species: int) -> int:
        return self._noise.level_of[self._layer.name, species]

    def derivatives(self, by_state: Sequence[FloatArray]) -> RateConstants:
        """dQ/dk; adds dQ/dy to `by_state`, (n, n_units, n_species) by layer."""
        weights, bias = self._of_drives(by_state)
        return RateConstants(weights, bias, self._of_local(by_state[self.number]))

    def _of_drives(self, by_state: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Of s W X Y, in which X and Y fluctuate, and of the size of W in the noise of Y."""
        layer, state, constants = self._layer, self._state, self._constants
        of, weights = self.multipliers, layer.weights(self._constants)
        own, bias = by_state[self.number], np.empty_like(constants.bias)
        # what W X alone is multiplied by, and what |W| X is
        net, gross = np.zeros_like(state.y[0]), np.zeros_like(state.y[0])
        by_weight = np.zeros(weights.shape)
        for a, rail in enumerate(layer.activation.rails):
            level, y = self._level(a), state.y[a]
            slope, noise = of.diagonal(level, level), of.lambda_diagonal(level, level)
            net, gross = net + rail.sign * slope, gross + noise * y
            own[..., a] += noise * self._noise.sizes[self.number][a]
            bias[:, a] = slope.sum(axis=0)
            bias[:, a] += np.sign(constants.bias[:, a]) * (noise * y).sum(axis=0)
            for read, columns in self._noise.levels_read(self.number):
                slopes = of.block(level, read)
                own[..., a] += rail.sign * np.einsum(
                    "njc,jc->nj", slopes, dense(weights[:, columns])
                )
                together = of.covariance(level, read)
                by_weight[:, columns] += rail.sign * (
                    np.einsum("njc,nj->jc", slopes, y)
                    + np.einsum("njc,nj->jc", together, of.mu[level])
                )
        by_catalyst = net @ weights + gross @ abs(weights)
        totals = {
            other.name: part
            for other, part in zip(self._noise.kinetics.layers, by_state, strict=True)
        }
        layer.encoding.scatter(by_catalyst, totals)
        found = by_weight[places(layer.encoding.weights)].ravel()
        found = found + values_of(outer_sum(weights, net, state.catalysts)).ravel()
        sign = np.sign(constants.weights)
        found += sign * values_of(outer_sum(weights, gross, state.catalysts)).ravel()
        return found, bias

    def _of_local(self, own: FloatArray) -> FloatArray:
        """Of the terms of local reactions, whose factors are of the unit, or of all of a pool."""
        layer, of = self._layer, self.multipliers
        terms, found = layer.local.terms, np.zeros_like(self._constants.local)
        for t in range(len(terms)):
            level = self._level(int(terms.row[t]))
            mu, weight = of.mu[level][..., None], self._noise_of(t)[..., None]
            slopes, y = [], []
            factors = _factors(layer, t)
            for species, pooled in factors:
                part = self._state.y[species]
                y.append(part[:, None, :] if pooled else part[..., None])
                other = self._level(species)
                slopes.append(
                    of.block(level, other) if pooled else of.diagonal(level, other)[..., None]
                )
            if not factors:
                by_factor, total = [], weight
            elif len(factors) == 1:
                by_factor, total = [weight], slopes[0] + weight * y[0]
            else:
                together, same = self._pair(*factors)
                by_factor = [slopes[1] + weight * y[1] - mu * same, slopes[0] + weight * y[0]]
                total = slopes[0] * y[1] + slopes[1] * y[0] + weight * y[0] * y[1]
                total = total + mu * (together - same * y[0])
            k, number = terms.constant[t], terms.number[t]
            found[k] += number * total.sum()
            for (species, pooled), part in zip(factors, by_factor, strict=True):
                factor = number * self._constants.local[k]
                own[..., species] += factor * part.sum(axis=1 if pooled else 2)
        return found

    def _noise_of(self, term: int) -> FloatArray:
        """(n, n_units): over what the term's reaction changes, of changes times Lambda."""
        terms, reactions = self._layer.local.terms, self._layer.local.stoichiometry.indices
        level = self._level(int(terms.row[term]))
        return sum(
            terms.number[t]
            * self.multipliers.lambda_diagonal(level, self._level(int(terms.row[t])))
            for t in np.flatnonzero(reactions == reactions[term]).tolist()
        )

    def _pair(self, first: Factor, second: Factor) -> tuple[FloatArray, Any]:
        """Covariances of two factors, by unit and unit of the pool, and where they are the same."""
        (p, p_pooled), (q, q_pooled) = first, second
        together = self.multipliers.covariance(self._level(p), self._level(q))
        if q_pooled and not p_pooled:
            return together, np.eye(together.shape[1]) * (p == q)
        each = np.einsum("njj->nj", together)
        return each[:, None, :] if p_pooled else each[..., None], float(p == q)


Factor = tuple[int, bool]
"""A species of a unit, and whether it is that of each unit of a pool."""


def _factors(layer: LayerKinetics, term: int) -> list[Factor]:
    own, pooled = layer.factors(layer.local.terms, term)
    return [(species, False) for species in own] + [(species, True) for species in pooled]


def _add(slopes: Pairs, level: int, other: int, block: FloatArray) -> None:
    """Add derivatives by S_lk to those of a symmetric matrix, which are kept for l >= k."""
    if level < other:
        level, other, block = other, level, np.swapaxes(block, 1, 2)
    part = block / 2
    if level == other:
        part = part + np.swapaxes(part, 1, 2)
    slopes[level, other] = slopes.get((level, other), 0.0) + part
