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
    f' = D_f (1 - f) - c f + B f^2      D_f = sum over gains K f_X + sum over losses K e_X

for a rail (c = h / y* + y*, its rate at the fixed point; B = y*), and without the square and with
D_e in place of D_e (1 + e) where a gain does not need y itself. All rate constants are positive, so
e and f are themselves species of a mass-action network, whose fixed point is 0: weights of the
first layer and biases are in y* alone.

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
from crn_nn_tellurium.chemistry import Reaction, ReactionNetwork, Species, multiplied_by
from crn_nn_tellurium.errors import NotCertified
from crn_nn_tellurium.kinetics import Bounds

ONE = "_one"
"""A boundary species held at 1, which stands for a species at its fixed point."""


@dataclass(frozen=True)
class Coefficients:
    """Bounds of the terms of the errors' equations, over all networks between the bounds given."""

    # the rate c at which the errors of either copy decay, (n_floating,)
    above: FloatArray
    below: FloatArray
    # B, of species that are lost with their square, (n_floating,)
    square_above: FloatArray
    square_below: FloatArray
    # the largest and smallest K of every reaction and species that it changes, (n_terms,)
    most: FloatArray
    least: FloatArray
    # whether the fixed point and the rate constants are known exactly
    known: bool
    # bounds of the fixed point, (n_floating,)
    fixed_point: Bounds


class Envelope:
    """The crossed-over copies of one mass-action network, in relative errors.

    `network` has species ``{id}_above`` and ``{id}_below`` and the boundary species ``_one``; every
    rate constant is 1, and `constants` gives their values. One unit, dy/dt = 1 + 1.5 y - y^2,
    settles at 2 with the rate 2.5:

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
    {'c_Y': 2.5, 'b_Y_above': 2.0, 'b_Y_below': 2.0}
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
        species = [Species(ONE, 1.0, boundary=True)]
        reactions: list[Reaction] = []
        for i, name in enumerate(crn.floating):
            copies = [above(name), below(name)] + [extra(name)] * bool(self.split[i])
            species += map(Species, copies)
            kind = (bool(part[i]) for part in (self.relaxes, self.riccati, self.split))
            reactions += own_reactions(name, *kind)
        # where each rate constant's value comes from: a term, and what of it
        self._couplings: list[tuple[int, str]] = []
        self._coupling_ids: dict[object, str] = {}
        for t in range(len(terms)):
            if catalysts := self.catalysts(t):
                reactions += self._coupled(t, catalysts)
        name = f"{crn.name}_envelope"
        self.network = ReactionNetwork(tuple(species), tuple(reactions), name=name)

    # What the network looks like ------------------------------------------------------------------

    def _coupled(self, t: int, catalysts: list[int]) -> list[Reaction]:
        """How the errors of a reaction's catalysts feed those of the species that it changes."""
        i = int(self.terms.row[t])
        y = self.crn.floating[i]
        gain = bool(self.terms.number[t] > 0)
        if self.relaxes[i] and len(catalysts) == 1:
            return (self._made if gain else self._lost)(t, y, catalysts[0])
        k = self._coupling_id(t, "most")
        linear = bool(self.terms.power[t] == 1)
        reactions = []
        # crossed over in the losses: they feed a copy by how far the other one is off
        for copy, own, high in (("above", above(y), gain), ("below", below(y), not gain)):
            sources = [self._sources(o, high) for o in catalysts]
            reactions += coupling(k, copy, own, sources, high, linear)
        return reactions

    def _made(self, t: int, y: str, catalyst: int) -> list[Reaction]:
        """A gain G (1 + e_X) of a species that relaxes: G (e_X - e) and G (f_X - f)."""
        paired, i = self._partner[t] >= 0, int(self.terms.row[t])
        high, low = self._sources(catalyst, True), below(self.crn.floating[catalyst])
        own = below(y)
        # a pair acts as (1 + a_X) (G - L (1 + a)), where the bracket is not negative in either
        # copy: what lies above the true G / L is the extra part
        k = self._coupling_id(t, "net" if paired else "most")
        reactions = [feed(k, x, above(y)) for x in high]
        reactions += [feed(k, low, own), remove(k, low, own)]
        # -g f (1 - f_X) needs one g in both places: of an only gain, the rate itself
        k = self._coupling_id(t, "rate" if self._one_gain[i] else "least")
        return [*reactions, grow(k, low, own)]

    def _lost(self, t: int, y: str, catalyst: int) -> list[Reaction]:
        """A loss L (1 + e_X) of a species that relaxes, all that is lost by it at rest in c."""
        paired, i = self._partner[t] >= 0, int(self.terms.row[t])
        high, low = self._sources(catalyst, True), below(self.crn.floating[catalyst])
        if paired:
            least = self._coupling_id(t, "least")
            reactions = [remove(least, x, above(y)) for x in high]
        else:
            # numbered in the order in which the reactions name them, as `constants` are
            most, least = self._coupling_id(t, "most"), self._coupling_id(t, "least")
            reactions = [feed(most, low, above(y)), grow(least, low, above(y))]
            for x in high:
                reactions += [feed(most, x, below(y)), remove(most, x, below(y))]
        if self.split[i]:
            reactions.append(grow(least, low, extra(y)))
        return reactions

    def _coupling_id(self, t: int, kind: str) -> str:
        """The rate constant of a term's couplings; rails share what they share in the network."""
        terms = self.terms
        key: tuple[object, ...] = t, kind
        if kind == "most" and terms.power[t] == 1:
            # such a K has no y* in it: it is the rate constant times the catalysts' fixed points
            key = terms.constant[t], abs(terms.number[t]), *terms.others[t]
        if key not in self._coupling_ids:
            self._coupling_ids[key] = f"k{len(self._couplings)}"
            self._couplings.append((t, kind))
        return self._coupling_ids[key]

    def _sources(self, species: int, high: bool) -> list[str]:
        """The species whose sum is how far a copy is off."""
        name = self.crn.floating[species]
        if not high:
            return [below(name)]
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

    @property
    def n_couplings(self) -> int:
        """Number of rate constants by which species act on one another."""
        return len(self._couplings)

    @cached_property
    def _first(self) -> npt.NDArray[np.intp]:
        """Where each species' errors begin in the state: above, below and, of some, extra."""
        width = 2 + self.split.astype(np.intp)
        return np.cumsum(width) - width

    def relative(self, state: FloatArray) -> Bounds:
        """How far the copies are above and below the fixed point, relative (..., n_floating)."""
        first = self._first
        # of a species without an extra part, any place will do
        more = np.where(self.split, state[..., first + 2 * self.split], 0.0)
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
        values = []
        for i in range(self.n):
            values += [found.above[i], found.below[i]] if self.relaxes[i] else [found.above[i]]
            values += [found.square_above[i], found.square_below[i]] if self.riccati[i] else []
        for t, kind in self._couplings:
            value = {
                "most": found.most[t],
                "least": found.least[t],
                "net": found.most[t] - found.least[self._partner[t]],
                "rate": found.below[self.terms.row[t]],
            }[kind]
            values.append(value)
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

        def total(values: FloatArray, chosen: npt.NDArray[np.bool_]) -> FloatArray:
            return np.bincount(own[chosen], values[chosen], minlength=self.n).astype(float)

        gains = terms.number > 0
        source = total(low, gains & (terms.power == 0))
        square = total(low, ~gains & (terms.power == 2))
        # min of source / y + square y over y between its bounds: least where the two are equal
        with np.errstate(divide="ignore"):
            best = np.clip(np.where(square > 0, np.sqrt(source / square), np.inf), lower, upper)
        c: FloatArray = source / best + square * best
        # without a square or a loop, what is made equals what is lost; either bounds the rate, of
        # one gain both do
        made, lost = source / upper, total(low, ~gains & (terms.power == 1))
        back = np.where(self._one_gain, np.maximum(made, lost), made)
        above, below = (np.where(self.relaxes, rate, c) for rate in (lost, back))
        known = np.array_equal(*fixed_point) and not rates
        return Coefficients(above, below, square * lower, c - made, most, least, known, fixed_point)

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
        falls = change.net <= 1e-9 * change.gross
        gone = np.abs(state) < 1e-14
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


# Reactions among relative errors ------------------------------------------------------------------


def above(name: str) -> str:
    """Identifier of how far a species' upper copy is above its fixed point."""
    return f"{name}_above"


def below(name: str) -> str:
    """Identifier of how far a species' lower copy is below its fixed point."""
    return f"{name}_below"


def extra(name: str) -> str:
    """Identifier of how far a species starts above the most that its reactions would make of it."""
    return f"{name}_extra"


def own_reactions(name: str, relaxes: bool, riccati: bool, split: bool) -> list[Reaction]:
    """How one species comes back to its fixed point by itself."""
    high, low = above(name), below(name)
    reactions = [
        Reaction(f"Jc_{high}", (high,), (), f"c_{name}", 1.0),
        Reaction(f"Jc_{low}", (low,), (), f"g_{name}" if relaxes else f"c_{name}", 1.0),
    ]
    if split:
        reactions.append(Reaction(f"Jc_{extra(name)}", (extra(name),), (), f"c_{name}", 1.0))
    if riccati:
        reactions += [
            Reaction(f"Jb_{high}", {high: 2}, (high,), f"b_{name}_above", 1.0),
            Reaction(f"Jb_{low}", {low: 2}, {low: 3}, f"b_{name}_below", 1.0),
        ]
    return reactions


def feed(k: str, source: str, own: str) -> Reaction:
    """own' = k source."""
    return Reaction(f"J{k}_{source}_{own}", (source, ONE), (source, ONE, own), k, 1.0)


def grow(k: str, source: str, own: str) -> Reaction:
    """own' = k source own."""
    return Reaction(f"J{k}_{source}_{own}_own", (source, own), {source: 1, own: 2}, k, 1.0)


def remove(k: str, source: str, own: str) -> Reaction:
    """own' = -k source own."""
    return Reaction(f"J{k}_{source}_{own}_own", (source, own), (source,), k, 1.0)


def coupling(
    k: str, copy: str, own: str, sources: list[list[str]], high: bool, linear: bool
) -> list[Reaction]:
    """How the errors of a reaction's catalysts feed one copy of a species.

    Each of the sources is a list of species whose sum is how far one catalyst is off; `high` says
    whether that is above its fixed point.
    """
    reactions = []
    every = [x for parts in sources for x in parts]
    for x in dict.fromkeys(every):
        reactions.append(
            Reaction(f"J{k}_{x}_{own}", (x, ONE), {x: 1, ONE: 1, own: every.count(x)}, k, 1.0)
        )
        if linear:
            reactions.append((grow if copy == "above" else remove)(k, x, own))
    if len(sources) == 2 and high:  # (1 + e1)(1 + e2) - 1 = e1 + e2 + e1 e2
        for first in sources[0]:
            for second in sources[1]:
                substrates = {first: 2} if first == second else {first: 1, second: 1}
                name = f"J{k}_{own}_{first}_{second}"
                reactions.append(Reaction(name, substrates, {**substrates, own: 1}, k, 1.0))
    return reactions
