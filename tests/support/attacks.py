"""The worst errors of rate constants that gradient signs find, for networks of rails alone.

Nothing of the package's bounds is used: rails are solved by their quadratic, adjoints by hand.
"""

import numpy as np


def worst(kinetics, x, rates, wanted, restarts=10, steps=20, seed=0):
    """The most that `wanted` (n_out,) . outputs was found to be at one input x (n_in,), when each
    reaction's rate constant may be off by `rates`.
    """
    rng = np.random.default_rng(seed)
    inputs = kinetics.net.input_coding.code(np.repeat(np.atleast_2d(x), restarts, axis=0))
    signs = [_random_signs(layer, restarts, rng) for layer in kinetics.layers]
    last, most = kinetics.layers[-1], -np.inf
    for _ in range(steps):
        states = _settle(kinetics, inputs, rates, signs)
        outputs = last.activation.read(np.moveaxis(states[-1][-1], 1, 2))
        most = max(most, float((outputs @ wanted).max()))
        better = _signs_of_gradient(kinetics, states, rates, signs, wanted)
        # not all at once: what is best for one constant depends on the others
        signs = [
            [np.where(rng.random(old.shape) < 0.8, new, old) for new, old in zip(a, b, strict=True)]
            for a, b in zip(better, signs, strict=True)
        ]
    return most


def _random_signs(layer, n, rng):
    """Of weights (n, n_rails, n_units, n_catalysts); of biases, h and q (n, n_rails, n_units)."""
    units = (n, len(layer.activation.rails), layer.encoding.layer.n_out)
    n_catalysts = layer.encoding.weights.shape[1]
    return [
        rng.choice([-1.0, 1.0], shape) for shape in ((*units, n_catalysts), units, units, units)
    ]


def _settle(kinetics, inputs, rates, signs):
    known, states = {"input": inputs}, []
    for layer, (weight, bias, h, q) in zip(kinetics.layers, signs, strict=True):
        read, rail = layer.encoding.gather(known), _rail_signs(layer)
        weights = layer.encoding.weights * (1 + rates * weight)
        u = rail * np.einsum("nruc,nc->nru", weights, read)
        u = u + layer.constants.bias.T * (1 + rates * bias)
        h = layer.constants.local[layer.h] * (1 + rates * h)
        q = layer.constants.local[layer.q] * (1 + rates * q)
        root = np.sqrt(u * u + 4 * h * q)
        y = np.where(u > 0, (u + root) / (2 * q), 2 * h / (root - u))
        states.append((read, weights, root, y))
        known[layer.name] = np.moveaxis(y, 1, 2)
    return states


def _signs_of_gradient(kinetics, states, rates, signs, wanted):
    n = len(states[0][0])
    totals = {
        layer.name: np.zeros((n, layer.encoding.layer.n_out, len(layer.activation.rails)))
        for layer in kinetics.layers
    }
    last = kinetics.layers[-1]
    totals[last.name] += wanted[:, None] * last.activation.read_coefficients
    better = []
    for layer, (read, weights, root, y) in zip(
        reversed(kinetics.layers), reversed(states), strict=True
    ):
        g, rail = np.moveaxis(totals[layer.name], 2, 1), _rail_signs(layer)
        by_drive = g * y / root
        by_weight = (rail * by_drive)[..., None] * layer.encoding.weights * read[:, None, None]
        by_bias = by_drive * layer.constants.bias.T
        better.append([np.sign(by_weight), np.sign(by_bias), np.sign(g), -np.sign(g)])
        by_catalyst = np.einsum("nru,nruc->nc", rail * by_drive, weights)
        layer.encoding.scatter(by_catalyst, totals)
    return better[::-1]


def _rail_signs(layer):
    return np.array([rail.sign for rail in layer.activation.rails])[:, None]
