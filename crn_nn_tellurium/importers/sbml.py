"""SBML models of anybody's that are mass action, as a ReactionNetwork.

A kinetic law that is a polynomial, sum_t c_t prod_s x_s^a_ts, is one irreversible reaction per
term: it needs a_ts molecules of each species s, as catalysts where the reaction as written does not
take them, and a negative term runs backwards. It is mass action if no term takes molecules that it
does not need. (That is the lemma of Hars and Toth, Colloquia Mathematica Societatis Janos Bolyai 30
(1981) 363, which rate rules are read by as well.) Rules of assignment are put in where they are
used, and kept as observables where they are sums of monomials.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import libsbml

from crn_nn_tellurium.basics import (
    free_id,
    path_of,
    read_bytes,
    reading,
    truth,
    warn,
    write_bytes,
)
from crn_nn_tellurium.chemistry import (
    Expression,
    Observable,
    Parameter,
    ReactionNetwork,
    Species,
    units_in,
    without_reserved,
)
from crn_nn_tellurium.errors import InputError, ReactionError
from crn_nn_tellurium.importers.sbml_document import readable_name, ready_model
from crn_nn_tellurium.importers.sbml_formulas import Formulas, divided
from crn_nn_tellurium.importers.sbml_reactions import Reactions
from crn_nn_tellurium.importers.sbml_text import check_sbml


def import_sbml(path: str | os.PathLike[str], *, allow_files: bool = False) -> ReactionNetwork:
    """A mass-action model from an SBML file, of any level, by anybody.

    Parameters
    ----------
    path : path-like
    allow_files : bool
        Whether to open other files that the model takes parts from (``source=`` of package comp).

    Returns
    -------
    ReactionNetwork
        Reversible reactions become two, modifiers that a law reads become catalysts on both sides.
        Concentrations and rate constants are the numbers of the file: units are not converted, but
        known (`ReactionNetwork.units`) where `export` wrote the file with them.
        Where a law has more than one parameter, or a parameter is used at two orders, the rate
        constant is a new one named after the reaction, with a formula by which it follows the
        parameters (`ReactionNetwork.formulas`). What a logarithm or another such function reads is
        a number everywhere. Species that rules set are observables, parameters with rate rules
        species, and a species that nothing changes is a parameter where a law divides by it.
        Identifiers that Antimony reserves get a ``_`` at their end.

    Raises
    ------
    FileFormatError
        If it is not SBML, or not valid.
    InputError
        If it is the text of a file, not its name.
    ReactionError
        If something in it is not mass action at constant volume; the message names it.
    OSError
        If it cannot be read.

    Warns
    -----
    UserWarning
        If an assignment rule that no reaction uses is not a sum of monomials, and so is left out;
        if a law counts molecules, k * P * (P - 1), as propensities of stochastic runs do.

    Examples
    --------
    >>> import tempfile
    >>> from crn_nn_tellurium import export, load_model, to_reactions
    >>> net = load_model("xor")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     import_sbml(export(net, f"{folder}/xor.xml", starts="formulas")) == to_reactions(net)
    True
    """
    if isinstance(path, str) and path.lstrip().startswith("<"):
        raise InputError(
            "path is the text of a document; expected the name of a file:"
            " Path('model.xml').write_text(...)"
        )
    path = path_of("path", path)
    content = read_bytes(path)
    check_sbml(content, str(path), truth("allow_files", allow_files))
    with reading(path):
        # libSBML, which knows the encodings of XML, has what was looked at: the file is another's
        # by now, or a stream that is at its end
        with tempfile.TemporaryDirectory() as folder:
            looked_at = write_bytes(Path(folder, "model.xml"), content)
            document = libsbml.readSBMLFromFile(str(looked_at))
        # other files lie beside the one that was named; libSBML finds none from "folder/model.xml"
        document.setLocationURI(f"file:{path.absolute()}")
        return _reactions(document, str(path))


def reactions_from_sbml(text: str, origin: str) -> ReactionNetwork:
    """The same from the text of a file; `origin` names it in errors."""
    check_sbml(text, origin)
    with reading(origin):
        return _reactions(libsbml.readSBMLFromString(text), origin)


def _reactions(document: Any, origin: str) -> ReactionNetwork:
    model = ready_model(document, origin)
    numbers: set[str] = set()
    lone: set[str] = set()
    while True:
        known = len(numbers), len(lone)
        try:
            reader = _Reader(model, origin, numbers, lone)
            # numbers that are known before anything is read are no news
            known = len(numbers), known[1]
            network = reader.network()
        except ReactionError as error:
            if known != (len(numbers), len(lone)):
                continue
            if str(error).startswith(repr(origin)):
                raise
            raise ReactionError(f"{origin!r}: {error}") from error
        # what turned out to be a number somewhere is to be one everywhere
        if known == (len(numbers), len(lone)):
            for note in reader.formulas.notes:
                warn(note)
            return network


class _Reader:
    def __init__(self, model: Any, origin: str, numbers: set[str], lone: set[str]) -> None:
        self.model = model
        self._refuse(origin)
        self.formulas = Formulas(model, origin, numbers, lone)
        self.refusal = self.formulas.refusal
        self.reactions = Reactions(model, self.formulas)
        self.followed = self.reactions.followed

    def network(self) -> ReactionNetwork:
        name = free_id(self.model.getId() or "model", set(self.formulas.taken))
        reactions = list(self.reactions.all())
        species = list(self._species())
        starts = [s.initial for s in species if isinstance(s.initial, Expression)]
        constants = {reaction.rate_constant for reaction in reactions}
        known = {s.id for s in species} | constants
        read = self._constants_of([*self.followed.values(), *starts], constants)
        observables = list(self._observables(known | {*read}))
        read |= self._constants_of((o.expression for o in observables), constants)
        # what another rule reads is a constant with a formula
        observables = [o for o in observables if o.id not in read]
        read = {k: None for k in read if k not in known}
        parts = tuple(species), tuple(reactions), tuple(observables)
        formulas = {k: f for k in (*constants, *read) if (f := self._formula(k)) is not None}
        parameters = tuple(Parameter(k, *self._about(k)) for k in read)
        # what `export` wrote says in which units
        units = units_in(self.model.getNotesString())
        crn = without_reserved(*parts, name, parameters, tuple(formulas.items()))
        crn = replace(crn, units=units)
        try:
            crn.starts()
        except ReactionError as error:
            raise self.refusal(str(error)) from error
        return crn

    def _check_start(self, name: str, value: float) -> None:
        if not 0 <= value < math.inf:
            raise self.refusal(
                f"species {name!r} starts at {value!r}; expected a finite number >= 0"
            )

    def _formula(self, constant: str) -> Expression | None:
        return self.followed.get(constant) or self.formulas.formula(constant)

    def _about(self, constant: str) -> tuple[float, str]:
        """Value and readable name of a constant."""
        value = self.formulas.constant(constant, f"the value of {constant!r}")
        element = self.formulas.parameters.get(constant)
        return value, "" if element is None else readable_name(element)

    def _constants_of(
        self, expressions: Iterable[Expression], constants: Iterable[str]
    ) -> dict[str, None]:
        """The constants that formulas read, and so on; those that follow from others last."""
        found: dict[str, None] = {}
        open_ = [s for expression in expressions for s in expression.symbols]
        open_ += [s for k in constants if (f := self._formula(k)) is not None for s in f.symbols]
        while open_:
            name = open_.pop()
            if name not in found and name not in self.formulas.volume and name not in self.followed:
                found[name] = None
                open_ += [] if (f := self._formula(name)) is None else f.symbols
        # in the order of the model, so that what was written is read as it was
        listed = (name for name in self.formulas.parameters if name in found)
        return dict.fromkeys([*listed, *sorted(found)])

    def _refuse(self, origin: str) -> None:
        """What has no place in a mass-action network."""
        model = self.model
        reactions, rules = model.getListOfReactions(), model.getListOfRules()
        counts = {
            "events": model.getNumEvents(),
            "algebraic rules": sum(rule.isAlgebraic() for rule in rules),
            "fast reactions": sum(r.isSetFast() and r.getFast() for r in reactions),
        }
        for what, count in counts.items():
            if count:
                # roadrunner has neither of the others
                as_it_is = " (scan simulates texts and files as they are)"
                raise ReactionError(
                    f"{origin!r}: a mass-action network has no {what}; the model has {count}; take"
                    f" them out{as_it_is if what == 'events' else ''}"
                )

    def _species(self) -> Iterator[Species]:
        for name in self.formulas.volume:
            species = self.formulas.species.get(name) or self.formulas.parameters.get(name)
            initial = self._initial(name)
            if not isinstance(initial, Expression):
                self._check_start(name, initial)
            held = name in self.formulas.held
            yield Species(name, initial, held, readable_name(species))

    def _initial(self, name: str) -> float | Expression:
        formulas, what = self.formulas, f"the initial value of {name!r}"
        volume = formulas.volume[name] if name in formulas.in_amounts else 1.0
        if name not in formulas.at_start:
            start = formulas.given(name)
            return (math.nan if start is None else start) / volume
        try:
            expression = divided(formulas.expression(formulas.at_start[name], what), volume)
        except ReactionError:
            # no sum of monomials, but a number
            if (start := formulas.start_number(name)) is None:
                raise
            return start / volume
        if any(expression.symbols):
            return expression
        return float(expression.evaluate({}))

    def _observables(self, known: set[str]) -> Iterator[Observable]:
        """What rules assign and nothing else reads by its name."""
        formulas, read = self.formulas, set(known)
        for name, node in formulas.assigned.items():
            what = f"assignment rule {name!r}"
            element = formulas.parameters.get(name) or formulas.species.get(name)
            if element is None or name in known:
                continue  # a compartment, whose size is a number
            before = set(formulas.numbers), set(formulas.lone)
            try:
                expression = formulas.expression(node, what)
                # a number cannot follow what others read by its name
                if lost := (formulas.numbers - before[0]) & read:
                    reads = f"{what} has {min(lost)!r} in a function that is no sum of monomials"
                    raise self.refusal(f"{reads}, and the network has it as a constant")
                constants = self._constants_of([expression], ())
                for term in expression.terms:
                    self.reactions.coefficient(term, what)
            except ReactionError as error:
                for kept, own in zip(before, (formulas.numbers, formulas.lone), strict=True):
                    own.intersection_update(kept)
                formulas.notes.append(f"left out: {error}")
                continue
            read |= {*constants}
            if name in formulas.in_amounts:
                expression = divided(expression, formulas.size_of(name))
            yield Observable(name, expression, readable_name(element))
