"""ReactionNetwork -> Antimony text: pure, deterministic, linear in the number of reactions.

Forms:

``"reactions"``
    Faithful: one ``=>`` reaction each, laws ``comp * k * A * B``, units and SBO terms on every
    element. Reactions have readable names; what else there is to say is a comment, since tools
    call an element by its name, where it has one. What modellers and exporters take.
``"compact"``
    The same differential equation with one reaction per floating species. Rate constants stay
    parameters; those of weights and biases carry a sign, so they may change it without a new model.
``"numbers"``
    Compact, with weights and biases as numbers in the laws: fastest to load, fixed.
Every number has a unit: dimensionless, as the model is, or nM, litre and second where it is written
in `PhysicalUnits`. Antimony's ``=>`` is irreversible (``->`` is not). Source: Smith et al. 2009,
Bioinformatics 25:2452, and the Antimony manual.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import RESERVED, FloatArray, free_id
from crn_nn_tellurium.chemistry import (
    CONCENTRATION,
    SBO_COMPARTMENT,
    SBO_CONSTANT,
    SBO_OBSERVABLE,
    SBO_REACTION,
    SBO_SPECIES,
    SBO_SUM,
    BaseUnit,
    Dimension,
    Expression,
    Monomial,
    Notation,
    ReactionNetwork,
    Species,
    Terms,
    Units,
    check_orders,
    formula,
    printable,
    signed_sum,
    unit_definitions,
)
from crn_nn_tellurium.encoding.whole import Starts, layer_reactions, written
from crn_nn_tellurium.errors import ReactionError
from crn_nn_tellurium.networks import Network, signed_constant

Form = Literal["reactions", "compact", "numbers"]
VOLUME = "_V"
"""Identifier of the volume in a stochastic model."""


def to_antimony(
    model: Network | ReactionNetwork,
    x: npt.ArrayLike | None = None,
    form: Form = "reactions",
    *,
    units: Units | None = None,
    starts: Starts = "numbers",
) -> str:
    """The Antimony text of a network or of any mass-action reaction network.

    Parameters
    ----------
    model : Network or ReactionNetwork
    x : (n_in,) array_like, optional
        For a Network, its input values; by default the inputs' species start at 0.
    form : {"reactions", "compact", "numbers"}
        See the module's docstring; all have the same right-hand side.
    units : Units, optional
        Write all numbers in these, `PhysicalUnits` say; by default as they are: of a Network
        dimensionless, of reactions in their own.
    starts : {"numbers", "formulas"}
        How start values are written that bound the steady state from above. A number is good for
        inputs all over their range, or of size up to 1 or as given. With formulas (initial
        assignments), tools follow inputs and rate constants that are changed, but Tellurium's
        control analysis (getFullJacobian, elasticities) fails.

    Returns
    -------
    str
        One model; equal networks give identical text.

    Raises
    ------
    ReactionError
        If a reaction is above third order, or an identifier is reserved.
    InputError
        If the inputs have the wrong shape or cannot be coded, or units are none.

    Examples
    --------
    >>> from crn_nn_tellurium import Layer
    >>> text = to_antimony(Network([Layer([[2.0]])]), form="compact")
    >>> print(text[text.index("  JY1_0") : text.index("; JY1_0.sbo")])
      JY1_0: => Y1_0; comp*(h1 + u1_0_0*x0*Y1_0 - q1*Y1_0*Y1_0)
    """
    if not isinstance(model, Network | ReactionNetwork):
        raise ReactionError(
            f"to_antimony takes a Network or a ReactionNetwork; got {type(model).__name__}"
        )
    crn = written(model, x, units, starts)
    if form not in get_args(Form):
        raise ReactionError(
            f"form is {form!r}; expected one of {', '.join(map(repr, get_args(Form)))}"
        )
    for name in (
        crn.name,
        *(s.id for s in crn.species),
        *crn.rate_constants,
        *(r.id for r in crn.reactions),
    ):
        if name.lower() in RESERVED:
            raise ReactionError(
                f"{name!r} in {crn!r}: a reserved word of Antimony or SBML; rename it"
            )
    check_orders(crn)
    lines = _faithful(crn) if form == "reactions" else _compact(crn, numbers=form == "numbers")
    return f"model *{crn.name}()\n" + "\n".join(lines) + "\nend\n"


def layer_models(
    net: Network, form: Form = "reactions", *, units: Units | None = None
) -> tuple[str, ...]:
    """One Antimony text per layer, in order; what a layer reads are boundary species.

    Start values bound the steady states of the whole network, all over the range of its inputs.

    Examples
    --------
    >>> [text.split()[1] for text in layer_models(Network.random([2, 3, 1], seed=0))]
    ['*network_layer1()', '*network_layer2()']
    """
    flat = written(net)
    # inputs over their range are concentrations up to 1, see `written`
    bound = flat.start_values | dict.fromkeys(flat.boundary, 1.0)
    started = (crn.with_starts([bound[s] for s in crn.boundary]) for crn in layer_reactions(net))
    return tuple(to_antimony(crn, form=form, units=units) for crn in started)


def structure_text(crn: ReactionNetwork) -> str:
    """A compact model without annotation whose values are all 1: equal for networks of equal
    structure.

    The sign of a weight is not structure, so networks that differ in it share a compiled model.
    Values are set from outside, see `compact_constants`.
    """
    lines = _bare_lines(crn)
    for law in _laws(crn, _with_signs(crn), crn.rate_constants):
        rule = f"  {law.sum} := {law.sum_text}\n" if law.sum_text else ""
        lines.append(f"{rule}  {law.reaction}: => {law.species}; {law.law}")
    return "model *structure()\n" + "\n".join(lines) + "\nend\n"


def _bare_lines(crn: ReactionNetwork) -> list[str]:
    """A compartment, rate constants and species, their values all 1."""
    lines = ["  compartment comp = 1", *(f"  {name} = 1" for name in crn.rate_constants)]
    return lines + [
        f"  species {'$' if s.boundary else ''}{s.id} in comp; {s.id} = 1" for s in crn.species
    ]


def variational_text(
    crn: ReactionNetwork, directions: Mapping[str, Mapping[str, frozenset[str]]]
) -> str:
    """The species x and their derivatives s = dx/dp over time: dx/dt = f, ds/dt = (df/dx) s +
    df/dp.

    Values are all 1 and set from outside, as in `structure_text`.

    Parameters
    ----------
    crn : ReactionNetwork
    directions : mapping
        By the identifier that starts those of its derivatives (``_s0`` gives ``_s0_Y``): the rate
        constant or boundary species p, and the species whose derivatives are not zero throughout.
    """
    symbols = crn.floating + crn.boundary
    lines = _bare_lines(crn)
    for number, species in enumerate(crn.floating):
        law = _sum_text(crn, crn.terms, crn.terms.span(number))
        lines.append(f"  _J{species}: => {species}; comp*({law})")
    jacobian = crn.jacobian_terms
    assert jacobian.column is not None
    places: dict[tuple[str, str], list[int]] = {}
    for t, (i, j) in enumerate(zip(jacobian.row, jacobian.column, strict=True)):
        places.setdefault((crn.floating[i], symbols[j]), []).append(t)
    moving = {s for direction in directions.values() for some in direction.values() for s in some}
    entries = {
        (row, column): f"_d{row}_{column}" for row, column in places if {row, column} <= moving
    }
    for place, name in entries.items():
        lines.append(f"  {name} := {_sum_text(crn, jacobian, places[place])}")
    for start, direction in directions.items():
        ((parameter, reached),) = direction.items()
        own = [s for s in crn.floating if s in reached]
        lines += [f"  species {start}_{s} in comp; {start}_{s} = 0" for s in own]
        for row in own:
            parts = [
                f"{name}*{start}_{column}"
                for (r, column), name in entries.items()
                if r == row and column in reached
            ]
            if (row, parameter) in places:
                direct = _sum_text(crn, jacobian, places[row, parameter])
            else:
                direct = _by_constant_text(crn, row, parameter)
            parts += [f"({direct})"] if direct else []
            lines.append(f"  _J{start}_{row}: => {start}_{row}; comp*({signed_sum(parts)})")
    return "model *variational()\n" + "\n".join(lines) + "\nend\n"


def _by_constant_text(crn: ReactionNetwork, species: str, constant: str) -> str:
    """df/dk of one species; empty where the rate constant does not act on it."""
    terms, span = crn.terms, crn.terms.span(crn.floating.index(species))
    ones, symbols = ["1"] * len(crn.rate_constants), crn.floating + crn.boundary
    return signed_sum(
        [
            _term_text(_part(terms, t), ones, symbols)
            for t in span
            if crn.rate_constants[terms.constant[t]] == constant
        ],
        empty="",
    )


def _sum_text(crn: ReactionNetwork, terms: Terms, chosen: Iterable[int]) -> str:
    symbols = crn.floating + crn.boundary
    return signed_sum([_term_text(_part(terms, t), crn.rate_constants, symbols) for t in chosen])


def compact_names(crn: ReactionNetwork) -> dict[str, str]:
    """What a compact model calls each rate constant: those that carry a sign have another name."""
    taken = {*crn.identifiers, crn.name}
    return {
        k: free_id(signed_constant(k), taken) if sign else k
        for k, sign in crn.constant_signs.items()
    }


def stochastic_text(crn: ReactionNetwork) -> str:
    """Species counted in molecules in a volume, for Gillespie's method; start values are set from
    outside.

    Laws are propensities: ``q*Y*(Y - 1)/V`` for 2 Y => Y, where the differential equation has q
    Y^2.
    """
    lines = [f"  compartment comp = 1; {VOLUME} = 1"]
    lines += [
        f"  species {'$' if s.boundary else ''}{s.id} in comp; {s.id} = 0" for s in crn.species
    ]
    lines += [f"  {name} = {value!r}" for name, value in crn.constant_values.items()]
    for reaction in crn.reactions:
        factors = [reaction.rate_constant]
        for name, count in reaction.substrates:
            factors += [name, *(f"({name} - {i})" for i in range(1, count))]
        volume = {0: f"*{VOLUME}", 1: ""}.get(reaction.order, f"/{VOLUME}^{reaction.order - 1}")
        lines.append(f"  {reaction.id}: {reaction.equation}; {'*'.join(factors)}{volume}")
    return "model *stochastic()\n" + "\n".join(lines) + "\nend\n"


def compact_constants(crn: ReactionNetwork) -> FloatArray:
    """Values of the rate constants as a compact model has them, (n_constants,) in the order of
    `rate_constants`: with the signs of the numbers that they are the sizes of.
    """
    return _signs(crn) * crn.constants


# Pieces that the forms share --------------------------------------------------------------------


def _header(crn: ReactionNetwork) -> str:
    definitions = unit_definitions(crn)
    definitions["extent"] = definitions["substance"]
    units = "; ".join(f"unit {name} = {_unit(parts)}" for name, parts in definitions.items())
    return f"""\
  // {crn.units.in_words}
  {units}
  compartment comp = 1; comp has volume; comp.sboTerm = {SBO_COMPARTMENT}"""


def _unit(parts: tuple[BaseUnit, ...]) -> str:
    """A product of base units, over another: ``litre / (1e-9 mole * second)``."""
    sides: tuple[list[str], list[str]] = ([], [])
    for kind, power, scale in parts:
        size, raised = f"1e{scale} " * bool(scale), f"^{abs(power):g}" * (abs(power) != 1)
        sides[power < 0].append(f"{size}{kind}{raised}")
    above, below = (" * ".join(side) for side in sides)
    if not below:
        return above
    return f"{above or 1} / {f'({below})' if len(sides[1]) > 1 else below}"


def _notation(crn: ReactionNetwork) -> Notation:
    """Numbers have units; a lone one is a concentration, as start values and read-outs are."""
    unit = crn.units.identifier(CONCENTRATION)
    return Notation(factor="{} dimensionless", lone=f"{{}} {unit}")


def _constant_unit(crn: ReactionNetwork, order: int) -> str:
    return crn.units.identifier(Dimension.rate_constant(order))


def _species(crn: ReactionNetwork, species: Species, literal: dict[str, str]) -> str:
    start: Any = species.initial
    text = formula(start, _notation(crn), literal) if isinstance(start, Expression) else repr(start)
    name = f"  // {printable(species.name)}" if species.name else ""
    mark = "$" if species.boundary else ""
    return (
        f"  species {mark}{species.id} in comp; {species.id} = {text}; {species.id}.sboTerm ="
        f" {SBO_SPECIES}{name}"
    )


def _constants(crn: ReactionNetwork, names: Mapping[str, str], values: FloatArray) -> Iterator[str]:
    """The rate constants that have a name in the text."""
    for (k, order), value in zip(crn.constant_orders.items(), values.tolist(), strict=True):
        if k in names:
            name = names[k]
            yield (
                f"  {name} = {value!r}; {name} has {_constant_unit(crn, order)}; {name}.sboTerm ="
                f" {SBO_CONSTANT[order]}"
            )


def _observables(crn: ReactionNetwork, literal: dict[str, str]) -> Iterator[str]:
    unit = crn.units.identifier(CONCENTRATION)
    for observable in crn.observables:
        name = f"  // {printable(observable.name)}" if observable.name else ""
        text = formula(observable.expression, _notation(crn), literal)
        yield (
            f"  {observable.id} := {text}; {observable.id} has {unit}; {observable.id}.sboTerm ="
            f" {SBO_OBSERVABLE}{name}"
        )


# The forms ----------------------------------------------------------------------------------------


def _faithful(crn: ReactionNetwork) -> Iterator[str]:
    yield _header(crn)
    yield from _constants(crn, {k: k for k in crn.rate_constants}, crn.constants)
    for species in crn.species:
        yield _species(crn, species, {})
    for reaction in crn.reactions:
        law = "*".join(
            [
                "comp",
                reaction.rate_constant,
                *(s if n == 1 else f"{s}^{n}" for s, n in reaction.substrates),
            ]
        )
        name = f'; {reaction.id} is "{printable(reaction.name)}"' if reaction.name else ""
        yield (
            f"  {reaction.id}: {reaction.equation}; {law}; {reaction.id}.sboTerm ="
            f" {SBO_REACTION}{name}"
        )
    yield from _observables(crn, {})


def _compact(crn: ReactionNetwork, numbers: bool) -> Iterator[str]:
    orders = crn.constant_orders
    signed = [k for k, sign in crn.constant_signs.items() if sign]
    if numbers:
        # a number in a law has its own sign, so no constant carries one
        terms, values = crn.terms, crn.constants
        inlined = set(signed or crn.rate_constants)
        names = {k: k for k in crn.rate_constants if k not in inlined}
        literal = {
            k: f"{v!r} {_constant_unit(crn, orders[k])}"
            for k, v in crn.constant_values.items()
            if k in inlined
        }
    else:
        terms, values = _with_signs(crn), compact_constants(crn)
        names, literal = compact_names(crn), {}
    words, per_time = {**names, **literal}, _constant_unit(crn, 1)
    yield _header(crn)
    yield from _constants(crn, names, values)
    for species in crn.species:
        yield _species(crn, species if numbers else _signed_start(crn, species), words)
    for law in _laws(crn, terms, [words[k] for k in crn.rate_constants]):
        if law.sum_text:
            yield (
                f"  {law.sum} := {law.sum_text}; {law.sum} has {per_time}; {law.sum}.sboTerm ="
                f" {SBO_SUM}  // drive of {law.species}"
            )
        yield (
            f"  {law.reaction}: => {law.species}; {law.law}; {law.reaction}.sboTerm ="
            f' {SBO_REACTION}; {law.reaction} is "net production of {law.species}"'
        )
    yield from _observables(crn, words)


def _signs(crn: ReactionNetwork) -> FloatArray:
    """By what a compact model multiplies each rate constant, 1 or -1, (n_constants,)."""
    return np.array([sign or 1 for sign in crn.constant_signs.values()], dtype=float)


def _with_signs(crn: ReactionNetwork) -> Terms:
    """The terms of a network whose rate constants carry the signs of the numbers they stand for."""
    return replace(crn.terms, number=crn.terms.number * _signs(crn)[crn.terms.constant])


def _signed_start(crn: ReactionNetwork, species: Species) -> Species:
    """The species with its start value in terms of constants that carry a sign."""
    if not isinstance(species.initial, Expression):
        return species
    signs = crn.constant_signs
    terms = tuple(
        Monomial(
            term.coefficient * math.prod(signs.get(symbol) or 1 for symbol, _ in term.powers),
            term.powers,
        )
        for term in species.initial.terms
    )
    return replace(species, initial=Expression(terms))


@dataclass(frozen=True, slots=True)
class _Law:
    """One species' reaction in a compact model, with the catalysed sum that it uses first."""

    species: str
    reaction: str
    law: str
    sum: str = ""
    sum_text: str = ""


_Part = tuple[int, int, tuple[int, ...]]
"""Number, rate constant and factors of a term: equal for terms that are written alike."""


def _part(terms: Terms, term: int, own: bool = True) -> _Part:
    """A term, with its row's own species among the factors or without."""
    factors = (terms.factors if own else terms.others)[term].tolist()
    number, constant = int(terms.number[term]), int(terms.constant[term])
    return number, constant, tuple(f for f in factors if f < terms.one)


def _laws(crn: ReactionNetwork, terms: Terms, constants: Sequence[str]) -> Iterator[_Law]:
    """One law per species; a sum of catalysed terms that occurs again is written once."""
    taken = {*(s.id for s in crn.species), *crn.rate_constants, *(o.id for o in crn.observables)}
    symbols = crn.floating + crn.boundary
    sums: dict[tuple[_Part, ...], str] = {}
    for row, species in enumerate(crn.floating):
        powers: dict[int, list[_Part]] = {}
        for t in terms.span(row):
            powers.setdefault(int(terms.power[t]), []).append(_part(terms, t, own=False))
        if not powers:
            continue  # nothing changes it
        parts: list[str] = []
        name = text = ""
        key = tuple(part for part in powers.get(1, []) if part[2])
        flip = bool(key) and key[0][0] < 0
        if flip:
            key = tuple((-number, constant, factors) for number, constant, factors in key)
        if len(key) > 1 and key not in sums:
            sums[key] = name = free_id(f"z_{species}", taken)
            text = signed_sum([_term_text(part, constants, symbols) for part in key])
        for power, own in sorted(powers.items()):
            tail = f"*{species}" * power
            rest = own
            if power == 1 and key in sums:
                parts.append(f"{'-' if flip else ''}{sums[key]}{tail}")
                rest = [part for part in own if not part[2]]
            elif power == 0 and (shared := _common_factor(own)) and shared[1] in sums:
                parts.append(f"{sums[shared[1]]}*{symbols[shared[0]]}")
                rest = [part for part in own if not part[2]]
            parts += [_term_text(part, constants, symbols) + tail for part in rest]
        law = f"comp*({signed_sum(parts)})"
        yield _Law(species, free_id(f"J{species}", taken), law, name, text)


def _common_factor(parts: list[_Part]) -> tuple[int, tuple[_Part, ...]] | None:
    """A species that is a factor of all catalysed terms, and the terms without it."""
    catalysed = [part for part in parts if part[2]]
    for factor in catalysed[0][2] if catalysed else ():
        if all(factor in factors for _, _, factors in catalysed):
            without = []
            for number, constant, factors in catalysed:
                first = factors.index(factor)
                without.append((number, constant, factors[:first] + factors[first + 1 :]))
            return factor, tuple(without)
    return None


def _term_text(part: _Part, constants: Sequence[str], symbols: Sequence[str]) -> str:
    number, constant, factors = part
    size = [] if abs(number) == 1 else [str(abs(number))]
    body = "*".join([*size, constants[constant], *(symbols[f] for f in factors)])
    return f"-{body}" if number < 0 else body
