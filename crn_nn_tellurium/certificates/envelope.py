"""The envelope of all trajectories, as a reaction network of relative errors.

Write a species as its fixed point times (1 + a): the *excess* a = -1 at concentration 0. For mass
action, with K_r = k_r prod(others*) y*^(p_r - 1), n_r the net change of y in reaction r, p_r its
power there and m_r the product of the others' (1 + a), and since sum_r n_r K_r = 0 at the fixed
point,

    a' = sum_r n_r K_r (m_r (1 + a)^p_r - (1 + a)).

Every product m_r of a gain raises a and of a loss lowers it (a sum of monomials is mixed monotone),
so two copies of the chemistry, crossed over in the losses, enclose every trajectory. In terms of
how far the upper copy is above the fixed point, e >= 0, and how far the lower is below it, f in [0,
1], and for catalysts X:

    e' = D_e (1 + e) - c e - B e^2      D_e = sum over gains K e_X + sum over losses K f_X
    f' = D_f l - S f - B f l            D_f = sum over gains K f_X + sum over losses K e_X

for a rail (c = h / y* + y*, its rate at the fixed point; B = y*, S = h / y*), and without the
square and with D_e in place of D_e (1 + e) where a gain does not need y itself. The rest, l = 1 -
f, is a species too: the lower copy is made of two that turn into one another, so none leaves [0, 1]
and nothing is a small difference, at either end. All rate constants are positive, so these are
species of a mass-action network, whose errors settle at 0: weights of the first layer and biases
are in y* alone.

With inputs or rate constants between bounds, y* and K are between bounds; taking the largest K and
the smallest c and B encloses every trajectory of every network between them, relative to *its own*
fixed point. So one envelope serves a point, a box of inputs and uncertain rate constants, and
always ends at 0.

From all non-negative starts, y = infinity included: y <= C / t, and this module starts at a small t
from such a bound (docs/theory.md proves all of this). Source: the two copies are the standard
embedding of a mixed monotone system (Smith, J. Difference Equ. Appl. 14 (2008); Coogan, IEEE CDC
2020); the rest is derived here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.certificates.copies import (
    ONE,
    above,
    below,
    extra,
    feed,
    grow,
    left,
    product,
    remove,
    turn,
)
from crn_nn_tellurium.certificates.squares import Squares
from crn_nn_tellurium.chemistry import Reaction, ReactionNetwork, Species, multiplied_by
from crn_nn_tellurium.errors import NotCertified
from crn_nn_tellurium.kinetics import Bounds


@dataclass(frozen=True)
class Coefficients:
    """Bounds of the terms of the errors' equations, over all networks between the bounds given."""

    # the slowest rate at the fixed point, by species as all of these but K, (n_floating,)
    rate: FloatArray
    # at which the upper copy, its extra part and the lower copy come back without a catalyst's
    # help; of species that are lost with their square c, and S of the lower copy
    above: FloatArray
    extra: FloatArray
    below: FloatArray
    # B, of species that are lost with their square
    square_above: FloatArray
    square_below: FloatArray
    # the largest and smallest K of every reaction and species that it changes, and the smallest
    # that its gain brings the lower copy back with, (n_terms,)
    most: FloatArray
    least: FloatArray
    back: FloatArray
    # whether the fixed point and the rate constants are known exactly
    known: bool
    # bounds of the fixed point, (n_floating,)
    fixed_point: Bounds


class Envelope:
    """The crossed-over copies of one mass-action network, in relative errors.

    `network` has species ``{id}_above``, ``{id}_below`` and ``{id}_left`` (e, f and 1 - f) and the
    boundary species ``_one``; every rate constant is 1, and `constants` gives their values. One
    unit, dy/dt = 1 + 1.5 y - y^2, settles at 2 with the rate 2.5:

    >>> crn = ReactionNetwork(
    ...     [Species("Y")],
    ...     [
    ...         Reaction("J1", (), ("Y",), "h", 1.0),
    ...         Reaction("J2", ("Y",), {"Y": 2}, "b", 1.5),
    ...         Reaction("J3", {"Y": 2}, ("Y",), "q", 1.0),
    ...     ],
    ... )
    >>> envelope = Envelope(crn)
    >>> at = np.array([2.0])
    >>> values = envelope.constants(envelope.coefficients((at, at))).tolist()
    >>> dict(zip(envelope.network.rate_constants, values, strict=True))
    {'c_Y_above': 2.5, 'c_Y_below': 0.5, 'b_Y_above': 2.0, 'b_Y_below': 2.0}
    """

    def __init__(self, crn: ReactionNetwork) -> None:
        _check(crn)
        self.crn = crn
        self.terms = terms = crn.terms
        self.n = n = len(crn.floating)
        every, gains = np.arange(n), terms.number > 0
        # which species (n_floating,) are lost with their square
        self.riccati = np.isin(every, terms.row[terms.power == 2])
        loops = np.isin(every, terms.row[(terms.power == 1) & gains])
        # which are made without themselves and lost in proportion to themselves alone
        self.relaxes = ~self.riccati & ~loops
        self._one_gain = np.bincount(terms.row[gains], minlength=n) == 1
        self._partner = self._partners()
        # which are made by a catalyst that they are lost by too: at a bounded level whatever it is
        self.split = np.isin(every, terms.row[self.is_paired])
        # of which array, and where in it, each rate constant's value is found
        self._values: dict[str, tuple[str, int]] = {}
        self._coupling_ids: dict[object, str] = {}
        species = [Species(ONE, 1.0, boundary=True)]
        reactions: list[Reaction] = []
        for i, name in enumerate(crn.floating):
            copies = [above(name), below(name), left(name)] + [extra(name)] * bool(self.split[i])
            species += map(Species, copies)
            reactions += self._own(i, name)
        for t in range(len(terms)):
            if catalysts := self.catalysts(t):
                reactions += self._coupled(t, catalysts)
        name = f"{crn.name}_envelope"
        self.network = ReactionNetwork(tuple(species), tuple(reactions), name=name)

    # What the network looks like ------------------------------------------------------------------

    def _own(self, i: int, name: str) -> list[Reaction]:
        """How one species comes back to its fixed point by itself."""

        def value(kind: str, array: str) -> str:
            self._values[f"{kind}_{name}_{array.removeprefix('square_')}"] = array, i
            return f"{kind}_{name}_{array.removeprefix('square_')}"

        high, low, rest = above(name), below(name), left(name)
        reactions = [Reaction(f"Jc_{high}", (high,), (), value("c", "above"), 1.0)]
        if self.split[i]:
            reactions.append(
                Reaction(f"Jc_{extra(name)}", (extra(name),), (), value("c", "extra"), 1.0)
            )
        reactions.append(Reaction(f"Jc_{low}", (low,), (rest,), value("c", "below"), 1.0))
        if not self.riccati[i]:
            return reactions
        return [
            *reactions,
            Reaction(f"Jb_{high}", {high: 2}, (high,), value("b", "square_above"), 1.0),
            Reaction(f"Jb_{low}", (low, rest), {rest: 2}, value("b", "square_below"), 1.0),
        ]

    def _coupled(self, t: int, catalysts: list[int]) -> list[Reaction]:
        """How the errors of a reaction's catalysts feed those of the species that it changes."""
        if self.terms.number[t] > 0:
            return self._made(t, catalysts)
        return self._lost(t, catalysts[0])

    def _made(self, t: int, catalysts: list[int]) -> list[Reaction]:
        """A gain K m (1 + a)^p, with m = (1 + a_X) or the product of two."""
        y, linear = self.crn.floating[self.terms.row[t]], bool(self.terms.power[t] == 1)
        own, low, rest = above(y), below(y), left(y)
        # a pair acts as (1 + a_X) (G - L (1 + a)), where the bracket is not negative in either
        # copy: what lies above the true G / L is the extra part
        k = self._coupling_id(t, "net" if self._partner[t] >= 0 else "most")
        sources = [self._high(o) for o in catalysts]
        reactions = []
        for x in dict.fromkeys(x for parts in sources for x in parts):
            number = sum(parts.count(x) for parts in sources)
            reactions.append(feed(k, x, own, number))
            if linear:
                reactions.append(grow(k, x, own))
        if len(sources) == 2:  # (1 + e1)(1 + e2) - 1 = e1 + e2 + e1 e2
            reactions += [product(k, x, other, own) for x in sources[0] for other in sources[1]]
        # -a' = (1 - f) K (1 - m) - f K m, and 1 - m <= f1 + f2: of catalysts, what they lack moves
        # the lower copy away from the fixed point, and what they have moves it back
        names = [self.crn.floating[o] for o in catalysts]
        reactions += [turn(k, [below(x)], rest, low, n) for n, x in enumerate(names)]
        if not linear:
            back = self._coupling_id(t, "back")
            reactions.append(turn(back, [left(x) for x in names], low, rest))
        return reactions

    def _lost(self, t: int, catalyst: int) -> list[Reaction]:
        """A loss K (1 + a_X) (1 + a)."""
        i, x = int(self.terms.row[t]), self.crn.floating[catalyst]
        y, high = self.crn.floating[i], self._high(catalyst)
        own, low, rest = above(y), below(y), left(y)
        reactions = []
        if self.split[i]:
            reactions.append(remove(self._coupling_id(t, "least"), left(x), extra(y)))
        if self._partner[t] >= 0:
            k = self._coupling_id(t, "least")
            return [*reactions, *(remove(k, each, own) for each in high)]
        k = self._coupling_id(t, "most")
        reactions.append(feed(k, below(x), own))
        if self.relaxes[i]:
            reactions.append(remove(self._coupling_id(t, "least"), left(x), own))
        else:
            reactions.append(grow(k, below(x), own))
        return reactions + [turn(k, [each], rest, low) for each in high]

    def _coupling_id(self, t: int, kind: str) -> str:
        """The rate constant of a term's couplings; rails share what they share in the network."""
        terms = self.terms
        key: tuple[object, ...] = t, kind
        if kind == "most" and terms.power[t] == 1:
            # such a K has no y* in it: it is the rate constant times the catalysts' fixed points
            key = terms.constant[t], abs(terms.number[t]), *terms.others[t]
        if key not in self._coupling_ids:
            self._coupling_ids[key] = name = f"k{len(self._coupling_ids)}"
            self._values[name] = kind, t
        return self._coupling_ids[key]

    def _high(self, species: int) -> list[str]:
        """The species whose sum is how far the upper copy is off."""
        name = self.crn.floating[species]
        return [above(name), extra(name)] if self.split[species] else [above(name)]

    def _partners(self) -> npt.NDArray[np.intp]:
        """For a gain (power 0) by one catalyst the loss (power 1) by it, and back; -1 for none."""
        terms = self.terms
        partner = np.full(len(terms), -1)
        # floating species come first among the symbols, so the least one is the catalyst
        catalyst = terms.others.min(axis=1, initial=terms.one)
        pairs = list(zip(terms.row.tolist(), catalyst.tolist(), strict=True))
        losses = (terms.number < 0) & (terms.power == 1) & (catalyst < self.n)
        place = {pairs[t]: t for t in np.flatnonzero(losses).tolist()}
        only = self._one_gain & self.relaxes
        gains = (terms.number > 0) & (terms.power == 0) & only[terms.row]
        for t in np.flatnonzero(gains & ((terms.others < self.n).sum(axis=1) == 1)).tolist():
            loss = place.pop(pairs[t], None)
            if loss is not None:
                partner[t], partner[loss] = loss, t
        return partner

    @cached_property
    def _first(self) -> npt.NDArray[np.intp]:
        """Where each species begins in the state: above, below, left and, of some, extra."""
        width = 3 + self.split.astype(np.intp)
        return np.cumsum(width) - width

    @property
    def rests(self) -> npt.NDArray[np.intp]:
        """Where in the state (n_floating,) what is left of each lower copy stands."""
        return self._first + 2

    def relative(self, state: FloatArray) -> Bounds:
        """How far the copies are above and below the fixed point, relative (..., n_floating)."""
        first = self._first
        # of a species without an extra part, any place will do
        more = np.where(self.split, state[..., first + 3 * self.split], 0.0)
        return state[..., first] + more, state[..., first + 1]

    def chain(
        self, state: FloatArray, species: int, high: bool, most: FloatArray
    ) -> tuple[str, ...]:
        """Which species feed the error of one copy of a species most, from the first on."""
        errors = self.relative(state)
        found = [species]
        while True:
            feeds = []
            for t in self.terms_of[species]:
                side = high == (self.terms.number[t] > 0)
                error = errors[0 if side else 1]
                others = (o for o in self.catalysts(t) if o not in found)
                feeds += [(most[t] * error[o], o, side) for o in others]
            if not feeds:
                return tuple(self.crn.floating[i] for i in reversed(found))
            _, species, high = max(feeds)
            found.append(species)

    # Values ---------------------------------------------------------------------------------------

    def constants(self, found: Coefficients) -> FloatArray:
        """Values of the envelope's rate constants, in the order of ``network.rate_constants``."""
        net = found.most - found.least[self._partner]
        arrays = {**vars(found), "net": net}
        wanted = (self._values[name] for name in self.network.rate_constants)
        values = [arrays[kind][at] for kind, at in wanted]
        return np.maximum(np.array(values), 0.0)

    def coefficients(
        self, fixed_point: Bounds, boundary: Bounds | None = None, rates: float = 0.0
    ) -> Coefficients:
        """What the rate constants are made of, from bounds of the positive fixed point and of the
        boundary species (the network's own by default), and the error `rates` of `certify`.
        """
        crn, terms = self.crn, self.terms
        held = (crn.boundary_concentrations,) * 2 if boundary is None else boundary
        k = np.abs(terms.number) * crn.constants[terms.constant]
        # the 1 at the end stands for what a term has no second factor of
        low, high = (
            multiplied_by(k * factor, terms.others, np.concatenate([y, x, np.ones(1)]))
            for factor, y, x in zip((1 - rates, 1 + rates), fixed_point, held, strict=True)
        )
        lower, upper = fixed_point
        own = terms.row
        most = np.where(terms.power == 0, high / lower[own], high)
        least = np.where(terms.power == 0, low / upper[own], low)

        gains, alone = terms.number > 0, np.all(terms.others >= self.n, axis=1)
        lost = ~gains & (terms.power == 1)
        known = np.array_equal(*fixed_point) and not rates
        squares = Squares.of(terms, (low, high), fixed_point, alone, known)
        # without a square or a loop, what is made equals what is lost; of one gain both bound it
        decay = terms.total(low, lost)
        only = self._one_gain & self.relaxes
        back = np.where(only[own] & gains, np.maximum(least, decay[own]), least)
        free = terms.total(low, lost & alone)
        paired = terms.total(low, lost & self.is_paired)
        made_back = terms.total(back, gains & (terms.power == 0) & alone)
        return Coefficients(
            rate=np.where(self.relaxes, decay, squares.rate),
            above=np.where(self.relaxes, free + paired, squares.rate),
            extra=free,
            below=np.where(self.riccati, squares.free_below, made_back),
            square_above=squares.above,
            square_below=squares.below,
            most=most,
            least=least,
            back=back,
            known=known,
            fixed_point=fixed_point,
        )

    def ratio(self, i: int, found: Coefficients) -> tuple[float, float]:
        """Bounds of where the gain of a paired species by its catalyst equals the loss by it,
        relative to the fixed point.
        """
        gains = self.is_paired & (self.terms.number > 0)
        gain = np.flatnonzero(gains & (self.terms.row == i))[0]
        loss = self._partner[gain]
        least = found.least[gain] / found.most[loss]
        return float(least), float(found.most[gain] / found.least[loss])

    def catalysts(self, t: int) -> list[int]:
        """The floating species that catalyse a term."""
        return [int(o) for o in self.terms.others[t] if o < self.n]

    @cached_property
    def terms_of(self) -> list[list[int]]:
        """By species, its terms that floating species catalyse."""
        found: list[list[int]] = [[] for _ in range(self.n)]
        catalysed = (self.terms.others < self.n).any(axis=1)
        for t in np.flatnonzero(catalysed).tolist():
            found[self.terms.row[t]].append(t)
        return found

    @property
    def is_paired(self) -> npt.NDArray[np.bool_]:
        """Which terms (n_terms,) are the only gain of a species and a loss by the same catalyst."""
        return self._partner >= 0

    @cached_property
    def invariant(self) -> bool:
        """Whether the starts that a bound over all starts covers are never left."""
        gains = (self.terms.number > 0) & ~self.riccati[self.terms.row]
        return bool(self.is_paired[gains].all())

    def shrinks(self, state: FloatArray, values: FloatArray) -> bool:
        """Whether every error falls in this state, `values` being those of `constants`."""
        # then it does so for ever, as errors only feed errors
        change = self.network.balance(state, constants=values)
        # the integration is to 1e-10: smaller changes, and errors near 0, are its noise
        falls = (change.net <= 1e-9 * change.gross) & (state >= 0)
        gone = np.abs(state) < 1e-14
        # what is left of a lower copy rises as its error falls
        falls[self.rests] = True
        return bool(np.all(falls | gone))


def _check(crn: ReactionNetwork) -> None:
    """Refuse a network whose errors have no such equations, or need not end at 0."""
    terms = crn.terms
    if terms.factors.shape[1] > 2:
        high = next(reaction for reaction in crn.reactions if reaction.order > 2)
        raise NotCertified(
            f"reaction {high.id!r} is above second order ({high.equation}); the envelope takes"
            " reactions of at most two molecules"
        )
    bad = (terms.number > 0) & (terms.power >= 2)
    if bad.any():
        raise NotCertified(
            f"species {crn.floating[terms.row[bad][0]]!r} makes itself at a rate that grows"
            " with its square, so no time bound holds for all starts"
        )
    fed = set(terms.row[(terms.number > 0) & (terms.power == 0)].tolist())
    for i, name in enumerate(crn.floating):
        if i not in fed:
            raise NotCertified(
                f"species {name!r} is made by no reaction without itself, so it can stay at 0: its"
                " positive fixed point is not the only one"
            )
