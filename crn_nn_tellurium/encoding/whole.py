"""Network -> ReactionNetwork: all layers together, or one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import check_choice, truth
from crn_nn_tellurium.chemistry import (
    Expression,
    Monomial,
    Observable,
    Reaction,
    ReactionNetwork,
    Species,
    Units,
    check_units,
)
from crn_nn_tellurium.encoding.layer_encoding import LayerEncoding, layer_encodings
from crn_nn_tellurium.encoding.unit import Unit, unit_reactions, unit_species
from crn_nn_tellurium.errors import IdentifierError, InputError
from crn_nn_tellurium.importers import AnyModel, as_model, as_network
from crn_nn_tellurium.networks import Network, ReadOut, input_ids, is_ours, unit_ids, value_id

Starts = Literal["numbers", "formulas"]


def written(
    model: Network | ReactionNetwork,
    x: npt.ArrayLike | None = None,
    units: Units | None = None,
    starts: Starts = "numbers",
) -> ReactionNetwork:
    """The reactions of a model as a file has them: in these units, start values as asked for."""
    check_choice("starts", starts, get_args(Starts))
    if isinstance(x, str):
        raise InputError(f"x is {x!r}; expected input values; the form comes third: form={x!r}")
    crn = reactions_at(model, x)
    largest = crn.boundary_concentrations
    if isinstance(model, Network):
        # the range of scaled inputs, and others of size up to 1, are concentrations up to 1; the
        # formulas grow with each of these, so at the largest they bound all steady states
        largest = np.maximum(largest, 1.0)
    if starts == "numbers":
        crn = crn.with_starts(largest)
    if units is None:
        return crn
    check_units(units)
    return units.of(crn)


def reactions_of(model: AnyModel, taker: str) -> ReactionNetwork:
    """The reactions of whatever a user gives for a model."""
    return reactions_at(as_model(model, taker))


def reactions_at(
    model: Network | ReactionNetwork, x: npt.ArrayLike | None = None
) -> ReactionNetwork:
    """The reactions of a model, of a Network at input values, which it alone has."""
    if isinstance(model, Network):
        return to_reactions(model, x)
    if x is not None:
        raise InputError(
            "x goes with a Network; a ReactionNetwork has its boundary concentrations already"
        )
    return model


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
    net = as_network(net, "to_reactions")
    species = list(_input_species(net, x))
    reactions: list[Reaction] = []
    for encoding in layer_encodings(net):
        more_species, more_reactions = _layer_parts(encoding, truth("zero_weights", zero_weights))
        species += more_species
        reactions += more_reactions
    observables = [*_input_observables(net), *_layer_observables(net, len(net.layers))]
    return _network(net, species, reactions, observables, net.name)


def layer_reactions(net: Network) -> tuple[ReactionNetwork, ...]:
    """One reaction network per layer, in order; what a layer reads are boundary species.

    Examples
    --------
    >>> from crn_nn_tellurium import Network
    >>> [len(crn.reactions) for crn in layer_reactions(Network.random([2, 2, 1], seed=0))]
    [10, 5]
    """
    net = as_network(net, "layer_reactions")
    result = []
    for encoding in layer_encodings(net):
        read = dict.fromkeys(catalyst.id for catalyst in encoding.catalysts)
        boundary = [Species(own, boundary=True, name=f"read_{own}") for own in read]
        species, reactions = _layer_parts(encoding)
        observables = list(_layer_observables(net, encoding.index))
        name = f"{net.name}_{encoding.layer.name}"
        result.append(_network(net, [*boundary, *species], reactions, observables, name))
    return tuple(result)


def _network(
    net: Network,
    species: list[Species],
    reactions: list[Reaction],
    observables: list[Observable],
    name: str,
) -> ReactionNetwork:
    """The reactions together, unless a name that the user gave is one that is made here."""
    # an input that is one species, as it is, gives that species its name
    own = set(net.input_names if net.inputs == "nonnegative" else ())
    made = {s.id for s in species if not (s.boundary and s.id in own)}
    made |= {identifier for r in reactions for identifier in (r.id, r.rate_constant)}
    given = {"input": net.input_names, "output": net.output_names, "network": (name,)}
    for kind, names in given.items():
        for taken in names:
            if taken in made or is_ours(taken):
                raise IdentifierError(
                    f"{kind} name {taken!r}: also the identifier of a species, reaction, rate"
                    f" constant or value of the network; {taken + '_value'!r} would do"
                )
    return ReactionNetwork(tuple(species), tuple(reactions), tuple(observables), name)


def _layer_parts(
    encoding: LayerEncoding, zeros: bool = False
) -> tuple[list[Species], list[Reaction]]:
    species: list[Species] = []
    reactions: list[Reaction] = []
    index, activation, n_out = encoding.index, encoding.activation, encoding.layer.n_out
    for j in range(n_out):
        inputs, bias = tuple(encoding.row(j, zeros)), tuple(encoding.rail_bias[j].tolist())
        unit = Unit(index, j, activation, inputs, bias, n_out, zeros=zeros)
        species += unit_species(unit, encoding.layer.name)
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
                input_ids(name)(rail), value, boundary=True, name=input_ids(f"input_{name}")(rail)
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
            _read_expression(net.input_coding.read_out(i), input_ids(name)),
            f"value of input {name}",
        )


def _layer_observables(net: Network, index: int) -> Iterator[Observable]:
    """The values of a layer's units; of the last, the outputs by their own names."""
    layer, last = net.layers[index - 1], index == len(net.layers)
    for j in range(layer.n_out):
        name = net.output_names[j] if last else value_id(index, j)
        text = f"output {net.output_labels[j]}" if last else f"value of {layer.name} unit {j}"
        expression = _read_expression(layer.activation.read_out, unit_ids(index, j))
        yield Observable(name, expression, text)
