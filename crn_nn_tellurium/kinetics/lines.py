"""Bounds of a network's fixed point by lines, which remember what units share.

Intervals forget that two units read the same species, and lose more with every layer. Lines do
not: with w = sum W X over what a unit reads and e = rates sum |W| X, both linear in X >= 0, the
drive of a rail of sign s is s w + bias, off by at most e + rates |bias|. So for sums T of the
unit's own species, with coefficients c and an orientation o,

    T <= slope v + height,    v = o w + e,    for all v in its range [a, b],

and v is a sum of the species of the layers before, of which the same is known. From the wanted sum
backwards to the inputs, which end on their box, this gives one number that nothing exceeds (as
CROWN does for neural networks: Zhang et al., NeurIPS 2018).

A rail in v is the root F of h + u y - q y^2, which rises and is convex: where it counts for T, it
lies below its chord; where it counts against T, above each of its tangents. Of sums of both, and of
followers, the range is cut into cells, in each of which T is bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.kinetics.bounds import Bounds, drives_between, settle_driven
from crn_nn_tellurium.kinetics.layer import LayerKinetics
from crn_nn_tellurium.kinetics.layer_state import positive_root
from crn_nn_tellurium.kinetics.network import NetworkKinetics
from crn_nn_tellurium.networks import INPUT

_CELLS = 64
_TARGETS = (0.5, 0.0, 0.25, 0.75, 1.0)


@dataclass(frozen=True, eq=False)
class Above:
    """Lines above a sum of a unit's species: slope (o w + e) + height, (n_targets, n, n_units)."""

    coefficients: FloatArray  # (n_species,)
    orientation: int
    slope: FloatArray
    height: FloatArray


class LayerLines:
    """Lines above sums of the species of each unit of one layer."""

    def __init__(self, layer: LayerKinetics, tops: Bounds, e: FloatArray, rates: FloatArray, species: Bounds) -> None:
        """`tops` are upper bounds (n, n_units) of w + e and of -w + e."""
        self._layer, self._tops, self._e, self._rates = layer, tops, e, rates
        self._species = species
        n_species = len(layer.activation.species)
        sums = []
        read_out = np.zeros(n_species)
        for name, c in layer.activation.read_out.terms:
            read_out[layer.activation.species.index(name)] = c
        if np.count_nonzero(read_out) > 1:
            sums += [read_out, -read_out]
        self.sums = [self._line(c) for c in sums]
        self.species = [[self._line(sign * np.eye(n_species)[a]) for sign in (1.0, -1.0)] for a in range(n_species)]

    def parts(self, g):
        """(line, factor >= 0) whose sum is g (n, m, units, species)."""
        result = []
        rest = g
        for line in self.sums:
            c = line.coefficients
            used = c != 0
            share = (rest[..., used] / c[used]).min(axis=-1)
            share = np.maximum(share, 0)
            if share.any():
                rest = rest - share[..., None] * c
                result.append((line, share))
        for a, (up, down) in enumerate(self.species):
            for line, part in ((up, np.maximum(rest[..., a], 0)), (down, np.maximum(-rest[..., a], 0))):
                if part.any():
                    result.append((line, part))
        return result

    def _line(self, c) -> Above:
        layer = self._layer
        rails = layer.activation.rails
        n_rails = len(rails)
        constant = np.where(c > 0, c * self._species[1], c * self._species[0]).sum(axis=-1)
        shape = (len(_TARGETS), *constant.shape)
        nothing = np.zeros(shape), np.broadcast_to(constant, shape)
        pooled = bool(layer.activation.pooled)
        polynomials = [self._polynomial(r) for r in range(n_rails)]
        if any(polynomials[r] is None for r in range(n_rails) if c[r]) or (np.any(c[n_rails:]) and pooled):
            return Above(c, 1, *nothing)
        if np.any(c[n_rails:]):
            z = np.array([-1.0, 1.0])
            ends = layer.activation.concentrations(z) @ c
            orientation = 1 if ends[1] >= ends[0] else -1
        else:
            orientation = 1 if sum(c[r] * rails[r].sign for r in range(n_rails)) >= 0 else -1
        b = self._tops[0 if orientation > 0 else 1]
        a = -self._tops[1 if orientation > 0 else 0]
        span = b - a
        fine = span > 1e-9 * (np.abs(a) + np.abs(b))
        with np.errstate(all="ignore"):
            left, right, edges = (self._rails if not np.any(c[n_rails:]) else self._cells)(c, orientation, a, b, polynomials)
            # candidates
            chord = (right[..., -1] - left[..., 0]) / span
            steep = (right - left) / (edges[..., 1:] - edges[..., :-1])
            slopes, heights = [], []
            for target in _TARGETS:
                at = a + target * span
                cell = np.clip(np.int_(target * _CELLS), 0, _CELLS - 1)
                best = None
                for slope in (np.zeros_like(chord), chord, steep[..., cell]):
                    height = np.maximum((left - slope[..., None] * edges[..., :-1]).max(axis=-1), (right - slope[..., None] * edges[..., 1:]).max(axis=-1))
                    value = height + slope * at
                    ok = np.isfinite(value)
                    value = np.where(ok, value, np.inf)
                    if best is None:
                        best = [value, slope, height]
                    else:
                        better = value < best[0]
                        best = [np.where(better, x, y) for x, y in zip((value, slope, height), best)]
                value, slope, height = best
                # constant
                better = ~fine | ~(value < constant)
                slopes.append(np.where(better, 0.0, slope))
                heights.append(np.where(better, constant, height))
        return Above(c, orientation, np.stack(slopes), np.stack(heights))

    def _polynomial(self, r):
        layer = self._layer
        parts = layer.by_catalysts[r]
        if set(parts) - {((), ())}:
            return None
        terms = layer.local.terms
        result = []
        for up in (False, True):
            c = [np.zeros_like(self._rates)[..., None] for _ in range(3)]
            for t in parts.get(((), ()), ()):
                number, power = terms.number[t], terms.power[t]
                factor = 1 + self._rates if (number > 0) == up else 1 - self._rates
                c[power] = c[power] + (number * layer.constants.local[terms.constant[t]] * factor)[..., None]
            result.append(c)
        return result

    def _drive(self, r, orientation, v, up):
        """Largest or least drive of rail r where o w + e = v (n, units, k)."""
        layer = self._layer
        bias = layer.constants.bias[:, r]
        margin = self._rates * np.abs(bias)
        shift = (bias + margin if up else bias - margin)[..., None]
        if layer.activation.rails[r].sign == orientation:
            return v + shift if up else v - 2 * self._e[..., None] + shift
        return -v + 2 * self._e[..., None] + shift if up else -v + shift

    def _rails(self, c, orientation, a, b, polynomials):
        k = np.linspace(0, 1, _CELLS + 1)
        edges = a[..., None] + (b - a)[..., None] * k
        left, right = 0.0, 0.0
        if np.all(c >= 0):  # convex
            pass
        middle = (edges[..., 1:] + edges[..., :-1]) / 2
        half = (edges[..., 1:] - edges[..., :-1]) / 2
        for r, cr in enumerate(c[: len(polynomials)]):
            if cr > 0:
                c0, c1, c2 = polynomials[r][1]
                y = positive_root(c0, c1 + self._drive(r, orientation, edges, True), c2)
                left, right = left + cr * y[..., :-1], right + cr * y[..., 1:]
            elif cr < 0:
                c0, c1, c2 = polynomials[r][0]
                u = c1 + self._drive(r, orientation, middle, False)
                y = positive_root(c0, u, c2)
                slope = y / np.sqrt(u * u - 4 * c0 * c2) * (1 if self._layer.activation.rails[r].sign == orientation else -1)
                left, right = left + cr * (y - slope * half), right + cr * (y + slope * half)
        return left, right, edges

    def _cells(self, c, orientation, a, b, polynomials):
        layer = self._layer
        k = np.linspace(0, 1, _CELLS + 1)
        edges = a[..., None] + (b - a)[..., None] * k
        n, units, _ = edges.shape
        drives = []
        for r, rail in enumerate(layer.activation.rails):
            first, last = edges[..., :-1], edges[..., 1:]
            if rail.sign != orientation:
                first, last = last, first
            low = self._drive(r, orientation, first, False)
            high = self._drive(r, orientation, last, True)
            drives.append(tuple(np.moveaxis(p, -1, 1).reshape(n * _CELLS, units) for p in (low, high)))
        rates = np.repeat(self._rates, _CELLS, axis=0)
        lower, upper = settle_driven(layer, drives, rates, strict=False)
        top = np.where(c > 0, c * upper, c * lower).sum(axis=-1)
        top = np.moveaxis(top.reshape(n, _CELLS, units), 1, -1)
        return top, top, edges


class Lines:
    """Bounds of all species, layer by layer, and of any sums of them."""

    def __init__(self, kinetics: NetworkKinetics, inputs: Bounds, rates: FloatArray) -> None:
        self.kinetics, self._inputs, self._rates = kinetics, inputs, rates[:, None]
        self.found: list[Bounds] = []
        self._lines: list[LayerLines] = []
        known: dict[str, Any] = {INPUT: np.stack(inputs, axis=-1)}
        for number, layer in enumerate(kinetics.layers):
            read = layer.encoding.gather(known)
            catalysts = tuple(np.ascontiguousarray(read[..., end]) for end in (0, 1))
            drives = drives_between(layer, catalysts, self._rates)
            weights = layer.encoding.weights
            e = self._rates * (catalysts[1] @ abs(weights).T)
            tops = self._tops(number, layer)
            rates_b = self._rates * np.abs(layer.constants.bias.T)[:, None]
            narrowed = []
            for r, rail in enumerate(layer.activation.rails):
                up, low = (tops[0], -tops[1]) if rail.sign > 0 else (tops[1], -tops[0])
                bias = layer.constants.bias[:, r]
                narrowed.append((np.maximum(low + bias - rates_b[r], drives[r][0]), np.minimum(up + bias + rates_b[r], drives[r][1])))
            self.found.append(settle_driven(layer, narrowed, self._rates, strict=False))
            known[layer.name] = np.stack(self.found[-1], axis=-1)
            self._lines.append(LayerLines(layer, tops, e, self._rates, self.found[-1]))

    def _tops(self, number, layer) -> Bounds:
        """Upper bounds (n, n_units) of w + e and of -w + e."""
        weights = layer.encoding.weights
        weights = weights.toarray() if hasattr(weights, "toarray") else weights
        rates = self._rates[:, :, None]
        m = 2 * len(weights)
        by = np.concatenate([weights + rates * abs(weights), -weights + rates * abs(weights)], axis=1)
        n = len(self._rates)
        totals = self._zeros(n * m, number)
        layer.encoding.scatter(by.reshape(n * m, -1), totals)
        found = self._back(number, totals, np.zeros((n, m)))
        return found[:, : m // 2], found[:, m // 2 :]

    def most(self, functional: FloatArray) -> FloatArray:
        """Upper bounds (n, m) of sums of the last layer's species, (n or 1, m, n_units, n_species)."""
        layer = self.kinetics.layers[-1]
        n, m = len(self._rates), functional.shape[1]
        totals = self._zeros(n * m, len(self.kinetics.layers))
        totals[layer.name] += np.broadcast_to(functional, (n, *functional.shape[1:])).reshape(n * m, *functional.shape[2:])
        return self._back(len(self.kinetics.layers), totals, np.zeros((n, m)))

    def _zeros(self, rows, number):
        totals = {INPUT: np.zeros((rows, *self._inputs[0].shape[1:]))}
        for layer in self.kinetics.layers[:number]:
            totals[layer.name] = np.zeros((rows, layer.encoding.layer.n_out, len(layer.activation.species)))
        return totals

    def _back(self, number, totals: Mapping[str, FloatArray], constant: FloatArray) -> FloatArray:
        best = np.inf
        for target in range(len(_TARGETS)):
            own = {k: v.copy() for k, v in totals.items()}
            best = np.minimum(best, self._back_once(number, own, constant.copy(), target))
            if not number:
                break
        return best

    def _back_once(self, number, totals, constant, target):
        n, m = constant.shape
        for index in reversed(range(number)):
            layer, lines = self.kinetics.layers[index], self._lines[index]
            g = totals[layer.name]
            if not g.any():
                continue
            g = g.reshape(n, m, *g.shape[1:])
            along = {1: 0.0, -1: 0.0}
            for line, share in lines.parts(g):
                constant += (share * line.height[target][:, None]).sum(axis=-1)
                along[line.orientation] = along[line.orientation] + share * line.slope[target][:, None]
            weights = layer.encoding.weights
            straight, spread = along[1] - along[-1], along[1] + along[-1]
            if np.ndim(straight) == 0:
                continue
            by = straight.reshape(n * m, -1) @ weights + np.repeat(self._rates[:, 0], m)[:, None] * (spread.reshape(n * m, -1) @ abs(weights))
            layer.encoding.scatter(np.asarray(by), totals)
        g = totals[INPUT]
        g = g.reshape(n, m, *g.shape[1:])
        lower, upper = self._inputs
        constant += (np.maximum(g, 0) * upper[:, None] + np.minimum(g, 0) * lower[:, None]).sum(axis=(2, 3))
        return constant
