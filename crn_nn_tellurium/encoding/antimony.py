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
Units are nM, litre and second: the equations are dimensionless, and the numbers are the same for
a concentration unit of 1 nM and a time unit of 1 s. Antimony's ``=>`` is irreversible (``->`` is
not). Source: Smith et al. 2009, Bioinformatics 25:2452, and the Antimony manual.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import RESERVED, FloatArray, free_id
from crn_nn_tellurium.chemistry import (
    ANTIMONY,
    SBO_COMPARTMENT,
    SBO_CONSTANT,
    SBO_OBSERVABLE,
    SBO_REACTION,
    SBO_SPECIES,
    SBO_SUM,
    UNITS,
    Expression,
    Monomial,
    ReactionNetwork,
    Species,
    Term,
    check_orders,
    formula,
    printable,
    signed_sum,
)
from crn_nn_tellurium.encoding.whole import layer_reactions, signed_constants, to_reactions
from crn_nn_tellurium.errors import ReactionError
from crn_nn_tellurium.networks import Network

Form = Literal["reactions", "compact", "numbers"]
_THIRD_ORDER = "  unit per_nM2_s = litre^2 / (1e-9 mole^2 * second)\n"
VOLUME = "_V"
"""Identifier of the volume in a stochastic model."""


def to_antimony(
    model: Network | ReactionNetwork, form: Form = "reactions", x: npt.ArrayLike | None = None
) -> str:
    """The Antimony text of a network or of any mass-action reaction network.

    Parameters
    ----------
    model : Network or ReactionNetwork
    form : {"reactions", "compact", "numbers"}
        See the module's docstring; all have the same right-hand side.
    x : (n_in,) array_like, optional
        For a Network, its input values; by default the inputs' species start at 0.

    Returns
    -------
    str
        One model; equal networks give identical text.

    Raises
    ------
    ReactionError
        If a reaction is above third order, or an identifier is reserved.
    InputError
        If the inputs have the wrong shape or cannot be coded.

    Examples
    --------
    >>> from crn_nn_tellurium import Layer
    >>> text = to_antimony(Network([Layer([[2.0]])]), form="compact")
    >>> print(text[text.index("  JY1_0") : text.index("; JY1_0.sbo")])
      JY1_0: => Y1_0; comp*(h1 + w1_0_0*x0*Y1_0 - q1*Y1_0*Y1_0)
    """
    if isinstance(model, ReactionNetwork) and x is not None:
        raise ReactionError(
            "x goes with a Network; a ReactionNetwork has its boundary concentrations already"
        )
    if not isinstance(model, Network | ReactionNetwork):
        raise ReactionError(
            f"to_antimony takes a Network or a ReactionNetwork; got {type(model).__name__}"
        )
    crn = to_reactions(model, x) if isinstance(model, Network) else model
    return write_antimony(
        crn, form, signed_constants(crn) if isinstance(model, Network) else frozenset()
    )


def layer_models(net: Network, form: Form = "reactions") -> tuple[str, ...]:
    """One Antimony text per layer, in order; what a layer reads are boundary species.

    Examples
    --------
    >>> [text.split()[1] for text in layer_models(Network.random([2, 3, 1], seed=0))]
    ['*network_layer1()', '*network_layer2()']
    """
    return tuple(write_antimony(crn, form, signed_constants(crn)) for crn in layer_reactions(net))


def write_antimony(
    crn: ReactionNetwork, form: Form = "reactions", signed: frozenset[str] = frozenset()
) -> str:
    """The text of a reaction network; `signed` are the constants that a compact model gives a sign."""
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
    lines = (
        _faithful(crn) if form == "reactions" else _compact(crn, signed, numbers=form == "numbers")
    )
    return f"model *{crn.name}()\n" + "\n".join(lines) + "\nend\n"


def structure_text(crn: ReactionNetwork, signed: frozenset[str]) -> str:
    """A compact model without annotation whose values are all 1: equal for networks of equal
    structure.

    The sign of a weight is not structure, so networks that differ in it share a compiled model.
    """
    laws, _ = _collect(crn, signed)
    lines = ["  compartment comp = 1"]
    lines += [f"  {name} = 1" for name in crn.rate_constants]
    lines += [
        f"  species {'$' if s.boundary else ''}{s.id} in comp; {s.id} = 1" for s in crn.species
    ]
    for statement in _laws(crn, laws, {}):
        rule = f"  {statement.sum} := {statement.sum_text}\n" if statement.sum_text else ""
        lines.append(f"{rule}  {statement.reaction}: => {statement.species}; {statement.law}")
    return "model *structure()\n" + "\n".join(lines) + "\nend\n"


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
    lines = ["  compartment comp = 1", *(f"  {name} = 1" for name in crn.rate_constants)]
    lines += [
        f"  species {'$' if s.boundary else ''}{s.id} in comp; {s.id} = 1" for s in crn.species
    ]
    for s in crn.floating:
        lines.append(f"  _J{s}: => {s}; comp*({_sum_text(crn.terms[s])})")
    needed = {
        s for direction in directions.values() for moving in direction.values() for s in moving
    }
    entries = {
        (row, column): f"_d{row}_{column}"
        for row, column in crn.jacobian_terms
        if row in needed and column in needed and column in crn.floating
    }
    lines += [
        f"  {name} := {_sum_text(crn.jacobian_terms[place])}" for place, name in entries.items()
    ]
    for start, direction in directions.items():
        ((parameter, moving),) = direction.items()
        lines += [
            f"  species {start}_{s} in comp; {start}_{s} = 0" for s in crn.floating if s in moving
        ]
        for row in crn.floating:
            if row in moving:
                parts = [
                    f"{name}*{start}_{column}"
                    for (r, column), name in entries.items()
                    if r == row and column in moving
                ]
                direct = crn.jacobian_terms.get((row, parameter)) or [
                    Term(term.number, "1", term.species)
                    for term in crn.terms[row]
                    if term.rate_constant == parameter
                ]
                parts += [f"({_sum_text(direct)})"] if direct else []
                lines.append(f"  _J{start}_{row}: => {start}_{row}; comp*({signed_sum(parts)})")
    return "model *variational()\n" + "\n".join(lines) + "\nend\n"


def _sum_text(terms: Sequence[Term]) -> str:
    return signed_sum(
        [_term_text(_Term(term.number, term.rate_constant, term.species), {}) for term in terms]
    )


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


def compact_constants(crn: ReactionNetwork, signed: frozenset[str]) -> FloatArray:
    """Values of the rate constants as a compact model has them, (n_constants,) in the order of
    `rate_constants`.
    """
    signs = compact_signs(crn, signed)
    return np.array([signs.get(k, 1) * v for k, v in crn.constant_values.items()])


def compact_signs(crn: ReactionNetwork, signed: frozenset[str]) -> dict[str, int]:
    """The sign that a compact model gives each of the `signed` constants."""
    return _collect(crn, signed)[1]


# Pieces that the forms share --------------------------------------------------------------------


def _header(crn: ReactionNetwork) -> str:
    third = any(reaction.order == 3 for reaction in crn.reactions)
    return f"""\
  unit substance = 1e-9 mole; unit extent = 1e-9 mole; unit time_unit = 1 second; unit volume = 1 litre
  unit nM = 1e-9 mole / litre; unit per_s = 1 / second
  unit per_nM_s = litre / (1e-9 mole * second); unit nM_per_s = 1e-9 mole / (litre * second)
{_THIRD_ORDER if third else ""}\
  compartment comp = 1; comp has volume; comp.sboTerm = {SBO_COMPARTMENT}"""


def _species(species: Species, literal: dict[str, str]) -> str:
    initial = species.initial
    start = (
        formula(initial, ANTIMONY, literal) if isinstance(initial, Expression) else repr(initial)
    )
    name = f"  // {printable(species.name)}" if species.name else ""
    mark = "$" if species.boundary else ""
    return (
        f"  species {mark}{species.id} in comp; {species.id} = {start}; {species.id}.sboTerm ="
        f" {SBO_SPECIES}{name}"
    )


def _constants(
    crn: ReactionNetwork, sign: dict[str, int], leave_out: frozenset[str]
) -> Iterator[str]:
    order, values = crn.constant_orders, crn.constant_values
    for name in crn.rate_constants:
        if name not in leave_out:
            value, unit, term = (
                sign.get(name, 1) * values[name],
                UNITS[order[name]],
                SBO_CONSTANT[order[name]],
            )
            yield f"  {name} = {value!r}; {name} has {unit}; {name}.sboTerm = {term}"


def _observables(crn: ReactionNetwork, literal: dict[str, str]) -> Iterator[str]:
    for observable in crn.observables:
        name = f"  // {printable(observable.name)}" if observable.name else ""
        text = formula(observable.expression, ANTIMONY, literal)
        yield (
            f"  {observable.id} := {text}; {observable.id} has nM; {observable.id}.sboTerm ="
            f" {SBO_OBSERVABLE}{name}"
        )


# The forms ----------------------------------------------------------------------------------------


def _faithful(crn: ReactionNetwork) -> Iterator[str]:
    yield _header(crn)
    yield from _constants(crn, {}, frozenset())
    for species in crn.species:
        yield _species(species, {})
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


@dataclass(frozen=True, slots=True)
class _Term:
    """number * constant * prod(others), a part of one species' rate of change."""

    number: int
    constant: str
    others: tuple[str, ...]


def _compact(crn: ReactionNetwork, signed: frozenset[str], numbers: bool) -> Iterator[str]:
    # a number has its own sign, so with numbers no constant carries one
    laws, sign = _collect(crn, frozenset() if numbers else signed)
    inlined = (signed or frozenset(crn.rate_constants)) if numbers else frozenset()
    order, values = crn.constant_orders, crn.constant_values
    literal = {name: f"{values[name]!r} {UNITS[order[name]]}" for name in inlined}
    yield _header(crn)
    yield from _constants(crn, sign, inlined)
    for species in crn.species:
        yield _species(_with_signs(species, sign), literal)
    for law in _laws(crn, laws, literal):
        if law.sum_text:
            yield (
                f"  {law.sum} := {law.sum_text}; {law.sum} has per_s; {law.sum}.sboTerm ="
                f" {SBO_SUM}  // drive of {law.species}"
            )
        yield (
            f"  {law.reaction}: => {law.species}; {law.law}; {law.reaction}.sboTerm ="
            f" {SBO_REACTION}; "
            f'{law.reaction} is "net production of {law.species}"'
        )
    yield from _observables(crn, literal)


def _with_signs(species: Species, sign: dict[str, int]) -> Species:
    """The species with its start value in terms of constants that carry a sign."""
    if not isinstance(species.initial, Expression):
        return species
    terms = tuple(
        Monomial(
            term.coefficient * math.prod(sign.get(symbol, 1) for symbol, _ in term.powers),
            term.powers,
        )
        for term in species.initial.terms
    )
    return replace(species, initial=Expression(terms))


@dataclass(frozen=True, slots=True)
class _Law:
    """One species' reaction in a compact model, with the catalysed sum that it is the first to use."""

    species: str
    reaction: str
    law: str
    sum: str = ""
    sum_text: str = ""


def _laws(
    crn: ReactionNetwork, rates: dict[str, dict[int, list[_Term]]], literal: dict[str, str]
) -> Iterator[_Law]:
    taken = {*(s.id for s in crn.species), *crn.rate_constants, *(o.id for o in crn.observables)}
    sums: dict[tuple[_Term, ...], str] = {}
    for species, powers in rates.items():
        if not powers:
            continue  # nothing changes it
        parts: list[str] = []
        name = text = ""
        catalysed = tuple(term for term in powers.get(1, []) if term.others)
        flip = bool(catalysed) and catalysed[0].number < 0
        key = (
            tuple(_Term(-t.number, t.constant, t.others) for t in catalysed) if flip else catalysed
        )
        if len(key) > 1 and key not in sums:
            sums[key] = name = free_id(f"z_{species}", taken)
            text = signed_sum([_term_text(term, literal) for term in key])
        for power, terms in sorted(powers.items()):
            tail = f"*{species}" * power
            if power == 1 and key in sums:
                parts.append(f"{'-' if flip else ''}{sums[key]}{tail}")
                terms = [term for term in terms if not term.others]
            elif power == 0 and (shared := _common_factor(terms)) and shared[1] in sums:
                parts.append(f"{sums[shared[1]]}*{shared[0]}")
                terms = [term for term in terms if not term.others]
            parts += [_term_text(term, literal) + tail for term in terms]
        yield _Law(
            species, free_id(f"J{species}", taken), f"comp*({signed_sum(parts)})", name, text
        )


def _common_factor(terms: list[_Term]) -> tuple[str, tuple[_Term, ...]] | None:
    """A species that is a factor of all catalysed terms, and the terms without it."""
    catalysed = [term for term in terms if term.others]
    for factor in catalysed[0].others if catalysed else ():
        if all(factor in term.others for term in catalysed):
            rest = [list(term.others) for term in catalysed]
            for others in rest:
                others.remove(factor)
            return factor, tuple(
                _Term(t.number, t.constant, tuple(o)) for t, o in zip(catalysed, rest, strict=True)
            )
    return None


def _collect(
    crn: ReactionNetwork, signed: frozenset[str]
) -> tuple[dict[str, dict[int, list[_Term]]], dict[str, int]]:
    """Each floating species' rate of change by powers of its own concentration, and the constants'
    signs.
    """
    laws: dict[str, dict[int, list[_Term]]] = {species: {} for species in crn.floating}
    sign: dict[str, int] = {}
    for reaction in crn.reactions:
        substrates = dict(reaction.substrates)
        for species, number in reaction.net.items():
            if species not in laws or not number:
                continue
            if reaction.rate_constant in signed:
                number *= sign.setdefault(reaction.rate_constant, 1 if number > 0 else -1)
            others = tuple(
                s for s, count in substrates.items() if s != species for _ in range(count)
            )
            term = _Term(number, reaction.rate_constant, others)
            laws[species].setdefault(substrates.get(species, 0), []).append(term)
    return laws, sign


def _term_text(term: _Term, literal: dict[str, str]) -> str:
    size = "" if abs(term.number) == 1 else f"{abs(term.number)}*"
    body = size + "*".join((literal.get(term.constant, term.constant), *term.others))
    return f"-{body}" if term.number < 0 else body
