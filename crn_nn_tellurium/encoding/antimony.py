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
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray, check_choice
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
    Units,
    check_writable,
    formula,
    printable,
    unit_definitions,
)
from crn_nn_tellurium.encoding.laws import compact_constants, compact_names, laws, with_signs
from crn_nn_tellurium.encoding.whole import Starts, layer_reactions, written
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.importers import AnyModel, as_model, as_network
from crn_nn_tellurium.networks import Network

Form = Literal["reactions", "compact", "numbers"]

_SMALLEST = 2.22507385850721e-308
"""Number that doubles hold in full, of 15 digits, as libAntimony hands them on."""


def to_antimony(
    model: AnyModel,
    x: npt.ArrayLike | None = None,
    form: Form = "reactions",
    *,
    units: Units | None = None,
    starts: Starts = "numbers",
) -> str:
    """The Antimony text of a network or of any mass-action reaction network.

    Parameters
    ----------
    model : Network, ReactionNetwork, str or path-like
        As `Simulator` takes it.
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
        If a reaction is above third order, or a number so near to 0 that readers take it for none.
    InputError
        If the inputs have the wrong shape or cannot be coded, or form or units are none.

    Examples
    --------
    >>> from crn_nn_tellurium import Layer
    >>> text = to_antimony(Network([Layer([[2.0]])]), form="compact")
    >>> print(text[text.index("  JY1_0") : text.index("; JY1_0.sbo")])
      JY1_0: => Y1_0; comp*(h1 + u1_0_0*x0*Y1_0 - q1*Y1_0*Y1_0)
    """
    crn = written(as_model(model, "to_antimony"), x, units, starts)
    check_choice("form", form, get_args(Form))
    check_writable(crn, _SMALLEST)
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
    net = as_network(net, "layer_models")
    if not isinstance(form, str):
        raise InputError(
            f"form is {form!r}; expected one of {', '.join(map(repr, get_args(Form)))}: a layer's"
            " model takes no input values, what it reads are boundary species"
        )
    flat = written(net)
    # inputs over their range are concentrations up to 1, see `written`
    bound = flat.start_values | dict.fromkeys(flat.boundary, 1.0)
    started = (crn.with_starts([bound[s] for s in crn.boundary]) for crn in layer_reactions(net))
    return tuple(to_antimony(crn, form=form, units=units) for crn in started)


# Pieces that the forms share --------------------------------------------------------------------


def _header(crn: ReactionNetwork) -> str:
    definitions = unit_definitions(crn)
    definitions["extent"] = definitions["substance"]
    units = "; ".join(f"unit {name} = {_unit(parts)}" for name, parts in definitions.items())
    # SBML counts reactions in extents, which have the unit of substances
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
    """The rate constants that have a name in the text, and the parameters."""
    orders = crn.constant_orders
    # a constant that carries a sign is, by its formula, that of its size
    signs = {k: sign for k, sign in crn.constant_signs.items() if names.get(k, k) != k}
    formulas = {k: _signed(f, signs, signs.get(k, 1)) for k, f in crn.formulas}
    called = {p.id: p.name for p in crn.parameters}
    for k, value in zip(crn.constant_names, values.tolist(), strict=True):
        if k in names:
            name = names[k]
            # by a rule, so that it follows where a tool sets what it reads
            own = f"= {value!r}"
            if k in formulas:
                own = f":= {formula(formulas[k], names=names)}"
            line = f"  {name} {own}"
            if k in orders:
                unit = _constant_unit(crn, orders[k])
                line += f"; {name} has {unit}; {name}.sboTerm = {SBO_CONSTANT[orders[k]]}"
            yield line + (f"  // {printable(called[k])}" if called.get(k) else "")


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
    yield from _constants(crn, {k: k for k in crn.constant_names}, crn.constants)
    for species in crn.species:
        yield _species(crn, species, {})
    for reaction in crn.reactions:
        met = (s if n == 1 else f"{s}^{n}" for s, n in reaction.substrates)
        # times the compartment, since SBML's rates are amounts, not concentrations, per time
        law = "*".join(["comp", reaction.rate_constant, *met])
        name = f'; {reaction.id} is "{printable(reaction.name)}"' if reaction.name else ""
        yield (
            f"  {reaction.id}: {reaction.equation}; {law}; {reaction.id}.sboTerm ="
            f" {SBO_REACTION}{name}"
        )
    yield from _observables(crn, {})


def _compact(crn: ReactionNetwork, numbers: bool) -> Iterator[str]:
    if numbers:
        crn = crn.with_numbers()
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
        terms, values = with_signs(crn), compact_constants(crn)
        names, literal = compact_names(crn), {}
    words, per_time = {**names, **literal}, _constant_unit(crn, 1)
    yield _header(crn)
    yield from _constants(crn, names, values)
    for species in crn.species:
        yield _species(crn, species if numbers else _signed_start(crn, species), words)
    for law in laws(crn, terms, [words[k] for k in crn.rate_constants]):
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


def _signed_start(crn: ReactionNetwork, species: Species) -> Species:
    """The species with its start value in terms of constants that carry a sign."""
    if not isinstance(species.initial, Expression):
        return species
    return replace(species, initial=_signed(species.initial, crn.constant_signs))


def _signed(expression: Expression, signs: Mapping[str, int], own: int = 1) -> Expression:
    """A formula in constants that carry signs, for what carries the sign `own`."""
    terms = []
    for term in expression.terms:
        sign = own * math.prod(signs.get(symbol) or 1 for symbol, _ in term.powers)
        terms.append(Monomial(term.coefficient * sign, term.powers))
    return Expression(tuple(terms))
