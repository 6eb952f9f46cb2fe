"""Network -> ReactionNetwork: the only place where identifiers are made.

Every unit (layer l, unit j) has the species of its activation. Each of its rails Y gets

    => Y                  h{l}            X + Y => X + 2 Y    w{l}_{j}_{i}   where the weight promotes
    2 Y => Y              q{l}            X + Y => X          w{l}_{j}_{i}   where it inhibits
    Y => 2 Y or Y =>      b{l}_{j}

with one reaction per weight and species read. X is a catalyst, so a layer never disturbs the one
before it and the Jacobian is block lower triangular. The rate constant of a weight is
|gain * weight * c| where c is X's coefficient in its own read-out; constants of read-outs go into the bias. The
rails of a unit share the rate constants of its weights.

Identifiers: species ``Y{l}_{j}``, rate constants ``w{l}_{j}_{i}`` (``w{l}_{j}_{i}_{rail}`` where
the value read has several rails), ``b{l}_{j}`` (``b{l}_{j}_{rail}`` where the rail is shifted),
``h{l}``, ``q{l}``, reactions ``J...``; inputs ``x0`` (``x0_p`` and ``x0_n``, or ``x0_s``), outputs
``y0``.

Each rail starts at an upper bound of its fixed point, (promoting part of the pre-activation) / q
+ sqrt(h / q), taken at the start values of what it reads: sigma_h(z) <= max(z, 0) + sqrt(h), and
sigma_h grows with z.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray, is_sparse
from crn_nn_tellurium.chemistry import (
    Expression,
    Monomial,
    Observable,
    Reaction,
    ReactionNetwork,
    Species,
)
from crn_nn_tellurium.errors import IdentifierError, InputError
from crn_nn_tellurium.networks import (
    INPUT,
    Activation,
    Layer,
    Network,
    ReadOut,
    _input_ids,
    _unit_ids,
    bias_id,
    shared_id,
    weight_id,
)

_VALUE = re.compile(r"v\d+_\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Catalyst:
    """A species that a layer reads: its identifier, its part of a weight's identifier, and its
    column.
    """

    id: str
    label: str
    column: int
    coefficient: float


@dataclass(frozen=True)
class LayerChemistry:
    """One layer with its weights in terms of concentrations.

    Attributes
    ----------
    index : int
        The layer's number, from 1.
    layer : Layer
    catalysts : tuple of Catalyst
        The species that the layer reads.
    weights : (n_units, n_catalysts) ndarray or csr_array
        Signed coefficient of each catalyst in each unit's pre-activation, gain included.
    bias : (n_units,) ndarray
        The bias, gain and the constants of the read-outs included.
    constants : (n_in,) ndarray
        The constants of the read-outs of the values that the layer reads.
    """

    index: int
    layer: Layer
    catalysts: tuple[Catalyst, ...]
    weights: FloatArray | sparse.csr_array
    bias: FloatArray
    constants: FloatArray

    @property
    def activation(self) -> Activation:
        """The layer's activation."""
        return self.layer.activation

    @property
    def species(self) -> tuple[str, ...]:
        """Identifiers of the layer's species, by unit, then as the activation lists them."""
        units = (_unit_ids(self.index, unit) for unit in range(self.layer.n_out))
        return tuple(identify(local) for identify in units for local in self.activation.species)

    @property
    def followers(self) -> tuple[str, ...]:
        """Identifiers of those that are not rails."""
        units = (_unit_ids(self.index, unit) for unit in range(self.layer.n_out))
        return tuple(
            identify(follower.name) for identify in units for follower in self.activation.followers
        )

    @property
    def n_species(self) -> int:
        """Number of species of the layer."""
        return self.layer.n_out * len(self.activation.species)

    @cached_property
    def rail_bias(self) -> FloatArray:
        """Bias of each rail, sign and shift included, shape (n_units, n_rails)."""
        rails = self.activation.rails
        return np.outer(self.bias, [rail.sign for rail in rails]) + np.array(
            [rail.shift for rail in rails]
        )

    def row(self, unit: int, zeros: bool = False) -> Iterator[tuple[Catalyst, float]]:
        """The catalysts of one unit whose weight is not zero (or, with `zeros`, is stored), with
        it.
        """
        if is_sparse(self.weights):
            span = slice(self.weights.indptr[unit], self.weights.indptr[unit + 1])
            pairs = zip(
                self.weights.indices[span].tolist(), self.weights.data[span].tolist(), strict=True
            )
        else:
            pairs = enumerate(self.weights[unit].tolist())  # type: ignore[assignment]
        return ((self.catalysts[i], weight) for i, weight in pairs if zeros or weight != 0)


def weighted_sums(weights: FloatArray | sparse.csr_array, catalysts: FloatArray) -> FloatArray:
    """catalysts @ weights.T, each row summed by itself.

    A matrix product of BLAS differs in the last bits with the number of rows, and numpy's sums with
    the order of an array in memory; a sample's answer must not depend on the batch that it comes
    in.
    """
    catalysts = np.ascontiguousarray(catalysts)
    if is_sparse(weights):
        return np.ascontiguousarray((weights @ catalysts.T).T)
    return np.stack([np.add.reduce(catalysts * row, axis=1) for row in weights], axis=1)


def layer_chemistry(net: Network) -> tuple[LayerChemistry, ...]:
    """Every layer of a network in terms of concentrations."""
    coding = net.input_coding
    read_outs: dict[str, list[tuple[ReadOut, Callable[[str], str]]]] = {
        INPUT: [(coding.read_out(i), _input_ids(name)) for i, name in enumerate(net.input_names)]
    }
    result = []
    for index, layer in enumerate(net.layers, start=1):
        read = [entry for source in layer.inputs for entry in read_outs[source]]
        result.append(_layer_chemistry(index, layer, read))
        read_outs[layer.name] = [
            (layer.activation.read_out, _unit_ids(index, j)) for j in range(layer.n_out)
        ]
    return tuple(result)


def _layer_chemistry(
    index: int, layer: Layer, read: list[tuple[ReadOut, Callable[[str], str]]]
) -> LayerChemistry:
    catalysts = []
    for column, (read_out, identify) in enumerate(read):
        for name, coefficient in read_out.read:
            label = f"{column}" if len(read_out.read) == 1 else f"{column}_{name}"
            catalysts.append(Catalyst(identify(name), label, column, coefficient))
    gain = layer.activation.gain
    columns = np.array([catalyst.column for catalyst in catalysts], dtype=int)
    factors = gain * np.array([catalyst.coefficient for catalyst in catalysts])
    weights: Any = layer.weights[:, columns]
    weights = (
        sparse.csr_array(weights.multiply(factors)) if is_sparse(weights) else weights * factors
    )
    constants = np.array([read_out.constant for read_out, _ in read])
    bias = gain * (layer.bias + layer.weights @ constants)
    return LayerChemistry(index, layer, tuple(catalysts), weights, bias, constants)


def read_places(net: Network, source: str) -> list[int]:
    """Which species of a unit of a source are read by the layers after it."""
    if source == INPUT:
        return list(range(len(net.input_coding.rails)))
    activation = next(layer for layer in net.layers if layer.name == source).activation
    return [activation.species.index(name) for name, _ in activation.read_out.read]


def catalyst_concentrations(
    net: Network, layer: Layer, concentrations: Mapping[str, FloatArray]
) -> FloatArray:
    """What one layer reads, in the order of `LayerChemistry.catalysts`.

    Parameters
    ----------
    net : Network
    layer : Layer
    concentrations : mapping of str to (n, n_units, n_species, ...) ndarray
        By layer name; those of the inputs under ``"input"``. Further dimensions (of derivatives,
        say) are kept.

    Returns
    -------
    (n, n_catalysts, ...) ndarray
    """
    parts = []
    for source in layer.inputs:
        y = concentrations[source]
        read = y if source == INPUT else y[:, :, read_places(net, source)]
        parts.append(read.reshape(len(y), read.shape[1] * read.shape[2], *y.shape[3:]))
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def add_to_sources(
    net: Network, layer: Layer, by_catalyst: FloatArray, totals: Mapping[str, FloatArray]
) -> None:
    """Add values (n, n_catalysts) to the places where `catalyst_concentrations` reads; its
    transpose.

    Sources that are not among the totals are left out.
    """
    first = 0
    for source in layer.inputs:
        read = read_places(net, source)
        units = (
            net.n_in if source == INPUT else next(o.n_out for o in net.layers if o.name == source)
        )
        part = by_catalyst[:, first : first + units * len(read)]
        first += part.shape[1]
        if source in totals:
            totals[source][:, :, read] += part.reshape(len(part), units, len(read))


# One unit -------------------------------------------------------------------------------------


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

    @property
    def identify(self) -> Callable[[str], str]:
        """Local name -> identifier."""
        return _unit_ids(self.index, self.unit)

    def constant(self, name: str) -> str:
        """Identifier of a rate constant that the layer's units share."""
        return shared_id(self.index, name)

    def weight(self, catalyst: Catalyst) -> str:
        """Identifier of a weight's rate constant."""
        return weight_id(self.index, self.unit, catalyst.label)

    def bias(self, rail: int) -> str:
        """Identifier of a bias's rate constant; rails without a shift share one, unless they are to
        have their own.
        """
        own = f"_{self.activation.rails[rail].name}" if self.owns_bias(rail) else ""
        return bias_id(self.index, self.unit) + own

    def owns_bias(self, rail: int) -> bool:
        """Whether a rail's bias has a rate constant of its own."""
        return self.own_biases or self.activation.rails[rail].shift != 0

    def pooled(self, local: str) -> Iterable[str]:
        """Identifiers that a starred local name stands for."""
        if self.pool_id is not None:
            return (self.pool_id(local, k) for k in range(self.pool))
        return (_unit_ids(self.index, k)(local) for k in range(self.pool))


def unit_species(unit: Unit, label: str) -> Iterator[Species]:
    """The species of one unit, each at an upper bound of its fixed point.

    Readable names, ``{label}_{local}_{unit}``, have no spaces: COPASI writes reactions with them.
    """
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
        yield Species(
            unit.identify(rail.name),
            Expression((*terms, root)),
            name=f"{label}_{rail.name}_{unit.unit}",
        )
    for follower in unit.activation.followers:
        yield Species(
            unit.identify(follower.name),
            follower.upper_bound,
            name=f"{label}_{follower.name}_{unit.unit}",
        )


def unit_reactions(unit: Unit) -> Iterator[Reaction]:
    """The reactions of one unit: its rails' first, then its local ones."""
    activation, j = unit.activation, unit.unit
    for position, rail in enumerate(activation.rails):
        y = unit.identify(rail.name)
        tail = f"{unit.index}_{j}_{rail.name}"
        yield Reaction(f"Jh{tail}", (), (y,), unit.constant("h"), activation.h, f"{y} arises")
        for catalyst, weight in unit.inputs:
            k, sign = unit.weight(catalyst), 1 if weight >= 0 else -1
            up = rail.sign * sign > 0
            yield Reaction(
                f"J{k}_{rail.name}",
                ((catalyst.id, 1), (y, 1)),
                ((catalyst.id, 1), (y, 2)) if up else ((catalyst.id, 1),),
                k,
                abs(weight),
                f"{catalyst.id} {'promotes' if up else 'inhibits'} {y}",
                sign,
            )
        bias = unit.rail_bias[position]
        if bias != 0 or unit.zeros:
            up = (bias or rail.sign) > 0
            # of a bias that rails share, the sign is that of the shared number
            effect = 1 if up else -1
            yield Reaction(
                f"Jb{tail}",
                (y,),
                {y: 2} if up else (),
                unit.bias(position),
                abs(bias),
                f"bias of {y}",
                effect if unit.owns_bias(position) else effect * rail.sign,
            )
        yield Reaction(f"Jq{tail}", ((y, 2),), (y,), unit.constant("q"), 1.0, f"two {y} become one")
    for number, local in enumerate(activation.local_reactions):
        starred = sorted({name[1:] for name in local.reads if name.startswith("*")})
        k = unit.constant(local.rate_constant)
        pools = [list(unit.pooled(name)) for name in starred]
        for member in range(unit.pool if starred else 1):
            where = {f"*{name}": ids[member] for name, ids in zip(starred, pools, strict=True)}
            substrates, products = (
                tuple(where.get(name) or unit.identify(name) for name in side)
                for side in (local.substrates, local.products)
            )
            reaction_id = f"J{k}_{j}_{number}" + (f"_{member}" if starred else "")
            text = (
                f"{' and '.join(substrates) or 'nothing'} to {' and '.join(products) or 'nothing'}"
            )
            yield Reaction(reaction_id, substrates, products, k, local.value, text)


def local_reactions(chemistry: LayerChemistry) -> ReactionNetwork:
    """What the units of a layer do apart from their weights and biases, as the network of one unit.

    Floating species are the unit's own, in the activation's order. A starred name stands for a
    boundary species, that of one unit of the layer: its reactions happen with each of them.
    """
    activation = chemistry.activation
    rail_bias = (0.0,) * len(activation.rails)
    unit = Unit(chemistry.index, 0, activation, (), rail_bias, pool_id=lambda name, _: f"_{name}")
    species = [Species(unit.identify(name)) for name in activation.species]
    species += [Species(s, boundary=True) for name in activation.pooled for s in unit.pooled(name)]
    return ReactionNetwork(tuple(species), tuple(unit_reactions(unit)), name="local")


# Whole networks -------------------------------------------------------------------------------


def to_reactions(
    net: Network, x: npt.ArrayLike | None = None, *, zero_weights: bool = False
) -> ReactionNetwork:
    """The flat reaction network, in which all layers run together.

    Parameters
    ----------
    net : Network
    x : (n_in,) array_like, optional
        Input values that the boundary species are set to; by default concentrations of 0.
    zero_weights : bool
        Whether weights and biases of zero make reactions too, with a rate constant of zero, as
        sensitivities with respect to them need.

    Returns
    -------
    ReactionNetwork
        Inputs are boundary species, outputs are observables. Its steady state is the network's
        output at any inputs.

    Raises
    ------
    InputError
        If the inputs have the wrong shape or cannot be coded.
    IdentifierError
        If a name given by the user is also an identifier that is made here.

    Examples
    --------
    >>> from crn_nn_tellurium import Network
    >>> to_reactions(Network.random([2, 2, 1], seed=0, name="tiny"))
    ReactionNetwork('tiny': 3 floating and 2 boundary species, 15 reactions, 13 rate constants)
    """
    species = list(_input_species(net, x))
    reactions: list[Reaction] = []
    for chemistry in layer_chemistry(net):
        more_species, more_reactions = _layer_parts(chemistry, zero_weights)
        species += more_species
        reactions += more_reactions
    observables = [*_input_observables(net), *_output_observables(net)]
    return _network(net, species, reactions, observables, net.name)


def layer_reactions(net: Network) -> tuple[ReactionNetwork, ...]:
    """One reaction network per layer, in order; what a layer reads are boundary species.

    Examples
    --------
    >>> from crn_nn_tellurium import Network
    >>> layer_reactions(Network.random([2, 2, 1], seed=0))[1]
    ReactionNetwork('network_layer2': 1 floating and 2 boundary species, 5 reactions, 5 rate constants)
    """
    result = []
    for chemistry in layer_chemistry(net):
        read = dict.fromkeys(catalyst.id for catalyst in chemistry.catalysts)
        boundary = [
            Species(identifier, 0.0, boundary=True, name=f"read_{identifier}")
            for identifier in read
        ]
        species, reactions = _layer_parts(chemistry)
        last = chemistry.index == len(net.layers)
        observables = _output_observables(net) if last else _value_observables(chemistry)
        name = f"{net.name}_{chemistry.layer.name}"
        result.append(_network(net, [*boundary, *species], reactions, list(observables), name))
    return tuple(result)


def _network(
    net: Network,
    species: list[Species],
    reactions: list[Reaction],
    observables: list[Observable],
    name: str,
) -> ReactionNetwork:
    made = (
        {s.id for s in species if not s.boundary}
        | {r.id for r in reactions}
        | {r.rate_constant for r in reactions}
    )
    rails = {s.id for s in species if s.boundary} - set(
        net.input_names if net.inputs == "nonnegative" else ()
    )
    for kind, names in (
        ("input", net.input_names),
        ("output", net.output_names),
        ("network", (name,)),
    ):
        for taken in names:
            if taken in made or taken in rails or _VALUE.fullmatch(taken):
                raise IdentifierError(
                    f"{kind} name {taken!r}: also the identifier of a species, reaction, rate"
                    f" constant or value of the network; {taken + '_value'!r} would do"
                )
    return ReactionNetwork(tuple(species), tuple(reactions), tuple(observables), name)


def _layer_parts(
    chemistry: LayerChemistry, zeros: bool = False
) -> tuple[list[Species], list[Reaction]]:
    species: list[Species] = []
    reactions: list[Reaction] = []
    for j in range(chemistry.layer.n_out):
        unit = Unit(
            chemistry.index,
            j,
            chemistry.activation,
            tuple(chemistry.row(j, zeros)),
            tuple(chemistry.rail_bias[j].tolist()),
            chemistry.layer.n_out,
            zeros=zeros,
        )
        species += unit_species(unit, chemistry.layer.name)
        reactions += unit_reactions(unit)
    return species, reactions


def _input_species(net: Network, x: npt.ArrayLike | None) -> Iterator[Species]:
    coding = net.input_coding
    values = np.zeros((net.n_in, len(coding.rails))) if x is None else coding.concentrations(x)
    if values.ndim != 2:
        raise InputError(f"x has shape {values.shape[:-1]}; expected ({net.n_in},), one sample")
    for name, row in zip(net.input_names, values.tolist(), strict=True):
        for rail, value in zip(coding.rails, row, strict=True):
            yield Species(
                _input_ids(name)(rail), value, boundary=True, name=_input_ids(f"input_{name}")(rail)
            )


def _read_expression(read_out: ReadOut, identify: Callable[[str], str]) -> Expression:
    terms = [Monomial(coefficient, ((identify(name), 1.0),)) for name, coefficient in read_out.read]
    return Expression((*terms, Monomial(read_out.constant)) if read_out.constant else tuple(terms))


def _input_observables(net: Network) -> Iterator[Observable]:
    if net.inputs == "nonnegative":
        return
    for i, name in enumerate(net.input_names):
        yield Observable(
            name,
            _read_expression(net.input_coding.read_out(i), _input_ids(name)),
            f"value of input {name}",
        )


def _value_observables(chemistry: LayerChemistry) -> Iterator[Observable]:
    for j in range(chemistry.layer.n_out):
        expression = _read_expression(chemistry.activation.read_out, _unit_ids(chemistry.index, j))
        yield Observable(
            f"v{chemistry.index}_{j}", expression, f"value of {chemistry.layer.name} unit {j}"
        )


def _output_observables(net: Network) -> Iterator[Observable]:
    index, layer = len(net.layers), net.layers[-1]
    labels = net.class_names if net.class_names is not None and net.n_out > 1 else net.output_names
    for j, (name, label) in enumerate(zip(net.output_names, labels, strict=True)):
        expression = _read_expression(layer.activation.read_out, _unit_ids(index, j))
        yield Observable(name, expression, f"output {label}")
