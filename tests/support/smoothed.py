"""What chemistry makes of functions, written with whatever arrays a framework has: the second
reference for imported networks.
"""


def relu(z, h):
    """(z + sqrt(z^2 + 4 h)) / 2."""
    return (z + (z * z + 4 * h) ** 0.5) / 2


def largest(parts, h):
    """The largest of several, in rounds of pairs: a + relu(b - a)."""
    while len(parts) > 1:
        pairs = zip(parts[0::2], parts[1::2], strict=False)
        odd = parts[len(parts) // 2 * 2 :]
        parts = [a + relu(b - a, h) for a, b in pairs] + odd
    return parts[0]


def pieces(activation):
    """f(z) = offset - s_0 sigma(t_1 - z) + s_1 sigma(z - t_1) + sum_k (s_k - s_{k-1}) sigma(z -
    t_k).
    """
    knots, slopes, h = activation.knots, activation.slopes, activation.h

    def of(z):
        value = activation.offset - slopes[0] * relu(knots[0] - z, h)
        value = value + slopes[1] * relu(z - knots[0], h)
        for k in range(1, len(knots)):
            value = value + (slopes[k + 1] - slopes[k]) * relu(z - knots[k], h)
        return value

    return of
