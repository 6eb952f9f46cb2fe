"""Bounds of a network's fixed point when inputs and rate constants are known between bounds.

A species y of a unit settles where f(y) = sum_m m c_m(y) = 0, with m the products of *other*
species (catalysts) and c_m(y) = sum_r n_r k_r y^a_r a polynomial of degree <= 2 in y itself. With
every k_r in [k (1 - e), k (1 + e)], each on its own, and every m between bounds,

    f_sup(y) = sum_m max(m_lo c_m_sup(y), m_up c_m_sup(y)),

with the upper k in c_m_sup where n_r > 0 and the lower where n_r < 0.

Each f that is possible is positive below its root and negative above it, and f <= f_sup, so the
root of f_sup bounds every root from above; f_inf bounds from below. A gain and a loss by one
catalyst stand in one m, so what they share cancels. (Proof and limits: docs/theory.md.) For a rail,
the sum over its weights is the drive u, and the root is sigma_h(u) between the bounds of u.

Which m and which k are taken depends on signs of c_m(y) alone, so f_sup is a quadratic once these
are known: the root is found by policy iteration (Howard 1960), which improves the choice until it
stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import Terms
from crn_nn_tellurium.errors import NotCertified
from crn_nn_tellurium.kinetics.layer import Catalysts, LayerKinetics
from crn_nn_tellurium.kinetics.layer_state import positive_root
from crn_nn_tellurium.kinetics.network import NetworkKinetics

Bounds = tuple[FloatArray, FloatArray]
"""Lower and upper bounds, arrays of one shape."""
Tops = tuple[FloatArray, FloatArray]
"""Upper bounds (n, n_units) of w + e and of -w + e, with w = sum W X over what a unit reads and e =
rates sum |W| X: of what the catalysts add up to in the drive of a rail of sign 1, and of sign -1.
"""

ROUNDING = 1e-14
"""Bounds are widened by this, relative to the sum of the sizes of what they are sums of."""
_POLICIES = 50
"""Improvements of the choice: it is one of signs, and none comes twice."""
_FAR = 1e150
"""Stands for an infinite root, so that signs of polynomials there are defined."""
_SAME = 1e-15
"""Choices that are equal but for rounding would take turns for ever."""


def product_of(catalysts: Catalysts, y: Mapping[int, FloatArray]) -> FloatArray | float:
    """m by unit, for concentrations (n, n_units) by local species."""
    own, pooled = catalysts
    product: FloatArray | float = 1.0
    for a in own:
        product = product * y[a]
    if pooled:
        members = y[pooled[0]]
        for b in pooled[1:]:
            members = members * y[b]
        product = product * _of_others(members)
    return product


def _of_others(y: FloatArray) -> FloatArray:
    """Per unit, the sum over all other units of the layer: of (n, n_units)."""
    before, after = np.zeros_like(y), np.zeros_like(y)
    np.cumsum(y[:, :-1], axis=1, out=before[:, 1:])
    after[:, :-1] = np.cumsum(y[:, :0:-1], axis=1)[:, ::-1]
    return before + after


def extreme_root(
    terms: Terms,
    parts: Mapping[Catalysts, list[int]],
    y: Mapping[int, Bounds],
    constants: Bounds,
    up: bool,
    drive: FloatArray | None = None,
) -> FloatArray:
    """The root (n, n_units) of f_sup (up) or f_inf; `constants` are (n_local, 1 or n, 1)."""
    lower, upper = ({a: bounds[end] for a, bounds in y.items()} for end in (0, 1))
    catalysts = [(product_of(part, lower), product_of(part, upper)) for part in parts]
    polynomials = [extreme_polynomial(terms, chosen, constants, up) for chosen in parts.values()]
    chosen = [m[up] for m in catalysts]
    root: Any = None
    further = np.maximum if up else np.minimum
    for _ in range(_POLICIES):
        pairs = list(zip(chosen, polynomials, strict=True))
        sums: list[Any] = [sum(m * c[power] for m, c in pairs) for power in range(3)]
        if drive is not None:
            sums[1] = sums[1] + drive
        new = positive_root(*sums)
        # each choice's root is within the bound sought, so the best of them is nearer to it
        better = new if root is None else further(root, new)
        if root is not None and np.allclose(better, root, rtol=_SAME, atol=0.0):
            return np.asarray(better)
        root = better
        y0 = np.minimum(root, _FAR)
        # max(m_lo c, m_up c) takes m_up where c > 0; min takes it where c <= 0
        signs = [c[0] + y0 * (c[1] + y0 * c[2]) > 0 for c in polynomials]
        chosen = [
            m[up] if isinstance(m[0], float) else np.where(sign == up, m[1], m[0])
            for m, sign in zip(catalysts, signs, strict=True)
        ]
    raise NotCertified("the bounds of a fixed point were not found; try smaller intervals")


def extreme_polynomial(
    terms: Terms, chosen: Sequence[int], constants: Bounds, up: bool
) -> list[Any]:
    """c_m_sup (up) or c_m_inf of some terms: its coefficients of 1, y and y^2."""
    coefficients: list[Any] = [0.0, 0.0, 0.0]
    for t in chosen:
        number, power = terms.number[t], terms.power[t]
        k = constants[int((number > 0) == up)][terms.constant[t]]
        coefficients[power] = coefficients[power] + number * k
    return coefficients


def local_between(kinetics: LayerKinetics, rates: FloatArray) -> Bounds:
    """Bounds (n_local, n, 1) of the rate constants that the units share."""
    local = kinetics.constants.local[:, None, None]
    return local * (1 - rates), local * (1 + rates)


def settle_layer(
    kinetics: LayerKinetics, catalysts: Bounds, rates: FloatArray, strict: bool = True
) -> Bounds:
    """Bounds (n, n_units, n_species) of a layer's fixed point, from those of what it reads.

    `rates` (n, 1) are relative errors of every rate constant, by sample. Unless `strict`, a species
    without an upper bound has the bound infinity.
    """
    tops, _, _ = tops_between(kinetics, catalysts, rates)
    return settle_driven(kinetics, drives_of(kinetics, tops, rates), rates, strict)


def tops_between(
    kinetics: LayerKinetics, catalysts: Bounds, rates: FloatArray
) -> tuple[Tops, Tops, FloatArray]:
    """How far the catalysts drive the rails of each unit, from bounds of what the layer reads:
    upper bounds of w + e and -w + e, and lower ones; and how much a unit reads in all, upper bounds
    (n, n_units) of sum |W| X.
    """
    low, high = 1 - rates, 1 + rates
    weights = kinetics.encoding.weights
    # |w| + w is 2 w or 0 to the bit, of dense weights and of sparse ones
    positive, negative = (abs(weights) + weights) / 2, (abs(weights) - weights) / 2
    gains, losses = (
        [np.ascontiguousarray((part @ bound.T).T) for bound in catalysts]
        for part in (positive, negative)
    )
    # a sum of n products rounds by n eps of their sizes, at most
    rounding = max(ROUNDING, np.finfo(float).eps * len(kinetics.encoding.catalysts))
    sizes = gains[1] + losses[1]
    off = rounding * sizes
    up, down = high * gains[1] - low * losses[0], high * losses[1] - low * gains[0]
    # w + e has coefficients W + rates |W|, which have the signs of W
    floors = high * gains[0] - low * losses[1], high * losses[0] - low * gains[1]
    return (up + off, down + off), (floors[0] - off, floors[1] - off), sizes


def drives_of(
    kinetics: LayerKinetics, tops: Tops, rates: FloatArray, change: FloatArray | None = None
) -> list[Bounds]:
    """Bounds (n, n_units) of the drive of each rail, with its bias.

    A species that still changes, by less than the part `change` (n, n_units, n_species) of itself
    in a unit of time, is where a drive of its own, off by as much, would hold it.
    """
    drives = []
    for rail, bias in zip(kinetics.activation.rails, kinetics.constants.bias.T, strict=True):
        up, down = tops if rail.sign > 0 else tops[::-1]
        error = (rates + ROUNDING) * np.abs(bias)
        drives.append((bias - error - down, bias + error + up))
    if change is None:
        return drives
    each = np.moveaxis(change, -1, 0)
    n = len(drives)
    changed = [(low - g, high + g) for (low, high), g in zip(drives, each, strict=False)]
    return changed + [(-g, g) for g in each[n:]]


def settle_driven(
    kinetics: LayerKinetics, drives: list[Bounds], rates: FloatArray, strict: bool = True
) -> Bounds:
    """Bounds (n, n_units, n_species) of a layer's fixed point, from those of its rails' drives."""
    kinetics.check_order("bounds of the fixed point need an activation without such a loop")
    _check_roots(kinetics)
    between = local_between(kinetics, rates)
    terms, parts = kinetics.local.terms, kinetics.by_catalysts
    y: dict[int, Bounds] = {}
    for (a,) in kinetics.blocks:
        rail = drives[a] if a < len(drives) else (None, None)
        lower = extreme_root(terms, parts[a], y, between, False, rail[0])
        upper = extreme_root(terms, parts[a], y, between, True, rail[1])
        y[a] = lower * (1 - ROUNDING), upper * (1 + ROUNDING)
        if strict and not (np.all(np.isfinite(y[a][1])) and np.all(y[a][0] >= 0)):
            raise NotCertified(
                f"layer {kinetics.name!r}: species {kinetics.activation.species[a]!r} has no bound"
                " for these inputs and rate constants; try smaller intervals"
            )
    each = [y[a] for a in sorted(y)]
    return np.stack([low for low, _ in each], axis=-1), np.stack([up for _, up in each], axis=-1)


def _check_roots(kinetics: LayerKinetics) -> None:
    """Refuse a species whose rate of change need not have one positive root."""
    terms = kinetics.local.terms
    for row, name in enumerate(kinetics.activation.species):
        gains = [terms.power[t] for t in terms.span(row) if terms.number[t] > 0]
        if max(gains, default=0) > 1 or 0 not in gains:
            raise NotCertified(
                f"layer {kinetics.name!r}: species {name!r} of {kinetics.activation} is made by no"
                " reaction without itself, or at a rate that grows with its square, so its"
                " positive fixed point need not be the only one"
            )


def settle_between(
    kinetics: NetworkKinetics, inputs: Bounds, rates: FloatArray, strict: bool = True
) -> list[Bounds]:
    """The same of every layer, from bounds (n, n_in, n_rails) of the inputs' species."""

    def settle(number: int, catalysts: Bounds) -> Bounds:
        return settle_layer(kinetics.layers[number], catalysts, rates, strict)

    return walk_between(kinetics, inputs, settle)


def walk_between(
    kinetics: NetworkKinetics, inputs: Bounds, settle: Callable[[int, Bounds], Bounds]
) -> list[Bounds]:
    """By layer, the bounds that `settle(number, catalysts)` finds from those of what it reads."""

    def apart(number: int, read: FloatArray) -> Bounds:
        # each bound in an array of its own, as matrix products are fastest
        lower, upper = (np.ascontiguousarray(read[..., end]) for end in (0, 1))
        return settle(number, (lower, upper))

    return kinetics.walk(np.stack(inputs, axis=-1), apart, partial(np.stack, axis=-1))
