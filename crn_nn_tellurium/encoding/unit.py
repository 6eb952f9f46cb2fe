"""One unit as reactions. Each of its rails Y gets

    => Y                  h{l}     X + Y => X + 2 Y    k{l}_{j}_{i}   where the weight promotes
    2 Y => Y              q{l}     X + Y => X          k{l}_{j}_{i}   where it inhibits
    Y => 2 Y or Y =>      kb{l}_{j}

with one reaction per weight and species read. X is a catalyst, so a layer never disturbs the one
before it and the Jacobian is block lower triangular. Rails of a unit share the rate constants of
its weights (`layer_encoding` says what these are, `networks.names` how they are called).

Each rail starts at an upper bound of its fixed point, (promoting part of the pre-activation) / q
+ sqrt(h / q), taken at the start values of what it reads: sigma_h(z) <= max(z, 0) + sqrt(h), and
sigma_h grows with z.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from crn_nn_tellurium.chemistry import Expression, Monomial, Reaction, ReactionNetwork, Species
from crn_nn_tellurium.encoding.layer_encoding import Catalyst, LayerEncoding
from crn_nn_tellurium.networks import (
    Activation,
    bias_constant,
    reaction_id,
    shared_id,
    unit_ids,
    weight_constant,
)


@dataclass(frozen=True)
class Unit:
    """What `unit_species` and `unit_reactions` need to know of one unit."""

    index: int
    unit: int
    activation: Activation
    inputs: tuple[tuple[Catalyst, float], ...]
    rail_bias: tuple[float, ...]
    pool: int = 1
    """Number of units in the layer, which starred local names stand for."""
    pool_id: Callable[[str, int], str] | None = None
    """Identifiers of the pool's species, where they are not the layer's own."""
    zeros: bool = False
    """Whether a bias of zero gets its reaction too, with a rate constant of zero."""
    own_biases: bool = False
    """Whether each rail has a rate constant of its own for its bias."""

    # Identifiers ------------------------------------------------------------------------------

    @property
    def identify(self) -> Callable[[str], str]:
        return unit_ids(self.index, self.unit)

    def constant(self, name: str) -> str:
        return shared_id(self.index, name)

    def weight(self, catalyst: Catalyst) -> str:
        return weight_constant(self.index, self.unit, catalyst.label)

    def bias(self, rail: int) -> str:
        own = self.activation.rails[rail].name if self.owns_bias(rail) else ""
        return bias_constant(self.index, self.unit, own)

    def owns_bias(self, rail: int) -> bool:
        # rails without a shift have biases of one size, and so share a rate constant
        return self.own_biases or self.activation.rails[rail].shift != 0

    def reaction(self, kind: str, *parts: object) -> str:
        return reaction_id(kind, self.index, self.unit, *parts)

    def pooled(self, local: str) -> list[str]:
        """Identifiers that a starred local name stands for."""
        identify = self.pool_id or (lambda name, k: unit_ids(self.index, k)(name))
        return [identify(local, k) for k in range(self.pool)]


def unit_species(unit: Unit, label: str) -> Iterator[Species]:
    """The species of one unit, each at an upper bound of its fixed point."""
    name = f"{label}_{{}}_{unit.unit}".format
    root = Monomial(1.0, ((unit.constant("h"), 0.5), (unit.constant("q"), -0.5)))
    per_loss = (unit.constant("q"), -1.0)
    for position, rail in enumerate(unit.activation.rails):
        terms = [
            Monomial(1.0, ((unit.weight(catalyst), 1.0), (catalyst.id, 1.0), per_loss))
            for catalyst, weight in unit.inputs
            if rail.sign * weight > 0
        ]
        if unit.rail_bias[position] > 0:
            terms.append(Monomial(1.0, ((unit.bias(position), 1.0), per_loss)))
        start = Expression((*terms, root))
        yield Species(unit.identify(rail.name), start, name=name(rail.name))
    for follower in unit.activation.followers:
        local = follower.name
        yield Species(unit.identify(local), follower.upper_bound, name=name(local))


def unit_reactions(unit: Unit) -> Iterator[Reaction]:
    """The reactions of one unit: its rails' first, then its local ones."""
    activation = unit.activation
    for position, rail in enumerate(activation.rails):
        y = unit.identify(rail.name)
        yield Reaction(
            unit.reaction("h", rail.name), (), (y,), unit.constant("h"), activation.h, f"{y} arises"
        )
        for catalyst, weight in unit.inputs:
            # a weight of zero that is written is written as a positive one
            k, sign = unit.weight(catalyst), 1 if weight >= 0 else -1
            up = rail.sign * sign > 0
            yield Reaction(
                unit.reaction("w", catalyst.label, rail.name),
                ((catalyst.id, 1), (y, 1)),
                ((catalyst.id, 1), (y, 2)) if up else ((catalyst.id, 1),),
                k,
                abs(weight),
                f"{catalyst.id} {'promotes' if up else 'inhibits'} {y}",
                sign,
            )
        bias = unit.rail_bias[position]
        if bias != 0 or unit.zeros:
            # of a bias of zero, where a small positive one would push the rail
            up = (bias or rail.sign) > 0
            # of a bias that rails share, the sign is that of the shared number
            effect = 1 if up else -1
            yield Reaction(
                unit.reaction("b", rail.name),
                (y,),
                {y: 2} if up else (),
                unit.bias(position),
                abs(bias),
                f"bias of {y}",
                effect if unit.owns_bias(position) else effect * rail.sign,
            )
        yield Reaction(
            unit.reaction("q", rail.name),
            ((y, 2),),
            (y,),
            unit.constant("q"),
            1.0,
            f"two {y} become one",
        )
    for number, local in enumerate(activation.local_reactions):
        starred = sorted({name[1:] for name in local.reads if name.startswith("*")})
        k = unit.constant(local.rate_constant)
        # all starred names of a reaction stand for species of one other unit at a time
        pools = [unit.pooled(name) for name in starred]
        for member in range(unit.pool if starred else 1):
            where = {f"*{name}": ids[member] for name, ids in zip(starred, pools, strict=True)}
            substrates, products = (
                tuple(where.get(name) or unit.identify(name) for name in side)
                for side in (local.substrates, local.products)
            )
            which = (number, member) if starred else (number,)
            identifier = unit.reaction(local.rate_constant, *which)
            text = (
                f"{' and '.join(substrates) or 'nothing'} to {' and '.join(products) or 'nothing'}"
            )
            yield Reaction(identifier, substrates, products, k, local.value, text)


def local_reactions(encoding: LayerEncoding) -> ReactionNetwork:
    """What the units of a layer do apart from their weights and biases, as the network of one unit.

    Floating species are the unit's own. A starred name stands for a boundary species, that of one
    unit of the layer: its reactions happen with each of them.
    """
    activation = encoding.activation
    rail_bias = (0.0,) * len(activation.rails)
    unit = Unit(encoding.index, 0, activation, (), rail_bias, pool_id=lambda name, _: f"_{name}")
    species = [Species(unit.identify(name)) for name in activation.species]
    species += [Species(s, boundary=True) for name in activation.pooled for s in unit.pooled(name)]
    return ReactionNetwork(tuple(species), tuple(unit_reactions(unit)), name="local")
